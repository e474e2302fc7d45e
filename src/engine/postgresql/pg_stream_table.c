/* Rows of the log as changes of tables. */
#include <string.h>

#include "engine/postgresql/pg_stream.h"

void pg_stream_tables_init(pg_stream_tables *s, const catalog_def *c)
{
    *s = (pg_stream_tables){.catalog = c, .by_oid = MAP_INIT};
    arena_init(&s->mem, 16 * 1024, 0);
}

void pg_stream_tables_finish(pg_stream_tables *s)
{
    map_finish(&s->by_oid);
    arena_finish(&s->mem);
}

static str oid_key(const uint32_t *oid) { return (str){(const char *)oid, sizeof *oid}; }

static uint32_t find_column(const table_def *t, str name)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (str_eq(t->columns[i].name, name)) return i;
    return UINT32_MAX;
}

#define RESET_FIX "make the same change in the destination, then reset the job"

/* The published columns are all that are not generated: each must be known, and none may be missing. */
static bool match_columns(pg_stream_table *st, arena *a, err *e)
{
    const table_def *t = st->t;
    const pgoutput_relation *r = &st->relation;
    uint32_t expected = 0;
    st->columns = arena_array(a, r->column_count, sizeof *st->columns);
    if (!st->columns) return err_no_memory(e, "a table of the log");
    for (uint32_t i = 0; i < t->column_count; i++) expected += !t->columns[i].generated;
    for (uint32_t i = 0; i < r->column_count; i++) {
        const pgoutput_column *c = &r->columns[i];
        uint32_t at = st->columns[i] = find_column(t, c->name);
        if (at == UINT32_MAX)
            return err_set(e, ERR_SOURCE_DDL, "column %.*s was added to %.*s.%.*s (or renamed) at the source; " RESET_FIX, STR_ARG(c->name), STR_ARG(t->schema), STR_ARG(t->name));
        if (t->identities[at].type_oid != c->type_oid || t->identities[at].type_modifier != c->type_modifier)
            return err_set(e, ERR_SOURCE_DDL, "the type of column %.*s of %.*s.%.*s was changed at the source; " RESET_FIX, STR_ARG(c->name), STR_ARG(t->schema), STR_ARG(t->name));
        expected -= !t->columns[at].generated;
    }
    return expected == 0 || err_set(e, ERR_SOURCE_DDL, "a column of %.*s.%.*s was dropped at the source; " RESET_FIX, STR_ARG(t->schema), STR_ARG(t->name));
}

static bool match_identity(const pg_stream_table *st, err *e)
{
    const table_def *t = st->t;
    if (st->relation.identity == t->replica_identity) return true;
    return err_set(e, ERR_SOURCE_DDL, "the replica identity of %.*s.%.*s was changed at the source from '%c' to '%c'; change it back, or reset the job", STR_ARG(t->schema),
                   STR_ARG(t->name), t->replica_identity, st->relation.identity);
}

bool pg_stream_tables_relation(pg_stream_tables *s, const pgoutput_relation *r, err *e)
{
    pg_stream_table *st = arena_alloc(&s->mem, sizeof *st);
    uint32_t *oid = arena_alloc(&s->mem, sizeof *oid);
    if (!st || !oid) return err_no_memory(e, "a table of the log");
    st->t = catalog_find_table(s->catalog, r->schema, r->name);
    *oid = r->oid;
    /* Of a partition the log tells the root's definition and its own, though every row comes under the root's (measured on 15): only a row is too much. */
    return pgoutput_relation_copy(r, &s->mem, &st->relation, e) && (!st->t || (match_columns(st, &s->mem, e) && match_identity(st, e))) &&
           (map_put(&s->by_oid, oid_key(oid), st) || err_no_memory(e, "a table of the log"));
}

static bool find(const pg_stream_tables *s, uint32_t oid, const pg_stream_table **ret, err *e)
{
    *ret = map_get(&s->by_oid, oid_key(&oid));
    if (!*ret) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the log has a row of relation %u, which it did not describe before", oid);
    if ((*ret)->t) return true;
    const pgoutput_relation *r = &(*ret)->relation;
    return err_set(e, ERR_SOURCE_DDL, "the log has rows of %.*s.%.*s, which is not one of the job's tables: it was renamed, moved or added to the publication; " RESET_FIX,
                   STR_ARG(r->schema), STR_ARG(r->name));
}

static val_kind kind_of(col_type t)
{
    switch (t) {
    case COL_SMALLINT: case COL_INT: case COL_BIGINT: case COL_DECIMAL: case COL_FLOAT: case COL_DOUBLE: return VAL_NUMBER;
    default: return VAL_TEXT;
    }
}

static bool take_value(const pg_stream_table *st, uint32_t at, const pgoutput_value *v, txn *out, val *ret, err *e)
{
    switch (v->kind) {
    case PGOUTPUT_NULL: ret->kind = VAL_NULL; return true;
    case PGOUTPUT_UNCHANGED: ret->kind = VAL_UNCHANGED; return true;
    case PGOUTPUT_BINARY: return err_set(e, ERR_SOURCE_LOG_CORRUPT, "a value of the log is binary, which was not asked for");
    case PGOUTPUT_TEXT: break;
    }
    str copy = arena_copy(&out->mem, v->bytes);
    if (!copy.p) return err_no_memory(e, "a row of the log");
    *ret = (val){.u.p = copy.p, .n = (uint32_t)copy.n, .kind = (uint8_t)kind_of(st->t->columns[at].type)};
    return true;
}

static bool is_key_column(const pg_stream_table *st, uint32_t relation_column) { return st->relation.columns[relation_column].key; }

/* keys_only: NULLs of the other columns are padding (measured on 15): they are absent. */
static bool take_tuple(const pg_stream_table *st, const pgoutput_tuple *tuple, bool keys_only, txn *out, val **ret, err *e)
{
    val *row = arena_array(&out->mem, st->t->column_count, sizeof *row);
    if (!row) return err_no_memory(e, "a row of the log");
    if (!pgoutput_tuple_check(tuple, &st->relation, e)) return false;
    for (uint32_t i = 0; i < tuple->count; i++) {
        uint32_t at = st->columns[i];
        const column_def *c = &st->t->columns[at];
        if (!c->selected || c->generated || (keys_only && !is_key_column(st, i))) continue;
        if (!take_value(st, at, &tuple->values[i], out, &row[at], e)) return false;
    }
    *ret = row;
    return true;
}

/* An update that leaves the key alone tells no old row: its key is the new one's. */
static bool derive_before(const pg_stream_table *st, const val *after, txn *out, val **ret, err *e)
{
    val *row = arena_array(&out->mem, st->t->column_count, sizeof *row);
    if (!row) return err_no_memory(e, "a row of the log");
    for (uint32_t i = 0; i < st->relation.column_count; i++)
        if (is_key_column(st, i)) row[st->columns[i]] = after[st->columns[i]];
    *ret = row;
    return true;
}

/* With the whole old row at hand nothing stays unknown (measured: replica identity FULL sends 'u' in the new row, the value in the old one). */
static void fill_unchanged(const table_def *t, const val *before, val *after)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (after[i].kind == VAL_UNCHANGED && before[i].kind != VAL_ABSENT) after[i] = before[i];
}

/* Rows of a partition are logged by its own replica identity, but told under its root's name and key columns: what the root's would have is then missing, as NULL. */
static bool check_old(const pg_stream_table *st, const pgoutput_message *m, err *e)
{
    const pgoutput_change *c = &m->u.change;
    bool fits = st->relation.identity != 'f' || (c->old.values && !c->old_is_key);
    for (uint32_t i = 0; fits && c->old_is_key && i < c->old.count && i < st->relation.column_count; i++)
        fits = !is_key_column(st, i) || c->old.values[i].kind != PGOUTPUT_NULL;
    return fits || err_set(e, ERR_SOURCE_LOG_FORMAT,
                           "a partition of %.*s.%.*s has another replica identity than the table, so that the log does not tell which row was changed; give all partitions the table's "
                           "(ALTER TABLE ... REPLICA IDENTITY) at the source, then reset the job",
                           STR_ARG(st->t->schema), STR_ARG(st->t->name));
}

bool pg_stream_tables_change(pg_stream_tables *s, const pgoutput_message *m, txn *out, err *e)
{
    const pg_stream_table *st;
    const pgoutput_change *c = &m->u.change;
    val *before = NULL, *after = NULL;
    if (!find(s, c->relation_oid, &st, e)) return false;
    if (m->kind != PGOUTPUT_DELETE && !take_tuple(st, &c->new, false, out, &after, e)) return false;
    if (m->kind != PGOUTPUT_INSERT) {
        if (!check_old(st, m, e)) return false;
        if (c->old.values ? !take_tuple(st, &c->old, c->old_is_key, out, &before, e) : !derive_before(st, after, out, &before, e)) return false;
        if (after) fill_unchanged(st->t, before, after);
    }
    change *x = txn_add_change(out);
    if (!x) return err_no_memory(e, "a change of the log");
    *x = (change){.table = st->t, .before = before, .after = after,
                  .kind = m->kind == PGOUTPUT_INSERT ? CHANGE_INSERT : m->kind == PGOUTPUT_UPDATE ? CHANGE_UPDATE : CHANGE_DELETE};
    return true;
}

/* What CASCADE reaches is in the list (as far as it is published); sequences are no matter of the stream. */
bool pg_stream_tables_truncate(const pg_stream_tables *s, const pgoutput_truncate *t, txn *out, err *e)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const pg_stream_table *st;
        if (!find(s, t->relation_oids[i], &st, e)) return false;
        change *x = txn_add_change(out);
        if (!x) return err_no_memory(e, "a change of the log");
        *x = (change){.table = st->t, .kind = CHANGE_TRUNCATE};
    }
    return true;
}
