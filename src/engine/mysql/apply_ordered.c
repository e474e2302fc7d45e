/* Changes one by one, in order. Outside of an overlap every statement must hit exactly one row. */
#include "engine/mysql/apply.h"

static const char *const kind_names[] = {[CHANGE_INSERT] = "INSERT", [CHANGE_UPDATE] = "UPDATE", [CHANGE_DELETE] = "DELETE"};

bool apply_foreign_keys(applier *a, bool on, err *e)
{
    if (a->foreign_keys_now == on) return true;
    buf_add_c(apply_run_begin(&a->run), on ? "SET SESSION foreign_key_checks=1" : "SET SESSION foreign_key_checks=0");
    a->foreign_keys_now = on;
    return apply_run_add(&a->run, EXPECT_OK, 0, NULL, e);
}

/* The row is there already, or is referenced, or lacks its parent: the destination is not what the change expects. */
static bool is_divergence(int number)
{
    switch (number) {
    case 1062: case 1586: case 1761: case 1762: case 1859: case 1022: case 1216: case 1217: case 1451: case 1452: case 1557: return true;
    default: return false;
    }
}

/* Names table, key and what was expected; no other column's value. */
static bool name_row(const applier *a, const apply_table *t, const change *c, err *e)
{
    BUF_AUTO row = BUF_INIT;
    apply_sql_describe_key(&row, t, c->before ? c->before : c->after);
    str table_schema = t->def->target_schema, table = t->def->target_name;
    err cause = *e;
    if (a->run.counted)
        return err_set(e, ERR_TARGET_DIVERGED,
                       "%s of %.*s.%.*s (%.*s): %s expected 1 row, found %u; somebody else changed the table: compare and correct the row, or reset the job",
                       kind_names[c->kind], STR_ARG(table_schema), STR_ARG(table), STR_ARG(buf_str(&row)), "the change", a->run.found);
    return err_set_native(e, is_divergence(cause.native) ? ERR_TARGET_DIVERGED : cause.code, cause.retry, cause.native, "%s of %.*s.%.*s (%.*s): %s",
                          kind_names[c->kind], STR_ARG(table_schema), STR_ARG(table), STR_ARG(buf_str(&row)), cause.text);
}

static bool append_change(applier *a, const apply_table *t, const change *c, err *e)
{
    buf *b = apply_run_begin(&a->run);
    bool mariadb = a->t->conn->is_mariadb;
    switch (c->kind) {
    case CHANGE_INSERT: apply_sql_insert(b, "INSERT", t, c->after); break;
    case CHANGE_UPDATE: apply_sql_update(b, t, c->before, c->after, mariadb); break;
    case CHANGE_DELETE: apply_sql_delete(b, t, c->before, mariadb); break;
    case CHANGE_TRUNCATE: return err_set(e, ERR_INTERNAL, "a change without rows");
    }
    return apply_run_add(&a->run, c->kind == CHANGE_UPDATE ? EXPECT_MATCHED : EXPECT_AFFECTED, 1, t, e);
}

/* On where the source's own actions ran unlogged, so that the target's run. Before all tables are settled a parent may have a later state than its child: that
 * does no harm but to families, which are never in that state. */
static bool wants_checks(const applier *a, const change *c)
{
    return a->foreign_keys && !c->without_foreign_keys && (a->settled || c->table->family);
}

/* Strict mode refuses the error value of an ENUM. Without it the statement must warn of these values and of nothing else. */
static bool set_strict(applier *a, uint32_t enum_errors, err *e)
{
    if (!apply_run_flush(&a->run, e)) return false;
    a->run.enum_errors = enum_errors;
    a->run.single = enum_errors > 0;
    return conn_execf(a->t->conn, e, "SET SESSION sql_mode='%s'", enum_errors ? CONN_SQL_MODE : CONN_SQL_MODE_STRICT);
}

static bool apply_enum_error(applier *a, const apply_table *t, const change *c, uint32_t enum_errors, bool (*append)(applier *, const apply_table *, const change *, err *),
                             err *e)
{
    err strict = ERR_INIT;
    bool ok = set_strict(a, enum_errors, e) && append(a, t, c, e);
    ok = ok || (a->exact && a->run.suspect && name_row(a, t, c, e));
    bool suspect = a->run.suspect;
    if (!a->t->conn->broken && !set_strict(a, 0, ok ? e : &strict)) {
        a->t->conn->broken = true;
        ok = false;
    }
    a->run.enum_errors = 0;
    a->run.single = false;
    if (!ok) a->run.suspect = suspect;
    return ok;
}

bool apply_change(applier *a, const change *c, err *e)
{
    const apply_table *t = apply_table_of(a, c->table);
    bool checks = wants_checks(a, c);
    uint32_t enum_errors = c->after ? apply_sql_enum_errors(t, c->after) : 0;
    if (enum_errors) return apply_foreign_keys(a, checks, e) && apply_enum_error(a, t, c, enum_errors, append_change, e);
    if (!a->exact) return apply_foreign_keys(a, checks, e) && append_change(a, t, c, e);
    if (!apply_foreign_keys(a, checks, e) || !apply_run_flush(&a->run, e)) return false;
    a->run.single = true;
    bool ok = append_change(a, t, c, e);
    a->run.single = false;
    return ok || (a->run.suspect && name_row(a, t, c, e));
}

static bool append_replace(applier *a, const apply_table *t, const change *c, err *e)
{
    apply_sql_insert(apply_run_begin(&a->run), "REPLACE", t, c->after);
    return apply_run_add(&a->run, EXPECT_ANY, 0, t, e);
}

static bool has_other_unique(const table_def *t)
{
    for (uint32_t i = 0; i < t->key_count; i++)
        if (i != t->row_key && (t->keys[i].unique || t->keys[i].primary)) return true;
    return false;
}

/* The image leaves columns out: the row is changed where it is. One that is not there is deleted later in the stream, unless the load dropped it for
 * another row of the same unique key, or it lies between two chunks with different positions because its key changes. */
static bool put_part(applier *a, const apply_table *t, const change *c, err *e)
{
    if (!c->before || has_other_unique(t->def) || !apply_sql_same_key(t, c->before, c->after))
        return err_set(e, ERR_NOT_SUPPORTED,
                       "a change of %.*s that overlaps the full load does not carry all columns, and its row cannot be told by one key; reset the job",
                       STR_ARG(t->name));
    apply_sql_update(apply_run_begin(&a->run), t, c->before, c->after, a->t->conn->is_mariadb);
    return apply_run_add(&a->run, EXPECT_ANY, 0, t, e);
}

/* Checks and actions are off: the parent may come later in the overlap, and REPLACE must not take children along. */
bool apply_change_again(applier *a, const change *c, err *e)
{
    const apply_table *t = apply_table_of(a, c->table);
    if (!t->key_count)
        return err_set(e, ERR_INTERNAL, "a change of %.*s, which has no key, cannot be applied twice", STR_ARG(t->name));
    if (a->foreign_keys && c->table->family)
        return err_set(e, ERR_INTERNAL, "a change of %.*s, whose foreign keys have actions that the source does not log, cannot be applied twice", STR_ARG(t->name));
    if (!apply_foreign_keys(a, false, e)) return false;
    if (c->after && !apply_sql_is_whole(t, c->after)) return put_part(a, t, c, e);
    if (c->before) {
        apply_sql_delete(apply_run_begin(&a->run), t, c->before, a->t->conn->is_mariadb);
        if (!apply_run_add(&a->run, EXPECT_ANY, 0, t, e)) return false;
    }
    if (!c->after) return true;
    uint32_t enum_errors = apply_sql_enum_errors(t, c->after);
    return enum_errors ? apply_enum_error(a, t, c, enum_errors, append_replace, e) : append_replace(a, t, c, e);
}

/* TRUNCATE would commit what the window has done so far, and reset AUTO_INCREMENT. */
bool apply_truncate(applier *a, const change *c, err *e)
{
    const apply_table *t = apply_table_of(a, c->table);
    if (!apply_foreign_keys(a, false, e)) return false;
    buf_printf(apply_run_begin(&a->run), "DELETE FROM %.*s", STR_ARG(t->name));
    return apply_run_add(&a->run, EXPECT_ANY, 0, t, e);
}
