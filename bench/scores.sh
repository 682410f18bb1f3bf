# The suite of all score columns: RFM, p_alive, expected orders, value, next order; sourced.

# What they cost on top of reading the profiles, by the kind of the purchase model.
scores() {
    local nth kind query
    step "All score columns of all customers"
    sql -f "$here/scores/models.sql"
    explain "$serial" scores
    for ((nth = 1; nth <= runs; nth++)); do
        printf 'scores, run %s of %s:' "$nth" "$runs" >&2
        measure "scores, serial" "$nth" scores_read "$serial"
        for kind in bgnbd mbgnbd pareto_nbd; do
            sql -c "UPDATE shop.scoring SET purchase_kind = m.kind, purchase = m.purchase, value = m.value FROM bench.purchase_models m WHERE m.kind = '$kind'"
            for query in scores scores_next; do measure "scores, serial, $kind" "$nth" $query "$serial"; done
        done
        echo >&2
    done
    sql -c "UPDATE shop.scoring SET purchase_kind = NULL, purchase = NULL, value = NULL"
    sql -f "$here/scores/report.sql"
}
