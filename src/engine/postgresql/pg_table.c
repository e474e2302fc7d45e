/* Reads the catalog of the target in three queries, whatever the number of tables. */
#include "engine/postgresql/pg_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

/* Up to so many tables are asked for by name, more by schema. */
#define NAMED_TABLES 64

typedef struct reading {
    pg_conn *c;
    const table_def *const *defs;
    uint32_t count;
    arena *mem;
    pg_table *list;
    map by_name;     /* "schema\0table" of the target → pg_table */
    str where;       /* the tables, as a condition on n.nspname and c.relname */
    buf *others, *kept, *values; /* by table: what becomes others_sql, kept_sql, kept_values_sql */
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

static pg_table *find(reading *r, const PGresult *res, int row)
{
    arena a;
    arena_init(&a, 512, 0);
    str key = name_key(&a, pg_field(res, row, 0), pg_field(res, row, 1));
    pg_table *t = key.p ? map_get(&r->by_name, key) : NULL;
    arena_finish(&a);
    return t;
}

static bool out_of_memory(err *e) { return err_no_memory(e, "the tables of the destination"); }

static str copy_name(arena *a, str name)
{
    BUF_AUTO b = BUF_INIT;
    pg_quote_name(&b, name);
    return b.failed ? STR_NULL : arena_copy(a, buf_str(&b));
}

/* A copy, or STR_NULL of NULL; *ok turns false without memory. */
static str cell(reading *r, const PGresult *res, int row, int column, bool *ok)
{
    str s = pg_field(res, row, column);
    if (!s.p) return STR_NULL;
    str kept = arena_copy(r->mem, s);
    if (!kept.p) *ok = false;
    return kept;
}

static bool is_true(const PGresult *res, int row, int column) { return str_eq(pg_field(res, row, column), STR("t")); }

static str target_name(const column_def *c) { return c->target_name.n ? c->target_name : c->name; }

static bool make_table(reading *r, uint32_t i, err *e)
{
    const table_def *def = r->defs[i];
    pg_table *t = &r->list[i];
    BUF_AUTO name = BUF_INIT;
    t->def = def;
    pg_quote_table(&name, def->target_schema, def->target_name);
    t->name = arena_copy(r->mem, buf_str(&name));
    t->columns = arena_array(r->mem, (size_t)def->column_count + 1, sizeof *t->columns);
    t->written = arena_array(r->mem, def->column_count, sizeof *t->written);
    str key = name_key(r->mem, def->target_schema, def->target_name);
    if (name.failed || !t->name.p || !t->columns || !t->written || !key.p || !map_put(&r->by_name, key, t)) return out_of_memory(e);
    if (def->row_key != TABLE_NO_KEY) {
        t->key = def->keys[def->row_key].columns;
        t->key_count = def->keys[def->row_key].count;
    }
    for (uint32_t k = 0; k < def->column_count; k++) {
        t->columns[k].name = copy_name(r->mem, target_name(&def->columns[k]));
        t->columns[k].written = def->columns[k].selected && !def->columns[k].generated;
        if (t->columns[k].written) t->written[t->written_count++] = k;
        t->columns[k].equals = STR("=");
        if (!t->columns[k].name.p) return out_of_memory(e);
    }
    return true;
}

/* "n.nspname IN (...)", and the names of few tables. */
static bool make_where(reading *r, err *e)
{
    BUF_AUTO b = BUF_INIT;
    map seen = MAP_INIT;
    bool ok = true;
    buf_add_c(&b, "n.nspname IN (");
    for (uint32_t i = 0; ok && i < r->count; i++) {
        if (map_get(&seen, r->defs[i]->target_schema)) continue;
        if (seen.count) buf_add_byte(&b, ',');
        pg_quote_literal(&b, r->defs[i]->target_schema);
        ok = map_put(&seen, r->defs[i]->target_schema, r);
    }
    map_finish(&seen);
    if (r->count <= NAMED_TABLES) {
        buf_add_c(&b, ") AND c.relname IN (");
        for (uint32_t i = 0; i < r->count; i++) {
            if (i) buf_add_byte(&b, ',');
            pg_quote_literal(&b, r->defs[i]->target_name);
        }
    }
    buf_add_byte(&b, ')');
    if (ok && !b.failed) r->where = arena_copy(r->mem, buf_str(&b));
    return r->where.p || out_of_memory(e);
}

/* sql: up to the condition that names the tables; tail: what comes after it. */
static bool ask(reading *r, const char *sql, const char *tail, PGresult **ret, err *e)
{
    BUF_AUTO b = BUF_INIT;
    buf_add_c(&b, sql);
    buf_add(&b, r->where);
    buf_add_c(&b, tail);
    if (b.failed) return err_no_memory(e, "a statement");
    return pg_conn_query(r->c, buf_str(&b), ret, e) || err_context(e, "looking at the destination's tables");
}

/* ---- columns ---- */

enum { COLUMN_KIND = 2, COLUMN_NAME, COLUMN_ALWAYS, COLUMN_TYPE, COLUMN_FULL_TYPE, COLUMN_ARRAY, COLUMN_GENERATED };

/* format_type with -1, not NULL: "bpchar", not "character", which would cut to one character. Values go in as an array of the type where it has an array type,
 * a comma between its elements (box has a semicolon), and unnest() makes one column of it (composite types become several). */
#define COLUMNS_SQL                                                                                                                         \
    "SELECT n.nspname, c.relname, c.relkind, a.attname, a.attidentity = 'a', pg_catalog.format_type(a.atttypid, -1), "                       \
    "pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN t.typarray <> 0 AND t.typdelim = ',' AND t.typtype IN ('b', 'e', 'r', 'm') THEN pg_catalog.format_type(t.typarray, -1) END, a.attgenerated <> '' " \
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND " \
    "a.attnum > 0 AND NOT a.attisdropped JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE c.relkind IN ('r', 'p') AND "

static bool take_other(reading *r, const pg_table *t, const PGresult *res, int row)
{
    buf *b = &r->others[t - r->list];
    buf_add_c(b, ", NULL::");
    buf_add(b, pg_field(res, row, COLUMN_TYPE));
    buf_add_c(b, " AS ");
    pg_quote_name(b, pg_field(res, row, COLUMN_NAME));
    if (is_true(res, row, COLUMN_GENERATED)) return !b->failed;
    buf *kept = &r->kept[t - r->list], *values = &r->values[t - r->list];
    buf_add_c(kept, ", ");
    buf_add_c(values, ", _sluice_t.");
    pg_quote_name(kept, pg_field(res, row, COLUMN_NAME));
    pg_quote_name(values, pg_field(res, row, COLUMN_NAME));
    return !b->failed && !kept->failed && !values->failed;
}

static bool take_column(reading *r, pg_table *t, const PGresult *res, int row)
{
    bool ok = true;
    uint32_t i = 0;
    while (i < t->def->column_count && !str_eq(target_name(&t->def->columns[i]), pg_field(res, row, COLUMN_NAME))) i++;
    if (i == t->def->column_count) return take_other(r, t, res, row);
    pg_column *c = &t->columns[i];
    c->type = cell(r, res, row, COLUMN_TYPE, &ok);
    c->full_type = cell(r, res, row, COLUMN_FULL_TYPE, &ok);
    c->array_type = cell(r, res, row, COLUMN_ARRAY, &ok);
    c->always = is_true(res, row, COLUMN_ALWAYS);
    if (!c->written) return ok && take_other(r, t, res, row);
    t->any_always |= c->always;
    return ok;
}

static bool read_columns(reading *r, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!ask(r, COLUMNS_SQL, "", &res, e)) return false;
    for (int i = 0; ok && i < PQntuples(res); i++) {
        pg_table *t = find(r, res, i);
        if (!t) continue;
        t->exists = true;
        t->partitioned = str_eq(pg_field(res, i, COLUMN_KIND), STR("p"));
        ok = take_column(r, t, res, i);
    }
    PQclear(res);
    return ok || out_of_memory(e);
}

/* PostGIS came after the table was made: EWKB in hex would be taken for the bytes themselves. */
static bool takes_shapes_for_bytes(const pg_table *t, uint32_t i)
{
    return t->columns[i].written && str_eq(t->columns[i].type, STR("bytea")) && str_find(t->def->columns[i].native_type, STR("\"geometry\"")) != SIZE_MAX;
}

static bool check_present(const pg_table *t, err *e)
{
    if (!t->exists)
        return err_set(e, ERR_TARGET_QUERY, "the destination has no table %.*s.%.*s; create it or reset the job", STR_ARG(t->def->target_schema),
                       STR_ARG(t->def->target_name));
    for (uint32_t i = 0; i < t->def->column_count; i++)
        if (t->columns[i].written && !t->columns[i].type.p)
            return err_set(e, ERR_TARGET_QUERY, "table %.*s.%.*s of the destination lacks the column %.*s; add it or reset the job", STR_ARG(t->def->target_schema),
                           STR_ARG(t->def->target_name), STR_ARG(target_name(&t->def->columns[i])));
    for (uint32_t i = 0; i < t->def->column_count; i++)
        if (takes_shapes_for_bytes(t, i))
            return err_set(e, ERR_TARGET_QUERY, "column %.*s of %.*s.%.*s in the destination is bytea, made when the destination had no PostGIS; reset the job, or choose bytea in Reserve, sluice.types T20",
                           STR_ARG(target_name(&t->def->columns[i])), STR_ARG(t->def->target_schema), STR_ARG(t->def->target_name));
    return true;
}

static bool make_texts(reading *r, pg_table *t, err *e)
{
    BUF_AUTO columns = BUF_INIT;
    bool first = true;
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written) continue;
        buf_add_c(&columns, first ? "" : ", ");
        buf_add(&columns, t->columns[i].name);
        first = false;
    }
    t->columns_sql = arena_copy(r->mem, buf_str(&columns));
    t->others_sql = arena_copy(r->mem, buf_str(&r->others[t - r->list]));
    t->kept_sql = arena_copy(r->mem, buf_str(&r->kept[t - r->list]));
    t->kept_values_sql = arena_copy(r->mem, buf_str(&r->values[t - r->list]));
    t->from = t->partitioned ? t->name : arena_printf(r->mem, "ONLY %.*s", STR_ARG(t->name));
    return (!columns.failed && t->columns_sql.p && t->others_sql.p && t->kept_sql.p && t->kept_values_sql.p && t->from.p) || out_of_memory(e);
}

/* ---- indexes ---- */

enum { INDEX_OID = 2, INDEX_UNIQUE, INDEX_EXCLUDES, INDEX_IMMEDIATE, INDEX_VALID, INDEX_PREDICATE, INDEX_PLACE, INDEX_COLUMN, INDEX_ELEMENT, INDEX_EQUALS };

/* The operator that finds what an element equals (for EXCLUDE: conflicts with): found by name only when it is one of pg_catalog, as search_path is empty. */
#define INDEXES_SQL                                                                                                                         \
    "SELECT n.nspname, c.relname, i.indexrelid, i.indisunique OR i.indisexclusion, i.indisexclusion OR x.conexclop IS NOT NULL, i.indimmediate, i.indisvalid, " \
    "pg_catalog.pg_get_expr(i.indpred, i.indrelid), k.place, a.attname, pg_catalog.pg_get_indexdef(i.indexrelid, k.place, false), "          \
    "(SELECT CASE WHEN s.nspname = 'pg_catalog' THEN o.oprname::text ELSE pg_catalog.format('OPERATOR(%I.%s)', s.nspname, o.oprname) END "   \
    "FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace s ON s.oid = o.oprnamespace WHERE o.oid = coalesce(x.conexclop[k.place], "   \
    "(SELECT m.amopopr FROM pg_catalog.pg_opclass f JOIN pg_catalog.pg_am w ON w.oid = f.opcmethod AND w.amname = 'btree' JOIN pg_catalog.pg_amop m ON " \
    "m.amopfamily = f.opcfamily AND m.amoplefttype = f.opcintype AND m.amoprighttype = f.opcintype AND m.amopstrategy = 3 WHERE f.oid = "    \
    "i.indclass[k.place - 1]))) "                                                                                                           \
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "  \
    "LEFT JOIN pg_catalog.pg_constraint x ON x.conindid = i.indexrelid AND x.conexclop IS NOT NULL "                                        \
    "CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts) k(place) "                                                             \
    "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[k.place - 1] "                                       \
    "WHERE i.indislive AND c.relkind IN ('r', 'p') AND (i.indisunique OR i.indisexclusion OR k.place = 1) AND "

static pg_column *find_column(pg_table *t, str name)
{
    for (uint32_t i = 0; name.p && i < t->def->column_count; i++)
        if (str_eq(target_name(&t->def->columns[i]), name)) return &t->columns[i];
    return NULL;
}

/* Exactly the row key's columns, in any order, always unique. */
static bool is_row_key(pg_table *t, const PGresult *res, int from, int to)
{
    if (!t->key_count || (uint32_t)(to - from) != t->key_count || is_true(res, from, INDEX_EXCLUDES) || !is_true(res, from, INDEX_IMMEDIATE) ||
        !is_true(res, from, INDEX_VALID) || pg_field(res, from, INDEX_PREDICATE).p)
        return false;
    for (uint32_t k = 0; k < t->key_count; k++) {
        int i = from;
        while (i < to && find_column(t, pg_field(res, i, INDEX_COLUMN)) != &t->columns[t->key[k]]) i++;
        if (i == to) return false;
    }
    return true;
}

static bool add_unique(reading *r, pg_table *t, const PGresult *res, int from, int to)
{
    pg_unique *u = &t->uniques[t->unique_count];
    bool ok = true;
    u->count = (uint32_t)(to - from);
    u->elements = arena_array(r->mem, u->count, sizeof *u->elements);
    u->equals = arena_array(r->mem, u->count, sizeof *u->equals);
    u->predicate = cell(r, res, from, INDEX_PREDICATE, &ok);
    for (uint32_t i = 0; ok && u->elements && u->equals && i < u->count; i++) {
        u->elements[i] = cell(r, res, from + (int)i, INDEX_ELEMENT, &ok);
        u->equals[i] = cell(r, res, from + (int)i, INDEX_EQUALS, &ok);
        if (!u->equals[i].p) u->equals[i] = STR("=");
    }
    t->unique_count++;
    return ok && u->elements && u->equals;
}

/* The elements of one index, in order. */
static bool take_index(reading *r, pg_table *t, const PGresult *res, int from, int to)
{
    bool ok = true, row_key;
    pg_column *first = find_column(t, pg_field(res, from, INDEX_COLUMN));
    if (first && pg_field(res, from, INDEX_EQUALS).p && !is_true(res, from, INDEX_EXCLUDES) && is_true(res, from, INDEX_VALID) && !pg_field(res, from, INDEX_PREDICATE).p) {
        first->indexed = true;
        first->equals = cell(r, res, from, INDEX_EQUALS, &ok);
    }
    if (!ok || !is_true(res, from, INDEX_UNIQUE)) return ok;
    if (!is_true(res, from, INDEX_IMMEDIATE)) t->deferrable = true;
    row_key = is_row_key(t, res, from, to);
    for (int i = from; ok && row_key && i < to; i++) {
        pg_column *c = find_column(t, pg_field(res, i, INDEX_COLUMN));
        if (c && pg_field(res, i, INDEX_EQUALS).p) c->equals = cell(r, res, i, INDEX_EQUALS, &ok);
    }
    t->has_row_key |= row_key;
    return ok && (row_key || add_unique(r, t, res, from, to));
}

static int end_of_index(const PGresult *res, int from)
{
    int i = from;
    while (i < PQntuples(res) && str_eq(pg_field(res, i, INDEX_OID), pg_field(res, from, INDEX_OID))) i++;
    return i;
}

static bool make_unique_lists(reading *r, const PGresult *res)
{
    for (int i = 0; i < PQntuples(res); i = end_of_index(res, i)) {
        pg_table *t = find(r, res, i);
        if (t) t->unique_count += is_true(res, i, INDEX_UNIQUE);
    }
    for (uint32_t i = 0; i < r->count; i++) {
        r->list[i].uniques = arena_array(r->mem, r->list[i].unique_count, sizeof *r->list[i].uniques);
        if (!r->list[i].uniques) return false;
        r->list[i].unique_count = 0;
    }
    return true;
}

static bool read_indexes(reading *r, err *e)
{
    PGresult *res;
    if (!ask(r, INDEXES_SQL, " ORDER BY i.indrelid, i.indexrelid, k.place", &res, e)) return false;
    bool ok = make_unique_lists(r, res);
    for (int i = 0, next; ok && i < PQntuples(res); i = next) {
        pg_table *t = find(r, res, i);
        next = end_of_index(res, i);
        ok = !t || take_index(r, t, res, i, next);
    }
    PQclear(res);
    return ok || out_of_memory(e);
}

/* ---- triggers, rules, foreign keys ---- */

/* tgenabled, ev_enabled: O origin, R replica, A always, D disabled. A partitioned table's rows meet the triggers of its leaves. */
#define TRIGGERS_SQL                                                                                                                        \
    "SELECT n.nspname, c.relname, coalesce(g.origin, false), coalesce(g.replica, false), coalesce(w.origin, false), coalesce(w.replica, false), " \
    "f.name IS NOT NULL, f.acting FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "                                                  \
    "LEFT JOIN LATERAL (SELECT pg_catalog.bool_or(tgenabled IN ('O', 'A')), pg_catalog.bool_or(tgenabled IN ('R', 'A')) FROM pg_catalog.pg_trigger WHERE NOT " \
    "tgisinternal AND (tgrelid = c.oid OR c.relkind = 'p' AND tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)))) g(origin, replica) ON true " \
    "LEFT JOIN LATERAL (SELECT pg_catalog.min(conname), pg_catalog.min(conname) FILTER (WHERE confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd')) FROM " \
    "pg_catalog.pg_constraint WHERE contype = 'f' AND (conrelid = c.oid OR confrelid = c.oid)) f(name, acting) ON true "                     \
    "LEFT JOIN LATERAL (SELECT pg_catalog.bool_or(ev_enabled IN ('O', 'A')), pg_catalog.bool_or(ev_enabled IN ('R', 'A')) FROM pg_catalog.pg_rewrite WHERE ev_class = " \
    "c.oid) w(origin, replica) ON true WHERE c.relkind IN ('r', 'p') AND "

static bool read_triggers(reading *r, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!ask(r, TRIGGERS_SQL, "", &res, e)) return false;
    for (int i = 0; ok && i < PQntuples(res); i++) {
        pg_table *t = find(r, res, i);
        if (!t) continue;
        t->triggers = is_true(res, i, 2);
        t->replica_triggers = is_true(res, i, 3);
        t->rules = is_true(res, i, 4);
        t->replica_rules = is_true(res, i, 5);
        t->foreign_keys = is_true(res, i, 6);
        t->acting_foreign_key = cell(r, res, i, 7, &ok);
    }
    PQclear(res);
    return ok || out_of_memory(e);
}

static bool read_all(reading *r, err *e)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (!make_table(r, i, e)) return false;
    if (!make_where(r, e) || !read_columns(r, e)) return false;
    for (uint32_t i = 0; i < r->count; i++)
        if (!check_present(&r->list[i], e) || !make_texts(r, &r->list[i], e)) return false;
    return read_indexes(r, e) && read_triggers(r, e);
}

bool pg_tables_read(pg_conn *c, const table_def *const *tables, uint32_t count, arena *a, pg_table **ret, err *e)
{
    reading r = {.c = c, .defs = tables, .count = count, .mem = a, .by_name = MAP_INIT};
    r.list = arena_array(a, count, sizeof *r.list);
    buf *texts = calloc(3 * ((size_t)count + 1), sizeof *texts);
    r.others = texts, r.kept = texts ? texts + count : NULL, r.values = texts ? texts + 2 * (size_t)count : NULL;
    bool ok = (r.list && texts) || out_of_memory(e);
    ok = ok && (!count || read_all(&r, e));
    for (size_t i = 0; texts && i < 3 * (size_t)count; i++) buf_finish(&texts[i]);
    free(texts);
    map_finish(&r.by_name);
    if (ok) *ret = r.list;
    return ok;
}
