/* The types of the selected tables' columns, and the types that those are made of: elements, bases, fields, bounds. */
#include <string.h>

#include "engine/postgresql/pg_catalog.h"

static const struct {
    const char *name; /* pg_type.typname in pg_catalog */
    col_type type;
} names[] = {
    {"int2", COL_SMALLINT}, {"int4", COL_INT}, {"int8", COL_BIGINT}, {"float4", COL_FLOAT}, {"float8", COL_DOUBLE}, {"numeric", COL_DECIMAL},
    {"text", COL_TEXT}, {"varchar", COL_VARCHAR}, {"bpchar", COL_CHAR}, {"bytea", COL_BLOB}, {"bit", COL_BIT}, {"varbit", COL_BIT},
    {"date", COL_DATE}, {"time", COL_TIME}, {"timestamp", COL_DATETIME}, {"timestamptz", COL_TIMESTAMP}, {"json", COL_JSON}, {"jsonb", COL_JSON},
    {"uuid", COL_UUID}, {"inet", COL_INET}, {"cidr", COL_INET}, {"macaddr", COL_INET}, {"macaddr8", COL_INET},
};

col_type pg_catalog_type(str kind, bool builtin, str name)
{
    if (str_eq(kind, STR("e"))) return COL_ENUM;
    for (size_t i = 0; builtin && i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, str_from_c(names[i].name))) return names[i].type;
    return COL_OTHER;
}

/* atttypmod: numeric (precision << 16 | scale) + 4, texts length + 4, bits and times as they are; -1 without one (src/backend/utils/adt). */
void pg_catalog_lengths(col_type type, int32_t modifier, uint32_t *length, uint32_t *scale)
{
    if (modifier < 0) return;
    switch (type) {
    case COL_DECIMAL:
        *length = (uint32_t)((modifier - 4) >> 16) & 0xffff;
        *scale = (uint32_t)(modifier - 4) & 0x7ff;
        break;
    case COL_VARCHAR: case COL_CHAR: *length = (uint32_t)(modifier - 4); break;
    case COL_BIT: *length = (uint32_t)modifier; break;
    case COL_TIME: case COL_DATETIME: case COL_TIMESTAMP: *scale = (uint32_t)modifier; break;
    default: break;
    }
}

/* One label a line, with \ and line feed escaped by the query. */
bool pg_catalog_lines(pg_catalog_reading *r, str lines, str **ret, uint32_t *ret_count, err *e)
{
    uint32_t n = 0, cap = 1;
    for (size_t i = 0; i < lines.n; i++) cap += lines.p[i] == '\n';
    str *list = arena_array(r->a, cap, sizeof *list), line;
    if (!list) return err_no_memory(e, "labels");
    while (lines.p && str_split_next(&lines, '\n', &line)) {
        char *out = arena_bytes(r->a, line.n + 1);
        size_t k = 0;
        if (!out) return err_no_memory(e, "labels");
        for (size_t i = 0; i < line.n; i++) {
            if (line.p[i] == '\\' && i + 1 < line.n) out[k++] = line.p[++i] == 'n' ? '\n' : line.p[i];
            else out[k++] = line.p[i];
        }
        list[n++] = (str){out, k};
    }
    *ret = list;
    *ret_count = n;
    return true;
}

/* ---- types ---- */

/* A type as it was read, and the oid of what it is made of. */
typedef struct type_row {
    type_def def;
    str of, of_sql;
    int32_t of_modifier;
} type_row;

typedef struct type_reading {
    pg_catalog_reading *r;
    str schema;
    map by_oid; /* oid text → type_row * */
} type_reading;

/* All that is behind the columns' types. There are multiranges since 14: an older server does not have their column (to_jsonb finds it by name). */
#define TYPES_BEHIND(multirange) \
    "WITH RECURSIVE seen(oid) AS (SELECT a.atttypid FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid " \
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped " \
    "UNION SELECT next.oid FROM seen s JOIN LATERAL (" \
    "SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END FROM pg_catalog.pg_type t WHERE t.oid = s.oid AND (t.typtype = 'd' OR " IS_ARRAY ") " \
    "UNION ALL SELECT g.rngsubtype FROM pg_catalog.pg_range g WHERE g.rngtypid = s.oid " multirange \
    "UNION ALL SELECT f.atttypid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute f ON f.attrelid = t.typrelid WHERE t.oid = s.oid AND t.typtype = 'c' " \
    "AND f.attnum > 0 AND NOT f.attisdropped) next(oid) ON true) "
/* int2vector and point have elements and are no arrays. */
#define IS_ARRAY "t.typoutput = 'pg_catalog.array_out'::pg_catalog.regproc"
#define MULTIRANGE "UNION ALL SELECT g.rngtypid FROM pg_catalog.pg_range g WHERE g.rngmultitypid = s.oid "
#define BEHIND(r, rest) ((r)->c->version >= 140000 ? TYPES_BEHIND(MULTIRANGE) rest : TYPES_BEHIND("") rest)

static bool read_type(type_reading *w, const PGresult *res, int i, err *e)
{
    pg_catalog_reading *r = w->r;
    bool ok = true;
    type_row *t = arena_alloc(r->a, sizeof *t);
    str oid = pg_catalog_cell(r, res, i, 0, &ok), kind = pg_field(res, i, 1);
    int64_t modifier = -1;
    if (!t || !ok) return err_no_memory(e, "a type");
    t->def.kind = kind.p[0];
    t->def.schema = pg_catalog_cell(r, res, i, 2, &ok);
    t->def.name = pg_catalog_cell(r, res, i, 3, &ok);
    t->def.sql = pg_catalog_cell(r, res, i, 4, &ok);
    t->def.delimiter = pg_field(res, i, 5).p[0];
    t->def.extension = pg_catalog_cell(r, res, i, 6, &ok);
    t->of = pg_catalog_cell(r, res, i, 7, &ok);
    t->of_sql = pg_catalog_cell(r, res, i, 12, &ok);
    (void)str_to_i64(pg_field(res, i, 8), &modifier);
    t->of_modifier = (int32_t)modifier;
    t->def.not_null = str_eq(pg_field(res, i, 9), STR("t"));
    t->def.default_sql = pg_catalog_cell(r, res, i, 10, &ok);
    t->def.type = pg_catalog_type(kind, str_eq(t->def.schema, STR("pg_catalog")), t->def.name);
    if (!ok || !map_put(&w->by_oid, oid, t)) return err_no_memory(e, "a type");
    return t->def.kind != 'e' || pg_catalog_lines(r, pg_field(res, i, 11), &t->def.names, &t->def.count, e);
}

static bool read_types(type_reading *w, err *e)
{
    PGresult *res;
    bool ok = true;
    const char *sql = BEHIND(w->r, "SELECT t.oid, CASE WHEN " IS_ARRAY " THEN 'a' ELSE t.typtype END, n.nspname, t.typname, pg_catalog.format_type(t.oid, NULL), t.typdelim, "
                                   "coalesce((SELECT x.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid WHERE d.deptype = 'e' AND "
                                   "d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass), ''), "
                                   "CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typtype = 'r' THEN (SELECT g.rngsubtype FROM pg_catalog.pg_range g WHERE g.rngtypid = t.oid) "
                                   "WHEN t.typtype = 'm' THEN (SELECT (pg_catalog.to_jsonb(g) ->> 'rngtypid')::oid FROM pg_catalog.pg_range g WHERE "
                                   "(pg_catalog.to_jsonb(g) ->> 'rngmultitypid')::oid = t.oid) WHEN " IS_ARRAY " THEN t.typelem END, "
                                   "t.typtypmod, t.typnotnull, CASE WHEN t.typtype = 'd' THEN coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault) END, "
                                   "(SELECT pg_catalog.string_agg(pg_catalog.replace(pg_catalog.replace(l.enumlabel, '\\', '\\\\'), pg_catalog.chr(10), '\\n'), "
                                   "pg_catalog.chr(10) ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid), "
                                   "CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END "
                                   "FROM seen s JOIN pg_catalog.pg_type t ON t.oid = s.oid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace");
    if (!pg_catalog_query(w->r, sql, w->schema, &res, e)) return false;
    for (int i = 0; ok && i < PQntuples(res); i++) ok = read_type(w, res, i, e);
    PQclear(res);
    return ok;
}

/* The type with the modifiers that a column, element or field has; its text is that of `sql`, or the type's own. */
static const type_def *modified(type_reading *w, str oid, int32_t modifier, str sql)
{
    const type_row *row = map_get(&w->by_oid, oid);
    if (!row) return NULL;
    if (modifier < 0) return &row->def;
    type_def *t = arena_alloc(w->r->a, sizeof *t);
    if (!t) return NULL;
    *t = row->def;
    if (sql.p) t->sql = sql;
    pg_catalog_lengths(t->type, modifier, &t->length, &t->scale);
    if (t->kind == 'a') t->of = modified(w, row->of, modifier, STR_NULL); /* an array's modifier is that of its elements */
    return t;
}

static bool link_types(type_reading *w, err *e)
{
    for (size_t i = 0; i < w->by_oid.count; i++) {
        type_row *t = w->by_oid.entries[i].value;
        if (!t || !t->of.p) continue;
        t->def.of = modified(w, t->of, t->of_modifier, t->of_sql);
        if (!t->def.of) return err_no_memory(e, "a type");
    }
    return true;
}

/* ---- what types have several of ---- */

static uint32_t rows_of(const PGresult *res, int from)
{
    int i = from;
    while (i < PQntuples(res) && str_eq(pg_field(res, i, 0), pg_field(res, from, 0))) i++;
    return (uint32_t)(i - from);
}

static bool read_fields(type_reading *w, const PGresult *res, int from, uint32_t n, err *e)
{
    type_row *t = map_get(&w->by_oid, pg_field(res, from, 0));
    bool ok = true;
    if (!t) return true;
    t->def.names = arena_array(w->r->a, n, sizeof *t->def.names);
    t->def.fields = arena_array(w->r->a, n, sizeof(const type_def *));
    if (!t->def.names || !t->def.fields) return err_no_memory(e, "a type");
    for (uint32_t k = 0; k < n; k++) {
        int64_t modifier = -1;
        int row = from + (int)k;
        (void)str_to_i64(pg_field(res, row, 3), &modifier);
        t->def.names[k] = pg_catalog_cell(w->r, res, row, 1, &ok);
        t->def.fields[k] = modified(w, pg_field(res, row, 2), (int32_t)modifier, pg_catalog_cell(w->r, res, row, 4, &ok));
        ok = ok && t->def.fields[k];
    }
    t->def.count = n;
    return ok || err_no_memory(e, "a type");
}

static bool read_checks(type_reading *w, const PGresult *res, int from, uint32_t n, err *e)
{
    type_row *t = map_get(&w->by_oid, pg_field(res, from, 0));
    bool ok = true;
    if (!t) return true;
    t->def.checks = arena_array(w->r->a, n, sizeof *t->def.checks);
    if (!t->def.checks) return err_no_memory(e, "a type");
    for (uint32_t k = 0; k < n; k++) {
        t->def.checks[k].name = pg_catalog_cell(w->r, res, from + (int)k, 1, &ok);
        t->def.checks[k].condition_sql = pg_catalog_cell(w->r, res, from + (int)k, 2, &ok);
    }
    t->def.check_count = n;
    return ok || err_no_memory(e, "a type");
}

/* Rows of one type follow each other. */
static bool read_groups(type_reading *w, const char *sql, bool (*take)(type_reading *, const PGresult *, int, uint32_t, err *), err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_catalog_query(w->r, sql, w->schema, &res, e)) return false;
    for (int i = 0; ok && i < PQntuples(res);) {
        uint32_t n = rows_of(res, i);
        ok = take(w, res, i, n, e);
        i += (int)n;
    }
    PQclear(res);
    return ok;
}

static bool link_columns(type_reading *w, const table_def *t, err *e)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        str oid = arena_printf(w->r->a, "%u", t->identities[i].type_oid);
        column_def *c = &t->columns[i];
        c->definition = oid.p ? modified(w, oid, t->identities[i].type_modifier, c->native_type) : NULL;
        if (!c->definition) return err_no_memory(e, "a type");
    }
    return true;
}

static bool read_all(type_reading *w, err *e)
{
    if (!read_types(w, e)) return false;
    if (!read_groups(w, BEHIND(w->r, "SELECT k.contypid, k.conname, '(' || pg_catalog.pg_get_expr(k.conbin, 0) || ')' FROM seen s JOIN pg_catalog.pg_constraint k ON "
                                     "k.contypid = s.oid WHERE k.contype = 'c' ORDER BY k.contypid, k.conname COLLATE \"C\""),
                     read_checks, e))
        return false;
    if (!link_types(w, e)) return false;
    if (!read_groups(w, BEHIND(w->r, "SELECT t.oid, f.attname, f.atttypid, f.atttypmod, pg_catalog.format_type(f.atttypid, f.atttypmod) FROM seen s JOIN pg_catalog.pg_type t ON "
                                     "t.oid = s.oid AND t.typtype = 'c' JOIN pg_catalog.pg_attribute f ON f.attrelid = t.typrelid WHERE f.attnum > 0 AND NOT f.attisdropped "
                                     "ORDER BY t.oid, f.attnum"),
                     read_fields, e))
        return false;
    for (uint32_t i = 0; i < w->r->out->table_count; i++)
        if (str_eq(w->r->out->tables[i]->schema, w->schema) && !link_columns(w, w->r->out->tables[i], e)) return false;
    return true;
}

bool pg_catalog_read_types(pg_catalog_reading *r, str schema, err *e)
{
    type_reading w = {.r = r, .schema = schema, .by_oid = MAP_INIT};
    bool ok = read_all(&w, e);
    map_finish(&w.by_oid);
    return ok;
}
