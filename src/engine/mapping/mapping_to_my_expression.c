/* Generated columns and checks, which are expressions in PostgreSQL's SQL: carried where mapping_to_my_translate.c has them, else told. The check that T58=varchar
 * puts in the place of an enum's labels is our own. */
#include "engine/mapping/mapping_to_my.h"

/* kind: of what is not carried. */
static void tell(const my_work *w, const column_def *c, const char *kind, str object, const char *what, str sql)
{
    BUF_AUTO text = BUF_INIT;
    buf_printf(&text, "%s: %.*s", what, STR_ARG(str_sub(str_or_empty(sql), 0, 200)));
    mapping_find(w->m, w->s, c, RULE_COUNT, (mapping_finding){.kind = str_from_c(kind), .object = object, .what = text.failed ? STR("") : buf_str(&text), .source_text = str_or_empty(sql)});
}

/* Its value would have to come with the row, to find it. */
static bool is_key_column(const table_def *t, uint32_t column)
{
    for (uint32_t i = 0; i < t->key_count; i++)
        for (uint32_t n = 0; t->keys[i].unique && n < t->keys[i].count; n++)
            if (t->keys[i].columns[n] == column) return true;
    return false;
}

/* The log does not tell the values of generated columns, so that they cannot be kept up to date as plain ones: computed by the target too, or left out. */
static void plan_generated(const my_work *w)
{
    for (uint32_t i = 0; i < w->s->column_count; i++) {
        const column_def *c = &w->s->columns[i];
        column_def *t = &w->t->columns[i];
        if (!c->selected || !c->generated) continue;
        if (!is_key_column(w->s, i) && my_translate(w, c->generation_sql, t, &t->generation_sql)) {
            t->generated = t->generated_stored = true;
            continue;
        }
        t->selected = false;
        tell(w, c, "generated column", STR_NULL, "the generated column is not carried, add it to the destination's table with an expression like this", c->generation_sql);
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
        for (uint32_t i = 0; i < d->check_count; i++) tell(w, c, "check", STR_NULL, "a check of its domain is not carried", d->checks[i].condition_sql);
}

/* Constraint names are the table's in PostgreSQL, the database's in MySQL. */
static bool is_taken(const my_work *w, str name)
{
    for (uint32_t i = 0; i < w->m->target->table_count || i == w->s->id; i++) {
        const table_def *t = i == w->s->id ? w->t : w->m->target->tables[i];
        for (uint32_t k = 0; str_eq(t->schema, w->t->schema) && k < t->check_count; k++)
            if (str_eq_nocase(t->checks[k].name, name)) return true;
    }
    return false;
}

/* InnoDB takes no check on a column that an action of a foreign key changes (errors 3823 of MySQL, 1901 of MariaDB). */
static bool is_acted_on(const table_def *s, str name)
{
    for (uint32_t i = 0; i < s->foreign_key_count; i++) {
        const foreign_key_def *f = &s->foreign_keys[i];
        bool acts = str_eq(f->on_delete, STR("SET NULL")) || str_eq(f->on_update, STR("SET NULL")) || str_eq(f->on_update, STR("CASCADE"));
        for (uint32_t n = 0; acts && n < f->count; n++)
            if (str_eq(s->columns[f->columns[n]].name, name)) return true;
    }
    return false;
}

/* A check that not all rows have passed (NOT VALID) would refuse some. */
static bool translate_check(const my_work *w, str sql, str *ret)
{
    if (str_ends_with(sql, STR(" NOT VALID"))) return false;
    if (str_ends_with(sql, STR(" NO INHERIT"))) sql.n -= sizeof " NO INHERIT" - 1;
    for (uint32_t i = 0; i < w->s->column_count; i++)
        if (is_acted_on(w->s, w->s->columns[i].name) && str_find(sql, w->s->columns[i].name) != SIZE_MAX) return false;
    return my_translate(w, sql, NULL, ret);
}

static bool plan_check(const my_work *w, const check_def *s, err *e)
{
    str sql, name = s->name;
    if (!translate_check(w, s->condition_sql, &sql)) {
        tell(w, NULL, "check", s->name, "the check is not carried, the destination has no condition that means the same", s->condition_sql);
        return true;
    }
    for (uint32_t i = 1; is_taken(w, name); i++) {
        name = arena_printf(w->m->a, "%.*s_%.*s_%u", STR_ARG(w->t->name), STR_ARG(s->name), i);
        if (!my_made(name, e) || !my_made(name = my_short_name(w->m, name), e)) return false;
    }
    str condition = arena_printf(w->m->a, "(%.*s)", STR_ARG(sql));
    w->t->checks[w->t->check_count++] = (check_def){.name = name, .condition_sql = condition};
    return my_made(condition, e);
}

bool my_plan_expressions(const my_work *w, err *e)
{
    w->t->checks = arena_array(w->m->a, w->s->column_count + w->s->check_count, sizeof *w->t->checks);
    if (!w->t->checks) return err_no_memory(e, "checks");
    plan_generated(w);
    for (uint32_t i = 0; i < w->s->column_count; i++) {
        const my_column_detail *d = w->details[i];
        if (!d || !w->t->columns[i].selected) continue;
        if (d->type->kind == 'e' && d->type->count && w->t->columns[i].type != COL_ENUM && !add_label_check(w, i, e)) return false;
        tell_domain(w, i);
    }
    for (uint32_t i = 0; i < w->s->check_count; i++)
        if (!plan_check(w, &w->s->checks[i], e)) return false;
    return true;
}
