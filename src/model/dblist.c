/* The object list: look-ups, and applying it to a table. The text is read in dblist_parse.c. */
#include "model/dblist.h"

#include <stdlib.h>

#include "model/dblist_priv.h"

static int compare_positions(const void *left, const void *right, void *names)
{
    const str *all = names;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    int c = str_cmp(all[a], all[b]);
    return c ? c : (a > b) - (a < b); /* list order among equals */
}

bool dblist_sort_names(arena *a, const str *names, uint32_t count, uint32_t **ret_index)
{
    uint32_t *index = arena_array(a, count, sizeof *index);
    if (!index) return false;
    for (uint32_t i = 0; i < count; i++) index[i] = i;
    if (count > 1) qsort_r(index, count, sizeof *index, compare_positions, (void *)(uintptr_t)names);
    *ret_index = index;
    return true;
}

uint32_t dblist_find_name(const str *names, const uint32_t *index, uint32_t count, str name)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = str_cmp(names[index[middle]], name);
        if (c == 0) return index[middle];
        if (c < 0) low = middle + 1;
        else high = middle;
    }
    return UINT32_MAX;
}

static const listed_database *find_database(const dblist *l, str schema)
{
    uint32_t i = dblist_find_name(l->names, l->index, l->count, schema);
    return i == UINT32_MAX ? NULL : &l->items[i];
}

static const listed_object *find_object(const listed_objects *list, str name)
{
    uint32_t i = dblist_find_name(list->names, list->index, list->count, name);
    return i == UINT32_MAX ? NULL : &list->items[i];
}

bool dblist_has_database(const dblist *l, str schema) { return find_database(l, schema) != NULL; }

str dblist_target_database(const dblist *l, str schema)
{
    const listed_database *d = find_database(l, schema);
    return d ? d->target : schema;
}

uint32_t dblist_databases(const dblist *l, const str **ret)
{
    *ret = l->names;
    return l->count;
}

uint32_t dblist_tables(const dblist *l, str schema, const str **ret)
{
    const listed_database *d = find_database(l, schema);
    *ret = d && !d->whole ? d->tables.names : NULL;
    return d && !d->whole ? d->tables.count : 0;
}

uint32_t dblist_views(const dblist *l, str schema, const str **ret)
{
    const listed_database *d = find_database(l, schema);
    *ret = d && !d->whole ? d->views.names : NULL;
    return d && !d->whole ? d->views.count : 0;
}

bool dblist_whole_database(const dblist *l, str schema)
{
    const listed_database *d = find_database(l, schema);
    return d && d->whole;
}

static dblist_match match(const listed_database *d, const listed_object *o, str name)
{
    if (!d || (!o && !d->whole)) return (dblist_match){.selected = false};
    return (dblist_match){
        .selected = true, .target_schema = d->target, .target_name = o ? o->target : name, .filter_sql = o ? o->filter : STR_NULL};
}

dblist_match dblist_match_table(const dblist *l, str schema, str table)
{
    const listed_database *d = find_database(l, schema);
    return match(d, d ? find_object(&d->tables, table) : NULL, table);
}

dblist_match dblist_match_view(const dblist *l, str schema, str view)
{
    const listed_database *d = find_database(l, schema);
    return match(d, d ? find_object(&d->views, view) : NULL, view);
}

/* Marks and renames the listed columns; `seen` (one flag per column) finds a column listed twice in different case. */
static bool apply_columns(const listed_object *o, table_def *t, bool *seen, arena *a, err *e)
{
    for (uint32_t i = 0; i < o->column_count; i++) {
        const listed_column *c = &o->columns[i];
        uint32_t at = table_find_column(t, c->name);
        if (at == UINT32_MAX)
            return err_set(e, ERR_BAD_INPUT, "DbList.%.*s.Table.%.*s.column.%.*s: the table has no such column; correct or remove it", STR_ARG(t->schema),
                           STR_ARG(t->name), STR_ARG(c->name));
        if (seen[at])
            return err_set(e, ERR_BAD_INPUT, "DbList.%.*s.Table.%.*s.column.%.*s: the column is listed twice; remove one", STR_ARG(t->schema),
                           STR_ARG(t->name), STR_ARG(c->name));
        seen[at] = true;
        t->columns[at].selected = true;
        t->columns[at].target_name = arena_copy(a, c->target);
        if (!t->columns[at].target_name.p) return err_no_memory(e, "a column name");
    }
    return true;
}

static char fold(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* Two selected columns may not have one target name (ASCII case ignored, as in MySQL). */
static bool check_column_targets(const table_def *t, arena *a, err *e)
{
    str *folded = arena_array(a, t->column_count, sizeof *folded);
    uint32_t *order, count = 0, *positions = arena_array(a, t->column_count, sizeof *positions);
    if (!folded || !positions) return err_no_memory(e, "column names");
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (!t->columns[i].selected) continue;
        str name = t->columns[i].target_name;
        char *p = arena_bytes(a, name.n);
        if (!p) return err_no_memory(e, "column names");
        for (size_t k = 0; k < name.n; k++) p[k] = fold(name.p[k]);
        positions[count] = i;
        folded[count++] = (str){p, name.n};
    }
    if (!dblist_sort_names(a, folded, count, &order)) return err_no_memory(e, "column names");
    for (uint32_t i = 1; i < count; i++) {
        if (!str_eq(folded[order[i]], folded[order[i - 1]])) continue;
        const column_def *x = &t->columns[positions[order[i - 1]]], *y = &t->columns[positions[order[i]]];
        return err_set(e, ERR_BAD_INPUT, "DbList.%.*s.Table.%.*s.column: columns %.*s and %.*s would both be written to %.*s; give one another name",
                       STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(x->name), STR_ARG(y->name), STR_ARG(y->target_name));
    }
    return true;
}

bool dblist_apply_to_table(const dblist *l, table_def *t, arena *a, err *e)
{
    const listed_database *d = find_database(l, t->schema);
    const listed_object *o = d ? find_object(&d->tables, t->name) : NULL;
    dblist_match m = match(d, o, t->name);
    if (!m.selected) return err_set(e, ERR_BAD_INPUT, "DbList does not select the table %.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    t->target_schema = arena_copy(a, m.target_schema);
    t->target_name = arena_copy(a, m.target_name);
    t->filter_sql = m.filter_sql.p ? arena_copy(a, m.filter_sql) : STR_NULL;
    if (!t->target_schema.p || !t->target_name.p || (m.filter_sql.p && !t->filter_sql.p)) return err_no_memory(e, "a table's names");
    for (uint32_t i = 0; i < t->column_count; i++) {
        t->columns[i].selected = !o || o->every_column;
        t->columns[i].target_name = t->columns[i].name;
    }
    if (!o || o->column_count == 0) return true;
    bool *seen = arena_array(a, t->column_count, sizeof *seen);
    if (!seen) return err_no_memory(e, "a table's columns");
    return apply_columns(o, t, seen, a, e) && check_column_targets(t, a, e);
}
