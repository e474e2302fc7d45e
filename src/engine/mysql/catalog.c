/* Reading the selected databases, tables and views of a server: information_schema per database, SHOW CREATE per selected object. */
#include "engine/mysql/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "model/family.h"

bool catalog_is_system_schema(str schema)
{
    static const char *const names[] = {"mysql", "information_schema", "performance_schema", "sys", "sluice"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(schema, str_from_c(names[i]))) return true;
    return false;
}

/* The reading of one catalog. */
typedef struct reading {
    conn *c;
    const dblist *objects;
    arena *a;
    map collations; /* charset → str * of its default collation */
    catalog_def *out;
    uint32_t table_cap, view_cap;
} reading;

static str cell(MYSQL_ROW row, const unsigned long *lengths, unsigned i, arena *a)
{
    return row[i] ? arena_copy(a, (str){row[i], lengths[i]}) : STR_NULL;
}

static bool read_collations(reading *r, err *e)
{
    MYSQL_RES *res;
    if (!conn_query(r->c, STR("SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS WHERE IS_DEFAULT = 'Yes'"), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        const unsigned long *n = mysql_fetch_lengths(res);
        str *collation = arena_alloc(r->a, sizeof *collation);
        str charset = cell(row, n, 0, r->a);
        if (collation) *collation = cell(row, n, 1, r->a);
        ok = collation && collation->p && charset.p && map_put(&r->collations, charset, collation);
    }
    mysql_free_result(res);
    return ok || err_no_memory(e, "collations");
}

static bool read_database(reading *r, str schema, bool *ret_exists, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ");
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(r->c, buf_str(&sql), &res, e)) return false;
    *ret_exists = false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        const unsigned long *n = mysql_fetch_lengths(res);
        if (!str_eq((str){row[0], n[0]}, schema)) continue; /* the comparison may ignore case */
        database_def *d = &r->out->databases[r->out->database_count++];
        *d = (database_def){.name = arena_copy(r->a, schema), .target_name = arena_copy(r->a, dblist_target_database(r->objects, schema)),
                            .charset = cell(row, n, 1, r->a), .collation = cell(row, n, 2, r->a)};
        ok = d->name.p && d->target_name.p && d->charset.p && d->collation.p;
        *ret_exists = true;
    }
    mysql_free_result(res);
    return ok || err_no_memory(e, "databases");
}

static bool add_table(reading *r, table_def *t, err *e)
{
    if (r->out->table_count == TABLE_MAX_COUNT) return err_set(e, ERR_LIMIT, "more than %d tables are selected", TABLE_MAX_COUNT);
    if (r->out->table_count == r->table_cap) {
        uint32_t cap = r->table_cap ? r->table_cap * 2 : 64;
        table_def **grown = arena_array(r->a, cap, sizeof *grown);
        if (!grown) return err_no_memory(e, "tables");
        if (r->table_cap) memcpy(grown, r->out->tables, r->table_cap * sizeof *grown);
        r->out->tables = grown;
        r->table_cap = cap;
    }
    r->out->tables[r->out->table_count++] = t;
    return true;
}

static bool add_view(reading *r, view_def v, err *e)
{
    if (r->out->view_count == r->view_cap) {
        uint32_t cap = r->view_cap ? r->view_cap * 2 : 16;
        view_def *grown = arena_array(r->a, cap, sizeof *grown);
        if (!grown) return err_no_memory(e, "views");
        if (r->view_cap) memcpy(grown, r->out->views, r->view_cap * sizeof *grown);
        r->out->views = grown;
        r->view_cap = cap;
    }
    r->out->views[r->out->view_count++] = v;
    return true;
}

/* Names, kinds and estimates of everything in a database; what is selected goes to the catalog with its definition still unread. */
static bool list_objects(reading *r, str schema, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(r->c, buf_str(&sql), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        const unsigned long *n = mysql_fetch_lengths(res);
        str name = {row[0], n[0]}, kind = {row[1], n[1]};
        if (str_eq(kind, STR("VIEW"))) {
            dblist_match m = dblist_match_view(r->objects, schema, name);
            if (!m.selected) continue;
            view_def v = {.schema = arena_copy(r->a, schema), .name = arena_copy(r->a, name), .target_schema = arena_copy(r->a, m.target_schema),
                          .target_name = arena_copy(r->a, m.target_name)};
            ok = (v.schema.p && v.name.p && v.target_schema.p && v.target_name.p) || err_no_memory(e, "a view");
            ok = ok && add_view(r, v, e);
        } else if (str_eq(kind, STR("BASE TABLE")) || str_eq(kind, STR("SYSTEM VERSIONED"))) {
            if (!dblist_match_table(r->objects, schema, name).selected) continue;
            table_def *t = arena_alloc(r->a, sizeof *t);
            if (t) *t = (table_def){.schema = arena_copy(r->a, schema), .name = arena_copy(r->a, name), .row_key = TABLE_NO_KEY};
            ok = (t && t->schema.p && t->name.p) || err_no_memory(e, "a table");
            if (ok && row[2]) (void)str_to_u64((str){row[2], n[2]}, &t->estimated_rows);
            if (ok && row[3]) (void)str_to_u64((str){row[3], n[3]}, &t->estimated_bytes);
            ok = ok && add_table(r, t, e);
        }
    }
    mysql_free_result(res);
    return ok;
}

/* The second column of SHOW CREATE. */
static bool show_create(reading *r, const char *kind, str schema, str name, str *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_printf(&sql, "SHOW CREATE %s ", kind);
    conn_quote_table(&sql, schema, name);
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(r->c, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    str text = STR_NULL;
    if (row && mysql_num_fields(res) > 1 && row[1]) text = arena_copy(r->a, (str){row[1], mysql_fetch_lengths(res)[1]});
    mysql_free_result(res);
    if (!text.p) return err_set(e, ERR_SOURCE_QUERY, "SHOW CREATE %s %.*s.%.*s gave no definition", kind, STR_ARG(schema), STR_ARG(name));
    *ret = text;
    return true;
}

static bool needs_conversion(const column_def *c)
{
    if (str_starts_with_nocase(c->charset, STR("utf8"))) return false;
    if (str_starts_with_nocase(c->charset, STR("ucs2")) || str_starts_with_nocase(c->charset, STR("utf16")) ||
        str_starts_with_nocase(c->charset, STR("utf32")))
        return true;
    for (uint32_t i = 0; i < c->label_count; i++)
        for (size_t k = 0; k < c->labels[i].n; k++)
            if ((unsigned char)c->labels[i].p[k] > 127) return true;
    return false;
}

/* The server wrote the labels as UTF-8; row images and text rows hold them in the column's charset. The server converts them back. */
static bool convert_labels(reading *r, column_def *c, err *e)
{
    if (!needs_conversion(c)) return true;
    BUF_AUTO sql = BUF_INIT;
    for (uint32_t i = 0; i < c->label_count; i++) {
        buf_add_c(&sql, sql.n ? " UNION ALL SELECT " : "SELECT ");
        buf_printf(&sql, "%u, CONVERT(", i);
        conn_quote_literal(&sql, c->labels[i], STR("utf8mb4"));
        buf_printf(&sql, " USING %.*s)", STR_ARG(c->charset));
        if ((i + 1) % 500 && i + 1 < c->label_count) continue;
        MYSQL_RES *res;
        if (sql.failed) return err_no_memory(e, "a statement");
        if (!conn_query(r->c, buf_str(&sql), &res, e)) return false;
        bool ok = true;
        for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
            uint64_t at = 0;
            const unsigned long *n = mysql_fetch_lengths(res);
            ok = str_to_u64((str){row[0], n[0]}, &at) && at < c->label_count && row[1];
            if (ok) c->labels[at] = cell(row, n, 1, r->a);
            ok = ok && c->labels[at].p;
        }
        mysql_free_result(res);
        if (!ok) return err_set(e, ERR_SOURCE_QUERY, "the labels of column %.*s cannot be read in its charset", STR_ARG(c->name));
        buf_reset(&sql);
    }
    return true;
}

static bool read_table(reading *r, table_def *t, err *e)
{
    ddl_table d;
    if (!show_create(r, "TABLE", t->schema, t->name, &t->create_sql, e)) return false;
    if (!ddl_parse_table(t->create_sql, r->a, &d, e)) return err_context(e, "%.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    if (!catalog_fill_table(&d, &r->collations, r->a, t, e)) return false;
    for (uint32_t i = 0; i < t->column_count; i++)
        if (!convert_labels(r, &t->columns[i], e)) return err_context(e, "%.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    if (!dblist_apply_to_table(r->objects, t, r->a, e)) return false;
    table_choose_row_key(t);
    return true;
}

static int by_schema_and_name(const void *pa, const void *pb)
{
    const table_def *a = *(table_def *const *)pa, *b = *(table_def *const *)pb;
    int order = str_cmp(a->schema, b->schema);
    return order ? order : str_cmp(a->name, b->name);
}

static int views_by_schema_and_name(const void *pa, const void *pb)
{
    const view_def *a = pa, *b = pb;
    int order = str_cmp(a->schema, b->schema);
    return order ? order : str_cmp(a->name, b->name);
}

/* In an order that stays, so that a table keeps its number. */
static bool link_tables(catalog_def *c, err *e)
{
    if (c->table_count) qsort(c->tables, c->table_count, sizeof *c->tables, by_schema_and_name);
    if (c->view_count) qsort(c->views, c->view_count, sizeof *c->views, views_by_schema_and_name);
    return family_link(c, e);
}

static bool read_all(reading *r, err *e)
{
    const str *names;
    uint32_t count = dblist_databases(r->objects, &names);
    r->out->databases = arena_array(r->a, count, sizeof *r->out->databases);
    if (!r->out->databases) return err_no_memory(e, "databases");
    if (!read_collations(r, e)) return false;
    /* Generated invisible primary keys are columns of every row image: they have to be seen. */
    if (!r->c->is_mariadb && r->c->version >= 80030 &&
        !conn_exec(r->c, STR("SET SESSION show_gipk_in_create_table_and_information_schema = ON"), NULL, e))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (catalog_is_system_schema(names[i]))
            return err_set(e, ERR_NOT_SUPPORTED, "DbList.%.*s: a system database cannot be carried; take it out of the list", STR_ARG(names[i]));
        bool exists;
        if (!read_database(r, names[i], &exists, e) || (exists && !list_objects(r, names[i], e))) return false;
    }
    for (uint32_t i = 0; i < r->out->table_count; i++)
        if (!read_table(r, r->out->tables[i], e)) return false;
    for (uint32_t i = 0; i < r->out->view_count; i++)
        if (!show_create(r, "VIEW", r->out->views[i].schema, r->out->views[i].name, &r->out->views[i].create_sql, e)) return false;
    return link_tables(r->out, e);
}

bool catalog_read(source *s, const dblist *objects, arena *a, catalog_def *ret, err *e)
{
    catalog_def c = {0};
    reading r = {.c = s->conn, .objects = objects, .a = a, .collations = MAP_INIT, .out = &c};
    bool ok = read_all(&r, e);
    map_finish(&r.collations);
    if (ok) *ret = c;
    return ok;
}
