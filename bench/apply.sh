# Sourced by bench/pair.sh: single-row transactions (sysbench oltp_update_index) written at the source while nothing follows, then applied at once: by a job that
# starts at the position where it was paused, and by the servers' own replication (apply_PAIR.sh: FOLLOWERS and apply_NAME). Ours reads the source within its
# time. Same servers, same durability.
make_target_equal() {
    local job
    [ "$(sums_of TARGET 2>/dev/null)" != "$(sums_of SOURCE)" ] || return 0
    empty_target
    job=$(create_job --type migration)
    await_state "$job" Finished
    "$SLUICE" job delete "$job" >/dev/null
}

write_transactions() { sysbench_on_source oltp_update_index run --rand-type=uniform --threads=8 --events="$TRANSACTIONS" --time=0; }
applied() { target_sql "SELECT txn_count FROM sluice.checkpoint"; }

apply_sluice() { # seconds, CPU of the target, ours
    local job begin before
    job=$(create_job --type sync --no-schema --no-full)
    await_state "$job" Synchronizing
    while [ "$(target_sql "SELECT phase FROM sluice.checkpoint" 2>/dev/null)" != stream ]; do sleep 0.1; done
    "$SLUICE" job pause "$job" >/dev/null
    await_state "$job" Suspending
    write_transactions
    WORKER_CPU=0 WORKER_RSS=0 before=$(cpu_of "$TARGET_PID") begin=$(now)
    "$SLUICE" job start "$job" >/dev/null
    while [ "$(applied)" -lt "$TRANSACTIONS" ]; do note_worker; sleep 0.1; done
    echo "$(since "$begin") $(difference "$(cpu_of "$TARGET_PID")" "$before") $WORKER_CPU $WORKER_RSS"
    "$SLUICE" job delete "$job" >/dev/null
}

bench_apply() {
    local round way
    make_target_equal
    for round in $(seq "$ROUNDS"); do
        for way in sluice $FOLLOWERS; do "apply_$way" >>"$WORK/apply_$way"; check_equal "$way"; done
        echo "apply $round:$(for way in sluice $FOLLOWERS; do echo -n " $way $(tail -n 1 "$WORK/apply_$way"),"; done) fsync/s $(fsyncs)"
    done
    # shellcheck disable=SC2086
    python3 bench/report.py apply "$WORK" "$TRANSACTIONS" sluice $FOLLOWERS
}

bench_latency() {
    local job
    make_target_equal
    job=$(create_job --type sync --no-schema --no-full)
    await_state "$job" Synchronizing
    "$(scripts/test-venv.sh)/bin/python" bench/latency.py "$WORK" "$(schema_of SOURCE)" "$(schema_of TARGET)"
    "$SLUICE" job delete "$job" >/dev/null
}
