# Sourced by bench/run.sh: single-row transactions (sysbench oltp_update_index) written at the source while nothing follows, then applied at once: by a job
# that starts at the position where it was paused, and by the target as a replica with one applier thread whose relay log is complete before the clock
# starts. Ours reads the source within its time. Same servers, same durability; the target's binlog takes our writes, not the replica's.
make_target_equal() {
    [ -z "$(mariadb "$TARGET" -BN -e "SHOW DATABASES LIKE 'sbtest'")" ] || return 0
    local job
    job=$(create_job --type migration)
    await_state "$job" Finished
    "$SLUICE" job delete "$job" >/dev/null
}

write_transactions() { sysbench_on_source oltp_update_index run --rand-type=uniform --threads=8 --events="$TRANSACTIONS" --time=0; }
source_position() { mariadb "$SOURCE" -BN -e "SHOW MASTER STATUS" | cut -f 1,2; }
applied() { mariadb "$TARGET" -BN -e "SELECT txn_count FROM sluice.checkpoint"; }

apply_sluice() { # seconds, CPU of the target, ours
    local job begin before
    job=$(create_job --type sync --no-schema --no-full)
    await_state "$job" Synchronizing
    while [ "$(mariadb "$TARGET" -BN -e "SELECT phase FROM sluice.checkpoint" 2>/dev/null)" != stream ]; do sleep 0.1; done
    "$SLUICE" job pause "$job" >/dev/null
    await_state "$job" Suspending
    write_transactions
    WORKER_CPU=0 WORKER_RSS=0 before=$(cpu_of "$TARGET_PID") begin=$(now)
    "$SLUICE" job start "$job" >/dev/null
    while [ "$(applied)" -lt "$TRANSACTIONS" ]; do note_worker; sleep 0.1; done
    echo "$(since "$begin") $(difference "$(cpu_of "$TARGET_PID")" "$before") $WORKER_CPU $WORKER_RSS"
    "$SLUICE" job delete "$job" >/dev/null
}

apply_replica() {
    local file position end_file end_position begin before
    read -r file position < <(source_position)
    write_transactions
    read -r end_file end_position < <(source_position)
    mariadb "$TARGET" -e "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$SOURCE_PORT, MASTER_USER='root', MASTER_PASSWORD='$PASSWORD',
        MASTER_LOG_FILE='$file', MASTER_LOG_POS=$position, MASTER_USE_GTID=no; SET GLOBAL slave_parallel_threads=0; START SLAVE IO_THREAD"
    until mariadb "$TARGET" -e "SHOW SLAVE STATUS\G" | grep -q "Read_Master_Log_Pos: $end_position\$"; do sleep 0.1; done
    mariadb "$TARGET" -e "STOP SLAVE IO_THREAD"
    before=$(cpu_of "$TARGET_PID") begin=$(now)
    mariadb "$TARGET" -BN -e "START SLAVE SQL_THREAD; SELECT MASTER_POS_WAIT('$end_file', $end_position)" >/dev/null
    echo "$(since "$begin") $(difference "$(cpu_of "$TARGET_PID")" "$before")"
    mariadb "$TARGET" -e "STOP SLAVE; RESET SLAVE ALL"
}

bench_apply() {
    local round way
    make_target_equal
    for round in $(seq "$ROUNDS"); do
        for way in sluice replica; do "apply_$way" >>"$WORK/apply_$way"; check_equal; done
        echo "apply $round: sluice $(tail -n 1 "$WORK/apply_sluice"), replica $(tail -n 1 "$WORK/apply_replica"), fsync/s $(fsyncs)"
    done
    python3 bench/report.py apply "$WORK" "$TRANSACTIONS"
}
