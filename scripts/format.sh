#!/usr/bin/env bash
# Checks the formatting of the C++ sources with clang-format 14; with -i, corrects it.
source "$(dirname "$0")/common.sh"

"$top/scripts/packages.sh" format
cd "$top"
mapfile -t files < <(find src test -name '*.cpp' -o -name '*.hpp')
if [ "${1:-}" = -i ]; then
    clang-format-14 -i "${files[@]}"
else
    clang-format-14 --dry-run -Werror "${files[@]}"
fi
