/* Generated columns and checks, which are expressions in PostgreSQL's SQL. They are told, not carried: the rows have passed them at the source. The check that
 * T58=varchar puts in the place of an enum's labels is our own. */
#include "engine/mapping/mapping_to_my.h"

static void tell(const my_work *w, const column_def *c, str object, const char *what, str sql)
{
    BUF_AUTO text = BUF_INIT;
    buf_printf(&text, "%s: %.*s", what, STR_ARG(str_sub(str_or_empty(sql), 0, 200)));
    mapping_find(w->m, w->s, c, RULE_COUNT, (mapping_finding){.object = object, .what = text.failed ? STR("") : buf_str(&text)});
}

/* The log does not tell the values of generated columns, so that they cannot be kept up to date as plain ones. */
static void leave_out_generated(const my_work *w)
{
    for (uint32_t i = 0; i < w->s->column_count; i++) {
        const column_def *c = &w->s->columns[i];
        if (!c->selected || !c->generated) continue;
        w->t->columns[i].selected = false;
        tell(w, c, STR_NULL, "the generated column is not carried, add it to the destination's table with an expression like this", c->generation_sql);
    }
}

static bool add_label_check(const my_work *w, uint32_t column, err *e)
{
    const type_def *d = w->details[column]->type;
    const column_def *c = &w->t->columns[column];
    BUF_AUTO sql = BUF_INIT;
    str name = arena_printf(w->m->a, "%.*s_%.*s_enum", STR_ARG(w->t->name), STR_ARG(c->name));
    if (!my_made(name, e) || !my_made(name = my_short_name(w->m, name), e)) return false;
    buf_add_byte(&sql, '(');
    my_add_name(&sql, c->name);
    buf_add_c(&sql, " in (");
    for (uint32_t i = 0; i < d->count; i++) {
        if (i) buf_add_byte(&sql, ',');
        my_add_literal(&sql, d->names[i]);
    }
    buf_add_c(&sql, "))");
    str condition = sql.failed ? STR_NULL : arena_copy(w->m->a, buf_str(&sql));
    w->t->checks[w->t->check_count++] = (check_def){.name = name, .condition_sql = condition};
    return my_made(condition, e);
}

static void tell_domain(const my_work *w, uint32_t column)
{
    const column_def *c = &w->s->columns[column];
    for (const type_def *d = c->definition; d->kind == 'd'; d = d->of)
        for (uint32_t i = 0; i < d->check_count; i++) tell(w, c, STR_NULL, "a check of its domain is not carried", d->checks[i].condition_sql);
}

bool my_plan_expressions(const my_work *w, err *e)
{
    w->t->checks = arena_array(w->m->a, w->s->column_count, sizeof *w->t->checks);
    if (!w->t->checks) return err_no_memory(e, "checks");
    leave_out_generated(w);
    for (uint32_t i = 0; i < w->s->column_count; i++) {
        const my_column_detail *d = w->details[i];
        if (!d || !w->t->columns[i].selected) continue;
        if (d->type->kind == 'e' && d->type->count && w->t->columns[i].type != COL_ENUM && !add_label_check(w, i, e)) return false;
        tell_domain(w, i);
    }
    for (uint32_t i = 0; i < w->s->check_count; i++)
        tell(w, NULL, w->s->checks[i].name, "the check is not carried", w->s->checks[i].condition_sql);
    return true;
}
