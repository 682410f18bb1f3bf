#!/usr/bin/env bash
# What events cost a refresh: with them and without (keep_events 0), in turns, of a store in which one customer in twenty moves between two refreshes:
#   bench/events.sh               500,000 customers, 5 million orders: about five minutes
#   bench/events.sh quick         a tenth of it
# A private server, as the tests use; nothing of yours is touched.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/server.sh"

customers=500000
runs=7
if [ "${1:-}" = quick ]; then customers=50000; fi

psql_as() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$priv/socket" -U postgres -d bench "$@"; }

load() {
    step "Loading $customers customers and their $((customers * 10)) orders"
    psql_as -v customers="$customers" >/dev/null <<'END'
SET client_min_messages = warning;
CREATE EXTENSION clientele;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, children integer);
INSERT INTO customers SELECT c, c % 5 FROM generate_series(1, :customers) c;
CREATE TABLE orders (order_id bigint, customer_id bigint, ordered_at timestamptz, amount numeric);
INSERT INTO orders SELECT c * 10 + n, c, timestamptz '2025-01-01' + n * interval '17 days' + c % 1000 * interval '1 minute', 20 + (c * 37 + n * 11) % 60
    FROM generate_series(1, :customers) c, generate_series(0, 9) n;
VACUUM ANALYZE customers, orders;
SELECT clientele.create_store('shop', 'orders', customers => 'customers', attributes => '{children}');
SELECT clientele.define_segment('shop', 'families', 'children > 2'), clientele.define_segment('shop', 'big', 'total_spent > 450');
CALL clientele.refresh('shop');
VACUUM ANALYZE;
CHECKPOINT;
END
}

# $1: keep_events. Prints the milliseconds of a refresh that finds what has moved.
refresh() {
    psql_as -c "UPDATE shop.settings SET options = options || jsonb_build_object('keep_events', '$1')" \
        -c "UPDATE customers SET children = 5 - children WHERE customer_id % 20 = $2" -c "CHECKPOINT" 2>/dev/null
    psql_as -c '\timing on' -c "CALL clientele.refresh('shop')" 2>/dev/null | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
    psql_as -c "VACUUM customers, shop.segment_membership, shop.segment_events"
}

median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }

main() {
    local nth keep took
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    "$bin/createdb" -h "$priv/socket" -U postgres bench
    psql_as -c "ALTER SYSTEM SET jit = off" -c "ALTER SYSTEM SET autovacuum = off" -c "SELECT pg_reload_conf()" >/dev/null
    load
    step "Refreshing, $runs times in turns; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for ((nth = 0; nth <= runs; nth++)); do
        for keep in 0 90days; do
            took=$(refresh "$keep" "$nth")
            # The first run only warms up.
            if [ "$nth" -gt 0 ]; then echo "$took" >>"$priv/$keep"; fi
        done
    done
    printf 'events written in %s refreshes: %s\n' "$((runs + 1))" "$(psql_as -At -c "SELECT last_event - $customers FROM shop.event_counter")"
    printf 'without events %10s ms\nwith events    %10s ms, %s x\n' "$(median <"$priv/0")" "$(median <"$priv/90days")" \
        "$(echo "$(median <"$priv/90days") $(median <"$priv/0")" | awk '{ printf "%.3f", $1 / $2 }')"
    echo "Load $(cut -d' ' -f1-3 /proc/loadavg)"
}

main
