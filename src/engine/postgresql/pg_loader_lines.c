/* Lines of COPY's text format on their way from one PostgreSQL to another (row_batch.raw): sent as they came, for the
 * reader carries the columns that the loader writes. A line feed stands in a line only as its end, a tab only between
 * fields. */
#include "engine/postgresql/pg_loader.h"

/* The column's field, "?" for one that is not carried. */
static str field_of(const pg_table *at, uint32_t column, str line)
{
    str rest = line, found = STR_NULL;
    if (!at->columns[column].written) return STR("?");
    for (uint32_t i = 0; i <= column; i++)
        if (at->columns[i].written && !str_split_next(&rest, '\t', &found)) return STR("?");
    return found;
}

static void remember_key(pg_load *l, str line)
{
    buf *keys = &l->l->keys;
    for (uint32_t k = 0; k < l->at->key_count; k++) {
        if (k) buf_add_byte(keys, '\t');
        buf_add(keys, field_of(l->at, l->at->key[k], line));
    }
    buf_add_byte(keys, '\n');
}

bool pg_load_lines(pg_load *l, err *e)
{
    str rest = l->batch->raw, line;
    while (l->at->key_count && l->l->keys.n < PG_LOADER_KEYS_MAX_BYTES && rest.n && str_split_next(&rest, '\n', &line))
        remember_key(l, line);
    l->rows += l->batch->row_count;
    return pg_copy_in_put(l->l->conn, l->batch->raw, e);
}
