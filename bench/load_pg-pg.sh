# Sourced by bench/pair.sh: peers of the load from PostgreSQL to PostgreSQL.
LOADERS="pg_dump tablesync pgcopydb"
pg_dump_source() { PGPASSWORD=$PASSWORD pg_dump "$SOURCE_URL" "$@"; }

pipe_pg_dump() { pg_dump_source | "${TARGET_CLIENT[@]}" -Xq >/dev/null; }
load_pg_dump() {
    empty_target
    timed pipe_pg_dump
}

# Logical replication's own copy, tables first and their keys after it, as fast as it goes.
copy_by_subscription() {
    pg_dump_source --section=pre-data | "${TARGET_CLIENT[@]}" -Xq >/dev/null
    target_sql "CREATE SUBSCRIPTION bench CONNECTION 'host=127.0.0.1 port=$SOURCE_PORT user=postgres password=$PASSWORD dbname=sbtest' PUBLICATION bench" 2>/dev/null
    while [ "$(target_sql "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate = 'r'")" != "$TABLES" ]; do sleep 0.1; done
    target_sql "ALTER SUBSCRIPTION bench DISABLE"
    pg_dump_source --section=post-data | "${TARGET_CLIENT[@]}" -Xq >/dev/null
}
load_tablesync() {
    empty_target
    source_sql "CREATE PUBLICATION bench FOR ALL TABLES"
    timed copy_by_subscription
    target_sql "DROP SUBSCRIPTION bench" 2>/dev/null
    source_sql "DROP PUBLICATION bench"
}

clone() { PGPASSWORD=$PASSWORD setsid timeout 600 pgcopydb clone --source "$SOURCE_URL" --target "$TARGET_URL" --table-jobs 2 --index-jobs 2 --dir "$WORK/pgcopydb" --not-consistent >"$WORK/pgcopydb.log" 2>&1; }
load_pgcopydb() {
    empty_target
    rm -rf "$WORK/pgcopydb"
    timed clone || { tail -n 20 "$WORK/pgcopydb.log" >&2; exit 1; }
}
