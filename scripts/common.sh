# Shared by the scripts here; sourced.
set -euo pipefail
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A make that runs us must not pass its flags and jobserver on to the makes that we run.
unset MAKEFLAGS MFLAGS MAKELEVEL

step() { printf '\n==> %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Prints the pg_config of a PostgreSQL to work with: 15 or later, with its server and what is needed to build for it.
find_pg_config() {
    local candidates=("${PG_CONFIG:-pg_config}") candidate
    if [ -z "${PG_CONFIG:-}" ]; then
        mapfile -O 1 -t candidates < <(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -rV)
    fi
    for candidate in "${candidates[@]}"; do
        if [ "$(major_version "$candidate")" -ge 15 ] && [ -x "$("$candidate" --bindir)/postgres" ] &&
            [ -f "$("$candidate" --pgxs)" ] && [ -f "$("$candidate" --includedir-server)/postgres.h" ]; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# The major version of a PostgreSQL program, 0 where it cannot be run.
major_version() {
    local version
    version=$("$1" --version 2>/dev/null | sed 's/^[^0-9]*\([0-9]*\).*/\1/') || true
    echo "${version:-0}"
}
