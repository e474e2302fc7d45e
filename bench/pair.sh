#!/bin/bash
# One pairing of make bench: pair.sh PAIR [load|apply|latency ...]. load.sh: full load of sysbench tables, against the tools of the pairing (load_PAIR.sh).
# apply.sh: single-row transactions, against the servers' own replication (apply_PAIR.sh). latency.py: how long a change takes at 1 000 transactions a second.
set -euo pipefail
cd "$(dirname "$0")/.."
PAIR=$1
shift
TABLES=${TABLES:-4} ROWS=${ROWS:-500000} TRANSACTIONS=${TRANSACTIONS:-100000} ROUNDS=${ROUNDS:-3} FLUSH=${FLUSH:-1}
PARTS=${*:-load apply latency}
. scripts/private-pair.sh
. bench/measure.sh
. bench/load.sh
. bench/apply.sh

number TABLES 4
number ROWS 500000
number TRANSACTIONS 100000
number ROUNDS 3
case $PAIR in
mariadb-mariadb | pg-pg | mariadb-pg) ;;
*) fail "PAIR is not valid: \"$PAIR\" is no pairing of the bench" "take mariadb-mariadb, pg-pg or mariadb-pg" ;;
esac
. "bench/load_$PAIR.sh"
. "bench/apply_$PAIR.sh"
declare -A OPTIONS=(
    [mariadb]="--buffer-pool 2G --flush-log $FLUSH --option innodb_log_file_size=2G"
    [pg]="$([ "$FLUSH" = 0 ] || echo --durable) --option shared_buffers=1GB --option max_wal_size=8GB --option checkpoint_timeout=30min"
)
SOURCE_OPTIONS=${OPTIONS[${PAIR%-*}]} TARGET_OPTIONS=${OPTIONS[${PAIR#*-}]}
make_pair bench $((6000 + TABLES * ROWS / 300)) "${PAIR%-*}" "${PAIR#*-}"
SOURCE_PID=$(member pid <"$WORK/source/server.json") TARGET_PID=$(member pid <"$WORK/target/server.json")
make_database SOURCE
make_database TARGET
echo "== $PAIR: $(nproc) cores; source $(version_of SOURCE), destination $(version_of TARGET); a commit waits for the disk: $([ "$FLUSH" = 0 ] && echo no || echo yes)"
echo "preparing $TABLES x $ROWS sysbench rows"
sysbench_on_source oltp_read_write prepare
start_service --rate-limit 0
for part in $PARTS; do "bench_$part"; done
