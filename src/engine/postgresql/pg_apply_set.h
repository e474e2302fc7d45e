/* Many rows of one table in one statement: their values as one array per column, side by side. */
#ifndef ENGINE_POSTGRESQL_PG_APPLY_SET_H
#define ENGINE_POSTGRESQL_PG_APPLY_SET_H

#include "engine/postgresql/pg_table.h"
#include "model/batch.h"

/* Rows to write or to find, and the columns that matter of them. */
typedef struct pg_apply_set {
    const pg_table *t;
    const change **list;
    uint32_t count;
    bool *columns;       /* by column: written */
    bool keys_before;    /* the row key's columns come from the image before, where it has them */
    uint32_t from, rows; /* the slice of the list that a statement takes */
} pg_apply_set;

/* Takes the next slice of the list that fits one statement; false at the end. */
bool pg_apply_set_next(pg_apply_set *s);
/* "unnest('{...}'::type[], ...) AS _sluice_s(c0, c3)": the columns and the row key of the slice. */
ERR_MUST_USE bool pg_apply_set_source(buf *b, const pg_apply_set *s, err *e);
/* The column's value in a row of the source, of its type. */
void pg_apply_set_value(buf *b, const pg_table *t, uint32_t column);
/* "_sluice_t."k"=_sluice_s.c0 AND ...": the rows of the table are those of the source. */
void pg_apply_set_join(buf *b, const pg_table *t);

#endif
