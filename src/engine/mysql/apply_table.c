/* Reads information_schema of the target once per start, in three statements, and makes the fixed parts of all statements. */
#include "engine/mysql/apply_table.h"

#include <string.h>

#include "engine/mysql/name_fold.h"

typedef struct reading {
    conn *c;
    catalog_def *catalog;
    arena *mem;
    apply_tables *out;
    map by_name;      /* "schema\0table" of the target → apply_table; in small letters when fold_case */
    bool fold_case;   /* the target ignores the case of table names */
    str schemas;      /* "'a','b'" */
    bool *seen;       /* by table id: exists */
    uint32_t *found;  /* by table id: number of written columns that exist */
} reading;

static str name_key(arena *a, str schema, str table)
{
    char *p = arena_bytes(a, schema.n + table.n + 1);
    if (!p) return STR_NULL;
    memcpy(p, schema.p, schema.n);
    p[schema.n] = 0;
    if (table.n) memcpy(p + schema.n + 1, table.p, table.n);
    return (str){p, schema.n + table.n + 1};
}

static str field(MYSQL_RES *res, MYSQL_ROW row, unsigned i) { return row[i] ? (str){row[i], mysql_fetch_lengths(res)[i]} : STR_NULL; }

static apply_table *find(reading *r, str schema, str table)
{
    arena a;
    arena_init(&a, 1024, 0);
    str key = name_key(&a, schema, table);
    apply_table *t = key.p ? map_get(&r->by_name, key) : NULL;
    arena_finish(&a);
    return t;
}

static str quoted_name(arena *a, str name)
{
    BUF_AUTO b = BUF_INIT;
    conn_quote_name(&b, name);
    return b.failed ? STR_NULL : arena_copy(a, buf_str(&b));
}

static str quoted_table(arena *a, const table_def *t)
{
    BUF_AUTO b = BUF_INIT;
    conn_quote_table(&b, t->target_schema, t->target_name);
    return b.failed ? STR_NULL : arena_copy(a, buf_str(&b));
}

static bool is_key_column(const apply_table *t, uint32_t column)
{
    for (uint32_t i = 0; i < t->key_count; i++)
        if (t->key[i] == column) return true;
    return false;
}

/* MySQL deprecates VALUES() in favour of a row alias, which MariaDB does not know. */
static void append_upsert(buf *b, const apply_table *t, bool mariadb)
{
    bool first = true;
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written || is_key_column(t, i)) continue;
        buf_add_c(b, !first ? "," : mariadb ? " ON DUPLICATE KEY UPDATE " : " AS `_sluice_new` ON DUPLICATE KEY UPDATE ");
        first = false;
        buf_add(b, t->columns[i].name);
        buf_add_c(b, mariadb ? "=VALUES(" : "=`_sluice_new`.");
        buf_add(b, t->columns[i].name);
        if (mariadb) buf_add_byte(b, ')');
    }
}

static bool make_texts(reading *r, apply_table *t)
{
    BUF_AUTO head = BUF_INIT, tail = BUF_INIT;
    bool first = true;
    buf_add_c(&head, " INTO ");
    buf_add(&head, t->name);
    buf_add_c(&head, " (");
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written) continue;
        if (!first) buf_add_byte(&head, ',');
        first = false;
        buf_add(&head, t->columns[i].name);
    }
    buf_add_c(&head, ") VALUES ");
    append_upsert(&tail, t, r->c->is_mariadb);
    if (head.failed || tail.failed) return false;
    t->insert_head = arena_copy(r->mem, buf_str(&head));
    t->upsert_tail = arena_copy(r->mem, buf_str(&tail));
    return t->insert_head.p && t->upsert_tail.p;
}

static bool make_table(reading *r, const table_def *def, err *e)
{
    apply_table *t = &r->out->list[def->id];
    t->def = def;
    t->name = quoted_table(r->mem, def);
    t->columns = arena_array(r->mem, def->column_count ? def->column_count : 1, sizeof *t->columns);
    if (!t->name.p || !t->columns) return err_no_memory(e, "the tables of the destination");
    if (def->row_key != TABLE_NO_KEY) {
        t->key = def->keys[def->row_key].columns;
        t->key_count = def->keys[def->row_key].count;
    }
    for (uint32_t i = 0; i < def->column_count; i++) {
        const column_def *c = &def->columns[i];
        t->columns[i].name = quoted_name(r->mem, c->target_name.n ? c->target_name : c->name);
        t->columns[i].written = c->selected && !c->generated;
        t->columns[i].enumerated = t->columns[i].written && c->type == COL_ENUM;
        t->has_enum = t->has_enum || t->columns[i].enumerated;
        if (!t->columns[i].name.p) return err_no_memory(e, "the tables of the destination");
    }
    str schema = def->target_schema, name = def->target_name;
    if (r->fold_case && !(name_fold(r->c, schema, r->mem, &schema, e) && name_fold(r->c, name, r->mem, &name, e))) return false;
    str key = name_key(r->mem, schema, name);
    return make_texts(r, t) && key.p && map_put(&r->by_name, key, t) ? true : err_no_memory(e, "the tables of the destination");
}

static bool make_tables(reading *r, err *e)
{
    BUF_AUTO b = BUF_INIT;
    map names = MAP_INIT;
    bool ok = true;
    for (uint32_t i = 0; ok && i < r->catalog->table_count; i++) {
        const table_def *def = r->catalog->tables[i];
        ok = make_table(r, def, e);
        if (!ok || map_get(&names, def->target_schema)) continue;
        if (b.n) buf_add_byte(&b, ',');
        conn_quote_literal(&b, def->target_schema, STR("utf8mb4"));
        if (!map_put(&names, def->target_schema, r)) ok = err_no_memory(e, "the schemas of the destination");
    }
    map_finish(&names);
    if (ok && b.failed) return err_no_memory(e, "the schemas of the destination");
    if (ok) r->schemas = arena_copy(r->mem, buf_str(&b));
    return ok;
}

/* Rows of schema and table, as by_name has them, and of more columns. */
static bool ask(reading *r, const char *schema_column, const char *table_column, const char *columns, const char *table, const char *rest, MYSQL_RES **ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    const char *fold = r->fold_case ? "LOWER" : "";
    buf_printf(&sql, "SELECT %s(%s), %s(%s)%s FROM information_schema.%s WHERE %s IN (", fold, schema_column, fold, table_column, columns, table, schema_column);
    buf_add(&sql, r->schemas);
    buf_printf(&sql, ")%s", rest);
    if (sql.failed) return err_no_memory(e, "a statement");
    return conn_query(r->c, buf_str(&sql), ret, e) || err_context(e, "looking at the destination's tables");
}

static str canonical_charset(str c) { return str_eq_nocase(c, STR("utf8")) ? STR("utf8mb3") : c; }

static bool take_column(reading *r, apply_table *t, str name, str type, str charset, err *e)
{
    const table_def *def = t->def;
    for (uint32_t i = 0; i < def->column_count; i++) {
        const column_def *c = &def->columns[i];
        if (!t->columns[i].written || !str_eq_nocase(c->target_name.n ? c->target_name : c->name, name)) continue;
        r->found[def->id]++;
        t->columns[i].json = str_eq_nocase(type, STR("json"));
        t->columns[i].charset = arena_copy(r->mem, charset);
        t->columns[i].same_charset = str_eq_nocase(canonical_charset(charset), canonical_charset(c->charset));
        if ((c->type == COL_ENUM || c->type == COL_SET) && !str_eq(type, c->native_type))
            return err_set(e, ERR_NOT_SUPPORTED, "column %.*s.%.*s.%.*s is %.*s at the destination and %.*s at the source; make the labels and their order equal",
                           STR_ARG(def->target_schema), STR_ARG(def->target_name), STR_ARG(name), STR_ARG(str_sub(type, 0, 200)),
                           STR_ARG(str_sub(c->native_type, 0, 200)));
        return true;
    }
    return true;
}

static bool read_columns(reading *r, err *e)
{
    MYSQL_RES *res;
    if (!ask(r, "table_schema", "table_name", ", column_name, column_type, character_set_name", "columns", "", &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        apply_table *t = find(r, field(res, row, 0), field(res, row, 1));
        if (!t) continue;
        r->seen[t->def->id] = true;
        ok = take_column(r, t, field(res, row, 2), field(res, row, 3), field(res, row, 4), e);
    }
    mysql_free_result(res);
    return ok;
}

static bool check_present(reading *r, err *e)
{
    for (uint32_t i = 0; i < r->out->count; i++) {
        const apply_table *t = &r->out->list[i];
        uint32_t written = 0;
        if (!r->seen[i])
            return err_set(e, ERR_TARGET_QUERY, "the destination has no table %.*s.%.*s; create it or reset the job", STR_ARG(t->def->target_schema),
                           STR_ARG(t->def->target_name));
        for (uint32_t k = 0; k < t->def->column_count; k++) written += t->columns[k].written;
        if (r->found[i] < written)
            return err_set(e, ERR_TARGET_QUERY, "table %.*s.%.*s of the destination lacks %u of the %u columns to write; add them or reset the job",
                           STR_ARG(t->def->target_schema), STR_ARG(t->def->target_name), written - r->found[i], written);
    }
    return true;
}

static bool is_row_key(const apply_table *t, uint32_t place, str column, str part)
{
    if (place >= t->key_count || part.p) return false;
    const column_def *c = &t->def->columns[t->key[place]];
    return str_eq_nocase(c->target_name.n ? c->target_name : c->name, column);
}

/* Unique keys come column by column; one that is not exactly the row key makes set-based upserts unsafe. */
typedef struct key_reading {
    apply_table *table;
    char index[260];
    uint32_t columns;
    bool is_row_key, has_row_key;
} key_reading;

static void end_index(key_reading *k)
{
    if (!k->table || !k->columns) return;
    if (k->is_row_key && k->columns == k->table->key_count) {
        k->has_row_key = true;
    } else {
        k->table->unique_key_differs = true;
    }
    k->columns = 0;
}

static bool read_keys(reading *r, bool *has_row_key, err *e)
{
    MYSQL_RES *res;
    if (!ask(r, "table_schema", "table_name", ", index_name, column_name, sub_part", "statistics",
             " AND non_unique=0 ORDER BY table_schema, table_name, index_name, seq_in_index", &res, e))
        return false;
    key_reading k = {0};
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
        apply_table *t = find(r, field(res, row, 0), field(res, row, 1));
        if (t != k.table) {
            end_index(&k);
            if (k.table) has_row_key[k.table->def->id] = k.has_row_key;
            k = (key_reading){.table = t};
        }
        if (!t) continue;
        str index = field(res, row, 2);
        if (!k.columns || !str_eq(str_from_c(k.index), str_sub(index, 0, sizeof k.index - 1))) {
            end_index(&k);
            size_t n = index.n < sizeof k.index - 1 ? index.n : sizeof k.index - 1;
            memcpy(k.index, index.p, n);
            k.index[n] = 0;
            k.is_row_key = true;
        }
        if (!is_row_key(t, k.columns, field(res, row, 3), field(res, row, 4))) k.is_row_key = false;
        k.columns++;
    }
    end_index(&k);
    if (k.table) has_row_key[k.table->def->id] = k.has_row_key;
    mysql_free_result(res);
    return true;
}

static bool read_triggers(reading *r, err *e)
{
    MYSQL_RES *res;
    if (!ask(r, "event_object_schema", "event_object_table", "", "triggers", "", &res, e)) return false;
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
        apply_table *t = find(r, field(res, row, 0), field(res, row, 1));
        if (t) r->catalog->tables[t->def->id]->target_has_triggers = true;
    }
    mysql_free_result(res);
    return true;
}

static bool read_target(reading *r, err *e)
{
    uint64_t name_case = 0;
    bool *has_row_key = arena_array(r->mem, r->out->count, sizeof *has_row_key);
    r->seen = arena_array(r->mem, r->out->count, sizeof *r->seen);
    r->found = arena_array(r->mem, r->out->count, sizeof *r->found);
    if (!has_row_key || !r->seen || !r->found) return err_no_memory(e, "the tables of the destination");
    if (!conn_query_u64(r->c, "SELECT @@global.lower_case_table_names", &name_case, e)) return false;
    r->fold_case = name_case != 0;
    if (!make_tables(r, e) || !read_columns(r, e) || !check_present(r, e) || !read_keys(r, has_row_key, e) || !read_triggers(r, e)) return false;
    for (uint32_t i = 0; i < r->out->count; i++) {
        apply_table *t = &r->out->list[i];
        if (t->key_count && !has_row_key[i]) t->unique_key_differs = true;
        if (t->unique_key_differs) r->catalog->tables[i]->target_has_triggers = true; /* in order, as with triggers: never merged */
    }
    return true;
}

bool apply_tables_read(conn *c, catalog_def *catalog, arena *a, apply_tables *ret, err *e)
{
    apply_tables tables = {.count = catalog->table_count};
    if (!catalog->table_count) {
        *ret = tables;
        return true;
    }
    tables.list = arena_array(a, tables.count, sizeof *tables.list);
    if (!tables.list) return err_no_memory(e, "the tables of the destination");
    reading r = {.c = c, .catalog = catalog, .mem = a, .out = &tables};
    bool ok = read_target(&r, e);
    map_finish(&r.by_name);
    if (ok) *ret = tables;
    return ok;
}
