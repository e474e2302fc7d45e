/* Taking a loaded chunk back: its rows leave the target and its mark goes, in one transaction. Rows that the load did not write stay: a range that does not
 * hold exactly as many rows as were loaded is left alone. */
#include "engine/mysql/chunk_sql.h"

/* The table under the target's names, so that the bounds of its chunks fit. */
static const table_def *as_target(const table_def *t, arena *a)
{
    table_def *own = arena_alloc(a, sizeof *own);
    column_def *columns = arena_array(a, t->column_count, sizeof *columns);
    if (!own || !columns) return NULL;
    *own = *t;
    for (uint32_t i = 0; i < t->column_count; i++) {
        columns[i] = t->columns[i];
        if (columns[i].target_name.n) columns[i].name = columns[i].target_name;
    }
    own->columns = columns;
    own->schema = t->target_schema;
    own->name = t->target_name;
    return own;
}

static bool append_delete(buf *sql, const table_def *t, const chunk *k, err *e)
{
    const key_def *key = chunk_key(t);
    buf_add_c(sql, "DELETE FROM ");
    conn_quote_table(sql, t->schema, t->name);
    if (k->low.n || k->high.n) {
        if (!key) return err_set(e, ERR_CORRUPT, "chunk %u of %.*s.%.*s has bounds, but the table no key to split", k->number, STR_ARG(t->schema), STR_ARG(t->name));
        buf_add_c(sql, " WHERE ");
        if (k->low.n && !chunk_bound_sql(sql, t, key, k->low, true, e)) return false;
        if (k->low.n && k->high.n) buf_add_c(sql, " AND ");
        if (k->high.n && !chunk_bound_sql(sql, t, key, k->high, false, e)) return false;
    }
    return !sql->failed || err_no_memory(e, "a statement");
}

static bool unload(target *t, uint64_t epoch, const table_def *table, const chunk *k, err *e)
{
    bool done;
    uint64_t loaded, gone = 0;
    arena a;
    BUF_AUTO sql = BUF_INIT;
    if (!checkpoint_guard(t->conn, t->env->job_id, epoch, e) || !checkpoint_lock_chunk(t->conn, t->env->job_id, table, k, &done, &loaded, e)) return false;
    if (!done) return true;
    arena_init(&a, 4096, 0);
    const table_def *own = as_target(table, &a);
    bool ok = (own || err_no_memory(e, "a table")) && append_delete(&sql, own, k, e) && conn_exec(t->conn, buf_str(&sql), &gone, e);
    arena_finish(&a);
    if (!ok) return false;
    if (gone != loaded)
        return err_set(e, ERR_TARGET_DIVERGED,
                       "it must be loaded anew, because the load was interrupted and the table's foreign keys have actions that the source does not log; but its "
                       "range holds %llu rows of which %llu were loaded: somebody else writes to the table; empty it and reset the job",
                       (unsigned long long)gone, (unsigned long long)loaded);
    return checkpoint_chunk_undone(t->conn, t->env->job_id, table, k, e);
}

bool unload_chunk(target *t, uint64_t epoch, const table_def *table, const chunk *k, err *e)
{
    err ignored = ERR_INIT;
    bool ok = conn_exec(t->conn, STR("SET SESSION foreign_key_checks=0"), NULL, e) && conn_exec(t->conn, STR("START TRANSACTION"), NULL, e) &&
              unload(t, epoch, table, k, e) && conn_exec(t->conn, STR("COMMIT"), NULL, e);
    if (!ok && !t->conn->broken && !conn_exec(t->conn, STR("ROLLBACK"), NULL, &ignored)) t->conn->broken = true;
    if (!t->conn->broken && !conn_exec(t->conn, STR("SET SESSION foreign_key_checks=1"), NULL, &ignored)) t->conn->broken = true;
    return ok || err_context(e, "taking back chunk %u of %.*s.%.*s", k->number, STR_ARG(table->target_schema), STR_ARG(table->target_name));
}
