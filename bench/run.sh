#!/bin/bash
# make bench: full load of sysbench tables by Sluice, by mydumper + myloader and by mysqldump | mysql, interleaved on the same two private MariaDB
# servers. Prints rows/s, our CPU seconds per million rows, peak RSS, ratios and the machine's fsync rate. TABLES=4 ROWS=500000 ROUNDS=3 by default.
set -euo pipefail
cd "$(dirname "$0")/.."
TABLES=${TABLES:-4} ROWS=${ROWS:-500000} ROUNDS=${ROUNDS:-3}
. scripts/private-pair.sh
now() { date +%s.%N; }
number TABLES 4
number ROWS 500000
number ROUNDS 3
make_pair bench $((500 + TABLES * ROWS / 500))
SOURCE="--defaults-file=$WORK/source/client.cnf" TARGET="--defaults-file=$WORK/target/client.cnf"
mariadb "$SOURCE" -e "CREATE DATABASE sbtest; SET GLOBAL innodb_flush_log_at_trx_commit=1"
mariadb "$TARGET" -e "SET GLOBAL innodb_flush_log_at_trx_commit=1"
echo "preparing $TABLES x $ROWS sysbench rows"
sysbench oltp_read_write --db-driver=mysql --mysql-socket="$WORK/source/sock" --mysql-user=root --mysql-password="$PASSWORD" --tables="$TABLES" --table-size="$ROWS" prepare >/dev/null
start_service --rate-limit 0
fsyncs() { python3 -c "
import os,time
f=os.open('$WORK/fsync',os.O_CREAT|os.O_WRONLY); n=0; t=time.time()
while time.time()-t<1: os.pwrite(f,b'x',0); os.fsync(f); n+=1
print(n)"; }
reset_target() { mariadb "$TARGET" -e "DROP DATABASE IF EXISTS sbtest; CREATE DATABASE sbtest"; }
check() { [ "$(mariadb "$SOURCE" -BN -e "CHECKSUM TABLE sbtest.sbtest1")" = "$(mariadb "$TARGET" -BN -e "CHECKSUM TABLE sbtest.sbtest1")" ] || { echo "the copies differ"; exit 1; }; }
worker_pid() { sed -n 's/.*event=started kind=worker .*pid=\([0-9]*\).*/\1/p' "$WORK/serve.log" | tail -n 1; }
run_sluice() { # seconds cpu rss_kib
    mariadb "$TARGET" -e "DROP DATABASE IF EXISTS sbtest"
    local begin job state cpu=0 rss=0 pid
    begin=$(now)
    job=$("$SLUICE" job create --type migration --source "mysql://root@127.0.0.1:$SOURCE_PORT" --target "mysql://root@127.0.0.1:$TARGET_PORT" --objects sbtest --start --output json | member DtsJobId)
    while :; do
        state=$("$SLUICE" api DescribeDtsJobDetail DtsJobId="$job" | member Status)
        pid=$(worker_pid)
        if [ -n "$pid" ] && [ -r "/proc/$pid/stat" ]; then
            cpu=$(awk -v hz="$(getconf CLK_TCK)" '{print ($14+$15)/hz}' "/proc/$pid/stat" 2>/dev/null || echo "$cpu")
            rss=$(awk '/VmHWM/{print $2}' "/proc/$pid/status" 2>/dev/null || echo "$rss")
        fi
        case $state in Finished) break ;; *Failed) "$SLUICE" job show "$job" >&2; exit 1 ;; esac
        sleep 0.05
    done
    python3 -c "print($(now) - $begin, '$cpu' or 0, '$rss' or 0)"
    "$SLUICE" job delete "$job" >/dev/null
}
run_mydumper() {
    reset_target; rm -rf "$WORK/dump"
    local begin; begin=$(now)
    setsid timeout 600 mydumper -S "$WORK/source/sock" -u root -p "$PASSWORD" -B sbtest -t 2 -o "$WORK/dump" >/dev/null 2>&1
    setsid timeout 600 myloader -S "$WORK/target/sock" -u root -p "$PASSWORD" -B sbtest -o -t 2 -d "$WORK/dump" >/dev/null 2>&1
    python3 -c "print($(now) - $begin)"
}
run_mysqldump() {
    reset_target
    local begin; begin=$(now)
    mariadb-dump "$SOURCE" --single-transaction --quick sbtest | mariadb "$TARGET" sbtest
    python3 -c "print($(now) - $begin)"
}
for round in $(seq "$ROUNDS"); do
    run_sluice >>"$WORK/sluice"; check
    run_mydumper >>"$WORK/mydumper"; check
    run_mysqldump >>"$WORK/mysqldump"; check
    echo "round $round: sluice $(tail -n 1 "$WORK/sluice"), mydumper+myloader $(tail -n 1 "$WORK/mydumper"), mysqldump|mysql $(tail -n 1 "$WORK/mysqldump"), fsync/s $(fsyncs)"
done
python3 - "$WORK" $((TABLES * ROWS)) <<'PY'
import statistics, sys
work, rows = sys.argv[1], int(sys.argv[2])
read = lambda name: [[float(v) for v in line.split()] for line in open(f"{work}/{name}")]
ours = read("sluice")
seconds = {name: statistics.median(r[0] for r in read(name)) for name in ("sluice", "mydumper", "mysqldump")}
for name, s in seconds.items():
    print(f"{name:10} {s:7.2f} s  {rows / s:9.0f} rows/s")
print(f"ratio to mydumper+myloader {seconds['mydumper'] / seconds['sluice']:.2f}, to mysqldump|mysql {seconds['mysqldump'] / seconds['sluice']:.2f}")
print(f"worker: {statistics.median(r[1] for r in ours) / rows * 1e6:.2f} CPU-s per million rows, peak RSS {max(r[2] for r in ours) / 1024:.0f} MiB")
PY
