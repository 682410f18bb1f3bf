# The suite of live stores; sourced by suites.sh.

# The same orders each: without a trigger, with one that does nothing, with what people write today, and with a live store;
# "unfolded" shows what folding in the background costs: it is live, too, and nothing is folded while it is measured.
tills="plain noop upsert live unfolded"

live() {
    local file=$priv/tmp/orders.csv
    step "Loading five tills: $till_orders orders of $till_customers customers each"
    durable
    sql -v customers="$till_customers" -f "$here/live/customers.sql"
    local till
    for till in $tills; do
        sql -v till="till_$till" -v customers="$till_customers" -v orders="$till_orders" -f "$here/live/till.sql"
        if [ -e "$here/live/$till.sql" ]; then sql -f "$here/live/$till.sql"; fi
    done
    for till in $(among live unfolded); do sql -v store="$till" -v till="till_$till" -v live=true -f "$here/live/store.sql"; done
    sql -v store=batch -v till=till_plain -v live=false -f "$here/live/store.sql"
    sql -c "COPY (SELECT CASE WHEN n <= $till_customers THEN n ELSE 1 + floor($till_customers * bench.uniform(n, 43))::bigint END AS customer_id,
        date_trunc('second', now()) AS ordered_at, round((3 + 100 * bench.uniform(n, 44))::numeric, 2) AS amount
        FROM generate_series(1::bigint, $copy_orders) AS n ORDER BY hashint8extended(n, 45)) TO '$file'"
    reads
    single_inserts
    other_statements
    copies "$file"
    for till in $(among live unfolded) batch; do sql -c "SELECT clientele.drop_store('$till')" >/dev/null; done
    for till in $tills; do sql -c "DROP SCHEMA till_$till CASCADE"; done
    sql -c "DROP TABLE till_customers"
    rm -f "$file"
}

# Those of the tills named that there are.
among() {
    local till
    for till in "$@"; do
        case " $tills " in *" $till "*) echo "$till" ;; esac
    done
}

# As a server that keeps orders has it. Later parts keep it.
durable() {
    sql -c "ALTER SYSTEM SET fsync = on" -c "ALTER SYSTEM SET full_page_writes = on" -c "SELECT pg_reload_conf()" >/dev/null
    sleep 1
    sql -At -F ' = ' -c "SELECT 'settings:   ' || string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes', 'wal_level', 'wal_sync_method')"
}

# Everybody starts anew: nothing pending, no dead rows, no checkpoint to come.
tidy() {
    local name
    for name in $(among live unfolded); do sql -c "CALL clientele.refresh('$name')" -c "VACUUM (ANALYZE) $name.profiles" -c "VACUUM (ANALYZE) $name.pending"; done
    for name in $tills; do sql -c "VACUUM (ANALYZE) till_$name.orders"; done
    for name in $(among upsert); do sql -c "VACUUM (ANALYZE) till_$name.totals"; done
    sql -c CHECKPOINT
}

# One pgbench run on a till. $1: suite, $2: item, $3: run, $4: till, $5: tps or ms, $6: settings; then pgbench's arguments
at_till() {
    local suite=$1 item=$2 nth=$3 till=$4 unit=$5 settings=$6
    shift 6
    printf '%s' "  $item" >&2
    if [ "$till" = unfolded ]; then settings+=" -c clientele.fold_pending_at=-1"; fi
    PGOPTIONS="-c search_path=till_$till $settings" transactions "$suite" "$item" "$nth" "$unit" -D customers="$till_customers" -D orders="$till_orders" "$@"
}

single_inserts() {
    local mode commit clients nth item
    step "Single-row INSERTs by pgbench, $seconds s each"
    for mode in prepared simple; do
        for commit in off on; do
            for clients in 1 4; do
                tidy
                # The first run touches what has not been touched since the checkpoint, and does not count.
                for ((nth = 0; nth <= runs; nth++)); do
                    printf '%s, %s clients, synchronous_commit %s, run %s of %s:' "$mode" "$clients" "$commit" "$nth" "$runs" >&2
                    for item in $tills; do
                        at_till "insert, $mode, $clients, commit $commit" "$item" "$nth" "$item" tps "-c synchronous_commit=$commit" \
                            -M "$mode" -c "$clients" -j "$((clients > 1 ? 2 : 1))" -T "$seconds" -f "$here/live/insert.sql"
                    done
                    echo >&2
                done
            done
        done
    done
}

other_statements() {
    local commit nth item
    step "Other statements by pgbench -c 1, $seconds s each"
    for commit in off on; do
        tidy
        for ((nth = 0; nth <= runs; nth++)); do
            printf 'synchronous_commit %s, run %s of %s:' "$commit" "$nth" "$runs" >&2
            for item in $(among plain upsert live); do
                at_till "update of one row, commit $commit" "$item" "$nth" "$item" tps "-c synchronous_commit=$commit" \
                    -M prepared -T "$seconds" -f "$here/live/update.sql"
                at_till "insert of 100 rows, commit $commit" "$item" "$nth" "$item" ms "-c synchronous_commit=$commit" \
                    -M prepared -T "$seconds" -f "$here/live/hundred.sql"
                at_till "1,000 inserts in a transaction, commit $commit" "$item" "$nth" "$item" ms "-c synchronous_commit=$commit" \
                    -M simple -T "$seconds" -f "$here/live/loop.sql"
            done
            echo >&2
        done
    done
}

# $1: file
copies() {
    local nth item
    step "COPY of $copy_orders orders of $till_customers customers"
    for ((nth = 1; nth <= runs; nth++)); do
        tidy
        printf 'copy, run %s of %s:' "$nth" "$runs" >&2
        for item in $(among plain upsert live unfolded); do
            printf '%s' "  $item" >&2
            sql <<END
SET search_path = till_$item;
$(if [ "$item" = unfolded ]; then echo "SET clientele.fold_pending_at = -1;"; fi)
SELECT clock_timestamp() AS started \\gset
COPY orders (customer_id, ordered_at, amount) FROM '$1';
INSERT INTO bench.results SELECT 'copy', '$item', $nth, extract(epoch FROM clock_timestamp() - :'started');
END
        done
        echo >&2
    done
}

# Every till gets the same new orders, so that they stay of one size.
reads() {
    local pending=0 wanted
    step "Reads: a live store against a batch store of the same size; pgbench -M prepared -c 1, $seconds s each"
    tidy
    for wanted in 0 $((till_customers / 43)) $((10 * till_customers / 43)); do
        new_orders $((wanted - pending))
        pending=$wanted
        compare_reads "$pending pending"
    done
    sql -c "CALL clientele.refresh('live', true)"
    tidy
    sql -c "SET clientele.fold_pending_at = -1" -c "UPDATE till_live.orders SET amount = amount + 1 WHERE order_id <= $((till_customers / 43))"
    compare_reads "$((till_customers / 43)) updated"
}

# One order each of that many customers, the first of whom is another each time.
new_orders() {
    local till
    if [ "$1" = 0 ]; then return; fi
    for till in $tills; do
        sql -c "SET clientele.fold_pending_at = -1" -c "INSERT INTO till_$till.orders (customer_id, ordered_at, amount)
            SELECT 1 + (n + $1) * 7919 % $till_customers, now(), 12.34 FROM generate_series(1::bigint, $1) AS n"
    done
}

compare_reads() {
    local nth store look_up
    echo "pending: $(sql -At -c "SELECT count(*) || ' rows, ' || pg_size_pretty(pg_table_size('live.pending')) FROM live.pending")"
    for store in batch live; do
        sql -c "VACUUM (ANALYZE) $store.profiles" -c "VACUUM (ANALYZE) $store.pending" -c "VACUUM (ANALYZE) till_${store/batch/plain}.orders"
    done
    for ((nth = 1; nth <= runs; nth++)); do
        printf '%s, run %s of %s:' "$1" "$nth" "$runs" >&2
        for store in batch live; do
            for look_up in segment offer; do
                at_till "read $look_up, $1" "$store" "$nth" "${store/batch/plain}" tps "-c clientele.store=$store -c clientele.fold_pending_at=-1" \
                    -M prepared -T "$seconds" -f "$here/lookups/$look_up.sql"
            done
            sql <<END
SELECT clock_timestamp() AS started \\gset
SELECT count(*) FROM $store.customers \\g /dev/null
INSERT INTO bench.results SELECT 'read count(*), $1', '$store', $nth, extract(epoch FROM clock_timestamp() - :'started');
SELECT clock_timestamp() AS started \\gset
SELECT count(t) FROM (SELECT * FROM $store.customers OFFSET 0) AS t \\g /dev/null
INSERT INTO bench.results SELECT 'read all columns, $1', '$store', $nth, extract(epoch FROM clock_timestamp() - :'started');
END
        done
        echo >&2
    done
}
