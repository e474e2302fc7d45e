/* Columns of the selected tables of a schema. */
#include <string.h>

#include "engine/postgresql/pg_catalog.h"

static bool is_true(str s) { return str_eq(s, STR("t")); }

static bool read_identity(const PGresult *res, int i, column_identity *ret, err *e)
{
    uint64_t number, type;
    int64_t modifier;
    if (!str_to_u64(pg_field(res, i, 1), &number) || !str_to_u64(pg_field(res, i, 16), &type) || !str_to_i64(pg_field(res, i, 7), &modifier))
        return err_set(e, ERR_PROTOCOL, "a row of pg_attribute is not well formed");
    *ret = (column_identity){(uint16_t)number, (uint32_t)type, (int32_t)modifier};
    return true;
}

static bool read_column(pg_catalog_reading *r, const PGresult *res, int i, column_def *c, err *e)
{
    bool ok = true;
    str kind = pg_field(res, i, 5), identity = pg_field(res, i, 9);
    int64_t modifier;
    c->name = pg_catalog_cell(r, res, i, 2, &ok);
    c->target_name = c->name;
    c->native_type = pg_catalog_cell(r, res, i, 3, &ok);
    c->type = pg_catalog_type(kind, is_true(pg_field(res, i, 6)), pg_field(res, i, 4));
    if (str_to_i64(pg_field(res, i, 7), &modifier)) pg_catalog_lengths(c->type, (int32_t)modifier, &c->length, &c->scale);
    c->nullable = !is_true(pg_field(res, i, 8));
    c->identity = identity.n ? identity.p[0] : 0;
    c->generated = str_eq(pg_field(res, i, 10), STR("s")) || str_eq(pg_field(res, i, 10), STR("v"));
    c->generated_stored = str_eq(pg_field(res, i, 10), STR("s"));
    str expression = pg_catalog_cell(r, res, i, 11, &ok);
    if (c->generated) c->generation_sql = expression;
    else c->default_sql = expression;
    c->auto_increment = c->identity || (is_true(pg_field(res, i, 12)) && !c->generated);
    c->collation = pg_catalog_cell(r, res, i, 13, &ok);
    c->comment = pg_catalog_cell(r, res, i, 14, &ok);
    c->selected = true;
    if (c->type == COL_ENUM || c->type == COL_TEXT || c->type == COL_VARCHAR || c->type == COL_CHAR) c->charset = STR("UTF8");
    c->identity_sql = pg_catalog_cell(r, res, i, 17, &ok);
    c->inherited = is_true(pg_field(res, i, 18));
    c->not_null_name = pg_catalog_cell(r, res, i, 19, &ok);
    if (!ok) return err_no_memory(e, "a column");
    if (!pg_catalog_lines(r, pg_field(res, i, 20), &c->attributes, &c->attribute_count, e)) return false;
    return c->type != COL_ENUM || pg_catalog_lines(r, pg_field(res, i, 15), &c->labels, &c->label_count, e);
}

static uint32_t count_columns(const PGresult *res, int from)
{
    int i = from;
    while (i < PQntuples(res) && str_eq(pg_field(res, i, 0), pg_field(res, from, 0))) i++;
    return (uint32_t)(i - from);
}

#define IDENTITY                                                                                                                            \
    "CASE WHEN a.attidentity <> '' AND NOT c.relispartition THEN (SELECT 'SEQUENCE NAME ' || pg_catalog.quote_ident(qn.nspname) || '.' || pg_catalog.quote_ident(q.relname) || ' START WITH ' || " \
    "s.seqstart || ' INCREMENT BY ' || s.seqincrement || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax || ' CACHE ' || s.seqcache || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END " \
    "FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_class q ON q.oid = p.objid JOIN pg_catalog.pg_namespace qn ON qn.oid = q.relnamespace JOIN pg_catalog.pg_sequence s ON s.seqrelid = q.oid " \
    "WHERE p.classid = 1259 AND p.refclassid = 1259 AND p.refobjid = c.oid AND p.refobjsubid = a.attnum AND p.deptype = 'i') END"
#define INHERITED "NOT a.attislocal AND NOT c.relispartition"
#define NOT_NULL_NAME                                                                                                                       \
    "(SELECT k.conname FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey[1] = a.attnum AND k.conname <> c.relname || '_' || a.attname || '_not_null')"
/* What a column that INHERITS brings has of its own is set, too. */
#define ATTRIBUTES                                                                                                                          \
    "nullif(pg_catalog.concat_ws(pg_catalog.chr(10), CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN " \
    "'MAIN' ELSE 'EXTENDED' END END, CASE WHEN a.attlen = -1 THEN CASE pg_catalog.to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' " \
    "END END, CASE WHEN a.attstattarget <> -1 THEN 'SET STATISTICS ' || a.attstattarget END, 'SET (' || pg_catalog.array_to_string(a.attoptions, ', ') || ')', "                         \
    "CASE WHEN " INHERITED " AND a.attgenerated = '' THEN 'SET DEFAULT ' || " PG_CATALOG_LINE("pg_catalog.pg_get_expr(d.adbin, d.adrelid)") " END, CASE WHEN " INHERITED " AND a.attnotnull AND "      \
    "NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_attribute pa ON pa.attrelid = h.inhparent WHERE h.inhrelid = c.oid AND pa.attname = a.attname AND pa.attnotnull) "  \
    "THEN 'SET NOT NULL' END), '')"

/* Dropped columns leave no trace in row images: they are passed over. */
bool pg_catalog_read_columns(pg_catalog_reading *r, str schema, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_catalog_query(r,
                          "SELECT a.attrelid, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), t.typname, t.typtype, "
                          "t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated, "
                          "pg_catalog.pg_get_expr(d.adbin, d.adrelid), "
                          "pg_catalog.pg_get_serial_sequence(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), a.attname) IS NOT NULL, "
                          "CASE WHEN a.attcollation <> t.typcollation THEN pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) END, "
                          "pg_catalog.col_description(a.attrelid, a.attnum), "
                          "(SELECT pg_catalog.string_agg(pg_catalog.replace(pg_catalog.replace(l.enumlabel, '\\', '\\\\'), pg_catalog.chr(10), '\\n'), "
                          "pg_catalog.chr(10) ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid), a.atttypid, " IDENTITY ", " INHERITED ", " NOT_NULL_NAME ", " ATTRIBUTES " "
                          "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                          "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
                          "LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace "
                          "WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum",
                          schema, &res, e))
        return false;
    for (int i = 0; ok && i < PQntuples(res);) {
        uint32_t n = count_columns(res, i);
        table_def *t = pg_catalog_table(r, res, i, 0);
        if (t) {
            t->columns = arena_array(r->a, n, sizeof *t->columns);
            t->identities = arena_array(r->a, n, sizeof *t->identities);
            ok = (t->columns && t->identities) || err_no_memory(e, "columns");
            for (uint32_t k = 0; ok && k < n; k++) {
                ok = read_column(r, res, i + (int)k, &t->columns[k], e) && read_identity(res, i + (int)k, &t->identities[k], e);
            }
            t->column_count = n;
        }
        i += (int)n;
    }
    PQclear(res);
    return ok && pg_catalog_read_types(r, schema, e);
}
