/* Makes and removes the schema sluice and its tables in a target. Foreign tables in that schema are never touched. */
#include "engine/mysql/checkpoint_tables.h"

#include <stdio.h>

/* Position and bounds are as long as a GTID set or a key may be. job_id comes first in every key: the rows of a job are together. */
#define CHECKPOINT_SQL                                                                                                                      \
    "CREATE TABLE IF NOT EXISTS sluice.checkpoint (job_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, lane INT UNSIGNED NOT NULL, " \
    "epoch BIGINT UNSIGNED NOT NULL, phase VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '', "                          \
    "position MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, commit_time BIGINT NOT NULL DEFAULT 0, "                        \
    "txn_count BIGINT UNSIGNED NOT NULL DEFAULT 0, row_count BIGINT UNSIGNED NOT NULL DEFAULT 0, seq BIGINT UNSIGNED NOT NULL DEFAULT 0, "   \
    "updated DATETIME(6) NOT NULL, PRIMARY KEY (job_id, lane)) ENGINE=InnoDB COMMENT='Sluice: what of each job is applied here'"
#define CHUNK_SQL                                                                                                                           \
    "CREATE TABLE IF NOT EXISTS sluice.chunk (job_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "                          \
    "table_schema VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin " \
    "NOT NULL, number INT UNSIGNED NOT NULL, low LONGBLOB NOT NULL, high LONGBLOB NOT NULL, done TINYINT NOT NULL DEFAULT 0, "               \
    "position MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, commit_time BIGINT NOT NULL DEFAULT 0, "                        \
    "row_count BIGINT UNSIGNED NOT NULL DEFAULT 0, PRIMARY KEY (job_id, table_schema, table_name, number)) ENGINE=InnoDB "                   \
    "COMMENT='Sluice: progress of full loads'"

enum { LOCK_SECONDS = 10 };

/* The tables by name, each with a column that no other program's table of the name has likely. */
static const struct {
    const char *name, *mark;
} tables[] = {{"checkpoint", "epoch"}, {"chunk", "number"}, {"object", "job_id"}, {"shape", "step"}};
enum { TABLES = sizeof tables / sizeof tables[0] };

static bool find_one(conn *c, const char *name, const char *mark, checkpoint_object *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t columns = 0, wanted = str_eq(str_from_c(mark), STR("job_id")) ? 1 : 2, known = 0;
    buf_printf(&sql, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema='sluice' AND table_name='%s'", name);
    if (!conn_query_u64(c, buf_c(&sql), &columns, e)) return false;
    *ret = CHECKPOINT_NONE;
    if (columns == 0) return true;
    buf_printf(&sql, " AND LOWER(column_name) IN ('job_id', '%s')", mark);
    if (!conn_query_u64(c, buf_c(&sql), &known, e)) return false;
    *ret = known == wanted ? CHECKPOINT_OURS : CHECKPOINT_FOREIGN;
    return true;
}

bool checkpoint_tables_find(conn *c, checkpoint_objects *ret, err *e)
{
    checkpoint_objects o = {0};
    checkpoint_object *at[TABLES] = {&o.checkpoint, &o.chunk, &o.object, &o.shape};
    uint64_t schemas = 0;
    if (!conn_query_u64(c, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name='sluice'", &schemas, e)) return false;
    o.schema = schemas > 0;
    for (int i = 0; o.schema && i < TABLES; i++)
        if (!find_one(c, tables[i].name, tables[i].mark, at[i], e)) return false;
    *ret = o;
    return true;
}

bool checkpoint_session(conn *c, err *e)
{
    return conn_exec(c, STR("SET SESSION lock_wait_timeout=2, innodb_lock_wait_timeout=10"), NULL, e);
}

bool checkpoint_tables_lock(conn *c, err *e)
{
    uint64_t got = 0;
    BUF_AUTO sql = BUF_INIT;
    buf_printf(&sql, "SELECT GET_LOCK('sluice', %d)", LOCK_SECONDS);
    if (!conn_query_u64(c, buf_c(&sql), &got, e)) return false;
    return got || err_set_native(e, ERR_TARGET_BUSY, RETRY_LATER, 0, "another job keeps the lock 'sluice' of the destination for more than %d s",
                                 LOCK_SECONDS);
}

void checkpoint_tables_unlock(conn *c)
{
    err ignored = ERR_INIT;
    uint64_t freed;
    if (!c->broken && !conn_query_u64(c, "SELECT RELEASE_LOCK('sluice')", &freed, &ignored)) c->broken = true;
}

/* ---- make ---- */

/* Intent first, then the object, then the note that it exists. Creating what exists changes nothing. */
static bool make_one(target *t, const char *kind, const char *name, const char *undo, const char *create, err *e)
{
    const ledger *l = t->env->ledger;
    uint64_t id = 0;
    if (!l) return err_set(e, ERR_INTERNAL, "%s %s is missing in the destination and may not be made here", kind, name);
    return l->intend(l->ctx, "dest", kind, str_from_c(name), str_from_c(undo), true, &id, e) && conn_exec(t->conn, str_from_c(create), NULL, e) &&
           l->created(l->ctx, id, e);
}

bool checkpoint_tables_make_one(target *t, const char *name, const char *create, err *e)
{
    char undo[80];
    snprintf(undo, sizeof undo, "DROP TABLE IF EXISTS %s", name);
    return make_one(t, "table", name, undo, create, e);
}

static bool rows_entry(target *t, uint64_t *ret_id, err *e)
{
    const ledger *l = t->env->ledger;
    BUF_AUTO undo = BUF_INIT;
    for (int i = 0; i < TABLES; i++) {
        buf_printf(&undo, "%sDELETE FROM sluice.%s WHERE job_id=", i ? "; " : "", tables[i].name);
        conn_quote_literal(&undo, t->env->job_id, STR("utf8mb4"));
    }
    if (undo.failed) return err_no_memory(e, "a statement");
    return l->intend(l->ctx, "dest", "rows", STR("sluice.checkpoint"), buf_str(&undo), false, ret_id, e);
}

bool checkpoint_tables_make(target *t, err *e)
{
    checkpoint_objects have;
    uint64_t rows;
    if (!checkpoint_tables_find(t->conn, &have, e)) return false;
    if (have.checkpoint == CHECKPOINT_FOREIGN || have.chunk == CHECKPOINT_FOREIGN)
        return err_set(e, ERR_TARGET_CONFLICT, "the destination has a table sluice.%s that is not Sluice's; rename it",
                       have.checkpoint == CHECKPOINT_FOREIGN ? "checkpoint" : "chunk");
    return make_one(t, "schema", "sluice", "DROP DATABASE IF EXISTS sluice",
                    "CREATE DATABASE IF NOT EXISTS sluice CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", e) &&
           checkpoint_tables_make_one(t, "sluice.checkpoint", CHECKPOINT_SQL, e) && checkpoint_tables_make_one(t, "sluice.chunk", CHUNK_SQL, e) && rows_entry(t, &rows, e);
}

bool checkpoint_tables_made(target *t, err *e)
{
    uint64_t rows;
    return rows_entry(t, &rows, e) && t->env->ledger->created(t->env->ledger->ctx, rows, e);
}

/* ---- remove ---- */

static bool delete_rows(conn *c, const char *table, str job_id, buf *removed, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t gone = 0;
    buf_printf(&sql, "DELETE FROM sluice.%s WHERE job_id=", table);
    conn_quote_literal(&sql, job_id, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_exec(c, buf_str(&sql), &gone, e)) return false;
    if (gone) buf_printf(removed, "%llu rows of sluice.%s\n", (unsigned long long)gone, table);
    return true;
}

/* Rows of any job left in our tables? */
static bool anybody_left(conn *c, const checkpoint_object *have, bool *ret, err *e)
{
    *ret = false;
    for (int i = 0; i < TABLES && !*ret; i++) {
        if (have[i] != CHECKPOINT_OURS) continue;
        BUF_AUTO sql = BUF_INIT;
        uint64_t some = 0;
        buf_printf(&sql, "SELECT EXISTS(SELECT 1 FROM sluice.%s)", tables[i].name);
        if (!conn_query_u64(c, buf_c(&sql), &some, e)) return false;
        *ret = some != 0;
    }
    return true;
}

/* The schema goes only when nothing of anybody is in it. */
static bool drop_schema(conn *c, buf *removed, err *e)
{
    uint64_t others = 0;
    if (!conn_query_u64(c,
                        "SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='sluice') + (SELECT COUNT(*) FROM "
                        "information_schema.routines WHERE routine_schema='sluice') + (SELECT COUNT(*) FROM information_schema.events WHERE "
                        "event_schema='sluice')",
                        &others, e))
        return false;
    if (others) {
        buf_printf(removed, "schema sluice kept: it holds %llu objects that are not Sluice's\n", (unsigned long long)others);
        return true;
    }
    if (!conn_exec(c, STR("DROP DATABASE IF EXISTS sluice"), NULL, e)) return false;
    buf_add_c(removed, "schema sluice\n");
    return true;
}

static bool remove_all(conn *c, str job_id, buf *removed, err *e)
{
    checkpoint_objects o;
    bool left;
    if (!checkpoint_tables_find(c, &o, e)) return false;
    if (!o.schema) return true;
    const checkpoint_object have[TABLES] = {o.checkpoint, o.chunk, o.object, o.shape};
    /* The job's row goes last: until then a retry finds everything by it. */
    for (int i = TABLES; i-- > 0;)
        if (have[i] == CHECKPOINT_OURS && !delete_rows(c, tables[i].name, job_id, removed, e)) return false;
    if (!anybody_left(c, have, &left, e)) return false;
    if (left) return true;
    for (int i = TABLES; i-- > 0;) {
        if (have[i] != CHECKPOINT_OURS) continue;
        if (!conn_execf(c, e, "DROP TABLE IF EXISTS sluice.%s", tables[i].name)) return false;
        buf_printf(removed, "table sluice.%s\n", tables[i].name);
    }
    return drop_schema(c, removed, e);
}

bool checkpoint_remove_job(target *t, str job_id, arena *a, str *ret_removed, err *e)
{
    BUF_AUTO removed = BUF_INIT;
    if (!checkpoint_session(t->conn, e) || !checkpoint_tables_lock(t->conn, e)) return false;
    bool ok = remove_all(t->conn, job_id, &removed, e);
    checkpoint_tables_unlock(t->conn);
    if (!ok) return err_context(e, "removing what the job left in the destination's schema sluice");
    *ret_removed = arena_copy(a, buf_str(&removed));
    return (ret_removed->p && !removed.failed) || err_no_memory(e, "the list of removed objects");
}

void checkpoint_add_where_table(buf *sql, str job_id, const table_def *t)
{
    buf_add_c(sql, " WHERE job_id=");
    conn_quote_literal(sql, job_id, STR("utf8mb4"));
    buf_add_c(sql, " AND table_schema=");
    conn_quote_literal(sql, t->schema, STR("utf8mb4"));
    buf_add_c(sql, " AND table_name=");
    conn_quote_literal(sql, t->name, STR("utf8mb4"));
}
