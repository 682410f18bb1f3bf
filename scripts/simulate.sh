#!/usr/bin/env bash
# Simulations whose truth is known; they need no server, and both together run for some 20 minutes:
#   scripts/simulate.sh                          both
#   scripts/simulate.sh lift [RUNS]              experiments: how often the intervals of lift() hold the true effect; fails where they do
#                                                not hold what they promise
#   scripts/simulate.sh offers [SEEDS [SHOP…]]   shops: what ways of setting an offer's terms earn
source "$(dirname "$0")/common.sh"

simulate() {
    local program=$1_simulation
    shift
    "$top/scripts/packages.sh" build unit
    mkdir -p "$top/build"
    flock "$top/build/lock" cmake -S "$top" -B "$top/build/simulation" >/dev/null
    flock "$top/build/lock" cmake --build "$top/build/simulation" -j "$(nproc)" --target "$program" >/dev/null
    "$top/build/simulation/$program" "$@"
}

case ${1:-both} in
    lift | offers) simulate "$@" ;;
    both)
        simulate lift
        simulate offers
        ;;
    *) fail "unknown simulation $1: lift or offers" ;;
esac
