#!/usr/bin/env bash
# Checks that src/pg compiles where the server was built without NLS, which is what PostgreSQL's ./configure does unless told otherwise.
# Its headers then define gettext() and its like as macros, which a header of the standard library or of Boost must not meet: they come first.
source "$(dirname "$0")/common.sh"

main() {
    local pg_config headers
    "$top/scripts/packages.sh" build server
    pg_config=$(find_pg_config) || fail "no PostgreSQL 15 or later with its development files was found"
    headers=$top/build/no-nls
    rm -rf "$headers"
    mkdir -p "$headers"
    # Links, so that the headers find each other, and this one among them.
    cp -rs "$("$pg_config" --includedir-server)/." "$headers/"
    rm "$headers/pg_config.h"
    grep -v '^#define ENABLE_NLS' "$("$pg_config" --includedir-server)/pg_config.h" >"$headers/pg_config.h"
    cd "$top"
    find src/pg -name '*.cpp' -print0 |
        xargs -0 -n 4 -P "$(nproc)" "${CXX:-g++}" -std=c++20 -Wno-register -fsyntax-only -Isrc -isystem "$headers"
}

main "$@"
