/* The rows of sluice.object. The table is described here; checkpoint_tables removes its rows and the table with the others. */
#include "engine/mysql/schema_object.h"

#include "engine/mysql/checkpoint_tables.h"

#define OBJECT_SQL                                                                                                                          \
    "CREATE TABLE IF NOT EXISTS sluice.object (job_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "                         \
    "kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, name VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, " \
    "state VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, PRIMARY KEY (job_id, kind, name)) ENGINE=InnoDB "                      \
    "COMMENT='Sluice: which objects each job made here'"

static bool make_one(target *t, const char *kind, const char *name, const char *undo, const char *sql, err *e)
{
    const ledger *l = t->env->ledger;
    uint64_t id = 0;
    if (!l) return err_set(e, ERR_INTERNAL, "%s is missing in the destination and may not be made here", name);
    return l->intend(l->ctx, "dest", kind, str_from_c(name), str_from_c(undo), true, &id, e) && conn_exec(t->conn, str_from_c(sql), NULL, e) &&
           l->created(l->ctx, id, e);
}

static bool make_table(target *t, err *e)
{
    checkpoint_objects have;
    if (!checkpoint_tables_find(t->conn, &have, e)) return false;
    if (have.object == CHECKPOINT_OURS) return true;
    if (have.object == CHECKPOINT_FOREIGN)
        return err_set(e, ERR_TARGET_CONFLICT, "the destination has a table sluice.object that is not Sluice's; rename it");
    if (!checkpoint_tables_lock(t->conn, e)) return false;
    bool ok = (have.schema || make_one(t, "schema", "sluice", "DROP DATABASE IF EXISTS sluice",
                                       "CREATE DATABASE IF NOT EXISTS sluice CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", e)) &&
              make_one(t, "table", "sluice.object", "DROP TABLE IF EXISTS sluice.object", OBJECT_SQL, e);
    checkpoint_tables_unlock(t->conn);
    return ok;
}

static bool remember(object_rows *o, const char *kind, str name, err *e)
{
    str key = arena_printf(&o->mem, "%s %.*s", kind, STR_ARG(name));
    return (key.p && map_put(&o->known, key, o)) || err_no_memory(e, "the list of made objects");
}

static bool read_rows(object_rows *o, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT kind, name FROM sluice.object WHERE job_id=");
    conn_quote_literal(&sql, o->t->env->job_id, STR("utf8mb4"));
    MYSQL_RES *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(o->t->conn, buf_str(&sql), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));)
        ok = remember(o, row[0], (str){row[1], mysql_fetch_lengths(res)[1]}, e);
    mysql_free_result(res);
    return ok;
}

bool object_rows_open(target *t, object_rows *ret, err *e)
{
    *ret = (object_rows){.t = t, .known = MAP_INIT};
    arena_init(&ret->mem, 16 * 1024, 0);
    return make_table(t, e) && read_rows(ret, e);
}

void object_rows_finish(object_rows *o)
{
    map_finish(&o->known);
    arena_finish(&o->mem);
}

bool object_rows_has(const object_rows *o, const char *kind, str name)
{
    BUF_AUTO key = BUF_INIT;
    buf_printf(&key, "%s %.*s", kind, STR_ARG(name));
    return !key.failed && map_get(&o->known, buf_str(&key)) != NULL;
}

static bool write_row(object_rows *o, const char *kind, str name, const char *state, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "INSERT INTO sluice.object (job_id, kind, name, state) VALUES (");
    conn_quote_literal(&sql, o->t->env->job_id, STR("utf8mb4"));
    buf_printf(&sql, ", '%s', ", kind);
    conn_quote_literal(&sql, name, STR("utf8mb4"));
    buf_printf(&sql, ", '%s') ON DUPLICATE KEY UPDATE state='%s'", state, state);
    if (sql.failed) return err_no_memory(e, "a statement");
    return conn_exec(o->t->conn, buf_str(&sql), NULL, e);
}

bool object_rows_begin(object_rows *o, const char *kind, str name, err *e)
{
    return write_row(o, kind, name, "begun", e) && remember(o, kind, name, e);
}

bool object_rows_done(object_rows *o, const char *kind, str name, err *e) { return write_row(o, kind, name, "done", e); }
