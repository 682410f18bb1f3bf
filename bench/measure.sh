#!/usr/bin/env bash
# How long measure_lift() takes, against the plain SQL that computes the two means, in turns:
#   bench/measure.sh              1 million exposures, 10 million orders: about ten minutes, 4 GB of memory
#   bench/measure.sh quick        a tenth of it
# A private server, as the tests use; nothing of yours is touched.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/server.sh"

exposures=1000000
orders=10000000
runs=5
if [ "${1:-}" = quick ]; then
    exposures=100000
    orders=1000000
fi

psql_as() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$priv/socket" -U postgres -d bench "$@"; }

load() {
    step "Loading $exposures exposures and $orders orders"
    psql_as -c "CREATE EXTENSION clientele"
    psql_as -v exposures="$exposures" -v orders="$orders" -f "$here/measure.sql" >/dev/null
}

# Prints the milliseconds that a query takes within the server.
milliseconds() {
    psql_as -c "SET max_parallel_workers_per_gather = $2" -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}

median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }

main() {
    local workers nth took name
    local -A queries=(
        [measure_lift]="SELECT effect FROM clientele.measure_lift('shop', 'p')"
        [unadjusted]="SELECT effect FROM clientele.measure_lift('shop', 'p', pre_period => '0')"
        [means]="SELECT * FROM means")
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    "$bin/createdb" -h "$priv/socket" -U postgres bench
    psql_as -c "ALTER SYSTEM SET work_mem = '512MB'" -c "ALTER SYSTEM SET jit = off" -c "ALTER SYSTEM SET autovacuum = off" -c "SELECT pg_reload_conf()" >/dev/null
    load
    step "Measuring, $runs times in turns; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for workers in 0 2; do
        for name in "${!queries[@]}"; do : >"$priv/$name.$workers"; done
        for ((nth = 0; nth <= runs; nth++)); do
            for name in measure_lift unadjusted means; do
                took=$(milliseconds "${queries[$name]}" "$workers")
                # The first run only warms up.
                if [ "$nth" -gt 0 ]; then echo "$took" >>"$priv/$name.$workers"; fi
            done
        done
        for name in measure_lift unadjusted means; do
            printf '%s workers: %-14s %10s ms, %s x the means\n' "$workers" "$name" "$(median <"$priv/$name.$workers")" \
                "$(echo "$(median <"$priv/$name.$workers") $(median <"$priv/means.$workers")" | awk '{ printf "%.2f", $1 / $2 }')"
        done
    done
    echo "Load $(cut -d' ' -f1-3 /proc/loadavg)"
}

main
