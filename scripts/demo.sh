#!/usr/bin/env bash
# Shows the main job on a private server: scripts/demo.sh, with these variables in the environment
#   KEEP=1             leave the server running, and say how to reach it
#   ORDERS=path.csv    use these orders (a CSV with a header, .gz too), and these names of its columns:
#     CUSTOMER_ID=customer_id ORDERED_AT=ordered_at AMOUNT=amount
#   TIME_ZONE=UTC CURRENCY=USD    of these orders
source "$(dirname "$0")/server.sh"

orders=${ORDERS:-}
case $orders in "~/"*) orders=$HOME/${orders#"~/"} ;; esac
# Absolute, because we leave this directory.
case $orders in "" | /*) ;; *) orders=$PWD/$orders ;; esac

main() {
    if [ -n "$orders" ]; then read_header; fi
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
        load_orders
        sql shopkeeper shop -v customer_id="$customer_id" -v ordered_at="$ordered_at" -v amount="$amount" \
            -v time_zone="${TIME_ZONE:-UTC}" -v currency="${CURRENCY:-USD}" -f "$top/demo/orders.sql"
    else
        step "Generating a shop"
        sql shopkeeper shop -f "$top/demo/generate.sql"
        sql shopkeeper shop -f "$top/demo/demo.sql"
    fi
    printf '\nThat took %s seconds.\n' "$SECONDS"
    if [ -n "${KEEP:-}" ]; then keep_server shopkeeper shop; fi
}

# $1: user, $2: database; then psql's arguments
sql() {
    local user=$1 database=$2
    shift 2
    run "$bin/psql" -X -q -h "$priv/socket" -U "$user" -d "$database" -v ON_ERROR_STOP=1 -P pager=off "$@" || exit 1
}

# What the file's header says, before anything is installed or built for a file that will not do.
read_header() {
    [ -f "$orders" ] || fail "there is no file $orders"
    [ -r "$orders" ] || fail "$orders may not be read"
    local header
    header=$(read_orders | perl "$top/scripts/csv-header.pl" \
        "${CUSTOMER_ID:-customer_id}" "${ORDERED_AT:-ordered_at}" "${AMOUNT:-amount}") || fail "$orders cannot be used"
    { read -r delimiter && read -r customer_id && read -r ordered_at && read -r amount && read -r columns; } <<<"$header"
    encoding=UTF8
    if ! read_orders | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1; then encoding=LATIN1; fi
}

load_orders() {
    step "Loading $orders"
    if [ $encoding = LATIN1 ]; then echo "It is not in UTF-8; it is read as Latin-1."; fi
    sql shopkeeper shop -c "CREATE TABLE public.raw_orders ($columns)"
    sql shopkeeper shop -c "COPY public.raw_orders FROM STDIN
        (FORMAT csv, HEADER true, DELIMITER E'$delimiter', ENCODING '$encoding')" < <(read_orders | without_blank_end)
    sql shopkeeper shop -At -c "SELECT count(*) || ' rows' FROM public.raw_orders"
}

# gzip -f passes on what is not compressed.
read_orders() { gzip -cdf "$orders"; }

# Spreadsheets like to end a file with blank lines, which COPY takes for rows without columns.
without_blank_end() { perl -ne 'if (/^\r?\n$/) { $blank .= $_ } else { print $blank, $_; $blank = "" }'; }

main
