# Sourced by bench/run.sh: the full load. Each line of a result file: wall seconds, CPU seconds of both servers, and for ours CPU seconds and peak KiB.
load_sluice() {
    local begin job before
    mariadb "$TARGET" -e "DROP DATABASE IF EXISTS sbtest"
    WORKER_CPU=0 WORKER_RSS=0 before=$(cpu_of "$SOURCE_PID" "$TARGET_PID") begin=$(now)
    job=$(create_job --type migration)
    await_state "$job" Finished
    echo "$(since "$begin") $(difference "$(cpu_of "$SOURCE_PID" "$TARGET_PID")" "$before") $WORKER_CPU $WORKER_RSS"
    "$SLUICE" job delete "$job" >/dev/null
}

# Its defaults: the target's binlog is off for what myloader writes.
load_mydumper() {
    local begin before
    mariadb "$TARGET" -e "DROP DATABASE IF EXISTS sbtest; CREATE DATABASE sbtest"
    rm -rf "$WORK/dump"
    before=$(cpu_of "$SOURCE_PID" "$TARGET_PID") begin=$(now)
    setsid timeout 600 mydumper -S "$WORK/source/sock" -u root -p "$PASSWORD" -B sbtest -t 2 -o "$WORK/dump" >/dev/null 2>&1
    setsid timeout 600 myloader -S "$WORK/target/sock" -u root -p "$PASSWORD" -B sbtest -o -t 2 -d "$WORK/dump" >/dev/null 2>&1
    echo "$(since "$begin") $(difference "$(cpu_of "$SOURCE_PID" "$TARGET_PID")" "$before")"
    rm -rf "$WORK/dump"
}

load_mysqldump() {
    local begin before
    mariadb "$TARGET" -e "DROP DATABASE IF EXISTS sbtest; CREATE DATABASE sbtest"
    before=$(cpu_of "$SOURCE_PID" "$TARGET_PID") begin=$(now)
    mariadb-dump "$SOURCE" --single-transaction --quick sbtest | mariadb "$TARGET" sbtest
    echo "$(since "$begin") $(difference "$(cpu_of "$SOURCE_PID" "$TARGET_PID")" "$before")"
}

bench_load() {
    local round way
    for round in $(seq "$ROUNDS"); do
        for way in sluice mydumper mysqldump; do "load_$way" >>"$WORK/load_$way"; check_equal; done
        echo "load $round: sluice $(tail -n 1 "$WORK/load_sluice"), mydumper+myloader $(tail -n 1 "$WORK/load_mydumper"), mysqldump|mysql $(tail -n 1 "$WORK/load_mysqldump"), fsync/s $(fsyncs)"
    done
    python3 bench/report.py load "$WORK" $((TABLES * ROWS))
}
