#!/bin/sh
# Plans and applies the examples on a sandbox of its own, and plans again.
# Usage: demo.sh [path of the command reconciler]
set -eu
reconciler=${1:-reconciler}
examples=$(dirname "$0")
environment=$(mktemp)

"$reconciler" sandbox --port 0 --tasks "$examples/sandbox.json" >"$environment" &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null || true; rm -f "$environment"' EXIT
tries=0
until grep -q API_KEY "$environment"; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "the sandbox did not start" >&2; exit 1; }
  sleep 0.1
done
. "$environment"

run() {
  printf '\n$ reconciler %s\n' "$*"
  "$reconciler" "$@"
}
run validate "$examples/manifests"
run plan "$examples/manifests"
run apply "$examples/manifests" --yes
run plan "$examples/manifests" --detailed-exitcode
