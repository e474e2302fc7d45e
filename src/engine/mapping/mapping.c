/* The mapping of a catalog, planned once per table, and of rows and changes by its plan. */
#include "engine/mapping/mapping_plan.h"

#include <string.h>

/* ---- plan ---- */

static bool copy_databases(mapping_maker *m, err *e)
{
    const catalog_def *s = m->source;
    m->target->databases = arena_array(m->a, s->database_count, sizeof *s->databases);
    m->target->tables = arena_array(m->a, s->table_count, sizeof *m->target->tables);
    m->tables = arena_array(m->a, s->table_count, sizeof *m->tables);
    m->asked_table = arena_array(m->a, s->table_count, sizeof *m->asked_table);
    if (!m->target->databases || !m->target->tables || !m->tables || !m->asked_table) return err_no_memory(e, "a mapped catalog");
    for (uint32_t i = 0; i < s->database_count; i++)
        m->target->databases[i] = (database_def){.name = s->databases[i].target_name, .target_name = s->databases[i].target_name};
    m->target->database_count = s->database_count;
    return true;
}

static str first_of(str mapped, str name) { return mapped.n ? mapped : name; }

/* What the directions start from: the target's names, which columns are carried, nothing of the source's SQL. */
static bool start_table(mapping_maker *m, const table_def *s, table_plan *p, err *e)
{
    table_def *t = arena_alloc(m->a, sizeof *t);
    *p = (table_plan){.source = s, .target = t, .columns = arena_array(m->a, s->column_count, sizeof *p->columns),
                      .active = arena_array(m->a, s->column_count, sizeof *p->active)};
    if (!t || !p->columns || !p->active) return err_no_memory(e, "a mapped table");
    str schema = first_of(s->target_schema, s->schema), name = first_of(s->target_name, s->name);
    *t = (table_def){.sql = m->options->target, .id = s->id, .schema = schema, .name = name, .target_schema = schema, .target_name = name,
                     .columns = arena_array(m->a, s->column_count, sizeof *t->columns), .column_count = s->column_count, .row_key = TABLE_NO_KEY,
                     .referenced = s->referenced, .family = s->family, .estimated_rows = s->estimated_rows, .estimated_bytes = s->estimated_bytes,
                     .storage_engine = STR(""), .charset = STR(""), .collation = STR(""), .comment = str_or_empty(s->comment), .create_sql = STR("")};
    if (!t->columns) return err_no_memory(e, "a mapped table");
    for (uint32_t i = 0; i < s->column_count; i++) {
        const column_def *c = &s->columns[i];
        str column = first_of(c->target_name, c->name);
        t->columns[i] = (column_def){.name = column, .target_name = column, .nullable = c->nullable, .selected = c->selected, .comment = str_or_empty(c->comment),
                                     .charset = STR(""), .collation = STR("")};
        p->columns[i] = (column_plan){.source = c, .target = &t->columns[i]};
    }
    m->target->tables[s->id] = t;
    return true;
}

static void find_active(table_plan *p)
{
    for (uint32_t i = 0; i < p->source->column_count; i++)
        if (p->columns[i].convert) p->active[p->active_count++] = i;
}

static bool plan(mapping_maker *m, const mapping_direction *d, err *e)
{
    if (!copy_databases(m, e) || !d->begin(m, e)) return false;
    for (uint32_t i = 0; i < m->source->table_count; i++, m->target->table_count++) {
        const table_def *s = m->source->tables[i];
        if (s->id != i) return err_set(e, ERR_INTERNAL, "table %.*s.%.*s has number %u at place %u", STR_ARG(s->schema), STR_ARG(s->name), s->id, i);
        if (!start_table(m, s, &m->tables[i], e)) return false;
        if (!d->plan_table(m, &m->tables[i], e)) return err_context(e, "table %.*s.%.*s", STR_ARG(s->schema), STR_ARG(s->name));
        find_active(&m->tables[i]);
    }
    if (!d->finish(m, e)) return false;
    for (uint32_t i = 0; i < m->source->table_count; i++)
        if (!mapping_check_choices(m, m->source->tables[i], NULL, e)) return false;
    return true;
}

/* By source and target; like families need none. */
static const mapping_direction *const directions[2][2] = {[SQL_MYSQL][SQL_POSTGRESQL] = &mapping_to_pg, [SQL_POSTGRESQL][SQL_MYSQL] = &mapping_to_my};

bool mapping_make(catalog_def *from, sql_family source_family, const mapping_options *o, const mapping_findings *out, arena *a, mapping **ret, err *e)
{
    mapping *made = arena_alloc(a, sizeof *made);
    catalog_def *to = arena_alloc(a, sizeof *to);
    if (!made || !to) return err_no_memory(e, "a mapping");
    made->catalog = from;
    if (source_family != o->target) {
        const mapping_direction *d = directions[source_family][o->target];
        mapping_maker m = {.source = from, .target = to, .options = o, .findings = out, .a = a};
        if (!plan(&m, d, e)) return false;
        made->catalog = to;
        made->tables = m.tables;
        made->direction = d;
    }
    *ret = made;
    return true;
}

catalog_def *mapping_catalog(mapping *m) { return m->catalog; }
bool mapping_converts(const mapping *m) { return m->tables != NULL; }

/* ---- rows ---- */

static bool convert_row(const table_plan *p, arena *mem, val *row, err *e)
{
    for (uint32_t i = 0; i < p->active_count; i++) {
        uint32_t at = p->active[i];
        const column_plan *c = &p->columns[at];
        mapping_trouble trouble = {0};
        if (row[at].kind > VAL_UNCHANGED && !c->convert(c, mem, &row[at], &trouble)) return mapping_value_error(p, at, row, &trouble, e);
    }
    return true;
}

static const table_plan *plan_of(const mapping *m, const table_def *t, err *e)
{
    const table_plan *p = t->id < m->catalog->table_count ? &m->tables[t->id] : NULL;
    if (p && p->source == t) return p;
    (void)err_set(e, ERR_INTERNAL, "rows of table %.*s.%.*s are not those of the mapping's source", STR_ARG(t->schema), STR_ARG(t->name));
    return NULL;
}

bool mapping_convert_rows(const mapping *m, row_batch *b, err *e)
{
    if (!m->tables) return true;
    const table_plan *p = plan_of(m, b->table, e);
    size_t used = b->mem.used_bytes;
    if (!p) return false;
    for (uint32_t i = 0; i < b->row_count; i++)
        if (!convert_row(p, &b->mem, &b->vals[(size_t)i * p->source->column_count], e)) return false;
    b->table = p->target;
    b->bytes += b->mem.used_bytes - used;
    return true;
}

bool mapping_convert_txn(const mapping *m, txn *t, err *e)
{
    if (!m->tables) return true;
    size_t used = t->mem.used_bytes;
    for (uint32_t i = 0; i < t->change_count; i++) {
        change *c = &t->changes[i];
        const table_plan *p = plan_of(m, c->table, e);
        if (!p) return false;
        /* The images are the transaction's own memory: const is a promise to readers. */
        val *before = (val *)(uintptr_t)c->before, *after = (val *)(uintptr_t)c->after;
        if (before && !convert_row(p, &t->mem, before, e)) return false;
        if (after && after != before && !convert_row(p, &t->mem, after, e)) return false;
        c->table = p->target;
    }
    t->bytes += t->mem.used_bytes - used;
    return true;
}

/* ---- changes of columns ---- */

static const column_plan *find_target(const table_plan *p, str name)
{
    for (uint32_t i = 0; i < p->source->column_count; i++)
        if (p->columns[i].target->selected && str_eq(p->columns[i].target->name, name)) return &p->columns[i];
    return NULL;
}

/* The column as it was; its name is that after all renamings. */
static const column_def *find_before(const table_plan *p, const table_alter *x, str name)
{
    for (uint32_t i = 0; i < x->count; i++)
        if (x->columns[i].kind == ALTER_RENAME_COLUMN && str_eq(x->columns[i].new_name, name)) name = x->columns[i].column;
    const column_plan *c = find_target(p, name);
    return c ? c->target : NULL;
}

static bool convert_column(const mapping *to, const table_plan *before, const table_plan *after, const table_alter *x, column_alter *c, arena *a, bool *ret_same, err *e)
{
    const column_plan *now = find_target(after, c->column);
    const column_def *was = c->kind == ALTER_COLUMN_TYPE ? find_before(before, x, c->column) : NULL;
    if (!now || (c->kind == ALTER_COLUMN_TYPE && !was))
        return err_set(e, ERR_SOURCE_DDL, "column %.*s of %.*s.%.*s was changed again at the source while the job was behind; make the same changes in the destination, then reset the job",
                       STR_ARG(c->column), STR_ARG(x->table->schema), STR_ARG(x->table->name));
    return to->direction->alter(now, was, c, a, ret_same, e) || err_context(e, "column %.*s of %.*s.%.*s", STR_ARG(c->column), STR_ARG(x->table->schema), STR_ARG(x->table->name));
}

bool mapping_convert_alter(const mapping *from, const mapping *to, table_alter *x, arena *a, err *e)
{
    const table_plan *before = plan_of(from, x->table, e);
    uint32_t kept = 0;
    if (!before) return false;
    if (!to->tables || !to->direction->alter || to->catalog->table_count != 1) return err_set(e, ERR_INTERNAL, "a change of columns has no mapping");
    for (uint32_t i = 0; i < x->count; i++) {
        bool same = false;
        if (x->columns[i].kind >= ALTER_COLUMN_TYPE && !convert_column(to, before, &to->tables[0], x, &x->columns[i], a, &same, e)) return false;
        if (!same) x->columns[kept++] = x->columns[i];
    }
    x->count = kept;
    return true;
}
