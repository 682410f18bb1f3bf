#!/usr/bin/env bash
# Measures how fast clientele is, on a private server: bench/run.sh [quick | small] [aggregates] [look_ups] [whole_shop] [refresh] [live] [rfm] [scores] [clv] [issuing]
#   quick   a twentieth of the size, short runs: does the benchmark work?
#   small   a fifth of the size
#   The other words choose what is measured; all of it where none is given.
# README.md says what is measured against what.
source "$(dirname "$0")/../scripts/server.sh"
here=$top/bench
source "$here/live.sh"
source "$here/refresh.sh"
source "$here/rfm.sh"
source "$here/scores.sh"
source "$here/clv.sh"
source "$here/issue.sh"

customers=500000
runs=5
analyst_runs=2
seconds=5
till_customers=430000
till_orders=2000000
copy_orders=1000000
if [ "${1:-}" = quick ]; then
    shift
    customers=25000
    runs=3
    analyst_runs=1
    seconds=1
    till_customers=21500
    till_orders=100000
    copy_orders=50000
elif [ "${1:-}" = small ]; then
    shift
    customers=100000
    seconds=3
    till_customers=86000
    till_orders=400000
    copy_orders=200000
fi
if [ $# -eq 0 ]; then set -- aggregates look_ups whole_shop refresh live rfm scores clv issuing; fi
shop=false
for part in "$@"; do
    case $part in aggregates | look_ups | whole_shop | refresh | rfm | scores | issuing) shop=true ;; live | clv) ;; *) fail "unknown argument $part: see the head of this script" ;; esac
done

main() {
    "$top/scripts/packages.sh" build server
    SECONDS=0
    step "Building the extension, starting a private server"
    build_extension || fail "the extension did not build"
    make_private_directory
    make_private_tree
    start_server
    configure
    environment
    sql -f "$here/setup.sql"
    if $shop; then load_shop; fi
    local part
    for part in "$@"; do "$part"; done
    step "Results"
    sql -v shop="$shop" -f "$here/report.sql"
    printf '\nThat took %s minutes. Load average at the end: %s\n' "$((SECONDS / 60))" "$(cut -d' ' -f1-3 /proc/loadavg)"
}

# The server's settings; those of single statements are stated with them.
configure() {
    as_server tee -a "$priv/data/postgresql.conf" >/dev/null <<END
shared_buffers = '4GB'
effective_cache_size = '8GB'
work_mem = '512MB'
maintenance_work_mem = '1GB'
max_wal_size = '16GB'
checkpoint_timeout = '1h'
autovacuum = off
jit = off
END
    run as_server "$bin/pg_ctl" -D "$priv/data" -l "$priv/data/server.log" -s -w restart
}

environment() {
    local revision
    revision=$(git -C "$top" rev-parse --short HEAD 2>/dev/null || echo unknown)
    if [ -n "$(git -C "$top" status --porcelain -- src 2>/dev/null)" ]; then revision+=", with changes in src"; fi
    echo "clientele:  $revision"
    echo "server:     $(sql -At -c "SELECT version()")"
    echo "machine:    $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ {print int($2 / 1048576)}' /proc/meminfo) GB, load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
    sql -At -F ' = ' -c "SELECT 'settings:   ' || string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
        WHERE name IN ('shared_buffers', 'work_mem', 'hash_mem_multiplier', 'jit', 'autovacuum', 'fsync', 'max_parallel_workers_per_gather')"
}

# psql, with its arguments
sql() {
    run env PGOPTIONS='-c client_min_messages=warning' "$bin/psql" -X -q -h "$priv/socket" -U postgres -d postgres -v ON_ERROR_STOP=1 -P pager=off -P footer=off "$@" || exit 1
}

# Runs queries/$3.sql once, and notes how long it took by the server's clock. $1: suite, $2: run, $4: settings
measure() {
    printf '%s' "  $3" >&2
    sql >/dev/null <<END
DROP TABLE IF EXISTS bench.result;
$4
SELECT clock_timestamp() AS started \\gset
\\i $here/queries/$3.sql
INSERT INTO bench.results SELECT '$1', '$3', $2, extract(epoch FROM clock_timestamp() - :'started');
END
}

# $1: suite, $2: runs, $3: settings; then the queries, which take turns
interleave() {
    local suite=$1 times=$2 settings=$3 nth query
    shift 3
    for ((nth = 1; nth <= times; nth++)); do
        printf '%s, run %s of %s:' "$suite" "$nth" "$times" >&2
        for query in "$@"; do measure "$suite" "$nth" "$query" "$settings"; done
        echo >&2
    done
}

serial="SET max_parallel_workers_per_gather = 0;"
parallel="SET max_parallel_workers_per_gather = 2;"
tight="SET max_parallel_workers_per_gather = 0; SET work_mem = '4MB';"

load_shop() {
    local which
    step "Loading $((20 * customers)) orders of $customers customers"
    sql -v customers="$customers" -f "$here/load.sql"
    sql -f "$here/store.sql"
    step "Refreshing the store, apart"
    for which in first again; do
        sql <<END
SELECT clock_timestamp() AS started \\gset
CALL clientele.refresh('shop');
INSERT INTO bench.results SELECT 'shop with lines', '$which', 1, extract(epoch FROM clock_timestamp() - :'started');
END
    done
    sql -c "VACUUM (FREEZE, ANALYZE) shop.profiles" -c "CHECKPOINT"
}

aggregates() {
    local query
    step "Plans of the aggregates (jit off)"
    for query in plain profile; do
        explain "$serial" $query
        explain "$parallel" $query
    done
    explain "$tight" profile
    step "Aggregates"
    interleave "aggregate, serial" $runs "$serial" scan group_count plain profile profile_zone profile_columns
    interleave "aggregate, parallel" $runs "$parallel" scan group_count plain profile profile_zone profile_columns
    interleave "aggregate, work_mem 4MB" $runs "$tight" plain profile
    interleave "analyst, serial" $analyst_runs "$serial" analyst
    interleave "analyst, parallel" $analyst_runs "$parallel" analyst
}

# The plan of queries/$2.sql under the settings $1, run once, so that batches and memory show.
explain() {
    printf '\n%s %s\n' "$2:" "$1"
    sql -At -c "DROP TABLE IF EXISTS bench.result" -c "$1" -c "EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) $(grep -v '^--' "$here/queries/$2.sql")" 2>&1 | cut -c 1-300
}

look_ups() {
    local nth clients look_up
    step "Look-ups of one customer: pgbench -M prepared, $seconds s each"
    for clients in 1 4; do
        for ((nth = 1; nth <= runs; nth++)); do
            printf '%s clients, run %s of %s:' "$clients" "$nth" "$runs" >&2
            for look_up in columns sizes plpgsql segment segment_bigint offer offer_bigint; do
                printf '%s' "  $look_up" >&2
                transactions "look-ups, $clients" "$look_up" "$nth" tps -M prepared -c "$clients" -j "$((clients > 1 ? 2 : 1))" \
                    -T "$seconds" -D customers="$customers" -f "$here/lookups/$look_up.sql"
            done
            echo >&2
        done
    done
}

# Runs pgbench once. $1: suite, $2: item, $3: run, $4: what to note: tps, or ms a transaction; then pgbench's arguments
transactions() {
    local suite=$1 item=$2 nth=$3 unit=$4 tps
    shift 4
    run "$bin/pgbench" -h "$priv/socket" -U postgres -n --random-seed="$nth" "$@" postgres >"$priv/pgbench.out" 2>"$priv/pgbench.err" ||
        fail "pgbench: $(cat "$priv/pgbench.err")"
    grep -q '^number of failed transactions: 0 ' "$priv/pgbench.out" || fail "transactions failed: $(cat "$priv/pgbench.out")"
    if grep -q WARNING "$priv/pgbench.err"; then fail "pgbench: $(grep -m 1 WARNING "$priv/pgbench.err")"; fi
    tps=$(sed -n 's/^tps = \([0-9.]*\) (without.*/\1/p' "$priv/pgbench.out")
    sql -c "INSERT INTO bench.results VALUES ('$suite', '$item', $nth, CASE '$unit' WHEN 'ms' THEN 1000 / $tps ELSE $tps END, '$unit')"
}

whole_shop() {
    local query
    step "Plans for all customers"
    for query in all_offers all_join; do
        explain "$serial" $query
    done
    step "All customers"
    interleave "all, serial" $runs "$serial" all_{profiles,customers,segments,offers,campaign,offer_decisions,join}
    interleave "all, parallel" $runs "$parallel" all_{profiles,customers,segments,offers,campaign,offer_decisions,join}
}

main "$@"
