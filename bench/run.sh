#!/bin/bash
# make bench: Sluice beside its peers, on private servers in one run, interleaved. PAIRS="mariadb-mariadb pg-pg mariadb-pg" by default, each by pair.sh.
# TABLES=4 ROWS=500000 TRANSACTIONS=100000 ROUNDS=3 FLUSH=1 (0: neither server waits for its disk at a commit). `bench/run.sh load`, `apply` or `latency` runs one part.
set -euo pipefail
cd "$(dirname "$0")/.."
for pair in ${PAIRS:-mariadb-mariadb pg-pg mariadb-pg}; do bench/pair.sh "$pair" "$@"; done
