#!/usr/bin/env bash
# What `rensa serve` costs while nothing comes: processor time and memory over
# half a minute (Linux). Usage: .ci/idle.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
make -s build
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$dir"' EXIT
bin/rensa init "$dir/shop" --demo >/dev/null
begun=$(date +%s%N)
bin/rensa -w "$dir/shop" serve 2>"$dir/log" &
pid=$!
until grep -q serving "$dir/log"; do sleep 0.01; done
echo "started in $((($(date +%s%N) - begun) / 1000000)) ms"
cp "$dir"/shop/demo/* "$dir/shop/inbox/demo/"
sleep 15 # files are answered, and memory is given back
ticks() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
from=$(ticks)
sleep "$seconds"
to=$(ticks)
awk -v t=$((to - from)) -v hz="$(getconf CLK_TCK)" -v s="$seconds" 'BEGIN { printf "processor %.3f %%\n", 100 * t / hz / s }'
awk '/VmRSS/ { printf "memory %.1f MiB\n", $2 / 1024 }' "/proc/$pid/status"
