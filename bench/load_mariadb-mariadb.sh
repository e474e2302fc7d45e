# Sourced by bench/pair.sh: peers of the load from MariaDB to MariaDB.
LOADERS="mydumper mysqldump"

# Its defaults: the target's binlog is off for what myloader writes.
dump_and_load() {
    setsid timeout 600 mydumper -S "$WORK/source/sock" -u root -p "$PASSWORD" -B sbtest -t 2 -o "$WORK/dump" >/dev/null 2>&1
    setsid timeout 600 myloader -S "$WORK/target/sock" -u root -p "$PASSWORD" -B sbtest -o -t 2 -d "$WORK/dump" >/dev/null 2>&1
}
load_mydumper() {
    empty_target
    target_sql "CREATE DATABASE sbtest"
    rm -rf "$WORK/dump"
    timed dump_and_load
    rm -rf "$WORK/dump"
}

pipe_dump() { mariadb-dump --defaults-file="$WORK/source/client.cnf" --single-transaction --quick sbtest | "${TARGET_CLIENT[@]}" sbtest; }
load_mysqldump() {
    empty_target
    target_sql "CREATE DATABASE sbtest"
    timed pipe_dump
}
