#!/bin/bash
# make bench: Sluice beside its peers on the same two private MariaDB servers in one run, interleaved. load.sh: full load of sysbench tables against
# mydumper + myloader and mysqldump | mysql; apply.sh: sysbench transactions against MariaDB's own replica. TABLES=4 ROWS=500000 TRANSACTIONS=100000
# ROUNDS=3 FLUSH=1 (innodb_flush_log_at_trx_commit of both servers) by default; `bench/run.sh load` or `bench/run.sh apply` runs one of them.
set -euo pipefail
cd "$(dirname "$0")/.."
TABLES=${TABLES:-4} ROWS=${ROWS:-500000} TRANSACTIONS=${TRANSACTIONS:-100000} ROUNDS=${ROUNDS:-3} FLUSH=${FLUSH:-1}
PARTS=${*:-load apply}
. scripts/private-pair.sh
. bench/measure.sh
. bench/load.sh
. bench/apply.sh

number TABLES 4
number ROWS 500000
number TRANSACTIONS 100000
number ROUNDS 3
make_pair bench $((5000 + TABLES * ROWS / 500)) mariadb mariadb --buffer-pool 2G --flush-log "$FLUSH" --option innodb_log_file_size=2G
SOURCE="--defaults-file=$WORK/source/client.cnf" TARGET="--defaults-file=$WORK/target/client.cnf"
SOURCE_PID=$(member pid <"$WORK/source/server.json") TARGET_PID=$(member pid <"$WORK/target/server.json")
mariadb "$SOURCE" -e "CREATE DATABASE sbtest"
echo "$(nproc) cores, MariaDB $(mariadb "$SOURCE" -BN -e 'SELECT @@version'), binlog on at both ends, flush_log=$FLUSH sync_binlog=0, buffer pool and redo log 2 GiB"
echo "preparing $TABLES x $ROWS sysbench rows"
sysbench_on_source oltp_read_write prepare
start_service --rate-limit 0
for part in $PARTS; do "bench_$part"; done
