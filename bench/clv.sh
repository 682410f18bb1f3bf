# The suite of fits of purchase models; sourced. Needs python3 with numpy and scipy (Debian's packages).

# The fit against what a careful analyst writes with numpy and scipy. They are given the summary in memory: neither the
# export from the database nor reading the file counts.
clv() {
    local nth query python=/usr/bin/python3
    step "Fits of purchase models to $customers customers"
    if ! $python -c 'import numpy, scipy' 2>/dev/null; then
        echo "This part is left out: install python3-numpy and python3-scipy"
        return
    fi
    run $python "$here/clv/simulate.py" "$customers" "$priv/histories.bin" >"$priv/histories.csv"
    sql -c "CREATE EXTENSION IF NOT EXISTS clientele" -c "CREATE TABLE bench.histories (x float8, t_x float8, age float8)" \
        -c "\\copy bench.histories FROM '$priv/histories.csv' CSV" -c "VACUUM (FREEZE, ANALYZE) bench.histories"
    for ((nth = 1; nth <= runs; nth++)); do
        printf 'fits, run %s of %s:' "$nth" "$runs" >&2
        for query in fit_bgnbd fit_mbgnbd fit_pareto_nbd; do measure "fits, serial" "$nth" "$query" "$serial"; done
        measure "fits, parallel" "$nth" fit_bgnbd "$parallel"
        in_scipy "$nth"
        echo >&2
    done
    echo "fit_bgnbd: $(sql -At -c "SELECT clientele.fit_bgnbd(x, t_x, age) FROM bench.histories")"
    echo "scipy (converged, log-likelihood, r, alpha, a, b, their standard errors): $(cut -d' ' -f 2- "$priv/scipy.out")"
}

# L-BFGS-B: of scipy's optimisers that need no derivatives the fastest here; Nelder-Mead, which lifetimes uses, takes four
# times as long. One thread, as one backend has.
in_scipy() {
    printf '  scipy' >&2
    run env OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $python "$here/clv/fit_bgnbd.py" "$priv/histories.bin" L-BFGS-B >"$priv/scipy.out" ||
        fail "the fit by scipy failed"
    sql -c "INSERT INTO bench.results VALUES ('fits, serial', 'scipy', $1, $(cut -d' ' -f 1 "$priv/scipy.out"))"
}
