/* The shape of a table: its logged columns as text, kept in the target, so that a stream that goes on later knows the table as it was at its position. */
#ifndef ENGINE_POSTGRESQL_PG_SHAPE_H
#define ENGINE_POSTGRESQL_PG_SHAPE_H

#include "base/buf.h"
#include "base/err.h"
#include "model/alter.h"

/* A column of a shape. */
typedef struct pg_shape_column {
    column_identity identity;
    col_type type;
    uint32_t length, scale;
    bool selected;
    str name, native_type;
} pg_shape_column;

void pg_shape_add(buf *out, const pg_shape_column *c);
pg_shape_column pg_shape_of(const table_def *t, uint32_t column);
/* The text of all columns that are logged. */
bool pg_shape_text(const table_def *t, buf *out);
/* Makes the columns of a table, as they are now, those of the shape; keys that need others go. ERR_CORRUPT, ERR_SOURCE_DDL when the row key is not among them. */
ERR_MUST_USE bool pg_shape_restore(table_def *t, str shape, arena *a, err *e);

#endif
