/* Changes one by one, in order. Every statement must hit exactly one row. */
#include "engine/postgresql/pg_apply.h"
#include "engine/postgresql/pg_apply_sql.h"

static const char *const kind_names[] = {[CHANGE_INSERT] = "INSERT", [CHANGE_UPDATE] = "UPDATE", [CHANGE_DELETE] = "DELETE"};

bool pg_apply_role(pg_applier *a, bool origin, err *e)
{
    if (!a->replica || a->origin_now == origin) return true;
    buf_printf(pg_apply_run_begin(&a->run), "SET LOCAL session_replication_role=%s", origin ? "origin" : "replica");
    a->origin_now = origin;
    return pg_apply_run_add(&a->run, PG_EXPECT_OK, 0, NULL, e);
}

bool pg_apply_is_divergence(int native)
{
    return native == PG_STATE('2', '3', '5', '0', '5') || native == PG_STATE('2', '3', '5', '0', '3') || native == PG_STATE('2', '3', '0', '0', '1') ||
           native == PG_STATE('2', '3', 'P', '0', '1');
}

bool pg_apply_name_row(const pg_applier *a, const change *c, err *e)
{
    BUF_AUTO row = BUF_INIT;
    pg_apply_sql_describe_key(&row, pg_apply_table_of(a, c->table), c->before ? c->before : c->after, c->after);
    str schema = c->table->target_schema, table = c->table->target_name;
    err cause = *e;
    if (a->run.counted)
        return err_set(e, ERR_TARGET_DIVERGED,
                       "%s of %.*s.%.*s (%.*s): the change expected 1 row, found %llu; somebody else changed the table: compare and correct the row, or reset the job",
                       kind_names[c->kind], STR_ARG(schema), STR_ARG(table), STR_ARG(buf_str(&row)), (unsigned long long)a->run.found);
    return err_set_native(e, pg_apply_is_divergence(cause.native) ? ERR_TARGET_DIVERGED : cause.code, cause.retry, cause.native, "%s of %.*s.%.*s (%.*s): %s",
                          kind_names[c->kind], STR_ARG(schema), STR_ARG(table), STR_ARG(buf_str(&row)), cause.text);
}

static bool write_change(buf *b, const pg_table *t, const change *c, err *e)
{
    switch (c->kind) {
    case CHANGE_INSERT: return pg_apply_sql_insert(b, t, c->after, e);
    case CHANGE_UPDATE: return pg_apply_sql_update(b, t, c->before, c->after, e);
    case CHANGE_DELETE: return pg_apply_sql_delete(b, t, c->before, e);
    case CHANGE_TRUNCATE: break; /* pg_apply_truncate */
    }
    return err_set(e, ERR_INTERNAL, "a change without rows");
}

/* Origin where the source's own actions ran unlogged, so that the target's run (before all tables are settled a parent may have a later state than its child:
 * that does no harm but to families, which are never in that state), and where only that role checks a unique constraint and nothing else of the table. */
static bool wants_origin(const pg_applier *a, const pg_table *t, const change *c)
{
    if (a->enforce && t->foreign_keys) return !c->without_foreign_keys && (a->settled || c->table->family);
    return t->deferrable && !t->triggers && !t->foreign_keys;
}

bool pg_apply_change(pg_applier *a, const change *c, err *e)
{
    const pg_table *t = pg_apply_table_of(a, c->table);
    if (!pg_apply_role(a, wants_origin(a, t, c), e)) return false;
    if (a->exact && !pg_apply_run_flush(&a->run, e)) return false;
    if (!write_change(pg_apply_run_begin(&a->run), t, c, e)) {
        a->run.counted = false;
        return pg_apply_name_row(a, c, e);
    }
    a->run.single = a->exact;
    bool ok = pg_apply_run_add(&a->run, PG_EXPECT_ROWS, 1, t, e);
    a->run.single = false;
    return ok || (a->exact && a->run.suspect && pg_apply_name_row(a, c, e));
}

/* TRUNCATE waits for no constraint: what is still to be checked of its tables is checked first. */
static bool set_deferred(pg_applier *a, bool yes, err *e)
{
    if (!a->defer) return true;
    buf_printf(pg_apply_run_begin(&a->run), "SET CONSTRAINTS ALL %s", yes ? "DEFERRED" : "IMMEDIATE");
    return pg_apply_run_add(&a->run, PG_EXPECT_OK, 0, NULL, e);
}

bool pg_apply_truncate(pg_applier *a, const change *const *list, uint32_t count, uint32_t *ret_n, err *e)
{
    uint32_t n = 0;
    if (!pg_apply_role(a, false, e) || !set_deferred(a, false, e)) return false;
    buf *b = pg_apply_run_begin(&a->run);
    for (; n < count && list[n]->kind == CHANGE_TRUNCATE; n++) buf_printf(b, "%s%.*s", n ? ", " : "TRUNCATE ", STR_ARG(pg_apply_table_of(a, list[n]->table)->from));
    *ret_n = n;
    return pg_apply_run_add(&a->run, PG_EXPECT_OK, 0, pg_apply_table_of(a, list[0]->table), e) && set_deferred(a, true, e);
}
