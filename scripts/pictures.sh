#!/usr/bin/env bash
# Makes the pictures of the documentation, docs/pictures/*.png, from the report of the demo's shop: scripts/pictures.sh
# Look at them before you commit.
source "$(dirname "$0")/common.sh"

"$top/scripts/packages.sh" browser
page=$(mktemp -d "${TMPDIR:-/tmp}/clientele.XXXXXX")/report.html
trap 'rm -rf "$(dirname "$page")"' EXIT
chmod 755 "$(dirname "$page")"
REPORT=$page "$top/scripts/demo.sh"
step "Taking pictures"
cd "$top/test/browser"
npm ci --ignore-scripts --no-audit --no-fund --silent
mkdir -p "$top/docs/pictures"
CHROMIUM=$(command -v chromium) node pictures.mjs "$page" "$top/docs/pictures"
