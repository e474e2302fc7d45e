# Sourced by bench/pair.sh: the full load. A pairing's file sets LOADERS, the peers, and has load_NAME for each. Each line of a result file: wall seconds, CPU
# seconds of both servers, and for ours CPU seconds and peak KiB.
load_sluice() {
    local begin job before
    empty_target
    WORKER_CPU=0 WORKER_RSS=0 before=$(cpu_of "$SOURCE_PID" "$TARGET_PID") begin=$(now)
    job=$(create_job --type migration)
    await_state "$job" Finished
    echo "$(since "$begin") $(difference "$(cpu_of "$SOURCE_PID" "$TARGET_PID")" "$before") $(cpu_at_end "$job") $WORKER_RSS"
    "$SLUICE" job delete "$job" >/dev/null
}

# timed COMMAND...: a peer's own command between the clocks.
timed() {
    local before begin
    before=$(cpu_of "$SOURCE_PID" "$TARGET_PID") begin=$(now)
    "$@"
    echo "$(since "$begin") $(difference "$(cpu_of "$SOURCE_PID" "$TARGET_PID")" "$before")"
}

# A run that leaves rows out does not count: a peer's is made again.
load_once() { # WAY
    local try
    for try in 1 2 3 4; do
        "load_$1" >"$WORK/once"
        if is_equal; then break; fi
        [ "$1" != sluice ] && [ "$try" != 4 ] || differ "$1"
        echo "$1 left something out and is run again" >&2
    done
    cat "$WORK/once" >>"$WORK/load_$1"
}

bench_load() {
    local round way
    for round in $(seq "$ROUNDS"); do
        for way in sluice $LOADERS; do load_once "$way"; done
        echo "load $round:$(for way in sluice $LOADERS; do echo -n " $way $(tail -n 1 "$WORK/load_$way"),"; done) fsync/s $(fsyncs)"
    done
    # shellcheck disable=SC2086
    python3 bench/report.py load "$WORK" $((TABLES * ROWS)) sluice $LOADERS
}
