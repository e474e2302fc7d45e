/* Changes of columns that a source's log shows, in the target's SQL. */
#include "engine/mapping/mapping_to_my.h"

static bool set_text(const buf *text, arena *a, str *ret, err *e)
{
    *ret = text->failed ? STR_NULL : arena_copy(a, buf_str(text));
    return my_made(*ret, e);
}

static bool same_type(const column_def *a, const column_def *b)
{
    return str_eq(a->native_type, b->native_type) && str_eq(a->charset, b->charset) && str_eq(a->collation, b->collation);
}

/* Rows that are there must get what the source has for them: what the target has no value for stops the job. */
static bool set_value(const column_plan *to, column_alter *x, arena *a, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    mapping_trouble t = {0};
    bool is_null = false;
    if (!x->value.p) return true;
    if (!my_value_sql(to, x->value, a, &sql, &is_null, &t)) {
        if (!t.what.p) return err_no_memory(e, "a value");
        BUF_AUTO advice = BUF_INIT;
        mapping_add_advice(t.rule, &advice);
        return err_set(e, ERR_NOT_SUPPORTED, "rows that were there have a value in the column that the source added which cannot be carried: %.*s%s%.*s", STR_ARG(t.what), advice.n ? "; " : "",
                       STR_ARG(buf_str(&advice)));
    }
    if (is_null) x->not_null = false;
    return is_null || set_text(&sql, a, &x->value_sql, e);
}

bool my_alter_column(const column_plan *to, const column_def *was, column_alter *x, arena *a, bool *ret_same, err *e)
{
    BUF_AUTO type = BUF_INIT;
    const column_def *c = to->target;
    const my_column_detail *d = to->detail;
    *ret_same = was && same_type(was, c);
    my_add_type(c, &type);
    if (d->srid) buf_printf(&type, " /*!80003 SRID %u */", d->srid);
    x->collation = STR("");
    if (!set_text(&type, a, &x->type_sql, e) || x->kind != ALTER_ADD_COLUMN) return !type.failed && x->type_sql.p;
    x->default_sql = c->default_sql;
    if (d->check_sql.p) {
        x->check_sql = arena_printf(a, "(%.*s)", STR_ARG(d->check_sql));
        if (!my_made(x->check_sql, e)) return false;
    }
    return set_value(to, x, a, e);
}
