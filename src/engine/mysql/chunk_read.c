/* Reads the rows of a chunk through the text protocol, unbuffered. A row is one copy out of the library's packet. */
#include "engine/mysql/chunk_sql.h"
#include "engine/mysql/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What becomes of a result column. */
typedef struct read_column {
    uint32_t index; /* in table->columns */
    uint8_t kind;   /* val_kind */
    bool label;     /* an empty ENUM text is the error value */
    bool strip;     /* zeros in front (ZEROFILL) */
} read_column;

typedef struct reader {
    conn *c;
    const table_def *t;
    const row_sink *sink;
    const cancel *stop;
    size_t batch_bytes;
    read_column *columns;
    uint32_t count;
    row_batch *batch;
} reader;

static val_kind kind_of(const column_def *c)
{
    switch (c->type) {
    case COL_TINYINT: case COL_SMALLINT: case COL_MEDIUMINT: case COL_INT: case COL_BIGINT:
    case COL_FLOAT: case COL_DOUBLE: case COL_DECIMAL: return VAL_NUMBER;
    case COL_BIT: return VAL_BIT;
    case COL_BINARY: case COL_VARBINARY: case COL_BLOB: case COL_VECTOR: return VAL_BYTES;
    case COL_DATE: return VAL_DATE;
    case COL_TIME: return VAL_TIME;
    case COL_DATETIME: return VAL_DATETIME;
    case COL_TIMESTAMP: return VAL_TIMESTAMP;
    case COL_YEAR: return VAL_YEAR;
    case COL_ENUM: case COL_SET: return VAL_ENUM_TEXT;
    case COL_JSON: return VAL_JSON;
    case COL_GEOMETRY: return VAL_GEOMETRY;
    case COL_CHAR: case COL_VARCHAR: case COL_TEXT: case COL_UUID: case COL_INET: case COL_OTHER: return VAL_TEXT;
    }
    return VAL_TEXT;
}

static bool has_empty_label(const column_def *c)
{
    for (uint32_t i = 0; i < c->label_count; i++)
        if (c->labels[i].n == 0) return true;
    return false;
}

static bool plan_columns(reader *r, buf *sql, err *e)
{
    r->columns = calloc(r->t->column_count + 1, sizeof *r->columns);
    if (!r->columns) return err_no_memory(e, "a chunk reader");
    buf_add_c(sql, "SELECT ");
    for (uint32_t i = 0; i < r->t->column_count; i++) {
        const column_def *c = &r->t->columns[i];
        if (!chunk_carries(c)) continue;
        if (r->count) buf_add_c(sql, ", ");
        chunk_column_sql(sql, c, r->c->is_mariadb);
        bool number = c->type == COL_ENUM && has_empty_label(c);
        r->columns[r->count++] = (read_column){.index = i, .kind = (uint8_t)(number ? VAL_UINT : kind_of(c)), .label = c->type == COL_ENUM,
                                               .strip = c->type <= COL_BIGINT};
    }
    return r->count || err_set(e, ERR_BAD_INPUT, "no column of %.*s.%.*s is selected", STR_ARG(r->t->schema), STR_ARG(r->t->name));
}

static bool chunk_statement(reader *r, const chunk *k, buf *sql, err *e)
{
    bool whole = k->low.n == 0 && k->high.n == 0;
    const key_def *key = chunk_key(r->t);
    if (!plan_columns(r, sql, e)) return false;
    if (!whole && !key) return err_set(e, ERR_CORRUPT, "table %.*s.%.*s has chunk bounds but no key", STR_ARG(r->t->schema), STR_ARG(r->t->name));
    /* A whole table is read as it is stored, which is the order of its primary key. */
    chunk_from_sql(sql, r->t, whole ? NULL : key);
    const char *glue = " WHERE ";
    for (int above = 1; above >= 0; above--) {
        str bound = above ? k->low : k->high;
        if (!bound.n) continue;
        buf_add_c(sql, glue);
        glue = " AND ";
        if (!chunk_bound_sql(sql, r->t, key, bound, above, e)) return false;
    }
    if (r->t->filter_sql.p) {
        buf_add_c(sql, glue);
        buf_add_byte(sql, '(');
        buf_add(sql, r->t->filter_sql);
        buf_add_c(sql, "\n)"); /* a comment at the end of the filter ends with the line */
    }
    if (!whole) chunk_order_sql(sql, r->t, key);
    return !sql->failed || err_no_memory(e, "a statement");
}

static bool push(reader *r, err *e)
{
    row_batch *b = r->batch;
    r->batch = NULL;
    if (r->stop && cancel_asked(r->stop)) {
        row_batch_free(b);
        return cancel_error(e);
    }
    return r->sink->push(r->sink->ctx, b, e);
}

static void strip_zeros(val *v)
{
    while (v->n > 1 && v->u.p[0] == '0') v->u.p++, v->n--;
}

/* The kinds that are not simply the bytes. */
static bool convert(const read_column *c, val *v)
{
    uint64_t number;
    if (c->kind == VAL_YEAR || c->kind == VAL_UINT) {
        if (!str_to_u64(val_bytes(v), &number)) return false;
        *v = (val){.kind = c->kind};
        if (c->kind == VAL_YEAR) {
            v->u.i = (int64_t)number;
        } else {
            v->u.u = number;
        }
    } else if (c->label && v->n == 0) {
        *v = (val){.kind = VAL_UINT};
    }
    return true;
}

/* The library leaves the values of a row in one piece of memory, each after its length: one copy takes them all. */
static bool copy_row(row_batch *b, MYSQL_ROW row, const unsigned long *lengths, uint32_t count, const char **ret_base, char **ret_copy, err *e)
{
    const char *first = NULL, *end = NULL;
    size_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!row[i]) continue;
        if (!first) first = row[i];
        if (row[i] < (end ? end : first)) return err_set(e, ERR_INTERNAL, "the client library gives a row out of order");
        end = row[i] + lengths[i];
        sum += lengths[i];
    }
    size_t n = first ? (size_t)(end - first) : 0;
    if (n > sum + 9 * (size_t)count) return err_set(e, ERR_INTERNAL, "the client library gives a row in pieces");
    char *copy = arena_bytes(&b->mem, n);
    if (!copy) return err_no_memory(e, "a batch of rows");
    if (n) memcpy(copy, first, n);
    b->bytes += n;
    *ret_base = first;
    *ret_copy = copy;
    return true;
}

static bool take_row(reader *r, MYSQL_ROW row, const unsigned long *lengths, err *e)
{
    if (!r->batch && !(r->batch = row_batch_new(r->t, 0))) return err_no_memory(e, "a batch of rows");
    val *vals = row_batch_add(r->batch);
    const char *base = NULL;
    char *copy = NULL;
    if (!vals) return err_no_memory(e, "a batch of rows");
    if (!copy_row(r->batch, row, lengths, r->count, &base, &copy, e)) return false;
    for (uint32_t i = 0; i < r->count; i++) {
        const read_column *c = &r->columns[i];
        val *v = &vals[c->index];
        if (!row[i]) {
            v->kind = VAL_NULL;
            continue;
        }
        if (lengths[i] > UINT32_MAX) return err_set(e, ERR_LIMIT, "a value of %.*s.%.*s has more than 4 GiB", STR_ARG(r->t->schema), STR_ARG(r->t->name));
        v->u.p = copy + (row[i] - base);
        v->n = (uint32_t)lengths[i];
        v->kind = c->kind;
        if (c->strip) {
            strip_zeros(v);
        } else if ((c->label || c->kind == VAL_YEAR) && !convert(c, v)) {
            return err_set(e, ERR_PROTOCOL, "a value of column %.*s of %.*s.%.*s is not a number", STR_ARG(r->t->columns[c->index].name),
                           STR_ARG(r->t->schema), STR_ARG(r->t->name));
        }
    }
    return r->batch->bytes < r->batch_bytes || push(r, e);
}

static bool read_rows(reader *r, MYSQL_RES *res, err *e)
{
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));)
        if (!take_row(r, row, mysql_fetch_lengths(res), e)) return false;
    if (mysql_errno(r->c->my)) return conn_error(r->c, e, "reading rows");
    return !r->batch || push(r, e);
}

static bool run(reader *r, const chunk *k, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    if (!chunk_statement(r, k, &sql, e) || !conn_send(r->c, buf_str(&sql), e)) return false;
    MYSQL_RES *res = mysql_use_result(r->c->my);
    if (!res) return conn_error(r->c, e, "reading rows");
    bool ok = mysql_num_fields(res) == r->count ? read_rows(r, res, e) : err_set(e, ERR_PROTOCOL, "the source sends another number of columns than asked");
    if (!ok) { /* rows are left on the wire: the connection is of no more use, and freeing the result would read them all */
        r->c->broken = true;
        shutdown((int)mysql_get_socket(r->c->my), SHUT_RDWR);
    }
    mysql_free_result(res);
    return ok;
}

bool chunk_read(snapshot *n, uint32_t lane, const table_def *t, const chunk *k, size_t batch_bytes, const row_sink *sink, err *e)
{
    if (lane >= n->count) return err_set(e, ERR_INTERNAL, "the snapshot has no lane %u", lane);
    reader r = {.c = n->lanes[lane].conn, .t = t, .sink = sink, .stop = n->src->env->cancel, .batch_bytes = batch_bytes};
    bool ok = run(&r, k, e);
    row_batch_free(r.batch);
    free(r.columns);
    if (ok) return true;
    if (e->retry == RETRY_RECONNECT) e->code = ERR_SNAPSHOT_LOST;
    return err_context(e, "reading chunk %u of %.*s.%.*s", k->number, STR_ARG(t->schema), STR_ARG(t->name));
}
