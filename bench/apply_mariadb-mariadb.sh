# Sourced by bench/pair.sh: MariaDB's own replication, one applier thread whose relay log is complete before the clock starts. The target's binlog takes our
# writes, not the replica's.
FOLLOWERS="replica"

source_position() { source_sql "SHOW MASTER STATUS" | cut -f 1,2; }
apply_replica() {
    local file position end_file end_position begin before
    read -r file position < <(source_position)
    write_transactions
    read -r end_file end_position < <(source_position)
    target_sql "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$SOURCE_PORT, MASTER_USER='root', MASTER_PASSWORD='$PASSWORD',
        MASTER_LOG_FILE='$file', MASTER_LOG_POS=$position, MASTER_USE_GTID=no; SET GLOBAL slave_parallel_threads=0; START SLAVE IO_THREAD"
    until target_sql "SHOW SLAVE STATUS\G" | grep -q "^ *$end_position\$"; do sleep 0.1; done
    target_sql "STOP SLAVE IO_THREAD"
    before=$(cpu_of "$TARGET_PID") begin=$(now)
    target_sql "START SLAVE SQL_THREAD; SELECT MASTER_POS_WAIT('$end_file', $end_position)" >/dev/null
    echo "$(since "$begin") $(difference "$(cpu_of "$TARGET_PID")" "$before")"
    target_sql "STOP SLAVE; RESET SLAVE ALL"
}
