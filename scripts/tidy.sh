#!/usr/bin/env bash
# Looks for mistakes in the C++ sources with clang-tidy 14; .clang-tidy says which: scripts/tidy.sh [FILE…]
source "$(dirname "$0")/common.sh"

cd "$top"
scripts/packages.sh build server tidy
includes=$("$(find_pg_config)" --includedir-server)
files=("$@")
if [ $# = 0 ]; then mapfile -t files < <(find src/core src/pg -name '*.cpp'); fi
# What it prints to stderr counts the warnings in others' headers, which it does not show.
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 4 sh -c \
    'clang-tidy-14 --quiet "$@" -- -std=c++20 -Isrc -isystem "$0" 2>/dev/null' "$includes"
