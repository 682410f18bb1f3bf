#!/usr/bin/env bash
# Runs the SQL examples of README.md and docs/*.md on a private server: scripts/docs-test.sh [--accept] [PAGE…]
# --accept writes what psql printed into the pages: read `git diff` before you commit.
source "$(dirname "$0")/server.sh"

accept=()
if [ "${1:-}" = --accept ]; then
    accept=(--accept)
    shift
fi
pages=()
for page in "${@:-$top/README.md}"; do pages+=("$(realpath "$page")"); done
if [ $# = 0 ]; then pages+=("$top"/docs/*.md); fi

"$top/scripts/packages.sh" build server tap
step "Building the extension"
build_extension
step "Starting a private server"
make_private_directory
make_private_tree
start_server
step "Documentation"
PATH=$bin:$PATH PGHOST=$priv/socket PGUSER=postgres run perl "$top/scripts/docs-pages.pl" "${accept[@]}" "${pages[@]}"
