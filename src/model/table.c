/* Tables: finding columns, choosing the key that identifies a row. */
#include "model/table.h"

uint32_t table_find_column(const table_def *t, str name)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (str_eq_nocase(t->columns[i].name, name)) return i;
    return UINT32_MAX;
}

void table_free_column_name(const table_def *t, const char *stem, buf *out)
{
    buf_add_c(out, stem);
    for (unsigned i = 2; !out->failed && table_find_column(t, buf_str(out)) != UINT32_MAX; i++) {
        buf_reset(out);
        buf_printf(out, "%s%u", stem, i);
    }
}

static bool identifies_rows(const table_def *t, const key_def *k)
{
    if (!k->unique || k->has_prefix || k->count == 0) return false;
    for (uint32_t i = 0; i < k->count; i++) {
        if (k->columns[i] >= t->column_count) return false;
        const column_def *c = &t->columns[k->columns[i]];
        if (c->nullable || !c->selected || (c->generated && !c->generated_stored)) return false;
    }
    return true;
}

void table_choose_row_key(table_def *t)
{
    t->row_key = TABLE_NO_KEY;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < t->key_count; i++)
            if (t->keys[i].primary == (pass == 0) && identifies_rows(t, &t->keys[i])) {
                t->row_key = i;
                return;
            }
}

bool table_is_mergeable(const table_def *t)
{
    if (t->row_key == TABLE_NO_KEY || t->foreign_key_count || t->referenced || t->target_has_triggers) return false;
    for (uint32_t i = 0; i < t->key_count; i++)
        if (i != t->row_key && t->keys[i].unique) return false;
    return true;
}

const table_def *catalog_find_table(const catalog_def *c, str schema, str name)
{
    for (uint32_t i = 0; i < c->table_count; i++)
        if (str_eq(c->tables[i]->name, name) && str_eq(c->tables[i]->schema, schema)) return c->tables[i];
    return NULL;
}
