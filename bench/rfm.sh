# The suite of RFM scores; sourced after refresh.sh, which brings DuckDB.

# Scores of all customers of the store, against NTILE over the orders by PostgreSQL and by DuckDB with one thread.
rfm() {
    local nth query
    step "RFM scores of all customers"
    sql -c "SELECT clientele.add_rfm_segments('shop')" >/dev/null
    for query in rfm_scores rfm_ntile; do explain "$serial" $query; done
    start_duckdb
    for ((nth = 1; nth <= runs; nth++)); do
        printf 'rfm, run %s of %s:' "$nth" "$runs" >&2
        for query in rfm_scores rfm_segments rfm_read rfm_breaks rfm_percentiles rfm_ntile; do measure "rfm, serial" "$nth" "$query" "$serial"; done
        in_duckdb "rfm, serial" "$nth" rfm_ntile
        measure "rfm, parallel" "$nth" rfm_scores "$parallel"
        echo >&2
    done
    stop_duckdb
    sql -c "SELECT clientele.drop_segment('shop', segment, 'rfm') FROM shop.segment_rules WHERE segmentation = 'rfm'" >/dev/null
    sql -f "$here/queries/rfm_report.sql"
}
