#!/usr/bin/env bash
# Loads the API's lists and searches over a ledger with many orders, with wrk:
#   .ci/load.sh [ORDERS]        default 1,000,000
# and prints requests a second, waiting times and memory. It takes some minutes and
# a few gigabytes of temporary disk.
set -euo pipefail
cd "$(dirname "$0")/.."
wrk=$(command -v wrk) || { echo "wrk is not installed" >&2; exit 1; }
RENSA_ORDERS=${1:-1000000} RENSA_WRK=$wrk go test ./pkg/web/api -run '^$' -bench Load -benchtime 1x -timeout 60m -v
