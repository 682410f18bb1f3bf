#!/usr/bin/env bash
# Shows the main job on a private server: scripts/demo.sh, with these variables in the environment
#   KEEP=1             leave the server running, and say how to reach it
#   REPORT=page.html   where the report goes; build/demo.html unless it is given
#   ORDERS=path.csv    use these orders: an export of Shopify, Stripe, Square or WooCommerce, or a CSV with a header (.gz too) and
#     CUSTOMER_ID=customer_id ORDERED_AT=ordered_at AMOUNT=amount ORDER_ID=order_id    the names of its columns
#   TIME_ZONE=UTC CURRENCY=USD    of these orders
#   DATES=DMY or MDY, DECIMAL=. or , , LINES_ARE=sum or first, STATUS=values that count    where the file leaves it open
source "$(dirname "$0")/server.sh"

orders=${ORDERS:-}
case $orders in "~/"*) orders=$HOME/${orders#"~/"} ;; esac
# Absolute, because we leave this directory.
case $orders in "" | /*) ;; *) orders=$PWD/$orders ;; esac

main() {
    if [ -n "$orders" ]; then read_orders; fi
    "$top/scripts/packages.sh" build server
    SECONDS=0
    step "Building the extension"
    build_extension || fail "the extension did not build"
    step "Starting a private server"
    make_private_directory
    make_private_tree
    start_server
    # The extension is trusted: who owns a database may create it, and nobody here is a superuser.
    sql postgres postgres -c "CREATE ROLE shopkeeper LOGIN" -c "CREATE DATABASE shop OWNER shopkeeper"
    sql shopkeeper shop -c "CREATE EXTENSION clientele"
    if [ -n "$orders" ]; then
        sql shopkeeper shop -v file="$read/orders.csv" -v time_zone="$time_zone" -v currency="$currency" -f "$top/demo/orders.sql"
    else
        step "Generating a shop"
        sql shopkeeper shop -f "$top/demo/generate.sql"
        sql shopkeeper shop -f "$top/demo/demo.sql"
    fi
    write_report
    printf '\nThat took %s seconds.\n' "$SECONDS"
    if [ -n "${KEEP:-}" ]; then keep_server shopkeeper shop; fi
}

# Orders that end long ago are looked at as of the last of them, as demo/orders.sql does.
write_report() {
    local page=${REPORT:-$top/build/demo.html}
    mkdir -p "$(dirname "$page")"
    sql shopkeeper shop -At -o "$page" \
        -c "SELECT clientele.report_html('shop', CASE WHEN max(ordered_at) < now() - interval '30 days' THEN max(ordered_at) END) FROM orders WHERE ordered_at <= now()"
    printf '\nThe report on one page, to open in a browser: %s\n' "$page"
}

# $1: user, $2: database; then psql's arguments
sql() {
    local user=$1 database=$2
    shift 2
    run "$bin/psql" -X -q -h "$priv/socket" -U "$user" -d "$database" -v ON_ERROR_STOP=1 -P pager=off "$@" || exit 1
}

# Before anything is built for a file that will not do.
read_orders() {
    [ -f "$orders" ] || fail "there is no file $orders"
    [ -r "$orders" ] || fail "$orders may not be read"
    "$top/scripts/packages.sh" orders
    step "Reading $orders"
    read=$(mktemp -d "${TMPDIR:-/tmp}/clientele.XXXXXX")
    trap 'rm -rf "$read"; clean_up' EXIT
    perl "$top/scripts/orders-file.pl" "$orders" "$read/orders.csv" >"$read/settings" || fail "$orders cannot be used"
    currency=$(sed -n 's/^currency=//p' "$read/settings")
    time_zone=$(sed -n 's/^time_zone=//p' "$read/settings")
}

main
