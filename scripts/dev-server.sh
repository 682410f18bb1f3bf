#!/usr/bin/env bash
# A private server that stays, for working on clientele: scripts/dev-server.sh start | install | psql [ARGUMENT…] | env | stop
#   install   builds again and puts the result into the running server (new sessions see it)
#   env       prints PGHOST and PGUSER for other tools: eval "$(scripts/dev-server.sh env)"; make installcheck
# DEV_SERVER=name keeps several apart.
source "$(dirname "$0")/server.sh"

state=$top/build/dev-server${DEV_SERVER:+-$DEV_SERVER}

main() {
    case ${1:-} in
        start) start ;;
        install) install_again ;;
        psql) find_directory && "$directory/psql" "${@:2}" ;;
        env) find_directory && echo "export PGHOST=$directory/socket PGUSER=postgres" ;;
        stop) find_directory && "$directory/stop" && rm "$state" ;;
        *) fail "start, install, psql, env or stop" ;;
    esac
}

start() {
    if [ -e "$state" ] && [ -d "$(cat "$state")" ]; then fail "it runs already, in $(cat "$state")"; fi
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    printf '#!/bin/sh\nexec %q -h %q -U postgres "$@"\n' "$bin/psql" "$priv/socket" >"$priv/psql"
    chmod +x "$priv/psql"
    echo "$priv" >"$state"
    keep_server postgres postgres
}

install_again() {
    find_directory
    build_extension
    install_extension "$directory"
}

find_directory() {
    directory=$(cat "$state" 2>/dev/null) || true
    if [ ! -d "$directory" ]; then fail "it does not run: scripts/dev-server.sh start"; fi
}

main "$@"
