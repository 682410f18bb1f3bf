# A private, throw-away PostgreSQL server with clientele in it; sourced.
#
# PostgreSQL finds its share and lib directories relative to its own binary. So copies of the binaries, in a tree of
# symbolic links to everything else, make an installation of its own: the extension goes there and nowhere else.
# Everything lives in one temporary directory, which goes when the script ends, however it ends.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The caller's settings for other servers are not ours. (PGDATESTYLE says how to read dates.)
for name in "${!PG@}"; do
    case $name in PG_CONFIG | PGDATESTYLE) ;; *) unset "$name" ;; esac
done

priv=     # the temporary directory
job=      # the process group of what runs in the foreground
account=  # who runs the server; empty: we ourselves
pg_config=
bin=      # the private tree's binaries

# Undoes everything, at the end and on Ctrl-C.
clean_up() {
    trap '' EXIT INT TERM HUP
    if [ -n "$job" ]; then kill -TERM -- "-$job" 2>/dev/null || true; fi
    job=
    if [ -n "$priv" ]; then
        stop_servers
        cd /
        rm -rf "$priv"
    fi
    priv=
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Runs a command as a process group of its own, so that a signal to this script ends all of it at once.
run() {
    local status=0
    set -m
    "$@" &
    job=$!
    set +m
    wait "$job" || status=$?
    job=
    return $status
}

# Runs a command as the user who runs the server: PostgreSQL refuses to run as root.
as_server() {
    if [ -n "$account" ]; then
        HOME=$priv/home TMPDIR=$priv/tmp runuser -u "$account" -- "$@"
    else
        HOME=$priv/home TMPDIR=$priv/tmp "$@"
    fi
}

make_private_directory() {
    priv=$(mktemp -d "${TMPDIR:-/tmp}/clientele.XXXXXX")
    if [ ${#priv} -gt 70 ]; then  # the path of a socket is limited to 107 bytes
        rmdir "$priv"
        priv=$(mktemp -d /tmp/clientele.XXXXXX)
    fi
    mkdir "$priv/home" "$priv/tmp" "$priv/socket"
    if [ "$(id -u)" = 0 ]; then
        account=nobody
        if id -u postgres >/dev/null 2>&1; then account=postgres; fi
        chown "$account" "$priv" "$priv"/*
    fi
    cd "$priv"
}

# Builds the extension in the source tree (build/, and two files that git ignores).
build_extension() {
    pg_config=$(find_pg_config) || fail "no PostgreSQL 15 or later with its development files was found"
    mkdir -p "$top/build"
    run make_extension
}

make_extension() {
    flock "$top/build/lock" make -C "$top" -j "$(nproc)" PG_CONFIG="$pg_config" all |
        sed -nu 's/.* -c -o .* \(src.*\)/    \1/p'
}

# Into the private tree under $1.
install_extension() {
    flock "$top/build/lock" make -C "$top" -s PG_CONFIG="$pg_config" DESTDIR="$1/root" install >/dev/null
}

make_private_tree() {
    local directory
    bin=$priv/root$("$pg_config" --bindir)
    for directory in "$("$pg_config" --sharedir)" "$("$pg_config" --pkglibdir)"; do
        mkdir -p "$priv/root$directory"
        cp -rs "$directory/." "$priv/root$directory/"
    done
    mkdir -p "$bin"
    cp "$("$pg_config" --bindir)"/* "$bin/"
    # An installed clientele must not be written through its links.
    rm -f "$priv/root$("$pg_config" --sharedir)"/extension/clientele[.-]* "$priv/root$("$pg_config" --pkglibdir)"/clientele.*
    install_extension "$priv"
    # Tests of upgrades put further versions there.
    if [ -n "$account" ]; then chown "$account" "$priv/root$("$pg_config" --sharedir)/extension"; fi
}

start_server() {
    run as_server "$bin/initdb" -D "$priv/data" -U postgres --auth=trust --encoding=UTF8 --no-locale --no-sync \
        >"$priv/initdb.log" || { cat "$priv/initdb.log" >&2; fail "initdb failed"; }
    as_server tee -a "$priv/data/postgresql.conf" >/dev/null <<EOF
listen_addresses = ''
unix_socket_directories = '$priv/socket'
timezone = 'UTC'
shared_buffers = '256MB'
max_wal_size = '4GB'
fsync = off
synchronous_commit = off
full_page_writes = off
EOF
    run as_server "$bin/pg_ctl" -D "$priv/data" -l "$priv/data/server.log" -s -w start ||
        { cat "$priv/data/server.log" >&2; fail "the server did not start"; }
}

# Stops every server under the temporary directory: ours, and those that a test left behind.
stop_servers() {
    local file pid tries
    while read -r file; do
        pid=$(head -n 1 "$file" 2>/dev/null) || continue
        [ "$(readlink "/proc/$pid/cwd")" = "${file%/*}" ] || continue
        kill -QUIT "$pid" 2>/dev/null || true
        for tries in {1..100}; do
            kill -0 "$pid" 2>/dev/null || break
            if [ "$tries" = 80 ]; then kill -KILL "$pid" 2>/dev/null || true; fi
            sleep 0.1
        done
    done < <(find "$priv" -name postmaster.pid 2>/dev/null)
}

# Leaves the server running when the script ends, and says how to reach and how to end it. $1: user, $2: database
keep_server() {
    local as=
    if [ -n "$account" ]; then as="runuser -u $account -- "; fi
    cat >"$priv/stop" <<EOF
#!/bin/sh
# Stops this server and removes it with everything in it.
cd / && $as'$bin/pg_ctl' -D '$priv/data' -s -m fast stop; rm -rf '$priv'
EOF
    chmod +x "$priv/stop"
    cat <<EOF

The server keeps running.
    To connect:              psql -h $priv/socket -U $1 $2
    To stop and remove it:   $priv/stop
EOF
    priv=
}
