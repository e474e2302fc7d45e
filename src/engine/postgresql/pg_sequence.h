/* Where sequences stand: arithmetic that source and target share. */
#ifndef ENGINE_POSTGRESQL_PG_SEQUENCE_H
#define ENGINE_POSTGRESQL_PG_SEQUENCE_H

#include "engine/postgresql/postgresql.h"

/* pg_sequence and a sequence's own row. */
typedef struct pg_sequence {
    int64_t increment, min, max, start, value;
    bool cycles, called;
} pg_sequence;

/* What nextval would give. False: it has come to its end. */
bool pg_sequence_next(const pg_sequence *s, int64_t *ret);
/* From fields of a row: increment, min, max, start, cycle from `column` on. */
ERR_MUST_USE bool pg_sequence_read_definition(const PGresult *r, int row, int column, pg_sequence *ret, err *e);
/* Value and called, side by side. */
ERR_MUST_USE bool pg_sequence_read_value(const PGresult *r, int row, int column, pg_sequence *ret, err *e);
/* Columns of pg_sequence_read_definition, of pg_sequence as s. */
#define PG_SEQUENCE_DEFINITION "s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcycle"

/* How many sequences one statement reads or sets. */
#define PG_SEQUENCE_BATCH 100

#endif
