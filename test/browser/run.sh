#!/usr/bin/env bash
# Makes the reports of the demo's shop, of an empty one and of one with hostile names, and looks at them in a browser:
#   run.sh DIRECTORY    PGHOST and PGUSER say which server; the database browser is made there
set -euo pipefail
cd "$(dirname "$0")"
directory=$1
mkdir -p "$directory"

psql -Xqd postgres -c "CREATE DATABASE browser"
psql -Xqd browser -c "CREATE EXTENSION clientele"
for script in ../../demo/generate.sql ../../demo/demo.sql stores.sql; do
    psql -Xqd browser -v ON_ERROR_STOP=1 -f $script >/dev/null
done

export PGDATABASE=browser
report() { psql -XAtq -v store="$2" -o "$directory/$1.html" <<<"SELECT clientele.report_html(:'store')"; }
report shop shop
report empty empty
report hostile '</svg><script>alert(1)</script>'

npm ci --ignore-scripts --no-audit --no-fund --silent
node report.mjs "$directory" shop empty hostile
