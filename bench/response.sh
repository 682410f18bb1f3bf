#!/usr/bin/env bash
# What learned terms cost in time:
#   bench/response.sh [quick] [REFERENCE]
# fit_response() on 50,000 exposures; reading shop.offers of 500,000 customers by the three ways of setting terms; personalized_offer();
# plan_budget(). quick: a tenth of the customers and exposures. REFERENCE: a program that fits the same rows by other means: it is given the
# path of a CSV (mu, sigma, min_spend, reward, segment, value, open, redeemed), and timed.
# A private server, as the tests use; nothing of yours is touched. Some minutes.
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../scripts/server.sh"

customers=500000
exposures=50000
runs=3
if [ "${1:-}" = quick ]; then
    customers=50000
    exposures=5000
    shift
fi
reference=${1:-}

psql_as() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$priv/socket" -U postgres -d bench "$@"; }

# Prints the milliseconds that a query takes within the server.
milliseconds() { psql_as -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'; }

median() { printf '%s\n' "$@" | sort -n | sed -n "$(((runs + 1) / 2))p"; }

ratio() { awk -v one="$2" -v other="$3" -v what="$1" 'BEGIN { printf "%s: %.0f ms and %.0f ms, %.3f x\n", what, one, other, one / other }'; }

define() {
    psql_as -c "SELECT clientele.define_offer('shop', 'basket', 'grow_order_value', max_cv => NULL, $1)" >/dev/null
}

stretch="holdout => 0.1"
spread="$stretch, terms => 'spread'"
learned="$stretch, terms => 'learned', disclosure => 'By what other customers did',
    explore => '{\"share\": 0.1, \"stretch\": [1.3, 1.9, 2.8], \"reward_rate\": [0.02, 0.06]}'"

fit() {
    local took=()
    step "Fitting; load $(cut -d' ' -f1-3 /proc/loadavg)"
    psql_as -At -c "SELECT format('%s exposures, %s orders, %s redemptions', exposures, orders, redemptions) FROM clientele.fit_response('shop', force => true, use => false)"
    for ((nth = 1; nth <= runs; nth++)); do
        took+=("$(milliseconds "SELECT version FROM clientele.fit_response('shop', force => true, use => false)")")
    done
    echo "fit_response: $(median "${took[@]}") ms"
    if [ -z "$reference" ]; then return; fi
    psql_as -f "$here/response/rows.sql" >"$priv/rows.csv"
    local from=$EPOCHREALTIME
    "$reference" "$priv/rows.csv" >/dev/null
    ratio "fit_response against the reference" "$(median "${took[@]}")" "$(awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { print 1000 * (to - from) }')"
}

use_fit() {
    psql_as -c "SELECT clientele.use_model('shop', 'response', (SELECT max(version) FROM clientele.models WHERE kind = 'response'))" >/dev/null
    psql_as -c "SELECT clientele.drop_offer('shop', 'explore')" >/dev/null
}

read_offers() {
    local nth terms query="SELECT count(t) FROM (SELECT * FROM shop.offers OFFSET 0) t" took_stretch=() took_spread=() took_learned=()
    step "Reading shop.offers, $runs times in turns; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for ((nth = 1; nth <= runs; nth++)); do
        define "$stretch" && took_stretch+=("$(milliseconds "$query")")
        define "$spread" && took_spread+=("$(milliseconds "$query")")
        define "$learned" && took_learned+=("$(milliseconds "$query")")
    done
    ratio "spread against stretch" "$(median "${took_spread[@]}")" "$(median "${took_stretch[@]}")"
    ratio "learned against stretch" "$(median "${took_learned[@]}")" "$(median "${took_stretch[@]}")"
    awk -v one="$(median "${took_learned[@]}")" -v other="$(median "${took_stretch[@]}")" -v n="$customers" \
        'BEGIN { printf "learned: %.2f microseconds a customer more\n", 1000 * (one - other) / n }'
}

plan() {
    local nth reading=() planning=()
    step "Planning a budget, $runs times in turns; load $(cut -d' ' -f1-3 /proc/loadavg)"
    define "$learned, budget => $((exposures / 2))"
    psql_as -c "SELECT * FROM clientele.plan_budget('shop', 'basket')"
    for ((nth = 1; nth <= runs; nth++)); do
        planning+=("$(milliseconds "SELECT clientele.plan_budget('shop', 'basket')")")
        reading+=("$(milliseconds "SELECT count(t) FROM (SELECT * FROM shop.offers OFFSET 0) t")")
    done
    ratio "plan_budget against reading shop.offers" "$(median "${planning[@]}")" "$(median "${reading[@]}")"
}

transactions() {
    "$bin/pgbench" -n -h "$priv/socket" -U postgres -M prepared -T 5 -f "$here/lookups/offer.sql" -D customers="$customers" bench |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

look_up() {
    local nth by_stretch=() by_learned=()
    step "personalized_offer(), $runs times in turns; load $(cut -d' ' -f1-3 /proc/loadavg)"
    for ((nth = 1; nth <= runs; nth++)); do
        define "$stretch" && by_stretch+=("$(transactions)")
        define "$learned" && by_learned+=("$(transactions)")
    done
    awk -v one="$(median "${by_learned[@]}")" -v other="$(median "${by_stretch[@]}")" \
        'BEGIN { printf "learned against stretch: %.0f and %.0f transactions a second, %.3f x\n", one, other, one / other }'
}

main() {
    "$top/scripts/packages.sh" build server
    build_extension
    make_private_directory
    make_private_tree
    start_server
    "$bin/createdb" -h "$priv/socket" -U postgres bench
    psql_as -c "ALTER SYSTEM SET jit = off" -c "ALTER SYSTEM SET autovacuum = off" -c "ALTER SYSTEM SET client_min_messages = warning" -c "SELECT pg_reload_conf()" >/dev/null
    step "Loading $customers customers, $exposures of whom were issued an offer"
    psql_as -v customers="$customers" -v exposures="$exposures" -f "$here/response/load.sql" >/dev/null
    fit
    use_fit
    read_offers
    look_up
    plan
    echo "Load $(cut -d' ' -f1-3 /proc/loadavg)"
}

main
