/* Views of PostgreSQL, as pg_get_viewdef writes them, where MySQL and MariaDB give the same rows: columns and expressions of mapping_to_my_translate.c FROM selected
 * tables that are joined (JOIN, LEFT JOIN), with a condition. All else (groups, order, views of views, subqueries) is told with its text. */
#include "engine/mapping/mapping_to_my.h"

#define TABLES_MOST 32
#define DEPTH_MOST 32

typedef struct view_work {
    mapping_maker *m;
    my_scope scope[TABLES_MOST];
    my_text text;
    unsigned depth;
    str why; /* it is not carried; p == NULL: of no reason that a word could be said about */
    buf from;
} view_work;

/* As check_name of mapping_to_my.c; here it is no error. */
static bool is_name(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((uint8_t)name.p[i] >= 0xf0) return false;
    return name.n && !str_ends_with(name, STR(" "));
}

/* engine/mysql takes a pair of names that begins with a database for an object. */
static bool is_free_alias(const view_work *w, str alias)
{
    for (uint32_t i = 0; i < w->m->target->database_count; i++)
        if (str_eq_nocase(w->m->target->databases[i].name, alias)) return false;
    for (uint32_t i = 0; i < w->text.count; i++)
        if (str_eq_nocase(w->scope[i].alias, alias)) return false;
    return is_name(alias);
}

/* Its rows at the source are those of others, too; or the target's table is not whole, which engine/mysql does not take a view of. */
static bool has_all(const view_work *w, const table_def *t)
{
    const table_def *made = w->m->target->tables[t->id];
    for (uint32_t i = 0; i < made->column_count; i++)
        if (!made->columns[i].selected) return false;
    for (uint32_t i = 0; i < w->m->source->table_count; i++)
        if (str_starts_with(str_or_empty(w->m->source->tables[i]->create_sql), STR("INHERITS"))) return false;
    return true;
}

/* schema.table [alias] */
static bool read_table(view_work *w)
{
    str schema, name, alias;
    my_text *t = &w->text;
    if (!my_take_name(t, &schema) || !my_take_sign(t, ".") || !my_take_name(t, &name)) return false;
    const table_def *s = catalog_find_table(w->m->source, schema, name);
    if (!s) w->why = arena_printf(w->m->a, "it uses %.*s.%.*s, which is no selected table", STR_ARG(schema), STR_ARG(name));
    else if (!has_all(w, s)) w->why = arena_printf(w->m->a, "it uses %.*s.%.*s, of which columns are left out or tables inherit", STR_ARG(schema), STR_ARG(name));
    if (w->why.p || !s || t->count == TABLES_MOST) return false;
    if (!my_take_name(t, &alias)) alias = name;
    if (!is_free_alias(w, alias)) return false;
    my_scope *made = &w->scope[t->count++];
    *made = (my_scope){.w = my_work_of(w->m, &w->m->tables[s->id]), .alias = alias};
    my_add_name(&w->from, made->w.t->schema);
    buf_add_byte(&w->from, '.');
    my_add_name(&w->from, made->w.t->name);
    buf_add_byte(&w->from, ' ');
    my_add_name(&w->from, alias);
    return true;
}

static bool read_joins(view_work *w);

static bool read_operand(view_work *w)
{
    if (!my_take_sign(&w->text, "(")) return read_table(w);
    if (w->depth == DEPTH_MOST) return false;
    w->depth++;
    buf_add_byte(&w->from, '(');
    bool ok = read_joins(w) && my_take_sign(&w->text, ")");
    buf_add_byte(&w->from, ')');
    w->depth--;
    return ok;
}

/* a [LEFT] JOIN b ON (...), a CROSS JOIN b */
static bool read_joins(view_work *w)
{
    if (!read_operand(w)) return false;
    for (;;) {
        bool left = my_take_word(&w->text, "LEFT"), cross = !left && my_take_word(&w->text, "CROSS");
        str condition;
        if (!my_take_word(&w->text, "JOIN")) return !left && !cross;
        buf_add_c(&w->from, left ? " left join " : " join ");
        if (!read_operand(w)) return false;
        if (cross) continue;
        if (!my_take_word(&w->text, "ON") || !my_translate_in_view(&w->text, true, &condition)) return false;
        buf_printf(&w->from, " on(%.*s)", STR_ARG(condition));
    }
}

/* Each joined by itself: every row of one meets every row of the next. */
static bool read_from(view_work *w)
{
    for (bool first = true; first || my_take_sign(&w->text, ","); first = false) {
        if (!first) buf_add_c(&w->from, " join ");
        buf_add_byte(&w->from, '(');
        if (!read_joins(w)) return false;
        buf_add_byte(&w->from, ')');
    }
    return true;
}

/* Where FROM stands, behind items that hold no texts with that word; SIZE_MAX: nowhere. */
static size_t find_from(str sql)
{
    unsigned depth = 0;
    char quote = 0;
    for (size_t i = 0; i < sql.n; i++) {
        char c = sql.p[i];
        if (quote) quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"') quote = c;
        else if (c == '(') depth++;
        else if (c == ')' && depth) depth--;
        else if (!depth && c == '\n' && str_starts_with(str_sub(sql, i, SIZE_MAX), STR("\n   FROM "))) return i + sizeof "\n   FROM " - 1;
    }
    return SIZE_MAX;
}

/* A column alone needs no AS where it keeps its name. */
static bool read_item(view_work *w, buf *out)
{
    str sql, name = STR_NULL;
    size_t again = w->text.at;
    bool alone = my_take_view_column(&w->text, &sql, &name);
    my_text next = w->text;
    if (!alone || !(my_take_word(&next, "AS") || my_take_sign(&next, ",") || my_take_word(&next, "FROM"))) {
        w->text.at = again;
        if (!my_translate_in_view(&w->text, false, &sql)) return false;
        name = STR_NULL;
    }
    if (my_take_word(&w->text, "AS") && !my_take_name(&w->text, &name)) return false;
    if (!name.p || !is_name(name)) return false;
    buf_printf(out, "%.*s AS ", STR_ARG(sql));
    my_add_name(out, name);
    return true;
}

static bool translate(view_work *w, buf *sql)
{
    BUF_AUTO items = BUF_INIT;
    str condition = STR_NULL;
    my_text *t = &w->text;
    size_t from = find_from(t->sql);
    if (from == SIZE_MAX || !my_take_word(t, "SELECT")) return false;
    size_t first = t->at;
    t->at = from;
    if (!read_from(w)) return false;
    if (my_take_word(t, "WHERE") && !my_translate_in_view(t, true, &condition)) return false;
    if (!my_at_end(t)) return false;
    t->at = first;
    for (bool begin = true; begin || my_take_sign(t, ","); begin = false) {
        if (!begin) buf_add_byte(&items, ',');
        if (!read_item(w, &items)) return false;
    }
    if (!my_take_word(t, "FROM")) return false;
    buf_printf(sql, "%.*s from %.*s", STR_ARG(buf_str(&items)), STR_ARG(buf_str(&w->from)));
    if (condition.p) buf_printf(sql, " where %.*s", STR_ARG(condition));
    sql->failed |= items.failed || w->from.failed;
    return true;
}

/* WITH (security_barrier), a check option: they mean something to who writes or looks through it. */
static bool has_options(const catalog_def *c, const view_def *v)
{
    for (uint32_t i = 0; i < c->object_count; i++) {
        const object_def *o = &c->objects[i];
        if (!str_eq(o->kind, STR("view")) || !str_eq(o->schema, v->schema) || !str_eq(o->name, v->name)) continue;
        return str_find(str_sub(str_or_empty(o->source_sql), 0, str_find(str_or_empty(o->source_sql), STR(" AS  SELECT"))), STR(" WITH (")) != SIZE_MAX;
    }
    return false;
}

static bool add_view(mapping_maker *m, const view_def *v, const buf *query, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "CREATE ALGORITHM=UNDEFINED VIEW ");
    my_add_name(&sql, v->target_schema);
    buf_add_byte(&sql, '.');
    my_add_name(&sql, v->target_name);
    buf_add_c(&sql, " AS select ");
    buf_add(&sql, buf_str(query));
    str copy = sql.failed || query->failed ? STR_NULL : arena_copy(m->a, buf_str(&sql));
    m->target->views[m->target->view_count++] =
        (view_def){.schema = v->target_schema, .name = v->target_name, .target_schema = v->target_schema, .target_name = v->target_name, .create_sql = copy};
    return copy.p || err_no_memory(e, "a view");
}

bool my_plan_view(mapping_maker *m, const view_def *v, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO what = BUF_INIT;
    view_work w = {.m = m};
    w.scope[0].w.m = m; /* before there is a table */
    w.text = (my_text){.scope = w.scope, .sql = str_or_empty(v->create_sql)};
    if (has_options(m->source, v)) w.why = STR("it has options that MySQL does not know");
    bool carried = !w.why.p && is_name(v->target_name) && translate(&w, &sql);
    buf_finish(&w.from);
    if (carried) return add_view(m, v, &sql, e);
    buf_printf(&what, "the view is not carried: %.*s; write it anew", STR_ARG(w.why.p ? w.why : STR("MySQL has none in its form that is known to give the same rows")));
    mapping_find(m, NULL, NULL, RULE_COUNT, (mapping_finding){.kind = STR("view"), .schema = v->schema, .object = v->name, .source_text = str_or_empty(v->create_sql),
                                                              .what = what.failed ? STR("") : buf_str(&what)});
    return true;
}
