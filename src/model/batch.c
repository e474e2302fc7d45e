/* Batches: memory of rows and changes. */
#include "model/batch.h"

#include <stdlib.h>
#include <string.h>

#define TXN_BLOCK_BYTES (16 * 1024)
#define ROW_BLOCK_BYTES (256 * 1024)

txn *txn_new(size_t limit_bytes)
{
    txn *t = calloc(1, sizeof *t);
    if (t) arena_init(&t->mem, TXN_BLOCK_BYTES, limit_bytes);
    return t;
}

void txn_free(txn *t)
{
    if (!t) return;
    if (t->spilled) t->spilled_free(t->spilled);
    free(t->changes);
    arena_finish(&t->mem);
    free(t);
}

change *txn_add_change(txn *t)
{
    if (t->change_count == t->change_cap) {
        uint32_t cap = t->change_cap ? t->change_cap * 2 : 4;
        if (cap <= t->change_cap) return NULL;
        change *fresh = realloc(t->changes, (size_t)cap * sizeof *fresh);
        if (!fresh) return NULL;
        t->changes = fresh;
        t->change_cap = cap;
    }
    change *c = &t->changes[t->change_count++];
    memset(c, 0, sizeof *c);
    return c;
}

row_batch *row_batch_new(const table_def *table, size_t limit_bytes)
{
    row_batch *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    arena_init(&b->mem, ROW_BLOCK_BYTES, limit_bytes);
    b->table = table;
    return b;
}

void row_batch_free(row_batch *b)
{
    if (!b) return;
    free(b->vals);
    arena_finish(&b->mem);
    free(b);
}

val *row_batch_add(row_batch *b)
{
    size_t width = b->table->column_count;
    if (b->row_count == b->row_cap) {
        uint32_t cap = b->row_cap ? b->row_cap * 2 : 64;
        size_t bytes;
        if (cap <= b->row_cap || __builtin_mul_overflow((size_t)cap * width, sizeof(val), &bytes)) return NULL;
        val *fresh = realloc(b->vals, bytes);
        if (!fresh) return NULL;
        b->vals = fresh;
        b->row_cap = cap;
    }
    val *row = b->vals + width * b->row_count++;
    memset(row, 0, width * sizeof *row);
    b->bytes += width * sizeof *row;
    return row;
}
