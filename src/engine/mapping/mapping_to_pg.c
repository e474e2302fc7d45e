/* The direction MySQL and MariaDB to PostgreSQL: tables one by one, then what joins them. */
#include "engine/mapping/mapping_to_pg.h"

#include <string.h>
#include <zlib.h>

#define COLUMNS_MOST 1600 /* of a table (MaxHeapAttributeNumber) */

/* ---- what the files share ---- */

void pg_add_name(buf *out, str name) { buf_add_quoted(out, name, '"'); }
void pg_add_literal(buf *out, str text) { buf_add_quoted(out, text, '\''); }
void pg_add_source_name(buf *out, str name) { buf_add_quoted(out, name, '`'); }

void pg_add_qualified(buf *out, str schema, str name)
{
    pg_add_name(out, schema);
    buf_add_byte(out, '.');
    pg_add_name(out, name);
}

bool pg_made(str text, err *e) { return text.p || err_no_memory(e, "a mapped table"); }

str pg_short_name(mapping_maker *m, const table_def *t, str name)
{
    enum { HASH_BYTES = 9 }; /* _xxxxxxxx */
    if (name.n <= MAPPING_PG_MAX_NAME_BYTES) return name;
    size_t n = MAPPING_PG_MAX_NAME_BYTES - HASH_BYTES;
    while (n && ((uint8_t)name.p[n] & 0xc0) == 0x80) n--; /* whole characters */
    str cut = arena_printf(m->a, "%.*s_%08x", (int)n, name.p, (uint32_t)crc32(0, (const Bytef *)name.p, (uInt)name.n)); /* the same for ever */
    BUF_AUTO what = BUF_INIT;
    buf_printf(&what, "the name has %zu bytes, PostgreSQL takes 63; it becomes %.*s", name.n, STR_ARG(cut));
    mapping_find(m, t, NULL, RULE_T26, (mapping_finding){.object = name, .what = what.failed ? STR("") : buf_str(&what)});
    return cut;
}

static void *grown(arena *a, void *old, uint32_t count, uint32_t *cap, size_t size)
{
    if (count < *cap) return old;
    uint32_t more = *cap ? *cap * 2 : 16;
    void *p = arena_array(a, more, size);
    if (!p) return NULL;
    if (count) memcpy(p, old, count * size);
    *cap = more;
    return p;
}

bool pg_add_object(mapping_maker *m, object_def o, err *e)
{
    pg_state *st = m->state;
    catalog_def *c = m->target;
    object_def *list = grown(m->a, c->objects, c->object_count, &st->object_cap, sizeof *list);
    if (!list || !o.create_sql.p || !o.name.p) return err_no_memory(e, "mapped objects");
    c->objects = list;
    o.target_schema = o.schema;
    o.target_name = o.name;
    c->objects[c->object_count++] = o;
    return true;
}

bool pg_add_check(const pg_work *w, str name, str condition, err *e)
{
    pg_state *st = w->m->state;
    table_def *t = w->t;
    if (!t->check_count) st->check_cap = 0;
    check_def *list = grown(w->m->a, t->checks, t->check_count, &st->check_cap, sizeof *list);
    str made = arena_copy(w->m->a, condition);
    if (!list || !name.p || !made.p) return err_no_memory(e, "a mapped table");
    t->checks = list;
    t->checks[t->check_count++] = (check_def){.name = name, .condition_sql = made};
    return true;
}

pg_work pg_work_of(mapping_maker *m, table_plan *p)
{
    const pg_state *st = m->state;
    return (pg_work){.m = m, .p = p, .s = p->source, .t = p->target, .d = &st->definitions[p->source->id]};
}

/* ---- tables ---- */

static bool check_schema_name(str name, err *e)
{
    return !str_starts_with(name, STR("pg_")) ||
           err_set(e, ERR_NOT_SUPPORTED, "database %.*s: PostgreSQL keeps names that begin with pg_ for itself; map the database to another name", STR_ARG(name));
}

static bool begin(mapping_maker *m, err *e)
{
    pg_state *st = arena_alloc(m->a, sizeof *st);
    if (st) st->definitions = arena_array(m->a, m->source->table_count, sizeof *st->definitions);
    if (!st || !st->definitions) return err_no_memory(e, "a mapped catalog");
    m->state = st;
    for (uint32_t i = 0; i < m->target->database_count; i++) {
        database_def *d = &m->target->databases[i];
        if (!check_schema_name(d->name, e)) return false;
        d->name = d->target_name = pg_short_name(m, NULL, d->name);
        if (!pg_made(d->name, e)) return false;
    }
    return true;
}

/* Names that PostgreSQL keeps for columns that each table has. */
static bool is_system_column(str name)
{
    static const char *const names[] = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, str_from_c(names[i]))) return true;
    return false;
}

static bool name_column(const pg_work *w, uint32_t i, err *e)
{
    column_def *c = &w->t->columns[i];
    str name = pg_short_name(w->m, w->s, c->name);
    if (is_system_column(name)) {
        name = arena_printf(w->m->a, "%.*s_", STR_ARG(name));
        for (uint32_t k = 0; k < w->s->column_count; k++)
            if (str_eq(w->s->columns[k].target_name, name)) name = arena_printf(w->m->a, "%.*s_", STR_ARG(name)), k = UINT32_MAX;
        mapping_find(w->m, w->s, &w->s->columns[i], RULE_T26, (mapping_finding){.what = STR("PostgreSQL has a column of this name in every table; an underscore is appended")});
    }
    c->name = c->target_name = name;
    return pg_made(name, e);
}

static bool plan_table(mapping_maker *m, table_plan *p, err *e)
{
    const table_def *s = p->source;
    pg_state *st = m->state;
    ddl_table *d = &st->definitions[s->id];
    if (!ddl_parse_table(s->create_sql, m->a, d, e)) return false;
    if (d->column_count != s->column_count || d->key_count != s->key_count)
        return err_set(e, ERR_INTERNAL, "the definition has %u columns and %u keys, the catalog %u and %u", d->column_count, d->key_count, s->column_count, s->key_count);
    pg_work w = pg_work_of(m, p);
    uint32_t selected = 0;
    w.t->schema = w.t->target_schema = pg_short_name(m, s, w.t->schema);
    w.t->name = w.t->target_name = pg_short_name(m, s, w.t->name);
    if (!pg_made(w.t->schema, e) || !pg_made(w.t->name, e)) return false;
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (!name_column(&w, i, e)) return false;
        selected += s->columns[i].selected;
    }
    if (selected > COLUMNS_MOST) return err_set(e, ERR_LIMIT, "%u columns, a table of PostgreSQL has at most %d; select fewer", selected, COLUMNS_MOST);
    for (uint32_t i = 0; i < s->column_count; i++) {
        bool ok = !s->columns[i].selected || (pg_plan_column(&w, i, e) && pg_plan_default(&w, i, e) && mapping_check_choices(m, s, &s->columns[i], e));
        if (!ok) return err_context(e, "column %.*s", STR_ARG(s->columns[i].name));
    }
    return pg_plan_expressions(&w, e) && pg_plan_on_update(&w, e);
}

/* ---- what joins them ---- */

static bool add_relation_names(mapping_maker *m, map *names, err *e)
{
    for (uint32_t i = 0; i < m->target->table_count; i++) {
        table_def *t = m->target->tables[i];
        str key = arena_printf(m->a, "%.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
        if (!key.p || !map_put(names, key, t)) return err_no_memory(e, "names");
    }
    for (uint32_t i = 0; i < m->source->view_count; i++) {
        const view_def *v = &m->source->views[i];
        str key = arena_printf(m->a, "%.*s.%.*s", STR_ARG(v->target_schema), STR_ARG(v->target_name));
        if (!key.p || !map_put(names, key, m)) return err_no_memory(e, "names");
    }
    return true;
}

static bool finish_tables(mapping_maker *m, map *names, err *e)
{
    if (!add_relation_names(m, names, e)) return false;
    for (uint32_t i = 0; i < m->source->table_count; i++) {
        pg_work w = pg_work_of(m, &m->tables[i]);
        if (!pg_plan_partitions(&w, names, e) || !pg_plan_keys(&w, names, e)) return err_context(e, "table %.*s.%.*s", STR_ARG(w.s->schema), STR_ARG(w.s->name));
    }
    for (uint32_t i = 0; i < m->source->table_count; i++) {
        pg_work w = pg_work_of(m, &m->tables[i]);
        if (!pg_plan_foreign_keys(&w, e)) return err_context(e, "table %.*s.%.*s", STR_ARG(w.s->schema), STR_ARG(w.s->name));
    }
    m->target->views = arena_array(m->a, m->source->view_count, sizeof *m->target->views);
    if (!m->target->views) return err_no_memory(e, "views");
    for (uint32_t i = 0; i < m->source->view_count; i++)
        if (!pg_plan_view(m, &m->source->views[i], e)) return false;
    return true;
}

static bool finish(mapping_maker *m, err *e)
{
    map names = MAP_INIT;
    bool ok = finish_tables(m, &names, e);
    map_finish(&names);
    return ok;
}

const mapping_direction mapping_to_pg = {.begin = begin, .plan_table = plan_table, .finish = finish};
