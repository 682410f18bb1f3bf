#!/usr/bin/env bash
# Measures k-means against scikit-learn, on a private server: bench/kmeans.sh [CUSTOMERS [RUNS]]
# Ours is the whole statement: it reads the table, makes the arrays, sorts, draws the start and fits, in one process.
# scikit-learn's is the fit alone, from that very start, and, apart, its export from the database. PYTHON: another python3 than the system's.
source "$(dirname "$0")/../scripts/server.sh"
here=$top/bench/kmeans
customers=${1:-500000}
runs=${2:-5}
python=${PYTHON:-/usr/bin/python3}

main() {
    "$python" -c 'import sklearn' || fail "scikit-learn is not there: apt install python3-sklearn, or name another PYTHON"
    "$top/scripts/packages.sh" build server
    step "Building the extension, starting a private server"
    build_extension || fail "the extension did not build"
    make_private_directory
    make_private_tree
    start_server
    step "Making $customers customers"
    sql -c "CREATE EXTENSION clientele"
    sql -v customers="$customers" -f "$here/data.sql"
    sql -c "CREATE TABLE bench.runs (item text, seconds float8, inertia float8, iterations int)"
    local nth
    for ((nth = 1; nth <= runs; nth++)); do
        step "Run $nth of $runs"
        ours "clientele, 1 start" 1
        ours "clientele, 10 starts" 10
        "$python" "$here/sklearn_fit.py" "${psql[@]}" | tee /dev/stderr | sql -c "COPY bench.runs FROM STDIN"
    done
    step "Results"
    sql -f "$here/report.sql"
    echo "Load average at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
}

psql=()
sql() {
    psql=("$bin/psql" -X -q -h "$priv/socket" -U postgres -d postgres -v ON_ERROR_STOP=1 -P pager=off)
    "${psql[@]}" "$@" || fail "psql failed"
}

# $1: item, $2: restarts
ours() {
    sql <<END
SET max_parallel_workers_per_gather = 0;
SELECT clock_timestamp() AS started \\gset
SELECT (m).inertia, (m).iterations FROM (SELECT clientele.kmeans(ARRAY[recency, orders, spent, gap], 8, 1, true, $2) AS m FROM bench.customers OFFSET 0) AS fit \\gset
INSERT INTO bench.runs SELECT '$1', extract(epoch FROM clock_timestamp() - :'started'), :inertia, :iterations;
END
}

main
