#!/usr/bin/env bash
# Measures how fast clientele is, on a private server: bench/run.sh [quick | small] [aggregates] [look_ups] [whole_shop] [refresh] [live] [rfm] [scores] [clv] [issuing]
#   quick   a twentieth of the size, short runs: does the benchmark work?
#   small   a fifth of the size
#   The other words choose what is measured; all of it where none is given. RUNS=n: so many runs of each, instead of 5 (quick: 3).
# README.md says what is measured against what.
source "$(dirname "$0")/suites.sh"

main() {
    choose "$@"
    "$top/scripts/packages.sh" build server
    SECONDS=0
    step "Building the extension, starting a private server"
    build_extension || fail "the extension did not build"
    make_private_directory
    make_private_tree
    start_server
    configure
    servers=("$priv")
    echo "clientele:  $(revision "$top")"
    environment
    prepare
    local part shop=false
    for part in "${parts[@]}"; do "$part"; done
    if needs_shop; then shop=true; fi
    step "Results"
    sql -v shop="$shop" -f "$here/report.sql"
    printf '\nThat took %s minutes. Load average at the end: %s\n' "$((SECONDS / 60))" "$(cut -d' ' -f1-3 /proc/loadavg)"
}

main "$@"
