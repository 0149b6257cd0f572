#!/bin/sh
# Measures, side by side in one run, and prints a table: see bench/README.md. Needs wrk, curl, node.
# Usage: bench/run.sh [SECONDS a measurement, default 10]      BENCH_MESSAGES, BENCH_CHATS: how full the full database is
set -eu
cd "$(dirname "$0")/.."
make -s all build/bench/stack
node bench/run.mjs "$@"
node bench/figures.mjs
node bench/move.mjs
export BENCH_ENGINE=postgres
node bench/run.mjs "$@"
exec node bench/figures.mjs
