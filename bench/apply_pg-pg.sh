# Sourced by bench/pair.sh: PostgreSQL's own logical replication. One walsender decodes for either, which caps both at what it gives.
FOLLOWERS="subscription"

apply_subscription() {
    local begin before mark
    source_sql "CREATE PUBLICATION bench FOR ALL TABLES"
    target_sql "CREATE SUBSCRIPTION bench CONNECTION 'host=127.0.0.1 port=$SOURCE_PORT user=postgres password=$PASSWORD dbname=sbtest' PUBLICATION bench WITH (copy_data = false)" 2>/dev/null
    target_sql "ALTER SUBSCRIPTION bench DISABLE"
    write_transactions
    mark=$(now)
    source_sql "UPDATE sbtest1 SET pad = '$mark' WHERE id = 1"
    before=$(cpu_of "$TARGET_PID") begin=$(now)
    target_sql "ALTER SUBSCRIPTION bench ENABLE"
    until [ "$(target_sql "SELECT rtrim(pad) FROM sbtest1 WHERE id = 1")" = "$mark" ]; do sleep 0.1; done
    echo "$(since "$begin") $(difference "$(cpu_of "$TARGET_PID")" "$before")"
    target_sql "DROP SUBSCRIPTION bench" 2>/dev/null
    source_sql "DROP PUBLICATION bench"
}
