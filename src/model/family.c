/* Union-find over the foreign keys. */
#include "model/family.h"

#include <stdlib.h>

#include "base/map.h"

bool family_is_action(str rule)
{
    return str_eq_nocase(rule, STR("CASCADE")) || str_eq_nocase(rule, STR("SET NULL")) || str_eq_nocase(rule, STR("SET DEFAULT"));
}

bool family_has_action(const foreign_key_def *f) { return family_is_action(f->on_delete) || family_is_action(f->on_update); }

static str full_name(arena *a, str schema, str name) { return arena_printf(a, "%zu:%.*s.%.*s", schema.n, STR_ARG(schema), STR_ARG(name)); }

static uint32_t root_of(uint32_t *up, uint32_t i)
{
    while (up[i] != i) i = up[i] = up[up[i]];
    return i;
}

typedef struct linking {
    catalog_def *c;
    map names;
    arena mem;
    uint32_t *up;  /* by table id */
    bool *actions; /* by root */
} linking;

static bool number_tables(linking *l)
{
    for (uint32_t i = 0; i < l->c->table_count; i++) {
        table_def *t = l->c->tables[i];
        t->id = l->up[i] = i;
        t->referenced = false;
        str key = full_name(&l->mem, t->schema, t->name);
        if (!key.p || !map_put(&l->names, key, t)) return false;
    }
    return true;
}

/* A foreign key to a table that is not selected makes its own table a family all the same. */
static bool join_tables(linking *l)
{
    for (uint32_t i = 0; i < l->c->table_count; i++)
        for (uint32_t k = 0; k < l->c->tables[i]->foreign_key_count; k++) {
            const foreign_key_def *f = &l->c->tables[i]->foreign_keys[k];
            str key = full_name(&l->mem, f->parent_schema, f->parent_table);
            if (!key.p) return false;
            table_def *parent = map_get(&l->names, key);
            if (!parent) continue;
            parent->referenced = true;
            l->up[root_of(l->up, i)] = root_of(l->up, parent->id);
        }
    return true;
}

static void mark_families(linking *l)
{
    for (uint32_t i = 0; i < l->c->table_count; i++)
        for (uint32_t k = 0; k < l->c->tables[i]->foreign_key_count; k++)
            if (family_has_action(&l->c->tables[i]->foreign_keys[k])) l->actions[root_of(l->up, i)] = true;
    for (uint32_t i = 0; i < l->c->table_count; i++) {
        uint32_t root = root_of(l->up, i);
        l->c->tables[i]->family = l->actions[root] ? root + 1 : 0;
    }
}

bool family_link(catalog_def *c, err *e)
{
    linking l = {.c = c, .names = MAP_INIT};
    arena_init(&l.mem, 64 * 1024, 0);
    l.up = arena_array(&l.mem, c->table_count, sizeof *l.up);
    l.actions = arena_array(&l.mem, c->table_count, sizeof *l.actions);
    bool ok = (l.up && l.actions) || c->table_count == 0;
    ok = ok && number_tables(&l) && join_tables(&l);
    if (ok) mark_families(&l);
    map_finish(&l.names);
    arena_finish(&l.mem);
    return ok || err_no_memory(e, "table names");
}

static bool carries(const table_def *t, str column)
{
    uint32_t at = table_find_column(t, column);
    return at != UINT32_MAX && t->columns[at].selected;
}

static bool carries_key(const table_def *t, const foreign_key_def *f, const table_def *parent)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (!t->columns[f->columns[i]].selected || !carries(parent, f->parent_columns[i])) return false;
    return true;
}

static void add_problem(const table_def *t, const foreign_key_def *f, buf *out, const char *why)
{
    if (out->n) buf_add_c(out, "; ");
    buf_printf(out, "foreign key %.*s of %.*s.%.*s (ON DELETE %.*s ON UPDATE %.*s) to %.*s.%.*s: %s", STR_ARG(f->name), STR_ARG(t->schema), STR_ARG(t->name),
               STR_ARG(f->on_delete), STR_ARG(f->on_update), STR_ARG(f->parent_schema), STR_ARG(f->parent_table), why);
}

void family_problems(const catalog_def *c, const table_def *t, buf *out)
{
    for (uint32_t k = 0; k < t->foreign_key_count; k++) {
        const foreign_key_def *f = &t->foreign_keys[k];
        if (!family_has_action(f)) continue;
        const table_def *parent = catalog_find_table(c, f->parent_schema, f->parent_table);
        bool only_deletes = !family_is_action(f->on_update) && str_eq_nocase(f->on_delete, STR("CASCADE"));
        if (!parent) {
            add_problem(t, f, out, "the parent table is not selected; select it too, or take the child table out");
        } else if (!carries_key(t, f, parent)) {
            add_problem(t, f, out, "a column of the key is not selected; select it");
        } else if (parent->filter_sql.p) {
            add_problem(t, f, out, "the parent table has a row filter; take the filter away, or the child table out");
        } else if (t->filter_sql.p && !only_deletes) {
            add_problem(t, f, out, "the child table has a row filter, and the action may move rows into it; take the filter away");
        }
    }
}
