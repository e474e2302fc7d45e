/* Reads the rows of a chunk by COPY ... TO STDOUT. A row is one copy out of the library's line, taken apart by the codec; or, on the way to another PostgreSQL,
 * left as it is (row_batch.raw: the lines with their line feeds, or rows of the binary format without its header and end). */
#include <stdlib.h>
#include <string.h>

#include "codec/pg_copy_binary.h"
#include "codec/pg_copy_text.h"
#include "engine/postgresql/pg_chunk_sql.h"
#include "engine/postgresql/pg_snapshot.h"

typedef struct reader {
    pg_conn *c;
    const table_def *t;
    const row_sink *sink;
    size_t batch_bytes;
    uint32_t *columns; /* indexes of the columns that are read */
    str *fields;       /* of the line under way, as columns */
    uint32_t count;
    row_batch *batch;
    bool raw, binary;
    bool begun;        /* binary: the header has come */
    char *room;        /* raw: of the batch */
    size_t room_bytes;
} reader;

static bool plan_columns(reader *r, buf *sql, err *e)
{
    r->columns = calloc(r->t->column_count + 1, sizeof *r->columns);
    r->fields = calloc(r->t->column_count + 1, sizeof *r->fields);
    if (!r->columns || !r->fields) return err_no_memory(e, "a chunk reader");
    for (uint32_t i = 0; i < r->t->column_count; i++) {
        if (!pg_chunk_carries(&r->t->columns[i])) continue;
        if (r->count) buf_add_c(sql, ", ");
        pg_quote_name(sql, r->t->columns[i].name);
        r->columns[r->count++] = i;
    }
    return r->count || err_set(e, ERR_BAD_INPUT, "no column of %.*s.%.*s is selected", STR_ARG(r->t->schema), STR_ARG(r->t->name));
}

static bool statement(reader *r, const chunk *k, buf *sql, err *e)
{
    if ((k->low.n || k->high.n) && !pg_chunk_key(r->t))
        return err_set(e, ERR_CORRUPT, "table %.*s.%.*s has chunk bounds but no key", STR_ARG(r->t->schema), STR_ARG(r->t->name));
    buf_add_c(sql, "COPY (SELECT ");
    if (!plan_columns(r, sql, e)) return false;
    pg_chunk_from_sql(sql, r->t);
    pg_chunk_where_sql(sql, r->t, k);
    buf_add_c(sql, r->binary ? ") TO STDOUT (FORMAT binary)" : ") TO STDOUT");
    return !sql->failed || err_no_memory(e, "a statement");
}

static val_kind kind_of(col_type t)
{
    switch (t) {
    case COL_SMALLINT: case COL_INT: case COL_BIGINT: case COL_DECIMAL: case COL_FLOAT: case COL_DOUBLE: return VAL_NUMBER;
    default: return VAL_TEXT;
    }
}

static bool push(reader *r, err *e)
{
    row_batch *b = r->batch;
    r->batch = NULL;
    return r->sink->push(r->sink->ctx, b, e);
}

/* A line that does not fit into the batch begins another; a longer one than a batch has one of its own. */
static bool keep_line(reader *r, str line, err *e)
{
    if (r->batch && r->room_bytes - r->batch->raw.n < line.n && !push(r, e)) return false;
    if (!r->batch) {
        r->room_bytes = line.n > r->batch_bytes ? line.n : r->batch_bytes;
        r->batch = row_batch_new(r->t, 0);
        r->room = r->batch ? arena_bytes(&r->batch->mem, r->room_bytes) : NULL;
        if (!r->room) return err_no_memory(e, "a batch of rows");
        r->batch->raw = (str){r->room, 0};
        r->batch->bytes = r->room_bytes;
    }
    memcpy(r->room + r->batch->raw.n, line.p, line.n);
    r->batch->raw.n += line.n;
    r->batch->row_count++;
    return true;
}

/* The server sends a row at a time, the header with the first one (or with the end), and the end. */
static bool keep_binary(reader *r, str row, err *e)
{
    if (!r->begun && !pg_copy_binary_header(&row, e)) return false;
    r->begun = true;
    str rest = row;
    if (!row.n || str_eq(row, PG_COPY_BINARY_END)) return true;
    if (!pg_copy_binary_row(&rest, r->fields, r->count, e)) return false;
    if (!rest.n) return keep_line(r, row, e);
    return err_set(e, ERR_PROTOCOL, "the source sends a row of %.*s.%.*s and something behind it", STR_ARG(r->t->schema), STR_ARG(r->t->name));
}

static bool take_line(reader *r, str line, err *e)
{
    if (line.n && line.p[line.n - 1] == '\n') line.n--;
    if (line.n > UINT32_MAX) return err_set(e, ERR_LIMIT, "a row of %.*s.%.*s has more than 4 GiB", STR_ARG(r->t->schema), STR_ARG(r->t->name));
    if (!r->batch && !(r->batch = row_batch_new(r->t, 0))) return err_no_memory(e, "a batch of rows");
    arena *mem = &r->batch->mem;
    val *vals = row_batch_add(r->batch);
    str copy = arena_copy(mem, line);
    if (!vals || !copy.p) return err_no_memory(e, "a batch of rows");
    if (!pg_copy_text_parse(copy, mem, r->fields, r->count, e)) return false;
    r->batch->bytes += copy.n;
    for (uint32_t i = 0; i < r->count; i++) {
        val *v = &vals[r->columns[i]];
        bool apart = r->fields[i].p && (r->fields[i].p < copy.p || r->fields[i].p > copy.p + copy.n); /* it held escapes */
        if (apart) r->batch->bytes += r->fields[i].n;
        if (!r->fields[i].p) v->kind = VAL_NULL;
        else *v = (val){.u.p = r->fields[i].p, .n = (uint32_t)r->fields[i].n, .kind = (uint8_t)kind_of(r->t->columns[r->columns[i]].type)};
    }
    return r->batch->bytes < r->batch_bytes || push(r, e);
}

static bool read_lines(reader *r, err *e)
{
    char *held = NULL;
    str line;
    bool ok;
    while ((ok = pg_copy_out_next(r->c, &held, -1, &line, e)) && line.p)
        if (!(ok = r->binary ? keep_binary(r, line, e) : r->raw ? keep_line(r, line, e) : take_line(r, line, e))) break;
    if (held) PQfreemem(held);
    if (!ok) r->c->broken = true; /* rows are left on the wire */
    return ok && (!r->batch || push(r, e));
}

bool pg_chunk_read(snapshot *n, uint32_t lane, const table_def *t, const chunk *k, size_t batch_bytes, const row_sink *sink, err *e)
{
    if (lane >= n->count) return err_set(e, ERR_INTERNAL, "the snapshot has no lane %u", lane);
    reader r = {.c = n->lanes[lane], .t = t, .sink = sink, .batch_bytes = batch_bytes, .raw = k->raw, .binary = k->raw && k->binary};
    BUF_AUTO sql = BUF_INIT;
    bool ok = statement(&r, k, &sql, e) && pg_copy_out_begin(r.c, buf_str(&sql), false, e) && read_lines(&r, e);
    row_batch_free(r.batch);
    free(r.columns);
    free(r.fields);
    if (ok) return true;
    if (e->retry == RETRY_RECONNECT) e->code = ERR_SNAPSHOT_LOST;
    return err_context(e, "reading chunk %u of %.*s.%.*s", k->number, STR_ARG(t->schema), STR_ARG(t->name));
}
