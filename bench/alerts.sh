#!/usr/bin/env bash
# How long a look at clientele.alerts takes, by a role that may see no customer:
#   bench/alerts.sh [CUSTOMERS]     a store of 500,000 customers, live and not, goal: at most 5 ms; then 26 more beside it: about two minutes
# A private server, as the tests use; nothing of yours is touched.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/server.sh"

customers=${1:-500000}

psql_as() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$priv/socket" -U postgres -d bench "$@"; }

load() {
    step "Loading $customers customers and their $((customers * 4)) orders"
    psql_as -v customers="$customers" >/dev/null <<'END'
SET client_min_messages = warning;
CREATE EXTENSION clientele;
CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
INSERT INTO orders SELECT c * 4 + n, c, now() - (n + 1) * interval '17 days' - c % 1000 * interval '1 minute', 20 + (c * 37 + n * 11) % 60
    FROM generate_series(1, :customers) c, generate_series(0, 3) n;
CREATE INDEX ON orders (customer_id);
VACUUM ANALYZE orders;
SELECT clientele.create_store('shop', 'orders', live => true);
SELECT clientele.define_segment('shop', 'big', 'total_spent > 450');
SELECT clientele.define_offer('shop', 'p' || p, 'grow_order_value', budget => 1000000, priority => p) FROM generate_series(1, 5) p;
CALL clientele.refresh('shop');
CALL clientele.issue_offers('shop');
CALL clientele.settle_offers('shop');
CHECKPOINT;
END
}

# $1: what is measured. Prints the median of its times, and the least one, which is what it takes where nothing else runs.
measure() {
    echo 'TABLE clientele.alerts' >"$priv/look.sql"
    (cd "$priv" && "$bin/pgbench" -n -h "$priv/socket" -U monitor -c 1 -t 500 -M prepared -l -f "$priv/look.sql" bench >/dev/null)
    cut -d' ' -f3 "$priv"/pgbench_log.* | sort -n | awk -v what="$1" '{ took[NR] = $1 / 1000 }
        END { printf "%-20s median %6.2f ms, least %6.2f ms\n", what, took[int(NR / 2)], took[1] }'
    rm -f "$priv"/pgbench_log.*
}

main() {
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    "$bin/createdb" -h "$priv/socket" -U postgres bench
    psql_as -c "ALTER SYSTEM SET jit = off" -c "SELECT pg_reload_conf()" >/dev/null
    load
    step "Looking, 500 times by one session; load $(cut -d' ' -f1-3 /proc/loadavg)"
    psql_as -At -c "SELECT count(*) || ' customers, ' || (SELECT count(*) FROM shop.ledger) || ' exposures, ' || (SELECT count(*) FROM clientele.alerts) || ' alerts' FROM shop.profiles"
    measure "a live store"
    psql_as -c "SELECT clientele.set_live('shop', false)" >/dev/null
    measure "the same, not live"
    psql_as -c "SET client_min_messages = warning" -c "SELECT clientele.create_store('shop' || n, 'orders', live => n % 2 = 0) FROM generate_series(1, 26) n" >/dev/null
    measure "27 stores"
    echo "Load $(cut -d' ' -f1-3 /proc/loadavg)"
}

main
