#!/usr/bin/env bash
# Holds the intervals of lift() against experiments whose true effect is known: scripts/simulate.sh [RUNS]
# Prints a table; fails where an interval does not hold what it promises. Needs no server. 4,000 runs take some minutes.
source "$(dirname "$0")/common.sh"

"$top/scripts/packages.sh" build unit
mkdir -p "$top/build"
flock "$top/build/lock" cmake -S "$top" -B "$top/build/simulation" >/dev/null
flock "$top/build/lock" cmake --build "$top/build/simulation" -j "$(nproc)" --target lift_simulation >/dev/null
"$top/build/simulation/lift_simulation" "$@"
