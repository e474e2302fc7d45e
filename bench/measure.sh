# Sourced by bench/pair.sh: clocks, counters and what the benches do with the servers.
now() { date +%s.%N; }
since() { python3 -c "print(f'{$(now) - $1:.3f}')"; }

# CPU seconds (user + system) that the processes and all that they started have used so far.
cpu_of() {
    cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\([0-9]*\) (.*) /\1 /' | awk -v hz="$(getconf CLK_TCK)" -v roots="$*" '
        { parent[$1] = $3; used[$1] = $13 + $14 + $15 + $16 }
        END {
            split(roots, root, " ")
            for (pid in used) for (up = pid; up in used; up = parent[up]) for (i in root) if (up == root[i]) sum += used[pid]
            print sum / hz
        }'
}
difference() { python3 -c "print(f'{$1 - $2:.2f}')"; }

# Of the disk below the servers, in one second.
fsyncs() { python3 -c "
import os, time
f = os.open('$WORK/fsync', os.O_CREAT | os.O_WRONLY); n = 0; t = time.time()
while time.time() - t < 1: os.pwrite(f, b'x', 0); os.fsync(f); n += 1
print(n)"; }

# ---- the database sbtest of an end; with PostgreSQL its schema is public as a source, sbtest as a destination of MariaDB ----

family_of() { local -n found=$1_FAMILY; echo "$found"; }
version_of() {
    case $(family_of "$1") in
    mysql) run_sql "$1" "SELECT CONCAT('MariaDB ', @@version)" ;;
    pg) run_sql "$1" "SELECT 'PostgreSQL ' || current_setting('server_version')" ;;
    esac
}
make_database() {
    local -n url=$1_URL client=$1_CLIENT
    run_sql "$1" "CREATE DATABASE sbtest"
    [ "$(family_of "$1")" = pg ] || return 0
    url=${url%/*}/sbtest
    client=("${client[@]/dbname=?postgres?/dbname=sbtest}")
}
empty_target() {
    case $TARGET_FAMILY in
    mysql) target_sql "DROP DATABASE IF EXISTS sbtest" ;;
    pg) target_sql "DROP SCHEMA IF EXISTS sbtest, public CASCADE; CREATE SCHEMA public" 2>/dev/null ;;
    esac
}
schema_of() { # END: where the tables are
    case $PAIR-$1 in
    pg-pg-*) echo public ;;
    *) echo sbtest ;;
    esac
}

sysbench_on_source() { # SCRIPT COMMAND [OPTION ...]
    local script=$1 command=$2 driver
    shift 2
    case $SOURCE_FAMILY in
    mysql) driver="--db-driver=mysql --mysql-socket=$WORK/source/sock --mysql-user=root --mysql-password=$PASSWORD" ;;
    pg) driver="--db-driver=pgsql --pgsql-host=127.0.0.1 --pgsql-port=$SOURCE_PORT --pgsql-user=postgres --pgsql-password=$PASSWORD --pgsql-db=sbtest" ;;
    esac
    # shellcheck disable=SC2086
    sysbench "$script" $driver --tables="$TABLES" --table-size="$ROWS" "$@" "$command" >"$WORK/sysbench.log" 2>&1 || { cat "$WORK/sysbench.log" >&2; exit 1; }
}

# Rows and the sum of a hash of every row, of each table.
sums_of() {
    local n sql='' place
    place=$(schema_of "$1")
    for n in $(seq "$TABLES"); do
        case $(family_of "$1") in
        mysql) sql+="SELECT COUNT(*), SUM(CAST(CONV(LEFT(MD5(CONCAT_WS('|', id, k, c, pad)), 8), 16, 10) AS UNSIGNED)) FROM $place.sbtest$n;" ;;
        pg) sql+="SELECT count(*), sum(('x' || left(md5(concat_ws('|', id, k, rtrim(c), rtrim(pad))), 8))::bit(32)::bigint) FROM $place.sbtest$n;" ;;
        esac
    done
    run_sql "$1" "$sql"
}
# Every table of both sides, or the run does not count.
is_equal() { [ "$(sums_of SOURCE)" = "$(sums_of TARGET)" ]; }
differ() { # WHO copied
    echo "the copies differ: $1 left something out" >&2
    exit 1
}
check_equal() { is_equal || differ "$1"; } # WHO copied

# ---- our job ----

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
# The CPU seconds that the job's worker used, as its last words tell them: note_worker may have looked a moment before its end.
cpu_at_end() { # JOB
    sed -n "s/.* job=$1 event=worker_ended .*user_ms=\([0-9]*\) system_ms=\([0-9]*\).*/\1 \2/p" "$WORK/serve.log" | tail -n 1 | awk '{ print ($1 + $2) / 1000 }'
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
create_job() { "$SLUICE" job create --source "$SOURCE_URL" --target "$TARGET_URL" --objects "$(schema_of SOURCE)" --start --output json "$@" | member DtsJobId; }
