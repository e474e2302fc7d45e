/* Makes and removes the schema sluice and its tables in a target. Foreign objects in that schema are never touched. */
#include "engine/postgresql/pg_checkpoint_tables.h"

#include <stdio.h>
#include <string.h>

#include "engine/postgresql/pg_end_sessions.h"

/* The job's row is updated with each window: room in its page keeps that update from writing to the index. */
#define CHECKPOINT_SQL                                                                                                                      \
    "CREATE TABLE sluice.checkpoint (job_id text NOT NULL, lane integer NOT NULL, epoch bigint NOT NULL, phase text NOT NULL DEFAULT '', "   \
    "position text NOT NULL, commit_time bigint NOT NULL DEFAULT 0, txn_count bigint NOT NULL DEFAULT 0, row_count bigint NOT NULL DEFAULT 0, " \
    "seq bigint NOT NULL DEFAULT 0, updated timestamp with time zone NOT NULL, PRIMARY KEY (job_id, lane)) WITH (fillfactor=50); "           \
    "COMMENT ON TABLE sluice.checkpoint IS 'Sluice: what of each job is applied here'"
/* Bounds are the source engine's bytes. xid: the transaction that loaded the chunk. */
#define CHUNK_SQL                                                                                                                           \
    "CREATE TABLE sluice.chunk (job_id text NOT NULL, table_schema text NOT NULL, table_name text NOT NULL, number bigint NOT NULL, "        \
    "low bytea NOT NULL, high bytea NOT NULL, done boolean NOT NULL DEFAULT false, position text NOT NULL, commit_time bigint NOT NULL DEFAULT 0, " \
    "row_count bigint NOT NULL DEFAULT 0, xid bigint NOT NULL DEFAULT 0, PRIMARY KEY (job_id, table_schema, table_name, number)); "          \
    "COMMENT ON TABLE sluice.chunk IS 'Sluice: progress of full loads'"

#define SCHEMA_COMMENT "Sluice: what its tasks keep in this database"
#define SCHEMA_SQL "CREATE SCHEMA sluice; COMMENT ON SCHEMA sluice IS '" SCHEMA_COMMENT "'"

#define LOCK_KEY "126909663503205" /* the bytes "sluice" as a number */

enum { LOCK_SECONDS = 10 };

/* The tables by name, each with a column that no other program's table of the name has likely. */
static const struct {
    const char *name, *mark;
} tables[] = {{"checkpoint", "epoch"}, {"chunk", "number"}, {"object", "job_id"}, {"shape", "job_id"}, {"ddl", "job_id"}};
enum { TABLES = sizeof tables / sizeof tables[0], ALWAYS = 2 /* of them are there with each job */ };

#define FIND_SQL                                                                                                       \
    "SELECT c.relname, c.relkind = 'r', pg_catalog.bool_or(a.attname = 'job_id'), pg_catalog.bool_or(a.attname = "     \
    "'epoch'), "                                                                                                       \
    "pg_catalog.bool_or(a.attname = 'number'), pg_catalog.bool_or(pg_catalog.obj_description(n.oid, 'pg_namespace') "  \
    "= '" SCHEMA_COMMENT                                                                                               \
    "') FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND "                 \
    "c.relname IN ('checkpoint', 'chunk', 'object', 'shape', 'ddl') LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND "    \
    "a.attnum > 0 AND NOT "                                                                                            \
    "a.attisdropped WHERE n.nspname = 'sluice' GROUP BY c.relname, c.relkind"

static bool is_true(const PGresult *r, int row, int column) { return str_eq(pg_field(r, row, column), STR("t")); }

static pg_checkpoint_object kind_of(const PGresult *r, int row, int i)
{
    bool marked = !strcmp(tables[i].mark, "epoch") ? is_true(r, row, 3) : !strcmp(tables[i].mark, "number") ? is_true(r, row, 4) : true;
    return is_true(r, row, 1) && is_true(r, row, 2) && marked ? PG_CHECKPOINT_OURS : PG_CHECKPOINT_FOREIGN;
}

bool pg_checkpoint_tables_find(pg_conn *c, pg_checkpoint_objects *ret, err *e)
{
    pg_checkpoint_objects o = {0};
    pg_checkpoint_object *at[TABLES] = {&o.checkpoint, &o.chunk, &o.object, &o.shape, &o.ddl};
    PGresult *r;
    if (!pg_conn_query(c, STR(FIND_SQL), &r, e)) return err_context(e, "looking for the schema sluice");
    o.schema = PQntuples(r) > 0;
    o.schema_ours = o.schema && is_true(r, 0, 5);
    for (int row = 0; row < PQntuples(r); row++)
        for (int i = 0; i < TABLES; i++)
            if (str_eq(pg_field(r, row, 0), str_from_c(tables[i].name))) *at[i] = kind_of(r, row, i);
    PQclear(r);
    *ret = o;
    return true;
}

bool pg_checkpoint_tables_lock(pg_conn *c, err *e)
{
    if (pg_conn_execf(c, e, "BEGIN; SET LOCAL lock_timeout = %d; SELECT pg_catalog.pg_advisory_lock(" LOCK_KEY "); COMMIT", LOCK_SECONDS * 1000)) return true;
    err ignored = ERR_INIT;
    if (!c->broken && !pg_conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
    if (e->native != PG_STATE('5', '5', 'P', '0', '3')) return false;
    return err_set_native(e, ERR_TARGET_BUSY, RETRY_LATER, e->native, "another job keeps the advisory lock " LOCK_KEY " of the destination for more than %d s",
                          LOCK_SECONDS);
}

void pg_checkpoint_tables_unlock(pg_conn *c)
{
    err ignored = ERR_INIT;
    if (!c->broken && !pg_conn_exec(c, STR("SELECT pg_catalog.pg_advisory_unlock(" LOCK_KEY ")"), NULL, &ignored)) c->broken = true;
}

/* ---- make ---- */

/* Intent first, then the object, then the note that it exists. What exists is not made again: that would ask for rights
 * that nobody needs. */
static bool make(target *t, bool exists, const char *kind, const char *name, const char *undo, const char *create,
                 err *e)
{
    const ledger *l = t->env->ledger;
    uint64_t id = 0;
    if (!l) return err_set(e, ERR_INTERNAL, "%s %s is missing in the destination and may not be made here", kind, name);
    return l->intend(l->ctx, "dest", kind, str_from_c(name), str_from_c(undo), true, &id, e) &&
           (exists || pg_conn_exec(t->conn, str_from_c(create), NULL, e) || err_context(e, "making the %s %s", kind, name)) && l->created(l->ctx, id, e);
}

bool pg_checkpoint_tables_make_schema(target *t, const pg_checkpoint_objects *have, err *e)
{
    const ledger *l = t->env->ledger;
    if (l && have->schema && !have->schema_ours)
        return l->settle(l->ctx, "dest", "schema", STR("sluice"), LEDGER_KEPT, STR("it was there before the task"), e);
    return make(t, have->schema, "schema", "sluice", "DROP SCHEMA IF EXISTS sluice", SCHEMA_SQL, e);
}

bool pg_checkpoint_tables_make_one(target *t, bool exists, const char *name, const char *create, err *e)
{
    char undo[80];
    snprintf(undo, sizeof undo, "DROP TABLE IF EXISTS %s", name);
    return make(t, exists, "table", name, undo, create, e);
}

bool pg_checkpoint_tables_not_foreign(pg_checkpoint_object o, const char *name, err *e)
{
    return o != PG_CHECKPOINT_FOREIGN || err_set(e, ERR_TARGET_CONFLICT, "the destination has a table %s that is not Sluice's; rename it", name);
}

static bool find_one(target *t, size_t which, const char *name, bool *ret_ours, err *e)
{
    pg_checkpoint_objects have;
    if (!pg_checkpoint_tables_find(t->conn, &have, e)) return false;
    const pg_checkpoint_object *o = (const void *)((const char *)&have + which);
    *ret_ours = *o == PG_CHECKPOINT_OURS;
    return pg_checkpoint_tables_not_foreign(*o, name, e);
}

bool pg_checkpoint_tables_make_later(target *t, size_t which, const char *name, const char *create, err *e)
{
    bool ours;
    if (!find_one(t, which, name, &ours, e)) return false;
    if (ours) return true;
    if (!pg_checkpoint_tables_lock(t->conn, e)) return false;
    bool ok = find_one(t, which, name, &ours, e) && pg_checkpoint_tables_make_one(t, ours, name, create, e);
    pg_checkpoint_tables_unlock(t->conn);
    return ok;
}

static bool rows_entry(target *t, uint64_t *ret_id, err *e)
{
    const ledger *l = t->env->ledger;
    BUF_AUTO undo = BUF_INIT;
    for (int i = 0; i < TABLES; i++) {
        bool always = i < ALWAYS;
        if (i) buf_add_c(&undo, "; ");
        if (!always) buf_printf(&undo, "DO $$BEGIN IF pg_catalog.to_regclass('sluice.%s') IS NOT NULL THEN ", tables[i].name);
        buf_printf(&undo, "DELETE FROM sluice.%s WHERE job_id=", tables[i].name);
        pg_quote_literal(&undo, t->env->job_id);
        if (!always) buf_add_c(&undo, "; END IF; END$$");
    }
    if (undo.failed) return err_no_memory(e, "a statement");
    return l->intend(l->ctx, "dest", "rows", STR("sluice.checkpoint"), buf_str(&undo), false, ret_id, e);
}

bool pg_checkpoint_tables_make(target *t, err *e)
{
    pg_checkpoint_objects have;
    uint64_t rows;
    if (!pg_checkpoint_tables_find(t->conn, &have, e)) return false;
    if (have.checkpoint == PG_CHECKPOINT_FOREIGN || have.chunk == PG_CHECKPOINT_FOREIGN)
        return err_set(e, ERR_TARGET_CONFLICT, "the destination has a relation sluice.%s that is not Sluice's; rename it",
                       have.checkpoint == PG_CHECKPOINT_FOREIGN ? "checkpoint" : "chunk");
    return pg_checkpoint_tables_make_schema(t, &have, e) &&
           pg_checkpoint_tables_make_one(t, have.checkpoint == PG_CHECKPOINT_OURS, "sluice.checkpoint", CHECKPOINT_SQL,
                                         e) &&
           pg_checkpoint_tables_make_one(t, have.chunk == PG_CHECKPOINT_OURS, "sluice.chunk", CHUNK_SQL, e) &&
           rows_entry(t, &rows, e);
}

bool pg_checkpoint_tables_made(target *t, err *e)
{
    uint64_t rows;
    return rows_entry(t, &rows, e) && t->env->ledger->created(t->env->ledger->ctx, rows, e);
}

/* ---- remove ---- */

static bool delete_rows(pg_conn *c, const char *table, str job_id, buf *removed, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t gone = 0;
    buf_printf(&sql, "DELETE FROM sluice.%s WHERE job_id=", table);
    pg_quote_literal(&sql, job_id);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_exec(c, buf_str(&sql), &gone, e)) return false;
    if (gone) buf_printf(removed, "%llu rows of sluice.%s\n", (unsigned long long)gone, table);
    return true;
}

/* Rows of any job left in our tables? */
static bool anybody_left(pg_conn *c, const pg_checkpoint_object *have, bool *ret, err *e)
{
    *ret = false;
    for (int i = 0; i < TABLES && !*ret; i++) {
        if (have[i] != PG_CHECKPOINT_OURS) continue;
        BUF_AUTO sql = BUF_INIT;
        uint64_t some = 0;
        buf_printf(&sql, "SELECT count(*) FROM (SELECT 1 FROM sluice.%s LIMIT 1) s", tables[i].name);
        if (!pg_conn_query_u64(c, buf_c(&sql), &some, e)) return false;
        *ret = some != 0;
    }
    return true;
}

static bool settle(target *t, const char *kind, const char *name, ledger_state state, const char *why, err *e)
{
    const ledger *l = t->env->ledger;
    return l->settle(l->ctx, "dest", kind, str_from_c(name), state, str_from_c(why), e);
}

static bool keep(target *t, const char *kind, const char *name, const char *why, buf *removed, err *e)
{
    buf_printf(removed, "%s %s kept: %s\n", kind, name, why);
    return settle(t, kind, name, LEDGER_KEPT, why, e);
}

/* Drops what is empty now. Objects of another role, and objects that somebody's others need, stay and are named. */
static bool drop(target *t, const char *kind, const char *name, buf *removed, err *e)
{
    if (pg_conn_execf(t->conn, e, "DROP %s IF EXISTS %s", !strcmp(kind, "table") ? "TABLE" : "SCHEMA", name)) {
        buf_printf(removed, "%s %s\n", kind, name);
        return settle(t, kind, name, LEDGER_REMOVED, "", e);
    }
    const char *why = e->native == PG_STATE('4', '2', '5', '0', '1')   ? "another role owns it"
                      : e->native == PG_STATE('2', 'B', 'P', '0', '1') ? "objects that are not Sluice's depend on it"
                                                                       : NULL;
    if (!why) return false;
    *e = ERR_INIT;
    return keep(t, kind, name, why, removed, e);
}

static bool settle_rows(target *t, err *e)
{
    return settle(t, "rows", "sluice.checkpoint", LEDGER_REMOVED, "", e);
}

/* Other jobs use what they share with this one. */
static bool leave_shared(target *t, const pg_checkpoint_object *have, err *e)
{
    for (int i = 0; i < TABLES; i++) {
        char name[32];
        snprintf(name, sizeof name, "sluice.%s", tables[i].name);
        if (have[i] == PG_CHECKPOINT_OURS && !settle(t, "table", name, LEDGER_KEPT, "other tasks use it", e))
            return false;
    }
    return settle(t, "schema", "sluice", LEDGER_KEPT, "other tasks use it", e);
}

static bool remove_all(target *t, str job_id, buf *removed, err *e)
{
    pg_checkpoint_objects o;
    bool left;
    if (!pg_checkpoint_tables_find(t->conn, &o, e)) return false;
    if (!o.schema) return true;
    const pg_checkpoint_object have[TABLES] = {o.checkpoint, o.chunk, o.object, o.shape, o.ddl};
    /* The job's row goes last: until then a retry finds everything by it. */
    for (int i = TABLES; i-- > 0;)
        if (have[i] == PG_CHECKPOINT_OURS && !delete_rows(t->conn, tables[i].name, job_id, removed, e)) return false;
    if (!settle_rows(t, e) || !anybody_left(t->conn, have, &left, e)) return false;
    if (left) return leave_shared(t, have, e);
    for (int i = TABLES; i-- > 0;) {
        char name[32];
        snprintf(name, sizeof name, "sluice.%s", tables[i].name);
        if (have[i] == PG_CHECKPOINT_OURS && !drop(t, "table", name, removed, e)) return false;
    }
    return o.schema_ours ? drop(t, "schema", "sluice", removed, e)
                         : keep(t, "schema", "sluice", "it was there before the task", removed, e);
}

bool pg_checkpoint_remove_job(target *t, str job_id, arena *a, str *ret_removed, err *e)
{
    BUF_AUTO removed = BUF_INIT;
    if (!pg_end_sessions(t->conn, e) || !pg_checkpoint_tables_lock(t->conn, e)) return false;
    bool ok = remove_all(t, job_id, &removed, e);
    pg_checkpoint_tables_unlock(t->conn);
    if (!ok) return err_context(e, "removing what the job left in the destination's schema sluice");
    *ret_removed = arena_copy(a, buf_str(&removed));
    return (ret_removed->p && !removed.failed) || err_no_memory(e, "the list of removed objects");
}
