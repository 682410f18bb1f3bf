# The suite of refresh(); sourced.

refresh() {
    step "A store without lines over the same orders, days in UTC as in analyst.sql"
    durable
    sql -f "$here/ledger.sql"
    counts
    full_refreshes
    incremental_refreshes
    sql -c "SELECT clientele.drop_store('ledger')" >/dev/null
}

# All profiles computed, and thrown away; DuckDB with one thread takes turns.
counts() {
    local nth query work_mem
    step "Computing all profiles"
    start_duckdb
    for ((nth = 1; nth <= runs; nth++)); do
        printf 'count, run %s of %s:' "$nth" "$runs" >&2
        for query in count count_columns count_zone; do measure "count, serial" "$nth" "$query" "$serial"; done
        for work_mem in 4MB 64MB; do measure "count, serial, work_mem $work_mem" "$nth" count "$serial SET work_mem = '$work_mem';"; done
        measure "count, parallel" "$nth" count "$parallel"
        for query in profile cheap; do in_duckdb "count, serial" "$nth" "$query"; done
        echo >&2
    done
    stop_duckdb
}

has_duckdb=no

# From npm into the temporary directory. Left out where there is no npm or no network.
start_duckdb() {
    local home=$priv/duckdb banner
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        echo "DuckDB is left out: node and npm are not there"
        return
    fi
    mkdir "$home"
    cp "$here/duckdb/run.mjs" "$home"
    if ! run npm install --loglevel=error --no-audit --no-fund --cache "$home/cache" --prefix "$home" @duckdb/node-api >"$home/errors" 2>&1; then
        echo "DuckDB is left out: npm could not install @duckdb/node-api: $(grep -m 1 -v "npm warn" "$home/errors")"
        return
    fi
    sql -c "COPY (SELECT customer_id, ordered_at AT TIME ZONE 'UTC', amount FROM orders) TO '$priv/tmp/orders.csv' WITH (FORMAT csv)"
    coproc duckdb { exec node "$home/run.mjs" "$priv/tmp/orders.csv" 2>"$home/errors"; }
    has_duckdb=yes
    read -r banner <&"${duckdb[0]}" || fail "DuckDB: $(cat "$home/errors")"
    echo "$banner"
    rm -f "$priv/tmp/orders.csv"
}

# Runs duckdb/$3.sql and notes how long it took by its own clock. $1: suite, $2: run
in_duckdb() {
    local took
    if [ $has_duckdb = no ]; then return; fi
    printf '%s' "  duckdb_$3" >&2
    echo "$here/duckdb/$3.sql" >&"${duckdb[1]}"
    read -r took <&"${duckdb[0]}" || fail "DuckDB: $(cat "$priv/duckdb/errors")"
    sql -c "INSERT INTO bench.results VALUES ('$1', 'duckdb_$3', $2, $took)"
}

stop_duckdb() {
    if [ $has_duckdb = no ]; then return; fi
    exec {duckdb[1]}>&-
    wait "$duckdb_PID" || true
    has_duckdb=no
    rm -rf "$priv/duckdb"
}

# Notes how long a refresh of the ledger took. $1: item, $2: run, $3: full
refreshed() {
    printf '%s' "  $1" >&2
    sql <<END
VACUUM (ANALYZE) ledger.profiles;
VACUUM (ANALYZE) ledger.pending;
CHECKPOINT;
$serial
SELECT clock_timestamp() AS started \\gset
CALL clientele.refresh('ledger', $3);
INSERT INTO bench.results SELECT 'refresh, serial', '$1', $2, extract(epoch FROM clock_timestamp() - :'started');
END
}

# Into an empty table, and with nothing changed; against the analyst's columns written to a table.
full_refreshes() {
    local nth kind
    step "Full refreshes, and the analyst's SQL into a table"
    for ((nth = 1; nth <= runs; nth++)); do
        printf 'refresh, run %s of %s:' "$nth" "$runs" >&2
        sql -c "TRUNCATE ledger.profiles"
        refreshed first "$nth" true
        refreshed again "$nth" true
        if [ "$nth" -le "$analyst_runs" ]; then
            for kind in UNLOGGED ""; do analyst_table "$nth" "$kind"; done
        fi
        echo >&2
    done
}

# $1: run, $2: UNLOGGED or nothing
analyst_table() {
    local item=analyst_table
    if [ -n "$2" ]; then item+=_unlogged; fi
    printf '%s' "  $item" >&2
    sql -c CHECKPOINT
    sql <<END
DROP TABLE IF EXISTS bench.result;
$serial
SELECT clock_timestamp() AS started \\gset
$(sed -e "s/^SELECT count(t) FROM (/CREATE $2 TABLE bench.result AS/" -e 's/ OFFSET 0) AS t;$/;/' "$here/queries/analyst.sql")
INSERT INTO bench.results SELECT 'refresh, serial', '$item', $1, extract(epoch FROM clock_timestamp() - :'started');
END
}

# One order in a hundred is new, or changed; on average every fifth customer has one of them.
incremental_refreshes() {
    local nth changes=$((customers / 5))
    step "Refreshes of a live store after $changes new or updated orders"
    sql -c "CREATE INDEX ON orders (customer_id)" -c "SELECT clientele.set_live('ledger', true)" \
        -c "CALL clientele.refresh('ledger', true)" >/dev/null
    for ((nth = 1; nth <= runs; nth++)); do
        printf 'refresh, run %s of %s:' "$nth" "$runs" >&2
        change_orders "$nth" "$changes" new
        refreshed after_new "$nth" false
        change_orders "$nth" "$changes" updated
        refreshed after_updated "$nth" false
        change_orders $((nth + runs)) "$changes" new
        refreshed full_after_new "$nth" true
        echo >&2
    done
    sql -c "DROP INDEX orders_customer_id_idx"
}

# $1: which of them, $2: how many, $3: new or updated
change_orders() {
    sql <<END
SET clientele.fold_pending_at = -1;
$(case $3 in
    new) echo "INSERT INTO orders SELECT 1000000000 + $1 * 10000000 + n, 1 + floor($customers * bench.uniform(n, 50 + $1))::bigint, now(), 12.34
        FROM generate_series(1::bigint, $2) AS n;" ;;
    updated) echo "UPDATE orders SET amount = amount + 1 WHERE order_id BETWEEN 1 AND 20 * $customers AND order_id % 100 = $1;" ;;
    esac)
END
}
