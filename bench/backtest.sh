#!/usr/bin/env bash
# How long backtest_offer() takes over 12 steps, against 12 times what a refresh takes to count all profiles, in turns:
#   bench/backtest.sh              10 million orders of 500,000 customers: some minutes, 4 GB of memory
#   bench/backtest.sh quick        a tenth of it
# A private server, as the tests use; nothing of yours is touched.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/server.sh"

customers=500000
orders=10000000
runs=3
if [ "${1:-}" = quick ]; then
    customers=50000
    orders=1000000
fi

psql_as() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$priv/socket" -U postgres -d bench "$@"; }

load() {
    step "Loading $orders orders of $customers customers"
    psql_as -v customers="$customers" -v orders="$orders" >/dev/null <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION clientele;
CREATE TABLE orders (order_id bigint NOT NULL, customer_id bigint NOT NULL, ordered_at timestamptz NOT NULL, amount numeric(12, 2) NOT NULL);
INSERT INTO orders
SELECT n, 1 + (n * 7919::bigint) % :customers, timestamptz '2024-01-01' + n * (interval '730 days' / :orders), 10 + n * 31::bigint % 9000 / 100.0
FROM generate_series(1, :orders) n;
VACUUM ANALYZE orders;
SELECT clientele.create_store('shop', 'orders');
CALL clientele.refresh('shop');
VACUUM ANALYZE shop.profiles;
SQL
}

# Prints the milliseconds that a query takes within the server.
milliseconds() { psql_as -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'; }

median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }

main() {
    local nth back=() counts=() took
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    "$bin/createdb" -h "$priv/socket" -U postgres bench
    psql_as -c "ALTER SYSTEM SET work_mem = '512MB'" -c "ALTER SYSTEM SET jit = off" -c "ALTER SYSTEM SET autovacuum = off" -c "SELECT pg_reload_conf()" >/dev/null
    load
    step "Looking back, $runs times in turns; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for ((nth = 1; nth <= runs; nth++)); do
        counts+=("$(milliseconds "SELECT count(*) FROM clientele._count_profiles('shop') AS c(customer_id bigint, profile clientele.order_profile)")")
        back+=("$(milliseconds "SELECT count(*) FROM clientele.backtest_offer('shop', 'p', 'grow_order_value', max_cv => NULL, \"from\" => '2025-07-01', \"to\" => '2025-12-10')")")
    done
    took=$(printf '%s\n' "${counts[@]}" | median)
    printf '%s\n' "${back[@]}" | median |
        awk -v count="$took" '{ printf "12 steps: %.0f ms, %.2f x of 12 counts of %.0f ms\n", $1, $1 / 12 / count, count }'
    echo "Load $(cut -d' ' -f1-3 /proc/loadavg)"
}

main
