# The suite of issuing offers; sourced.

issuing() {
    local clients nth item
    durable
    sql -f "$here/issue/setup.sql" >/dev/null
    step "Issuing to one customer: pgbench -M prepared, $seconds s each, synchronous_commit on"
    for clients in 1 8; do
        for ((nth = 1; nth <= runs; nth++)); do
            printf '%s clients, run %s of %s:' "$clients" "$nth" "$runs" >&2
            for item in bare offer budget; do
                nothing_issued
                printf '%s' "  $item" >&2
                PGOPTIONS="-c synchronous_commit=on" transactions "issuing, $clients" "$item" "$nth" tps -M prepared -c "$clients" \
                    -j "$((clients > 1 ? 2 : 1))" -T "$seconds" -D i=0 -D clients="$clients" -f "$here/issue/$item.sql"
            done
            echo >&2
        done
    done
    campaigns
    nothing_issued
    sql -c "DROP TABLE bench.bare" -c "SELECT clientele.drop_offer('shop', 'bench-budget')" >/dev/null
    sql -f "$here/issue/report.sql"
}

# To all customers, by whichever program wins; and as fast as one statement writes the same rows without deciding anything.
campaigns() {
    local nth
    step "Issuing to $customers customers, in chunks of 20,000 that are committed one by one"
    for ((nth = 1; nth <= analyst_runs + 1; nth++)); do
        printf 'campaign, run %s of %s:  issue_offers' "$nth" "$((analyst_runs + 1))" >&2
        nothing_issued
        timed "$nth" issue_offers "CALL clientele.issue_offers('shop')"
        printf '  insert_select' >&2
        sql -c "TRUNCATE bench.bare" -c "CHECKPOINT"
        timed "$nth" insert_select "INSERT INTO bench.bare OVERRIDING SYSTEM VALUE TABLE shop.ledger"
        echo >&2
    done
}

# $1: run, $2: item, $3: statement
timed() {
    sql >/dev/null <<END
SELECT clock_timestamp() AS started \\gset
$3;
INSERT INTO bench.results SELECT 'campaigns', '$2', $1, extract(epoch FROM clock_timestamp() - :'started');
END
}

nothing_issued() {
    sql -c "TRUNCATE shop.ledger, shop.campaigns, bench.bare" -c "CHECKPOINT"
}
