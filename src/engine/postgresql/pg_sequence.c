/* Reading where the source's sequences stand. */
#include "engine/postgresql/pg_sequence.h"

#include "base/map.h"

static bool is_true(str s) { return str_eq(s, STR("t")); }

bool pg_sequence_next(const pg_sequence *s, int64_t *ret)
{
    int64_t next = s->value;
    bool past = s->called && (__builtin_add_overflow(s->value, s->increment, &next) || next > s->max || next < s->min);
    if (past && !s->cycles) return false;
    *ret = past ? (s->increment > 0 ? s->min : s->max) : next;
    return true;
}

bool pg_sequence_read_definition(const PGresult *r, int row, int column, pg_sequence *ret, err *e)
{
    int64_t *const numbers[] = {&ret->increment, &ret->min, &ret->max, &ret->start};
    for (int i = 0; i < 4; i++)
        if (!str_to_i64(pg_field(r, row, column + i), numbers[i])) return err_set(e, ERR_PROTOCOL, "a row of pg_sequence is not well formed");
    ret->cycles = is_true(pg_field(r, row, column + 4));
    return true;
}

bool pg_sequence_read_value(const PGresult *r, int row, int column, pg_sequence *ret, err *e)
{
    if (!str_to_i64(pg_field(r, row, column), &ret->value)) return err_set(e, ERR_PROTOCOL, "the value of a sequence is not well formed");
    ret->called = is_true(pg_field(r, row, column + 1));
    return true;
}

/* --- which --- */

/* Sequences with the columns that own them or take their default from them. */
#define LIST_SQL                                                                                                                                              \
    "SELECT n.nspname, c.relname, pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'), "                    \
    "pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I; GRANT SELECT ON SEQUENCE %I.%I TO %I', n.nspname, current_user, n.nspname, c.relname, current_user), " \
    "u.nspname, u.relname, u.attname, u.owned, " PG_SEQUENCE_DEFINITION " FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid "              \
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN (SELECT x.sequence, tn.nspname, t.relname, a.attname, a.attnum, bool_or(x.owned) AS owned FROM ("  \
    "SELECT d.objid AS sequence, d.refobjid AS tab, d.refobjsubid AS col, true AS owned FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.refclassid = 1259 AND "       \
    "d.refobjsubid > 0 AND d.deptype IN ('a', 'i') UNION ALL SELECT d.refobjid, f.adrelid, f.adnum, false FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_depend d ON "  \
    "d.classid = 2604 AND d.objid = f.oid AND d.refclassid = 1259 AND d.refobjsubid = 0) x JOIN pg_catalog.pg_class t ON t.oid = x.tab "                        \
    "JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = x.tab AND a.attnum = x.col GROUP BY 1, 2, 3, 4, 5) u ON "              \
    "u.sequence = c.oid WHERE c.relpersistence <> 't' ORDER BY n.nspname, c.relname, u.nspname, u.relname, u.attnum"

enum { COLUMN_SCHEMA, COLUMN_NAME, COLUMN_READABLE, COLUMN_GRANT, COLUMN_TABLE_SCHEMA, COLUMN_TABLE, COLUMN_COLUMN, COLUMN_OWNED, COLUMN_DEFINITION };

typedef struct reading {
    const catalog_def *c;
    map carried; /* "schema\0name" of the catalog's sequences → object_def * */
    arena *a;
    sequence_state *list;
    pg_sequence *numbers;
    uint32_t count;
} reading;

static str key_of(arena *a, str schema, str name) { return arena_printf(a, "%.*s%c%.*s", STR_ARG(schema), 0, STR_ARG(name)); }

static bool note_carried(reading *r, err *e)
{
    for (uint32_t i = 0; i < r->c->object_count; i++) {
        object_def *o = &r->c->objects[i];
        if (!str_eq(o->kind, STR("sequence"))) continue;
        str key = key_of(r->a, o->schema, o->name);
        if (!key.p || !map_put(&r->carried, key, o)) return err_no_memory(e, "sequences");
    }
    return true;
}

/* A sequence counts when a selected column takes its numbers from it, or when it is carried itself. */
static bool add(reading *r, const PGresult *res, int row, err *e)
{
    str table = pg_field(res, row, COLUMN_TABLE);
    const table_def *t = table.p ? catalog_find_table(r->c, pg_field(res, row, COLUMN_TABLE_SCHEMA), table) : NULL;
    uint32_t column = t ? table_find_column(t, pg_field(res, row, COLUMN_COLUMN)) : UINT32_MAX;
    if (column == UINT32_MAX || !t->columns[column].selected) t = NULL;
    sequence_state *s = &r->list[r->count];
    *s = (sequence_state){.schema = arena_copy(r->a, pg_field(res, row, COLUMN_SCHEMA)), .name = arena_copy(r->a, pg_field(res, row, COLUMN_NAME)), .table = t, .column = column,
                            .owned = t && is_true(pg_field(res, row, COLUMN_OWNED))};
    str key = key_of(r->a, s->schema, s->name);
    if (!s->schema.p || !s->name.p || !key.p) return err_no_memory(e, "sequences");
    const object_def *carried = map_get(&r->carried, key);
    if (!t && !carried) return true;
    s->target_schema = carried ? carried->target_schema : s->schema;
    s->target_name = carried ? carried->target_name : s->name;
    if (!is_true(pg_field(res, row, COLUMN_READABLE))) {
        s->obstacle = arena_printf(r->a, "the source account may not read it; run at the source: %.*s", STR_ARG(pg_field(res, row, COLUMN_GRANT)));
        if (!s->obstacle.p) return err_no_memory(e, "sequences");
    }
    s->descends = pg_field(res, row, COLUMN_DEFINITION).p[0] == '-';
    return pg_sequence_read_definition(res, row, COLUMN_DEFINITION, &r->numbers[r->count++], e);
}

static bool list(reading *r, pg_conn *c, err *e)
{
    PGresult *res;
    if (!pg_conn_query(c, STR(LIST_SQL), &res, e)) return err_context(e, "listing the sequences");
    uint32_t n = (uint32_t)PQntuples(res);
    r->list = arena_array(r->a, n + 1, sizeof *r->list);
    r->numbers = arena_array(r->a, n + 1, sizeof *r->numbers);
    bool ok = (r->list && r->numbers) || err_no_memory(e, "sequences");
    for (int i = 0; ok && i < (int)n; i++) ok = add(r, res, i, e);
    PQclear(res);
    return ok;
}

/* --- where they stand --- */

static bool finish(reading *r, uint32_t i, err *e)
{
    sequence_state *s = &r->list[i];
    int64_t next;
    s->called = r->numbers[i].called;
    s->value = arena_printf(r->a, "%lld", (long long)r->numbers[i].value);
    bool more = pg_sequence_next(&r->numbers[i], &next);
    if (more) s->next = arena_printf(r->a, "%lld", (long long)next);
    return (s->value.p && (!more || s->next.p)) || err_no_memory(e, "sequences");
}

/* A sequence's own row tells also of one that has not given a number yet, as pg_sequence_last_value does not. */
static bool read_values(reading *r, pg_conn *c, uint32_t from, uint32_t to, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *res;
    for (uint32_t i = from; i < to; i++) {
        if (r->list[i].obstacle.p) continue;
        buf_printf(&sql, "%sSELECT %u, last_value, is_called FROM ", sql.n ? " UNION ALL " : "", i);
        pg_quote_table(&sql, r->list[i].schema, r->list[i].name);
    }
    if (sql.n == 0) return true;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(c, buf_str(&sql), &res, e)) {
        if (e->native == PG_STATE('4', '2', 'P', '0', '1')) e->retry = RETRY_LATER; /* dropped since it was listed */
        return err_context(e, "reading the sequences");
    }
    bool ok = true;
    for (int row = 0; ok && row < PQntuples(res); row++) {
        uint64_t i;
        ok = str_to_u64(pg_field(res, row, 0), &i) && i < to && pg_sequence_read_value(res, row, 1, &r->numbers[i], e) && finish(r, (uint32_t)i, e);
    }
    PQclear(res);
    return ok || e->code != ERR_NONE ? ok : err_set(e, ERR_PROTOCOL, "the values of sequences are not well formed");
}

bool pg_sequences_read(source *s, const catalog_def *c, arena *a, sequence_state **ret, uint32_t *ret_count, err *e)
{
    reading r = {.c = c, .carried = MAP_INIT, .a = a};
    bool ok = note_carried(&r, e) && list(&r, s->conn, e);
    for (uint32_t i = 0; ok && i < r.count; i += PG_SEQUENCE_BATCH)
        ok = read_values(&r, s->conn, i, i + PG_SEQUENCE_BATCH < r.count ? i + PG_SEQUENCE_BATCH : r.count, e);
    map_finish(&r.carried);
    if (!ok) return false;
    *ret = r.list;
    *ret_count = r.count;
    return true;
}
