/* T23: ON UPDATE CURRENT_TIMESTAMP as a trigger. MySQL sets such a column when a row changes and the statement does not
 * set the column itself; a trigger sees only that its value stayed. It keeps still for the job's own sessions, which
 * set sluice.apply: the source's value comes with the row. */
#include "engine/mapping/mapping_to_pg.h"

/* The moment for each column that has it; false: none has. */
static bool add_assignments(const pg_work *w, buf *body, bool *ret_some, err *e)
{
    *ret_some = false;
    for (uint32_t i = 0; i < w->s->column_count; i++) {
        const column_def *s = &w->s->columns[i], *t = &w->t->columns[i];
        str digits, sql = w->d->columns[i].on_update_sql;
        if (!s->selected || !sql.p) continue;
        bool report = ((const pg_column_detail *)w->p->columns[i].detail)->no_on_update;
        if (report || !pg_is_now(sql, &digits)) {
            mapping_find(w->m, w->s, s, RULE_T23,
                         (mapping_finding){.kind = STR("default"), .source_text = sql,
                                           .what = report ? STR("ON UPDATE CURRENT_TIMESTAMP is not carried, as chosen")
                                                          : STR("ON UPDATE is not carried: its form is not known")});
            continue;
        }
        mapping_find(w->m, w->s, s, RULE_T23,
                     (mapping_finding){.what = STR("a trigger sets it when a row changes; a statement that sets it to "
                                                   "the value that it has counts as one that does not set it")});
        str now = pg_now(t, digits, w->m->a);
        if (!pg_made(now, e)) return false;
        buf_add_c(body, " IF NEW.");
        pg_add_name(body, t->name);
        buf_add_c(body, " IS NOT DISTINCT FROM OLD.");
        pg_add_name(body, t->name);
        buf_add_c(body, " THEN NEW.");
        pg_add_name(body, t->name);
        buf_printf(body, " := %.*s; END IF;", STR_ARG(now));
        *ret_some = true;
    }
    return true;
}

/* Columns that PostgreSQL computes have no new value yet when the trigger looks. Rows are compared by their bytes: not
 * every type has an equality. */
static void add_body(const pg_work *w, str assignments, buf *body)
{
    buf_add_c(body, "DECLARE was record; BEGIN was := OLD;");
    for (uint32_t i = 0; i < w->t->column_count; i++) {
        const column_def *t = &w->t->columns[i];
        if (!t->selected || !t->generated) continue;
        buf_add_c(body, " was.");
        pg_add_name(body, t->name);
        buf_add_c(body, " := NEW.");
        pg_add_name(body, t->name);
        buf_add_byte(body, ';');
    }
    buf_printf(body,
               " IF coalesce(current_setting('sluice.apply', true), '') <> 'on' AND NEW *<> was THEN%.*s END IF; "
               "RETURN NEW; END",
               STR_ARG(assignments));
}

bool pg_plan_on_update(const pg_work *w, err *e)
{
    BUF_AUTO assignments = BUF_INIT;
    BUF_AUTO body = BUF_INIT;
    BUF_AUTO function = BUF_INIT;
    BUF_AUTO sql = BUF_INIT;
    mapping_maker *m = w->m;
    bool some;
    if (!add_assignments(w, &assignments, &some, e)) return false;
    if (!some) return true;
    str name = arena_printf(m->a, "%.*s_on_update", STR_ARG(w->t->name));
    if (!pg_made(name, e)) return false;
    name = pg_short_name(m, w->s, name);
    add_body(w, buf_str(&assignments), &body);
    pg_add_qualified(&function, w->t->schema, str_or_empty(name));
    buf_printf(&sql, "CREATE FUNCTION %.*s() RETURNS trigger LANGUAGE plpgsql AS ", STR_ARG(buf_str(&function)));
    pg_add_literal(&sql, str_or_empty(buf_str(&body)));
    buf_add_c(&sql, "; CREATE TRIGGER ");
    pg_add_name(&sql, str_or_empty(name));
    buf_add_c(&sql, " BEFORE UPDATE ON ");
    pg_add_qualified(&sql, w->t->schema, w->t->name);
    buf_printf(&sql, " FOR EACH ROW EXECUTE FUNCTION %.*s()", STR_ARG(buf_str(&function)));
    if (assignments.failed || body.failed || function.failed || sql.failed) return err_no_memory(e, "a trigger");
    return pg_add_object(m,
                         (object_def){.kind = STR("on update trigger"),
                                      .schema = w->t->schema,
                                      .name = w->t->name,
                                      .create_sql = arena_copy(m->a, buf_str(&sql)),
                                      .after_load = true},
                         e);
}
