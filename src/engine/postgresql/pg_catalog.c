/* Reading the selected schemas, tables and views of a database, one query per kind of fact and schema. */
#include "engine/postgresql/pg_catalog.h"

#include <stdlib.h>
#include <string.h>

#include "model/family.h"

bool pg_catalog_is_system_schema(str schema)
{
    return str_starts_with(schema, STR("pg_")) || str_eq(schema, STR("information_schema")) || str_eq(schema, STR("sluice"));
}

bool pg_catalog_query(pg_catalog_reading *r, const char *sql, str schema, PGresult **ret, err *e)
{
    BUF_AUTO text = BUF_INIT;
    BUF_AUTO literal = BUF_INIT;
    pg_quote_literal(&literal, schema);
    buf_add_byte(&literal, 0);
    if (literal.failed) return err_no_memory(e, "a statement");
    str rest = str_from_c(sql);
    for (size_t at; (at = str_find(rest, STR("%s"))) != SIZE_MAX; rest = str_sub(rest, at + 2, SIZE_MAX)) {
        buf_add(&text, str_sub(rest, 0, at));
        buf_add(&text, (str){literal.p, literal.n - 1});
    }
    buf_add(&text, rest);
    return text.failed ? err_no_memory(e, "a statement") : pg_conn_query(r->c, buf_str(&text), ret, e);
}

str pg_catalog_cell(pg_catalog_reading *r, const PGresult *res, int row, int column, bool *ok)
{
    str s = pg_field(res, row, column);
    if (!s.p) return STR_NULL;
    str copy = arena_copy(r->a, s);
    if (!copy.p) *ok = false;
    return copy;
}

table_def *pg_catalog_table(pg_catalog_reading *r, const PGresult *res, int row, int column) { return map_get(&r->by_oid, pg_field(res, row, column)); }

uint32_t pg_catalog_numbers(str text, int32_t *ret, uint32_t cap)
{
    uint32_t n = 0;
    str piece;
    while (text.n && str_split_next(&text, ' ', &piece)) {
        int64_t v;
        if (n < cap && str_to_i64(piece, &v)) ret[n++] = (int32_t)v;
    }
    return n;
}

static bool read_schema(pg_catalog_reading *r, str schema, bool *ret_exists, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_catalog_query(r, "SELECT pg_encoding_to_char(d.encoding), d.datcollate FROM pg_catalog.pg_namespace n, pg_catalog.pg_database d WHERE n.nspname = %s "
                             "AND d.datname = pg_catalog.current_database()",
                          schema, &res, e))
        return false;
    *ret_exists = PQntuples(res) == 1;
    if (*ret_exists) {
        database_def *d = &r->out->databases[r->out->database_count++];
        *d = (database_def){.name = arena_copy(r->a, schema), .target_name = arena_copy(r->a, dblist_target_database(r->objects, schema))};
        d->charset = pg_catalog_cell(r, res, 0, 0, &ok);
        d->collation = pg_catalog_cell(r, res, 0, 1, &ok);
        ok = ok && d->name.p && d->target_name.p;
    }
    PQclear(res);
    return ok || err_no_memory(e, "schemas");
}

static void *grow(arena *a, void *old, uint32_t count, uint32_t *cap, size_t size)
{
    if (count < *cap) return old;
    uint32_t more = *cap ? *cap * 2 : 64;
    void *p = arena_array(a, more, size);
    if (!p) return NULL;
    if (count) memcpy(p, old, count * size);
    *cap = more;
    return p;
}

enum { LIST_OID, LIST_NAME, LIST_KIND, LIST_ROWS, LIST_BYTES, LIST_IDENTITY, LIST_COMMENT, LIST_VIEW, LIST_ROOT, LIST_ROOT_SCHEMA, LIST_PARENT, LIST_PARENT_SCHEMA, LIST_BOUND, LIST_KEY,
       LIST_ATTRIBUTES };

static bool read_table(pg_catalog_reading *r, const PGresult *res, int row, str schema, table_def **ret, err *e)
{
    bool ok = true;
    table_def *t = arena_alloc(r->a, sizeof *t);
    str oid = pg_catalog_cell(r, res, row, LIST_OID, &ok);
    if (!t || !ok) return err_no_memory(e, "a table");
    *t = (table_def){.sql = SQL_POSTGRESQL, .schema = arena_copy(r->a, schema), .row_key = TABLE_NO_KEY};
    t->name = pg_catalog_cell(r, res, row, LIST_NAME, &ok);
    t->storage_engine = pg_catalog_cell(r, res, row, LIST_KIND, &ok);
    t->replica_identity = pg_field(res, row, LIST_IDENTITY).p[0];
    t->comment = pg_catalog_cell(r, res, row, LIST_COMMENT, &ok);
    t->create_sql = pg_catalog_cell(r, res, row, LIST_KEY, &ok);
    (void)str_to_u64(pg_field(res, row, LIST_ROWS), &t->estimated_rows); /* -1 before the first ANALYZE */
    (void)str_to_u64(pg_field(res, row, LIST_BYTES), &t->estimated_bytes);
    if (!ok || !t->schema.p || !map_put(&r->by_oid, oid, t)) return err_no_memory(e, "a table");
    *ret = t;
    return pg_catalog_lines(r, pg_field(res, row, LIST_ATTRIBUTES), &t->attributes, &t->attribute_count, e);
}

static bool add_table(pg_catalog_reading *r, const PGresult *res, int row, str schema, err *e)
{
    table_def *t;
    if (r->out->table_count == TABLE_MAX_COUNT) return err_set(e, ERR_LIMIT, "more than %d tables are selected", TABLE_MAX_COUNT);
    r->out->tables = grow(r->a, r->out->tables, r->out->table_count, &r->table_cap, sizeof *r->out->tables);
    if (!r->out->tables) return err_no_memory(e, "a table");
    if (!read_table(r, res, row, schema, &t, e)) return false;
    r->out->tables[r->out->table_count++] = t;
    return true;
}

/* A definition alone: its rows are those of its root. */
static bool add_partition(pg_catalog_reading *r, const PGresult *res, int row, str schema, err *e)
{
    bool ok = true;
    table_def *t;
    r->partitions = grow(r->a, r->partitions, r->partition_count, &r->partition_cap, sizeof(table_def *));
    if (!r->partitions) return err_no_memory(e, "a partition");
    if (!read_table(r, res, row, schema, &t, e)) return false;
    t->partition_of = pg_catalog_cell(r, res, row, LIST_PARENT, &ok);
    t->partition_schema = pg_catalog_cell(r, res, row, LIST_PARENT_SCHEMA, &ok);
    t->partition_bound = pg_catalog_cell(r, res, row, LIST_BOUND, &ok);
    if (!ok) return err_no_memory(e, "a partition");
    r->partitions[r->partition_count++] = t;
    return true;
}

static bool add_view(pg_catalog_reading *r, const PGresult *res, int row, str schema, err *e)
{
    bool ok = true;
    dblist_match m = dblist_match_view(r->objects, schema, pg_field(res, row, LIST_NAME));
    if (!m.selected) return true;
    r->out->views = grow(r->a, r->out->views, r->out->view_count, &r->view_cap, sizeof *r->out->views);
    if (!r->out->views) return err_no_memory(e, "a view");
    view_def v = {.schema = arena_copy(r->a, schema), .target_schema = arena_copy(r->a, m.target_schema), .target_name = arena_copy(r->a, m.target_name)};
    v.name = pg_catalog_cell(r, res, row, LIST_NAME, &ok);
    v.create_sql = pg_catalog_cell(r, res, row, LIST_VIEW, &ok);
    if (!ok || !v.schema.p || !v.target_schema.p || !v.target_name.p) return err_no_memory(e, "a view");
    r->out->views[r->out->view_count++] = v;
    return true;
}

/* A partition is a table of its own only where its root is not selected: the root's changes hold those of its partitions (publish_via_partition_root). What an
 * extension owns comes with the extension. */
static bool list_objects(pg_catalog_reading *r, str schema, err *e)
{
    PGresult *res;
    if (!pg_catalog_query(r,
                          "SELECT c.oid, c.relname, c.relkind::text || c.relpersistence::text, greatest(c.reltuples, 0)::bigint, "
                          "pg_catalog.pg_total_relation_size(c.oid), c.relreplident, pg_catalog.obj_description(c.oid, 'pg_class'), "
                          "CASE WHEN c.relkind = 'v' THEN pg_catalog.pg_get_viewdef(c.oid) END, root.relname, rn.nspname, parent.relname, pn.nspname, "
                          "pg_catalog.pg_get_expr(c.relpartbound, c.oid), CASE WHEN c.relkind = 'p' THEN 'PARTITION BY ' || pg_catalog.pg_get_partkeydef(c.oid) END, "
                          "nullif(pg_catalog.concat_ws(pg_catalog.chr(10), 'SET (' || " PG_CATALOG_LINE("pg_catalog.array_to_string(c.reloptions, ', ')") " || ')', "
                          "(SELECT 'SET (toast.' || " PG_CATALOG_LINE("pg_catalog.array_to_string(toast.reloptions, ', toast.')") " || ')' FROM pg_catalog.pg_class toast "
                          "WHERE toast.oid = c.reltoastrelid)), '') "
                          "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                          "LEFT JOIN pg_catalog.pg_class root ON c.relispartition AND root.oid = pg_catalog.pg_partition_root(c.oid) "
                          "LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = root.relnamespace "
                          "LEFT JOIN pg_catalog.pg_inherits h ON c.relispartition AND h.inhrelid = c.oid LEFT JOIN pg_catalog.pg_class parent ON parent.oid = h.inhparent "
                          "LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = parent.relnamespace "
                          "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v') AND c.relpersistence <> 't' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d "
                          "WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname COLLATE \"C\"",
                          schema, &res, e))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < PQntuples(res); i++) {
        str root = pg_field(res, i, LIST_ROOT);
        if (str_starts_with(pg_field(res, i, LIST_KIND), STR("v"))) ok = add_view(r, res, i, schema, e);
        else if (root.p && dblist_match_table(r->objects, pg_field(res, i, LIST_ROOT_SCHEMA), root).selected) ok = add_partition(r, res, i, schema, e);
        else if (dblist_match_table(r->objects, schema, pg_field(res, i, LIST_NAME)).selected) ok = add_table(r, res, i, schema, e);
    }
    PQclear(res);
    return ok;
}

static int by_schema_and_name(const void *pa, const void *pb)
{
    const table_def *a = *(table_def *const *)pa, *b = *(table_def *const *)pb;
    int order = str_cmp(a->schema, b->schema);
    return order ? order : str_cmp(a->name, b->name);
}

/* In an order that stays, so that a table keeps its number. */
static bool link_tables(catalog_def *c, err *e)
{
    if (c->table_count) qsort(c->tables, c->table_count, sizeof *c->tables, by_schema_and_name);
    return family_link(c, e);
}

/* Named by the list like a table; its columns are those of its root, whatever the list says of them. */
static bool name_partition(pg_catalog_reading *r, table_def *t, err *e)
{
    dblist_match m = dblist_match_table(r->objects, t->schema, t->name);
    t->target_schema = m.selected ? arena_copy(r->a, m.target_schema) : arena_copy(r->a, dblist_target_database(r->objects, t->schema));
    t->target_name = m.selected ? arena_copy(r->a, m.target_name) : t->name;
    return (t->target_schema.p && t->target_name.p) || err_no_memory(e, "a partition");
}

static bool read_all(pg_catalog_reading *r, err *e)
{
    const str *names;
    uint32_t count = dblist_databases(r->objects, &names);
    r->out->databases = arena_array(r->a, count, sizeof *r->out->databases);
    if (!r->out->databases) return err_no_memory(e, "schemas");
    for (uint32_t i = 0; i < count; i++) {
        bool exists;
        if (pg_catalog_is_system_schema(names[i]))
            return err_set(e, ERR_NOT_SUPPORTED, "DbList.%.*s: a system schema cannot be carried; take it out of the list", STR_ARG(names[i]));
        if (!read_schema(r, names[i], &exists, e)) return false;
        if (exists && !(list_objects(r, names[i], e) && pg_catalog_read_columns(r, names[i], e))) return false;
    }
    for (uint32_t i = 0; i < r->out->table_count; i++)
        if (!dblist_apply_to_table(r->objects, r->out->tables[i], r->a, e)) return false;
    for (uint32_t i = 0; i < r->partition_count; i++)
        if (!name_partition(r, r->partitions[i], e)) return false;
    for (uint32_t i = 0; i < r->out->database_count; i++) /* behind the selection of columns: a key counts when all of its columns are carried */
        if (!pg_catalog_read_keys(r, r->out->databases[i].name, e)) return false;
    return link_tables(r->out, e) && pg_catalog_read_inheritance(r, e) && pg_catalog_read_objects(r, e);
}

/* One moment for all queries. */
bool pg_catalog_read(source *s, const dblist *objects, arena *a, catalog_def *ret, err *e)
{
    catalog_def c = {0};
    pg_catalog_reading r = {.c = s->conn, .objects = objects, .a = a, .by_oid = MAP_INIT, .out = &c};
    bool ok = pg_conn_exec(s->conn, STR("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), NULL, e) && read_all(&r, e);
    err ignored = ERR_INIT;
    if (!s->conn->broken && !pg_conn_exec(s->conn, STR("ROLLBACK"), NULL, ok ? e : &ignored)) ok = false;
    map_finish(&r.by_oid);
    if (ok) *ret = c;
    return ok;
}
