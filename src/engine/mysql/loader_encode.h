/* Rows as the text that LOAD DATA reads: fields between tabs, rows between newlines, backslash escapes, \N for NULL. */
#ifndef ENGINE_MYSQL_LOADER_ENCODE_H
#define ENGINE_MYSQL_LOADER_ENCODE_H

#include "base/buf.h"
#include "model/batch.h"

/* The columns that a load writes, in order. */
typedef struct load_column {
    uint32_t index;
    bool warned; /* LOAD DATA warns of the ENUM error value though it is stored exactly */
} load_column;

typedef struct load_columns {
    load_column *at;
    uint32_t count;
} load_columns;

/* Appends one row. False when a value has no text (UNCHANGED, ABSENT in a written column); out->failed without memory.
 * *warnings counts the ENUM error values in it that are warned of. */
bool loader_encode_row(buf *out, const table_def *t, const load_columns *columns, const val *row, uint64_t *warnings);

#endif
