#!/usr/bin/env bash
# Compares this checkout with another one (say, of the commit before), each on a private server, in one run:
#   bench/compare.sh OTHER_CHECKOUT [quick | small] [aggregates] [look_ups] [whole_shop] [refresh] [live] [rfm] [scores] [clv] [issuing]
# Each figure is taken of both, one directly after the other, and who comes first changes from run to run. Prints the medians and their
# ratios. The scripts of this checkout drive both; the other one is built in its own directory. RUNS=n: so many runs of each.
# git worktree add ../before COMMIT makes another checkout.
source "$(dirname "$0")/suites.sh"

# A till without a store shows how far the two servers differ by chance.
tills="plain live"

main() {
    [ -f "${1:-}/clientele.control" ] || fail "the first argument is the directory of the other checkout: see the head of this script"
    local before part
    before=$(cd "$1" && pwd)
    shift
    choose "$@"
    "$top/scripts/packages.sh" build server
    SECONDS=0
    pg_config=$(find_pg_config)
    make_private_directory
    start_build before "$before"
    start_build after "$top"
    servers=("$priv/before" "$priv/after")
    bin=$priv/after/root$("$pg_config" --bindir)
    environment
    prepare >>"$priv/output"
    for part in "${parts[@]}"; do
        step "$part"
        "$part" >>"$priv/output"
    done
    report
    printf '\nThat took %s minutes. Load average at the end: %s\n' "$((SECONDS / 60))" "$(cut -d' ' -f1-3 /proc/loadavg)"
}

# Builds a checkout, $2, and starts a server with it in a directory $1 of its own within the temporary one.
start_build() {
    step "Building $1, starting a private server"
    printf '%s %s\n' "$1:" "$(revision "$2")"
    run build_and_start "$priv/$1" "$2" || fail "the server \"$1\" did not start"
}

# A subshell, in which the variables of server.sh are those of the one server.
build_and_start() (
    run() { "$@"; }  # all of it is the one process group that a signal ends
    priv=$1
    top=$2
    mkdir "$priv" "$priv/home" "$priv/tmp" "$priv/socket"
    if [ -n "$account" ]; then chown "$account" "$priv" "$priv"/*; fi
    build_extension
    make_private_tree
    start_server
    configure
)

report() {
    step "Results"
    on "$priv/after" -c "CREATE TABLE bench.before (LIKE bench.results)"
    on "$priv/before" -c "COPY bench.results TO STDOUT" >"$priv/results"
    on "$priv/after" -c "COPY bench.before FROM STDIN" <"$priv/results"
    on "$priv/after" -f "$here/compare.sql"
}

# What a suite shows besides its figures, and what it compares with other programs, is the same for both.
explain() { :; }
start_duckdb() { :; }
in_scipy() { : >"$priv/scipy.out"; }

main "$@"
