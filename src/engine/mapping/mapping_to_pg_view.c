/* Views of MySQL, as SHOW CREATE VIEW writes them, where PostgreSQL gives the same rows: columns and expressions of mapping_to_pg_expression.c FROM selected tables
 * that are joined (JOIN, LEFT JOIN), with a condition. All else (groups, order, views of views, subqueries) is told with its text. */
#include "engine/mapping/mapping_to_pg.h"

#define TABLES_MOST 32
#define DEPTH_MOST 32

typedef struct view_work {
    mapping_maker *m;
    const view_def *v;
    ddl_lexer l;
    pg_scope scope[TABLES_MOST];
    uint32_t count;
    unsigned depth;
    str why; /* it is not carried; p == NULL: of no reason that a word could be said about */
    buf from;
} view_work;

static ddl_token look(const view_work *w)
{
    ddl_lexer l = w->l;
    return ddl_next(&l);
}

static bool take_word(view_work *w, const char *word) { return ddl_is_word(look(w), word) && (ddl_next(&w->l), true); }
static bool take_punct(view_work *w, char c) { return ddl_is_punct(look(w), c) && (ddl_next(&w->l), true); }

static bool take_name(view_work *w, str *ret)
{
    ddl_token t = look(w);
    if (t.kind != DDL_NAME) return false;
    *ret = ddl_unquote_name(w->m->a, t);
    (void)ddl_next(&w->l);
    return ret->p && ret->n <= MAPPING_PG_MAX_NAME_BYTES;
}

static bool has_alias(const view_work *w, str alias)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (str_eq(w->scope[i].alias, alias)) return true;
    return false;
}

/* `database`.`table` [`alias`] */
static bool read_table(view_work *w)
{
    str schema, name, alias;
    if (!take_name(w, &schema) || !take_punct(w, '.') || !take_name(w, &name)) return false;
    const table_def *t = catalog_find_table(w->m->source, schema, name);
    if (!t) w->why = arena_printf(w->m->a, "it uses %.*s.%.*s, which is no selected table", STR_ARG(schema), STR_ARG(name));
    if (!t || w->count == TABLES_MOST) return false;
    bool aliased = look(w).kind == DDL_NAME;
    if (aliased && !take_name(w, &alias)) return false;
    if (!aliased) alias = name;
    if (has_alias(w, alias)) return false;
    pg_scope *s = &w->scope[w->count++];
    *s = (pg_scope){.w = pg_work_of(w->m, &w->m->tables[t->id]), .alias = alias, .aliased = aliased};
    pg_add_qualified(&w->from, s->w.t->schema, s->w.t->name);
    buf_add_c(&w->from, " AS ");
    pg_add_name(&w->from, alias);
    return true;
}

static bool read_joins(view_work *w);

static bool read_operand(view_work *w)
{
    if (!take_punct(w, '(')) return read_table(w);
    if (w->depth == DEPTH_MOST) return false;
    w->depth++;
    buf_add_byte(&w->from, '(');
    bool ok = read_joins(w) && take_punct(w, ')');
    buf_add_byte(&w->from, ')');
    w->depth--;
    return ok;
}

/* a [left] join b [on(...)]: without a condition each row meets each. */
static bool read_joins(view_work *w)
{
    if (!read_operand(w)) return false;
    for (;;) {
        bool left = take_word(w, "left");
        if (!take_word(w, "join")) return !left;
        size_t at = w->from.n;
        if (!read_operand(w)) return false;
        bool on = take_word(w, "on");
        str condition = STR(""), operand = arena_copy(w->m->a, str_sub(buf_str(&w->from), at, SIZE_MAX));
        if (!operand.p || (left && !on) || (on && !pg_translate_in_view(w->scope, w->count, &w->l, true, &condition))) return false;
        w->from.n = at;
        buf_printf(&w->from, " %s %.*s", left ? "LEFT JOIN" : on ? "JOIN" : "CROSS JOIN", STR_ARG(operand));
        if (on) buf_printf(&w->from, " ON %.*s", STR_ARG(condition));
    }
}

/* Stands behind FROM afterwards; where the items begin stays known. */
static bool find_from(view_work *w)
{
    unsigned depth = 0;
    for (ddl_token t = ddl_next(&w->l); t.kind != DDL_END; t = ddl_next(&w->l)) {
        if (ddl_is_punct(t, '(')) depth++;
        else if (ddl_is_punct(t, ')') && depth) depth--;
        else if (!depth && ddl_is_word(t, "from")) return true;
    }
    return false;
}

/* A column alone is followed by AS. */
static bool read_item(view_work *w, str *ret)
{
    ddl_lexer again = w->l;
    if (pg_take_view_column(w->scope, w->count, &w->l, ret) && ddl_is_word(look(w), "as")) return true;
    w->l = again;
    return pg_translate_in_view(w->scope, w->count, &w->l, false, ret);
}

static bool read_items(view_work *w, buf *out)
{
    for (bool first = true; first || take_punct(w, ','); first = false) {
        str item, name;
        if (!read_item(w, &item) || !take_word(w, "as") || !take_name(w, &name)) return false;
        buf_printf(out, "%s%.*s AS ", first ? "" : ", ", STR_ARG(item));
        pg_add_name(out, name);
    }
    return ddl_is_word(look(w), "from");
}

/* "CREATE ALGORITHM=... VIEW `database`.`name` [(`a`,`b`)] AS" */
static bool read_head(view_work *w, buf *names)
{
    str name;
    for (ddl_token t = ddl_next(&w->l); !ddl_is_word(t, "view"); t = ddl_next(&w->l))
        if (t.kind == DDL_END) return false;
    if (!take_name(w, &name) || (take_punct(w, '.') && !take_name(w, &name))) return false;
    if (take_punct(w, '(')) {
        for (bool first = true; first || take_punct(w, ','); first = false) {
            if (!take_name(w, &name)) return false;
            buf_add_c(names, first ? " (" : ", ");
            pg_add_name(names, name);
        }
        buf_add_byte(names, ')');
        if (!take_punct(w, ')')) return false;
    }
    return take_word(w, "as") && take_word(w, "select");
}

/* Readers need rights on the tables, as with views between like ends: the account of the job must not lend its own. PostgreSQL 15 and later know how. */
static const char *options_of(const mapping_options *o) { return o->target_version && o->target_version < 150000 ? "" : " WITH (security_invoker = true)"; }

static bool translate(view_work *w, str schema, str name, buf *sql)
{
    BUF_AUTO names = BUF_INIT;
    BUF_AUTO items = BUF_INIT;
    str condition = STR_NULL;
    if (!read_head(w, &names)) return false;
    ddl_lexer first = w->l;
    if (!find_from(w) || !read_joins(w)) return false;
    if (take_word(w, "where") && !pg_translate_in_view(w->scope, w->count, &w->l, true, &condition)) return false;
    if (look(w).kind != DDL_END) return false;
    w->l = first;
    if (!read_items(w, &items)) return false;
    buf_add_c(sql, "CREATE VIEW ");
    pg_add_qualified(sql, schema, name);
    buf_printf(sql, "%.*s%s AS SELECT %.*s FROM %.*s", STR_ARG(buf_str(&names)), options_of(w->m->options), STR_ARG(buf_str(&items)), STR_ARG(buf_str(&w->from)));
    if (condition.p) buf_printf(sql, " WHERE %.*s", STR_ARG(condition));
    sql->failed |= names.failed || items.failed || w->from.failed;
    return true;
}

static bool add_view(mapping_maker *m, const view_def *v, str schema, str name, const buf *sql, err *e)
{
    str copy = sql->failed ? STR_NULL : arena_copy(m->a, buf_str(sql));
    object_def o = {.kind = STR("view"), .schema = schema, .name = name, .create_sql = copy, .source_sql = v->create_sql, .after_load = true};
    if (!copy.p) return err_no_memory(e, "a view");
    m->target->views[m->target->view_count++] = (view_def){.schema = schema, .name = name, .target_schema = schema, .target_name = name, .create_sql = copy};
    return pg_add_object(m, o, e);
}

bool pg_plan_view(mapping_maker *m, const view_def *v, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    view_work w = {.m = m, .v = v, .l = {.text = str_or_empty(v->create_sql)}};
    str schema = pg_short_name(m, NULL, v->target_schema), name = pg_short_name(m, NULL, v->target_name);
    bool carried = translate(&w, schema, name, &sql);
    buf_finish(&w.from);
    if (!pg_made(schema, e) || !pg_made(name, e)) return false;
    if (carried) return add_view(m, v, schema, name, &sql, e);
    BUF_AUTO what = BUF_INIT;
    buf_printf(&what, "the view is not carried: %.*s; write it anew", STR_ARG(w.why.p ? w.why : STR("PostgreSQL has none in its form that is known to give the same rows")));
    mapping_find(m, NULL, NULL, RULE_COUNT, (mapping_finding){.kind = STR("view"), .schema = v->schema, .object = v->name, .source_text = str_or_empty(v->create_sql),
                                                              .what = what.failed ? STR("") : buf_str(&what)});
    return true;
}
