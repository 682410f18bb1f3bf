# What run.sh and compare.sh share: the sizes, the shop, and the suites; sourced.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/server.sh"
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
parts=(aggregates look_ups whole_shop refresh live rfm scores clv issuing)
servers=()  # the directories of those that are measured: one, or two that are compared

# Reads the arguments: [quick | small] [SUITE...]
choose() {
    case ${1:-} in
        quick)
            customers=25000
            runs=3
            analyst_runs=1
            seconds=1
            till_customers=21500
            till_orders=100000
            copy_orders=50000
            shift
            ;;
        small)
            customers=100000
            seconds=3
            till_customers=86000
            till_orders=400000
            copy_orders=200000
            shift
            ;;
    esac
    if [ -n "${RUNS:-}" ]; then runs=$RUNS; fi
    local known=" ${parts[*]} " part
    for part in "$@"; do
        case $known in *" $part "*) ;; *) fail "unknown argument $part: see the head of this script" ;; esac
    done
    if [ $# -gt 0 ]; then parts=("$@"); fi
}

# Whether the shop is needed: live and clv bring tables of their own.
needs_shop() {
    local part
    for part in "${parts[@]}"; do
        case $part in live | clv) ;; *) return 0 ;; esac
    done
    return 1
}

prepare() {
    sql -f "$here/setup.sql"
    if needs_shop; then load_shop; fi
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
    echo "server:     $("$bin/postgres" --version)"
    echo "machine:    $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ {print int($2 / 1048576)}' /proc/meminfo) GB, load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
    on "${servers[0]}" -At -F ' = ' -c "SELECT 'settings:   ' || string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
        WHERE name IN ('shared_buffers', 'work_mem', 'hash_mem_multiplier', 'jit', 'autovacuum', 'fsync', 'max_parallel_workers_per_gather')"
}

# Of the checkout $1.
revision() {
    local revision
    revision=$(git -C "$1" log -1 --format='%h %s' 2>/dev/null || echo unknown)
    if [ -n "$(git -C "$1" status --porcelain -- src 2>/dev/null)" ]; then revision+=", with changes in src"; fi
    echo "$revision"
}

# psql on the server $1, with the other arguments
on() {
    local server=$1
    shift
    run env PGOPTIONS='-c client_min_messages=warning' "$bin/psql" -X -q -h "$server/socket" -U postgres -d postgres -v ON_ERROR_STOP=1 -P pager=off -P footer=off "$@" || exit 1
}

# psql on every server, with its arguments; what it reads from stdin, where it is given nothing else, all of them get.
sql() {
    local server turn script=
    case " $* " in *" -c "* | *" -f "*) ;; *) script=$(cat) ;; esac
    take_turns
    for server in "${turn[@]}"; do on "$server" "$@" <<<"$script"; done
}

# Where two builds are compared each figure is taken of both at once; who comes first changes with the caller's run, $nth.
take_turns() {
    turn=("${servers[@]}")
    if [ ${#turn[@]} = 2 ] && [ $((${nth:-0} % 2)) = 1 ]; then turn=("${turn[1]}" "${turn[0]}"); fi
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

# Runs pgbench once on every server. $1: suite, $2: item, $3: run, $4: what to note: tps, or ms a transaction; then pgbench's arguments
transactions() {
    local suite=$1 item=$2 nth=$3 unit=$4 server turn tps
    shift 4
    take_turns
    for server in "${turn[@]}"; do
        run "$bin/pgbench" -h "$server/socket" -U postgres -n --random-seed="$nth" "$@" postgres >"$priv/pgbench.out" 2>"$priv/pgbench.err" ||
            fail "pgbench: $(cat "$priv/pgbench.err")"
        grep -q '^number of failed transactions: 0 ' "$priv/pgbench.out" || fail "transactions failed: $(cat "$priv/pgbench.out")"
        if grep -q WARNING "$priv/pgbench.err"; then fail "pgbench: $(grep -m 1 WARNING "$priv/pgbench.err")"; fi
        tps=$(sed -n 's/^tps = \([0-9.]*\) (without.*/\1/p' "$priv/pgbench.out")
        on "$server" -c "INSERT INTO bench.results VALUES ('$suite', '$item', $nth, CASE '$unit' WHEN 'ms' THEN 1000 / $tps ELSE $tps END, '$unit')"
    done
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
