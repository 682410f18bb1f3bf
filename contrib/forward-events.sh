#!/usr/bin/env bash
# Hands the events of a store to a command, batch by batch, and acknowledges each batch that the command took:
#   contrib/forward-events.sh STORE CONSUMER COMMAND [ARGUMENT...]
# The command gets one JSON object a line on its standard input, and ends with 0 when it has dealt with all of them; with anything
# else this script ends, and its next run hands it the same events again. It connects as psql does (PGHOST, PGDATABASE, PGUSER, ...).
# MOST: events a batch (500). EVERY: seconds between two looks; without it, the script ends when there is nothing left.
set -euo pipefail

store=${1:?STORE} consumer=${2:?CONSUMER} command=("${@:3}")
if [ ${#command[@]} = 0 ]; then echo "usage: $0 STORE CONSUMER COMMAND [ARGUMENT...]" >&2; exit 2; fi

# Variables are quoted by psql where they stand in statements that it reads, which those of -c are not.
ask() { psql -XAtq -v ON_ERROR_STOP=1 -v store="$store" -v consumer="$consumer" -v most="${MOST:-500}" "$@"; }

batch=$(mktemp)
trap 'rm -f "$batch"' EXIT
while true; do
    ask <<<"SELECT row_to_json(e) FROM clientele.read_events(:'store', :'consumer', :most) e" >"$batch"
    if [ -s "$batch" ]; then
        "${command[@]}" <"$batch"
        last=$(tail -n 1 "$batch" | sed 's/^{"event_id":\([0-9]*\),.*/\1/')
        ask -v last="$last" <<<"SELECT clientele.ack_events(:'store', :'consumer', :last)" >/dev/null
    elif [ -n "${EVERY:-}" ]; then
        sleep "$EVERY"
    else
        break
    fi
done
