#!/usr/bin/env bash
# Checks the formatting of the C++ sources with clang-format 14; with -i, corrects it: scripts/format.sh [-i] [FILE…]
source "$(dirname "$0")/common.sh"

"$top/scripts/packages.sh" format
mode=(--dry-run -Werror)
if [ "${1:-}" = -i ]; then
    mode=(-i)
    shift
fi
files=("$@")
if [ $# = 0 ]; then mapfile -t files < <(find "$top/src" "$top/test" -name '*.cpp' -o -name '*.hpp'); fi
clang-format-14 "${mode[@]}" "${files[@]}"
