/* From the temporary table of a chunk into the table, where rows may meet others. */
#include "engine/postgresql/pg_conflict.h"
#include "engine/postgresql/pg_loader.h"

enum { MOVE_TIMEOUT_S = 600 /* one statement for all rows of the chunk */ };

static void insert_head(const pg_load *l, buf *sql)
{
    buf_add_c(sql, "INSERT INTO ");
    buf_add(sql, l->at->name);
    buf_add_c(sql, " (");
    buf_add(sql, l->at->columns_sql);
    buf_add_c(sql, ") OVERRIDING SYSTEM VALUE SELECT ");
    buf_add(sql, l->at->columns_sql);
    buf_add_c(sql, " FROM pg_temp.sluice_load");
}

/* A constraint that is checked later cannot be waited for: then the row key alone decides. */
static void ignore_sql(const pg_load *l, buf *sql)
{
    insert_head(l, sql);
    buf_add_c(sql, " ON CONFLICT ");
    for (uint32_t k = 0; l->at->deferrable && l->at->has_row_key && k < l->at->key_count; k++) {
        buf_add_c(sql, k ? ", " : "(");
        buf_add(sql, l->at->columns[l->at->key[k]].name);
        if (k + 1 == l->at->key_count) buf_add_c(sql, ") ");
    }
    buf_add_c(sql, "DO NOTHING");
}

static bool run(pg_load *l, const buf *sql, uint64_t *ret_rows, err *e)
{
    pg_conn *c = l->l->conn;
    uint32_t before = c->statement_timeout_s;
    if (sql->failed) return err_no_memory(e, "a statement");
    if (before && before < MOVE_TIMEOUT_S) c->statement_timeout_s = MOVE_TIMEOUT_S;
    bool ok = pg_conn_exec(c, buf_str(sql), ret_rows, e);
    c->statement_timeout_s = before;
    if (!ok && e->native == PG_STATE('2', '3', '5', '0', '5')) e->code = ERR_TARGET_CONFLICT;
    return ok;
}

bool pg_load_move(pg_load *l, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t gone;
    for (uint32_t i = 0; !l->l->ignore_existing && i < l->at->unique_count; i++) {
        buf_reset(&sql);
        pg_conflict_delete_sql(&sql, l->at, &l->at->uniques[i], STR("pg_temp.sluice_load"), STR(""));
        if (!run(l, &sql, &gone, e)) return false;
    }
    buf_reset(&sql);
    if (l->l->ignore_existing) ignore_sql(l, &sql);
    else insert_head(l, &sql);
    return run(l, &sql, &l->taken, e);
}
