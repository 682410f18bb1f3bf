#!/usr/bin/env bash
# Which products go together, and what to add to a basket: how fast, and how good.
#   bench/basket.sh [speed [LINES]]    learn_affinity over so many order lines (default 10,000,000) of 20,000 products against the self-join
#                                      in SQL for the same pair counts (goal: at most 0.2 x), then suggest_fill for baskets of ten
#                                      (goal: at most 2 ms)
#   bench/basket.sh recall [SHARE]     on the orders of UCI Online Retail in CLIENTELE_DATA (default ../shared/data): one line of each order
#                                      from 2011-09-01 on is hidden, ten suggestions; goals: recall at least 3 x of the ten most popular
#                                      products, and at least that of plain item-to-item cosine
# A private server, as the tests use; nothing of yours is touched.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/server.sh"

data=${CLIENTELE_DATA:-$here/../../shared/data}
unset CLIENTELE_DATA

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

recall() {
    if [ ! -f "$data/online_retail.csv.gz" ]; then
        echo "There is no $data/online_retail.csv.gz, so this part is left out."
        return
    fi
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
    "$bin/createdb" -h "$priv/socket" -U postgres bench
    psql_as -c "ALTER SYSTEM SET jit = off" -c "SELECT pg_reload_conf()" -c "CREATE EXTENSION clientele" >/dev/null
    case ${1:-all} in
        speed) speed "${2:-10000000}" ;;
        recall) recall "${2:-1}" ;;
        all) recall 1 && speed 10000000 ;;
        *) fail "unknown part $1: speed or recall" ;;
    esac
}

main "$@"
