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

/* The objects of rights of one schema, owners or all else, as one. */
static bool gather_rights(const catalog_def *c, str schema, bool owners, arena *a, object_def *ret, err *e)
{
    BUF_AUTO text = BUF_INIT;
    uint32_t n = 0, room = 0;
    for (uint32_t i = 0; i < c->object_count; i++) room += c->objects[i].rights ? c->objects[i].role_count : 0;
    *ret = (object_def){.kind = owners ? STR("owners") : STR("privileges"), .schema = schema, .name = schema, .target_schema = schema, .target_name = schema, .after_load = true, .rights = true,
                        .roles = arena_array(a, room, sizeof(str))};
    if (!ret->roles) return err_no_memory(e, "objects");
    for (uint32_t i = 0; i < c->object_count; i++) {
        const object_def *o = &c->objects[i];
        if (!o->rights || !str_eq(o->schema, schema) || str_starts_with(o->kind, STR("owner of ")) != owners) continue;
        buf_printf(&text, "%s%.*s;", n++ ? "\n" : "", STR_ARG(o->source_sql));
        for (uint32_t k = 0; k < o->role_count; k++) {
            uint32_t at = 0;
            while (at < ret->role_count && !str_eq(ret->roles[at], o->roles[k])) at++;
            if (at == ret->role_count) ret->roles[ret->role_count++] = o->roles[k];
        }
    }
    if (!n) return true;
    ret->obstacle = arena_printf(a, "%s of %u object%s; Reserve privilegeMigration: true carries them from PostgreSQL to PostgreSQL", owners ? "the owner" : "the privileges", n, n == 1 ? "" : "s");
    ret->source_sql = text.failed ? STR_NULL : arena_copy(a, buf_str(&text));
    return (ret->obstacle.p && ret->source_sql.p) || err_no_memory(e, "objects");
}

bool catalog_leave_out_rights(catalog_def *c, arena *a, err *e)
{
    object_def *list = arena_array(a, (size_t)c->object_count + 2 * c->database_count, sizeof *list);
    uint32_t n = 0;
    if (!list) return err_no_memory(e, "objects");
    for (uint32_t i = 0; i < c->object_count; i++)
        if (!c->objects[i].rights) list[n++] = c->objects[i];
    for (uint32_t i = 0; i < c->database_count; i++)
        for (int owners = 1; owners >= 0; owners--) {
            if (!gather_rights(c, c->databases[i].name, owners, a, &list[n], e)) return false;
            if (list[n].source_sql.p) n++;
        }
    c->objects = list;
    c->object_count = n;
    return true;
}

const table_def *catalog_find_table(const catalog_def *c, str schema, str name)
{
    for (uint32_t i = 0; i < c->table_count; i++)
        if (str_eq(c->tables[i]->name, name) && str_eq(c->tables[i]->schema, schema)) return c->tables[i];
    return NULL;
}
