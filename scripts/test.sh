#!/usr/bin/env bash
# Runs the tests, on a private server:
#   scripts/test.sh                       all of them
#   scripts/test.sh unit [FILTER]         GoogleTest, e.g. unit 'Ladder.*'
#   scripts/test.sh regress [NAME…]       pg_regress, e.g. regress offer_toolkit; ACCEPT=1 takes the result as expected
#   scripts/test.sh browser               the report in chromium; skipped where it, node or npm are missing
#   scripts/test.sh tap [FILE…]           TAP, e.g. tap test/tap/010_plans.pl
# CLIENTELE_DATA is the directory with the real data that some tests load (default: ../shared/data); they are skipped
# where it does not exist. The last line says how many tests passed and failed; a TAP file counts as one.
source "$(dirname "$0")/server.sh"

passed=0
failed=0

main() {
    local suite=${1:-all}
    case $suite in all | unit | regress | tap | browser) ;; *) fail "unknown suite $suite: unit, regress, tap or browser" ;; esac
    if [ $# -gt 0 ]; then shift; fi
    case $suite in
        all) "$top/scripts/packages.sh" build server unit tap cron check ;;
        unit) "$top/scripts/packages.sh" build unit ;;
        *) "$top/scripts/packages.sh" build server tap ;;
    esac

    if [ "$suite" = all ] || [ "$suite" = unit ]; then unit_tests "$@"; fi
    if [ "$suite" != unit ]; then
        if prepare_server; then
            if [ "$suite" = all ] || [ "$suite" = regress ]; then regress_tests "$@"; fi
            if [ "$suite" = all ] || [ "$suite" = tap ]; then tap_tests "$@"; fi
            if [ "$suite" = all ] || [ "$suite" = browser ]; then browser_tests; fi
        else
            count 0 1
        fi
    fi

    clean_up
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
}

count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
}

unit_tests() {
    step "Unit tests"
    if ! ls "$top"/test/unit/*_test.cpp >/dev/null 2>&1; then
        echo "There are none in test/unit."
        return
    fi
    mkdir -p "$top/build"
    local log good bad=0
    log=$(mktemp "$top/build/unit-log.XXXXXX")
    run build_and_run_unit "$log" "${1:-*}" || bad=1
    good=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) tests\?\..*/\1/p' "$log")
    if [ $bad = 1 ]; then bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) tests\?, listed.*/\1/p' "$log"); fi
    rm -f "$log"
    count "${good:-0}" "${bad:-1}"
}

build_and_run_unit() {
    flock "$top/build/lock" cmake -S "$top" -B "$top/build/unit" -DSANITIZE=ON >/dev/null &&
        flock "$top/build/lock" cmake --build "$top/build/unit" -j "$(nproc)" | sed -nu 's/.*Building CXX object .*\.dir\/\(.*\)\.o$/    \1/p' &&
        ASAN_OPTIONS=detect_leaks=0 "$top/build/unit/unit_tests" --gtest_brief=1 --gtest_color=no --gtest_filter="$2" | tee "$1"
}

# Builds, starts the server, and copies what the tests read to where the user who runs the server can read it.
prepare_server() {
    step "Building the extension"
    build_extension || return 1
    step "Starting a private server"
    make_private_directory
    make_private_tree
    start_server
    mkdir "$priv/tree"
    tar -C "$top" --exclude=./.git --exclude=./build -cf - . | tar -C "$priv/tree" -xf -
    local data=${CLIENTELE_DATA:-$top/../shared/data}
    unset CLIENTELE_DATA
    if [ -d "$data" ]; then
        export CLIENTELE_DATA=$priv/orders-data
        cp -r "$data" "$CLIENTELE_DATA"
        chmod -R u+w,a+rX "$CLIENTELE_DATA"
    else
        echo "There is no $data, so the tests on real data are skipped."
    fi
    if [ -n "$account" ]; then chown -R "$account" "$priv/tree"; fi
    cd "$priv/tree"
    export PATH=$bin:$PATH
}

regress_tests() {
    step "pg_regress"
    local names=("$@") name good bad
    if [ ${#names[@]} = 0 ]; then
        for name in sql/*.sql; do if [ -e "$name" ]; then names+=("$(basename "$name" .sql)"); fi; done
    fi
    if [ ${#names[@]} = 0 ]; then
        echo "There are none in sql."
        return
    fi
    # Without an expected file pg_regress stops; with an empty one the test fails and shows all of its output.
    for name in "${names[@]}"; do
        [ -e "sql/$name.sql" ] || fail "there is no sql/$name.sql"
        [ -e "expected/$name.out" ] || as_server touch "expected/$name.out"
    done
    run run_regress "${names[@]}" || true
    if [ -n "${ACCEPT:-}" ]; then
        accept_results "${names[@]}"
        return
    fi
    good=$(grep -cE '^(test .* \.\.\. ok|ok [0-9])' "$priv/regress.out" || true)
    bad=$((${#names[@]} - good))
    count "$good" "$bad"
    if [ $bad -gt 0 ]; then
        if [ -e regression.diffs ]; then cat regression.diffs; fi
        keep regress regression.diffs results "$priv/data/server.log"
    fi
}

# What was printed is what is expected from now on; a test that printed nothing has failed.
accept_results() {
    local name accepted=()
    for name in "$@"; do
        if cp --no-preserve=all "results/$name.out" "$top/expected/$name.out"; then accepted+=("$name"); fi
    done
    echo "Accepted as expected output: ${accepted[*]}. Read git diff expected before you commit."
    count ${#accepted[@]} $(($# - ${#accepted[@]}))
}

# The private directory goes; what tells why a test failed stays. $1: the suite; then files and directories
keep() {
    local kept=$top/build/failed/$1-$(date +%Y%m%d-%H%M%S)
    shift
    mkdir -p "$kept"
    cp -r --no-preserve=all "$@" "$kept/" 2>/dev/null || true
    echo "Kept, to see why: $kept"
}

run_regress() {
    as_server "$(dirname "$("$pg_config" --pgxs)")/../test/regress/pg_regress" --bindir="$bin" \
        --inputdir=. --outputdir=. --host="$priv/socket" --user=postgres --no-locale --encoding=UTF8 \
        --load-extension=clientele --dbname=contrib_regression "$@" | tee "$priv/regress.out" |
        grep --line-buffered -v "regression[.]\(diffs\|out\)\|^$\|test summary above"
}

tap_tests() {
    step "TAP"
    local files=("$@") all bad
    if [ ${#files[@]} = 0 ]; then mapfile -t files < <(ls test/tap/*.pl 2>/dev/null); fi
    if [ ${#files[@]} = 0 ]; then
        echo "There are none in test/tap."
        return
    fi
    run run_tap "${files[@]}" || true
    all=$(sed -n 's/^Files=\([0-9]*\),.*/\1/p' "$priv/tap.out")
    bad=$(grep -c '(Wstat: ' "$priv/tap.out" || true)
    if [ "$bad" = 0 ] && ! grep -q '^Result: \(PASS\|NOTESTS\)' "$priv/tap.out"; then bad=${#files[@]}; fi
    count "$((${all:-$bad} - bad))" "$bad"
    if [ "$bad" -gt 0 ]; then keep tap "$priv/tap.out" "$priv"/tree/tmp_check/log; fi
}

# Both old and new names of the variables that PostgreSQL's own test modules read.
run_tap() {
    local pgxs
    pgxs=$(dirname "$("$pg_config" --pgxs)")/../..
    as_server env TESTDIR="$priv/tree" TESTDATADIR="$priv/tree/tmp_check" TESTLOGDIR="$priv/tree/tmp_check/log" \
        PG_REGRESS="$pgxs/src/test/regress/pg_regress" top_builddir="$priv/tree" PGPORT=65432 \
        prove -j "$(nproc)" --timer -I "$pgxs/src/test/perl" -I test/tap "$@" | tee "$priv/tap.out"
}

# The report in a real browser. Debian's chromium, node and npm are taken where they are there; $BROWSER_SHOTS keeps the screenshots.
browser_tests() {
    step "Browser"
    local tool
    for tool in chromium node npm; do
        if ! command -v "$tool" >/dev/null; then
            echo "There is no $tool, so reports are not looked at: scripts/packages.sh browser installs it."
            return
        fi
    done
    run look_at_reports || true
    local counts
    counts=$(tail -n 1 "$priv/browser.out" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
    count ${counts:-0 1}
    if [ -n "${BROWSER_SHOTS:-}" ]; then mkdir -p "$BROWSER_SHOTS" && cp "$priv"/tmp/report/*.png "$priv"/tmp/report/*.html "$BROWSER_SHOTS/"; fi
}

look_at_reports() {
    as_server env PGHOST="$priv/socket" PGUSER=postgres CHROMIUM="$(command -v chromium)" \
        bash test/browser/run.sh "$priv/tmp/report" 2>&1 | tee "$priv/browser.out"
}

main "$@"
