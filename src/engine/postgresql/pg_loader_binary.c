/* Rows of COPY's binary format on their way from one PostgreSQL to another (row_batch.raw): sent as they came, for the reader carries the columns that the
 * loader writes. The servers neither print nor read texts then: a fifth of their work less (measured on 15 with integers and short texts). */
#include "base/cursor.h"
#include "codec/pg_copy_binary.h"
#include "engine/postgresql/pg_loader.h"
#include "engine/postgresql/pg_value.h"

/* ---- which tables ---- */

/* Built-in types whose binary form is theirs in every version, and holds no numbers of types that differ between databases. Not interval: only the newer
 * servers know infinite ones, which older ones would take for another interval instead of refusing their text. */
static bool is_same_everywhere(const type_def *d)
{
    static const char *const names[] = {"bool",   "bytea", "int8", "int2", "int4",  "text",      "oid",         "float4", "float8", "bpchar", "varchar", "date",
                                        "time",   "timetz", "timestamp", "timestamptz", "bit", "varbit", "numeric", "uuid", "json", "jsonb", "inet", "cidr", "macaddr"};
    if (d && d->kind == 'a') d = d->of;
    if (!d || d->kind != 'b' || !str_eq(d->schema, STR("pg_catalog"))) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(d->name, str_from_c(names[i]))) return true;
    return false;
}

static bool is_carried(const column_def *c) { return c->selected && !c->generated; }

/* Types of key columns that key_text knows. */
static bool has_key_text(const column_def *c)
{
    switch (c->type) {
    case COL_SMALLINT: case COL_INT: case COL_BIGINT: case COL_TEXT: case COL_VARCHAR: case COL_CHAR: case COL_UUID: return c->definition->kind == 'b';
    default: return false;
    }
}

static bool is_suitable(const table_def *t)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (is_carried(&t->columns[i]) && !is_same_everywhere(t->columns[i].definition)) return false;
    for (uint32_t k = 0; t->row_key != TABLE_NO_KEY && k < t->keys[t->row_key].count; k++) {
        const column_def *c = &t->columns[t->keys[t->row_key].columns[k]];
        if (is_carried(c) && !has_key_text(c)) return false;
    }
    return true;
}

/* The type of the column in the destination, with its length; NULL when it has no such column. */
static bool has_type(const PGresult *r, const column_def *c)
{
    str name = c->target_name.n ? c->target_name : c->name;
    for (int i = 0; i < PQntuples(r); i++)
        if (str_eq(pg_field(r, i, 0), name)) return str_eq(pg_field(r, i, 1), c->native_type);
    return false;
}

bool pg_loader_takes_binary(target *t, const table_def *table, bool *ret, err *e)
{
    str values[] = {table->target_schema, table->target_name};
    PGresult *r;
    *ret = is_suitable(table);
    if (!*ret) return true;
    if (!pg_conn_query_params(t->conn, STR("SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c "
                                           "ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND "
                                           "a.attnum > 0 AND NOT a.attisdropped"),
                              values, 2, &r, e))
        return err_context(e, "looking at the destination's table %.*s.%.*s", STR_ARG(table->target_schema), STR_ARG(table->target_name));
    for (uint32_t i = 0; i < table->column_count; i++) *ret = *ret && (!is_carried(&table->columns[i]) || has_type(r, &table->columns[i]));
    PQclear(r);
    return true;
}

/* ---- rows ---- */

static int64_t integer_of(str bytes)
{
    cursor c = cursor_of(bytes);
    uint64_t v = cursor_be(&c, (unsigned)bytes.n);
    return bytes.n == 2 ? (int16_t)v : bytes.n == 4 ? (int32_t)v : (int64_t)v;
}

static void uuid_text(buf *out, str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) buf_add_byte(out, '-');
        buf_add_hex(out, str_sub(bytes, i, 1));
    }
}

/* As in COPY's text format. */
static void key_text(buf *out, const column_def *c, str bytes)
{
    bool integer = c->type == COL_SMALLINT || c->type == COL_INT || c->type == COL_BIGINT;
    if (!bytes.p) buf_add(out, STR("\\N"));
    else if (integer && (bytes.n == 2 || bytes.n == 4 || bytes.n == 8)) buf_add_i64(out, integer_of(bytes));
    else if (c->type == COL_UUID) uuid_text(out, bytes);
    else (void)pg_value_copy(out, &(val){.u.p = bytes.p, .n = (uint32_t)bytes.n, .kind = VAL_TEXT});
}

static void remember_key(pg_load *l, const str *fields)
{
    buf *keys = &l->l->keys;
    for (uint32_t k = 0; k < l->at->key_count; k++) {
        uint32_t column = l->at->key[k], at = 0;
        if (k) buf_add_byte(keys, '\t');
        for (uint32_t i = 0; i < column; i++) at += l->at->columns[i].written;
        if (l->at->columns[column].written) key_text(keys, &l->t->columns[column], fields[at]);
        else buf_add_byte(keys, '?');
    }
    buf_add_byte(keys, '\n');
}

bool pg_load_binary(pg_load *l, err *e)
{
    str rest = l->batch->raw;
    uint32_t count = l->at->written_count;
    str *fields = arena_array(&l->batch->mem, count, sizeof *fields);
    if (!fields) return err_no_memory(e, "a row to load");
    while (l->at->key_count && l->l->keys.n < PG_LOADER_KEYS_MAX_BYTES && rest.n) {
        if (!pg_copy_binary_row(&rest, fields, count, e)) return false;
        remember_key(l, fields);
    }
    l->rows += l->batch->row_count;
    return pg_copy_in_put(l->l->conn, l->batch->raw, e);
}
