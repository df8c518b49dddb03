#!/usr/bin/env bash
# Kills `cargo xtask setup` at random moments, N times (default 50), and runs it again each time:
# the models are those of an undisturbed run, and nothing else is left in the folder.
#
#     tests/kill_setup.sh 50
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kills=${1:-50}
cargo build --quiet --release -p xtask
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export DND_CACHE=$folder/cache

xtask=${CARGO_TARGET_DIR:-target}/release/xtask
setup() { "$xtask" setup >"$folder/log" 2>&1; }
state() { (cd "$DND_CACHE" && find . -type f | sort | xargs sha256sum); }

started=$(date +%s%N)
setup
duration=$((($(date +%s%N) - started) / 1000000))
state >"$folder/expected"

killed=0
for ((turn = 0; turn < kills; turn++)); do
  rm -rf "$DND_CACHE"
  moment=$((duration * RANDOM / 32768))
  # A group of processes: pip is one of its own.
  setsid "$xtask" setup >/dev/null 2>&1 &
  program=$!
  sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
  if kill -KILL -- "-$program" 2>/dev/null; then killed=$((killed + 1)); fi
  wait "$program" 2>/dev/null || true
  setup || { cat "$folder/log"; exit 1; }
  state | diff "$folder/expected" - || { echo "killed after $moment ms: other files"; exit 1; }
done
((killed > 0)) || { echo "setup: it always ended before"; exit 1; }
echo "setup: killed $killed times of $kills within $duration ms, always the same files"
