#!/usr/bin/env bash
# pg_regress on a running server into which the extension was installed: scripts/installcheck.sh [NAME…]
# Connects as libpq does (PGHOST, PGPORT, PGUSER), as a superuser of the server. As root, where no PGUSER is named, it runs as the user
# postgres. It works on a copy, so it may be called from a clone that this user can neither read nor write.
source "$(dirname "$0")/common.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/clientele.XXXXXX")
trap 'cd /; rm -rf "$work"' EXIT

main() {
    local pg_config names=("$@") as=()
    pg_config=$(find_pg_config) || fail "no PostgreSQL 15 or later with its development files was found"
    cp -r "$top/sql" "$top/expected" "$work/"
    cd "$work"
    if [ ${#names[@]} = 0 ]; then mapfile -t names < <(basename -s .sql -a sql/*.sql); fi
    if [ "$(id -u)" = 0 ] && [ -z "${PGUSER:-}" ]; then
        id -u postgres >/dev/null 2>&1 || fail "there is no user postgres: name a superuser of the server, PGUSER=…"
        chown -R postgres "$work"
        as=(runuser -u postgres --)
    fi
    unset CLIENTELE_DATA
    "${as[@]}" "$(dirname "$("$pg_config" --pgxs)")/../test/regress/pg_regress" --bindir="$("$pg_config" --bindir)" \
        --inputdir=. --outputdir=. --no-locale --encoding=UTF8 --load-extension=clientele --dbname=contrib_regression "${names[@]}" || {
        if [ -e regression.diffs ]; then cat regression.diffs; fi
        exit 1
    }
}

main "$@"
