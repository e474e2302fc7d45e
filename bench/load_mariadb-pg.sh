# Sourced by bench/pair.sh: peers of the load from MariaDB to PostgreSQL.
LOADERS="pgloader"

# With its defaults, which read and write in parallel, but for the rows it holds (100 000 of each reader exhaust its heap of 1 GiB); it makes the schema sbtest.
run_pgloader() {
    setsid timeout 900 pgloader --with "prefetch rows = 10000" "mysql://root:$PASSWORD@127.0.0.1:$SOURCE_PORT/sbtest" "postgresql://postgres:$PASSWORD@127.0.0.1:$TARGET_PORT/sbtest" >"$WORK/pgloader.log" 2>&1
}
load_pgloader() {
    empty_target
    timed run_pgloader || { tail -n 20 "$WORK/pgloader.log" >&2; exit 1; }
}
