#!/usr/bin/env bash
# Which products go together, and what to add to a basket: how fast, and how good.
#   bench/basket.sh [speed [LINES]]    learn_affinity over so many order lines (default 10,000,000) of 20,000 products against the self-join
#                                      in SQL for the same pair counts (goal: at most 0.2 x), then suggest_fill for baskets of ten
#                                      (goal: at most 2 ms)
#   bench/basket.sh decisions          offers of 100,000 customers with three tiers against those with one threshold (goal: at most 1.2 x),
#                                      and, when all are issued, offer_progress against personalized_offer (goal: at least 0.9 x of its
#                                      transactions a second)
#   bench/basket.sh recall [SHARE]     on the orders of UCI Online Retail in CLIENTELE_DATA (default ../shared/data): one line of each order
#                                      from 2011-09-01 on is hidden, ten suggestions; goals: recall at least 3 x of the ten most popular
#                                      products, and at least that of plain item-to-item cosine
# A private server, as the tests use; nothing of yours is touched.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/server.sh"

data=${CLIENTELE_DATA:-$here/../../shared/data}
unset CLIENTELE_DATA

# Each part begins with an empty database.
new_database() {
    "$bin/dropdb" --if-exists -h "$priv/socket" -U postgres bench 2>/dev/null
    "$bin/createdb" -h "$priv/socket" -U postgres bench
    psql_as -c "ALTER SYSTEM SET jit = off" -c "SELECT pg_reload_conf()" -c "CREATE EXTENSION clientele" >/dev/null
}

psql_as() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$priv/socket" -U postgres -d bench "$@"; }

# $1: what is measured; then psql's arguments. Prints how long it took.
timed() {
    local what=$1 from to
    shift
    from=$(date +%s%N)
    psql_as "$@" >/dev/null
    to=$(date +%s%N)
    awk -v what="$what" -v took=$(((to - from) / 1000000)) 'BEGIN { printf "%-44s %8.2f s\n", what, took / 1000 }'
}

speed() {
    local run
    new_database
    step "Generating $1 order lines of 20,000 products"
    psql_as -v orders=$(($1 / 8)) -f "$here/basket/generate.sql"
    step "Learning, three times, and the self-join, with joins and sorts in 256 MB; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for run in 1 2 3; do
        timed "learn_affinity, run $run" -c "SET work_mem = '256MB'" -c "SELECT clientele.learn_affinity('shop', NULL)"
    done
    timed "self-join in SQL" -c "SET work_mem = '256MB'" -f "$here/basket/self_join.sql"
    step "Suggestions for baskets of ten, by one session for ten seconds"
    (cd "$priv" && "$bin/pgbench" -n -h "$priv/socket" -U postgres -M prepared -T 10 -f "$here/basket/suggest.sql" -D customers=$(($1 / 64)) bench) |
        grep 'latency average'
}

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

# $1: what is measured, $2: unit; $3 and $4: names of two files with the figures of each run. Prints medians, and the first by the second.
compare() {
    local one other
    one=$(median <"$priv/$3") other=$(median <"$priv/$4")
    awk -v what="$1" -v unit="$2" -v one="$one" -v other="$other" -v names="$3 and $4" \
        'BEGIN { printf "%-44s %10.1f and %.1f %s (%s): %.2f x\n", what, one, other, unit, names, one / other }'
}

# Milliseconds that a query takes within the server.
milliseconds() { psql_as -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'; }

decisions() {
    local nth store look_up customers=100000
    new_database
    step "Loading $customers customers"
    psql_as -v customers=$customers -f "$here/basket/decisions.sql"
    step "All decisions, five times in turns; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for nth in 1 2 3 4 5; do
        for store in plain tiers; do
            milliseconds "SELECT count(o) FROM (SELECT * FROM $store.offers OFFSET 0) o" >>"$priv/$store.all"
        done
    done
    compare "offers of all customers" ms tiers.all plain.all
    step "Issuing them, then look-ups by one session, three times in turns, three seconds each"
    for store in plain tiers; do
        psql_as -c "SET client_min_messages = warning" -c "CALL clientele.issue_offers('$store')" -c "VACUUM ANALYZE $store.ledger" -c CHECKPOINT
    done
    for nth in 1 2 3; do
        for store in plain tiers; do
            for look_up in offer progress; do
                (cd "$priv" && PGOPTIONS="-c clientele.store=$store" "$bin/pgbench" -n -h "$priv/socket" -U postgres -M prepared -T 3 \
                    -D customers=$customers -f "$here/lookups/$look_up.sql" bench) |
                    sed -n 's/^tps = \([0-9.]*\) (without.*/\1/p' >>"$priv/$store.$look_up"
            done
        done
    done
    for store in plain tiers; do compare "look-ups" "a second" "$store.progress" "$store.offer"; done
}

recall() {
    if [ ! -f "$data/online_retail.csv.gz" ]; then
        echo "There is no $data/online_retail.csv.gz, so this part is left out."
        return
    fi
    new_database
    step "Online Retail: learning from the orders before 2011-09-01, asking for those after"
    gzip -dc "$data/online_retail.csv.gz" | psql_as -c "CREATE TABLE raw (invoice text, stock_code text, description text, quantity int,
        invoiced_at timestamp, unit_price numeric, customer numeric, country text)" -c "\\copy raw FROM STDIN CSV HEADER"
    psql_as -v share="$1" -f "$here/basket/recall.sql"
}

main() {
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    case ${1:-all} in
        speed) speed "${2:-10000000}" ;;
        decisions) decisions ;;
        recall) recall "${2:-1}" ;;
        all) recall 1 && decisions && speed 10000000 ;;
        *) fail "unknown part $1: speed, decisions or recall" ;;
    esac
}

main "$@"
