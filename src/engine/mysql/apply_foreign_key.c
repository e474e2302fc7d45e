/* Each foreign key with actions becomes one text, "schema.table(columns)->schema.table(columns) rules" in the target's names; the two ends' sets must be equal. */
#include "engine/mysql/apply_foreign_key.h"

#include "base/map.h"
#include "model/family.h"

typedef struct matching {
    conn *c;
    const catalog_def *catalog;
    bool fold_case; /* the target compares table names without case */
    arena mem;
    map wanted;     /* text → the table_def of the child */
    map met;        /* those of them that the target has */
    map tables;     /* target's "schema.table" → table_def */
} matching;

static str fold(matching *m, const buf *b, bool all)
{
    if (b->failed) return STR_NULL;
    str s = arena_copy(&m->mem, buf_str(b));
    for (size_t i = 0; s.p && all && i < s.n; i++) {
        char *c = (char *)(uintptr_t)s.p + i;
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    }
    return s;
}

static void add_table_name(buf *b, str schema, str table)
{
    conn_quote_name(b, schema);
    buf_add_byte(b, '.');
    conn_quote_name(b, table);
}

/* Column names and rules are compared without case, table names as the target does. */
static void add_folded(buf *b, str s)
{
    for (size_t i = 0; i < s.n; i++) buf_add_byte(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i]);
}

static str target_column(const table_def *t, uint32_t i) { return t->columns[i].target_name.n ? t->columns[i].target_name : t->columns[i].name; }

static void add_rules(buf *b, str on_delete, str on_update)
{
    buf_add_c(b, " delete ");
    add_folded(b, family_is_action(on_delete) ? on_delete : STR("restrict"));
    buf_add_c(b, " update ");
    add_folded(b, family_is_action(on_update) ? on_update : STR("restrict"));
}

static str describe_wanted(matching *m, const table_def *t, const foreign_key_def *f, const table_def *parent)
{
    BUF_AUTO b = BUF_INIT;
    add_table_name(&b, t->target_schema, t->target_name);
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t at = table_find_column(parent, f->parent_columns[i]);
        buf_add_byte(&b, ' ');
        add_folded(&b, target_column(t, f->columns[i]));
        buf_add_byte(&b, '=');
        if (at != UINT32_MAX) add_folded(&b, target_column(parent, at));
    }
    buf_add_c(&b, " references ");
    add_table_name(&b, parent->target_schema, parent->target_name);
    add_rules(&b, f->on_delete, f->on_update);
    return fold(m, &b, m->fold_case);
}

static bool read_wanted(matching *m, err *e)
{
    for (uint32_t i = 0; i < m->catalog->table_count; i++) {
        const table_def *t = m->catalog->tables[i];
        BUF_AUTO name = BUF_INIT;
        add_table_name(&name, t->target_schema, t->target_name);
        str key = fold(m, &name, m->fold_case);
        if (!key.p || !map_put(&m->tables, key, (void *)(uintptr_t)t)) return err_no_memory(e, "foreign keys");
        for (uint32_t k = 0; k < t->foreign_key_count; k++) {
            const foreign_key_def *f = &t->foreign_keys[k];
            const table_def *parent = family_has_action(f) ? catalog_find_table(m->catalog, f->parent_schema, f->parent_table) : NULL;
            if (!parent) continue; /* without its parent the pipeline refuses the table */
            str text = describe_wanted(m, t, f, parent);
            if (!text.p || !map_put(&m->wanted, text, (void *)(uintptr_t)t)) return err_no_memory(e, "foreign keys");
        }
    }
    return true;
}

/* One foreign key of the target, column by column. */
typedef struct found_key {
    str name, table, parent, on_delete, on_update; /* in the result set */
    buf text;
} found_key;

/* Notes what was found; a key with actions that nobody wants is an error. */
static bool end_key(matching *m, found_key *k, err *e)
{
    if (!k->name.p) return true;
    buf_add_c(&k->text, " references ");
    buf_add(&k->text, k->parent);
    add_rules(&k->text, k->on_delete, k->on_update);
    str text = fold(m, &k->text, m->fold_case);
    if (!text.p) return err_no_memory(e, "foreign keys");
    if (map_get(&m->wanted, text)) return map_put(&m->met, text, m) ? true : err_no_memory(e, "foreign keys");
    if (!family_is_action(k->on_delete) && !family_is_action(k->on_update)) return true;
    return err_set(e, ERR_NOT_SUPPORTED,
                   "the destination's foreign key %.*s (%.*s) has actions that the source's tables do not have: they would change rows that the source kept; drop it",
                   STR_ARG(k->name), STR_ARG(text));
}

static str cell(MYSQL_RES *res, MYSQL_ROW row, unsigned i) { return row[i] ? (str){row[i], mysql_fetch_lengths(res)[i]} : STR(""); }

static bool take_row(matching *m, MYSQL_RES *res, MYSQL_ROW row, found_key *k, err *e)
{
    BUF_AUTO table = BUF_INIT;
    BUF_AUTO parent = BUF_INIT;
    add_table_name(&table, cell(res, row, 0), cell(res, row, 1));
    add_table_name(&parent, cell(res, row, 4), cell(res, row, 5));
    str key = fold(m, &table, m->fold_case);
    if (!key.p) return err_no_memory(e, "foreign keys");
    if (!k->name.p || !str_eq(k->name, cell(res, row, 2)) || !str_eq(k->table, key)) {
        if (!end_key(m, k, e)) return false;
        buf_reset(&k->text);
        buf_add(&k->text, buf_str(&table));
        k->name = map_get(&m->tables, key) ? cell(res, row, 2) : STR_NULL;
        k->table = key;
        k->parent = arena_copy(&m->mem, buf_str(&parent));
        k->on_delete = cell(res, row, 7);
        k->on_update = cell(res, row, 8);
        if (!k->parent.p) return err_no_memory(e, "foreign keys");
    }
    buf_add_byte(&k->text, ' ');
    add_folded(&k->text, cell(res, row, 3));
    buf_add_byte(&k->text, '=');
    add_folded(&k->text, cell(res, row, 6));
    return true;
}

static bool ask(matching *m, MYSQL_RES **ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    map seen = MAP_INIT;
    bool ok = true;
    buf_add_c(&sql, "SELECT k.table_schema, k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name, "
                    "k.referenced_column_name, r.delete_rule, r.update_rule FROM information_schema.key_column_usage k JOIN "
                    "information_schema.referential_constraints r ON r.constraint_schema=k.table_schema AND r.table_name=k.table_name AND "
                    "r.constraint_name=k.constraint_name WHERE k.referenced_table_name IS NOT NULL AND k.table_schema IN (");
    for (uint32_t i = 0; ok && i < m->catalog->table_count; i++) {
        str schema = m->catalog->tables[i]->target_schema;
        if (map_get(&seen, schema)) continue;
        if (seen.count) buf_add_byte(&sql, ',');
        conn_quote_literal(&sql, schema, STR("utf8mb4"));
        ok = map_put(&seen, schema, m);
    }
    map_finish(&seen);
    buf_add_c(&sql, ") ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position");
    if (!ok || sql.failed) return err_no_memory(e, "a statement");
    return conn_query(m->c, buf_str(&sql), ret, e);
}

static bool compare(matching *m, err *e)
{
    MYSQL_RES *res;
    found_key k = {.text = BUF_INIT};
    if (!ask(m, &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) ok = take_row(m, res, row, &k, e);
    ok = ok && end_key(m, &k, e);
    buf_finish(&k.text);
    mysql_free_result(res);
    for (size_t i = 0; ok && i < m->wanted.count; i++)
        if (!map_get(&m->met, m->wanted.entries[i].key))
            return err_set(e, ERR_NOT_SUPPORTED,
                           "the source does not log the child rows that foreign key actions change, and the destination lacks the foreign key that would change "
                           "them: %.*s; add it and start the job again",
                           STR_ARG(str_sub(m->wanted.entries[i].key, 0, 500)));
    return ok;
}

bool apply_foreign_keys_match(conn *c, const catalog_def *catalog, err *e)
{
    matching m = {.c = c, .catalog = catalog, .wanted = MAP_INIT, .met = MAP_INIT, .tables = MAP_INIT};
    uint64_t name_case = 0;
    if (catalog->table_count == 0) return true;
    arena_init(&m.mem, 64 * 1024, 0);
    bool ok = conn_query_u64(c, "SELECT @@global.lower_case_table_names", &name_case, e);
    m.fold_case = name_case != 0;
    ok = ok && read_wanted(&m, e) && compare(&m, e);
    map_finish(&m.wanted);
    map_finish(&m.met);
    map_finish(&m.tables);
    arena_finish(&m.mem);
    return ok;
}
