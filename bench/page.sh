#!/usr/bin/env bash
# What a page of report_html() takes, against writing shop.customers to a table, in turns:
#   bench/page.sh             500,000 customers, 10 million orders: about ten minutes; goal: at most 3 x
#   bench/page.sh quick       a twentieth of it
# First of a shop that has issued no offer yet, then of one that has issued one to everybody who gets one, a month ago.
# A private server, as the tests use; nothing of yours is touched.
source "$(dirname "$0")/suites.sh"

runs=3
if [ "${1:-}" = quick ]; then customers=25000; fi

# The shop of the other suites. Its customers never leave, so its purchase model is one of another shop.
load() {
    step "Loading $((20 * customers)) orders of $customers customers"
    sql -f "$here/setup.sql"
    sql -v customers="$customers" -f "$here/load.sql"
    sql -f "$here/store.sql"
    step "Counting, fitting, learning"
    sql >/dev/null <<END_OF_SQL
CALL clientele.refresh('shop');
\i $here/scores/models.sql
SELECT clientele.add_rfm_segments('shop');
SELECT clientele.learn_segments('shop', 'learned', '{recency_days, log1p(total_spent), log1p(orders), evening_share}', 4);
CALL clientele.record_segments('shop');
VACUUM ANALYZE;
CHECKPOINT;
END_OF_SQL
}

issue() {
    step "Issuing, and a month of what had happened already"
    sql >/dev/null <<'END_OF_SQL'
CALL clientele.issue_offers('shop');
UPDATE shop.ledger SET issued_at = issued_at - interval '31 days', valid_until = valid_until - interval '31 days';
CALL clientele.settle_offers('shop');
VACUUM ANALYZE;
CHECKPOINT;
END_OF_SQL
}

# $1: what is measured, $2: a statement. Notes the seconds of one run.
timed() {
    sql <<END_OF_SQL
SELECT clock_timestamp() AS started \\gset
$2
INSERT INTO bench.results VALUES ('$suite', '$1', $nth, extract(epoch FROM clock_timestamp() - :'started'));
END_OF_SQL
}

measure_page() {
    suite=$1
    step "$suite: $runs runs; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for ((nth = 0; nth <= runs; nth++)); do
        timed table "CREATE TABLE bench.copy AS SELECT * FROM shop.customers;"
        sql -c "DROP TABLE bench.copy"
        timed page "SELECT clientele.report_html('shop') \\g /dev/null"
    done
    # The first run only warms up.
    sql -c "SELECT suite, round(t.median::numeric, 2) AS \"table, s\", round(p.median::numeric, 2) AS \"page, s\", round((p.median / t.median)::numeric, 2) AS ratio
        FROM (SELECT suite, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median FROM bench.results WHERE item = 'table' AND run > 0 GROUP BY suite) AS t
        JOIN (SELECT suite, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median FROM bench.results WHERE item = 'page' AND run > 0 GROUP BY suite) AS p USING (suite)
        WHERE suite = '$suite'"
}

main() {
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    configure
    servers=("$priv")
    echo "clientele:  $(revision "$top")"
    environment
    load
    measure_page "a page, nothing issued"
    issue
    measure_page "a page, all issued"
    echo "Load $(cut -d' ' -f1-3 /proc/loadavg)"
}

main
