#!/usr/bin/env bash
# Feeds what nobody would write: scripts/fuzz.sh [SECONDS]: so long for each of the fuzzers of test/fuzz (an hour unless told otherwise)
# Those of the core run under clang's libFuzzer, with the inputs of test/fuzz/corpus to begin with; what they find is left in build/fuzz, and
# belongs into that corpus once it is mended. test/fuzz/statements.pl asks a private server: rules, books, models and documents.
source "$(dirname "$0")/server.sh"

seconds=${1:-3600}
"$top/scripts/packages.sh" build server fuzz
build=$top/build/fuzz
cmake -S "$top" -B "$build" -DFUZZ=ON -DCMAKE_CXX_COMPILER=clang++ >/dev/null
cmake --build "$build" -j "$(nproc)" --target fuzz_profile fuzz_words | sed -n 's/.*Building CXX object .*\.dir\/\(.*\)\.o$/    \1/p'
for target in profile words; do
    step "$target, $seconds s"
    mkdir -p "$build/corpus-$target"
    run "$build/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$build/" "$build/corpus-$target" "$top/test/fuzz/corpus/$target" 2>&1 | grep -v "^INFO"
done
step "statements, $seconds s"
build_extension
make_private_directory
make_private_tree
start_server
PATH=$bin:$PATH PGHOST=$priv/socket PGUSER=postgres run perl "$top/test/fuzz/statements.pl" "$seconds"
