# Sourced by bench/run.sh: clocks, counters and what both benches do with the servers.
now() { date +%s.%N; }
since() { python3 -c "print(f'{$(now) - $1:.3f}')"; }

# CPU seconds (user + system) that the processes have used so far.
cpu_of() {
    local pid sum=0
    for pid in "$@"; do sum=$(awk -v hz="$(getconf CLK_TCK)" -v sum="$sum" '{print sum + ($14 + $15) / hz}' "/proc/$pid/stat"); done
    echo "$sum"
}
difference() { python3 -c "print(f'{$1 - $2:.2f}')"; }

# Of the disk below the servers, in one second.
fsyncs() { python3 -c "
import os, time
f = os.open('$WORK/fsync', os.O_CREAT | os.O_WRONLY); n = 0; t = time.time()
while time.time() - t < 1: os.pwrite(f, b'x', 0); os.fsync(f); n += 1
print(n)"; }

sysbench_on_source() { # SCRIPT COMMAND [OPTION ...]
    local script=$1 command=$2
    shift 2
    sysbench "$script" --db-driver=mysql --mysql-socket="$WORK/source/sock" --mysql-user=root --mysql-password="$PASSWORD" --tables="$TABLES" --table-size="$ROWS" "$@" "$command" >"$WORK/sysbench.log" 2>&1 ||
        { cat "$WORK/sysbench.log" >&2; exit 1; }
}

# Every table of both sides, or the run does not count.
check_equal() {
    local n sql="CHECKSUM TABLE sbtest.sbtest1"
    for n in $(seq 2 "$TABLES"); do sql+=", sbtest.sbtest$n"; done
    [ "$(mariadb "$SOURCE" -BN -e "$sql")" = "$(mariadb "$TARGET" -BN -e "$sql")" ] || { echo "the copies differ" >&2; exit 1; }
}

worker_pid() { sed -n 's/.*event=started kind=worker .*pid=\([0-9]*\).*/\1/p' "$WORK/serve.log" | tail -n 1; }
# Notes CPU and peak memory of the job's worker in WORKER_CPU and WORKER_RSS as long as it lives; their last values stay.
note_worker() {
    local pid
    pid=$(worker_pid)
    [ -n "$pid" ] && [ -r "/proc/$pid/stat" ] || return 0
    WORKER_CPU=$(awk -v hz="$(getconf CLK_TCK)" '{print ($14+$15)/hz}' "/proc/$pid/stat" 2>/dev/null || echo "$WORKER_CPU")
    WORKER_RSS=$(awk '/VmHWM/{print $2}' "/proc/$pid/status" 2>/dev/null || echo "$WORKER_RSS")
    [ -n "$WORKER_RSS" ] || WORKER_RSS=0
}
# await_state JOB STATE: ends the bench when the job fails. It looks five times a second and by small programs: what it uses, the servers lack.
await_state() {
    local state
    while :; do
        state=$("$SLUICE" api DescribeDtsJobDetail DtsJobId="$1" | sed -n 's/^  "Status": "\(.*\)",\{0,1\}$/\1/p')
        note_worker
        case $state in "$2") return ;; *Failed) "$SLUICE" job show "$1" >&2; exit 1 ;; esac
        sleep 0.2
    done
}
create_job() { "$SLUICE" job create --source "$SOURCE_URL" --target "$TARGET_URL" --objects sbtest --start --output json "$@" | member DtsJobId; }
