/* Counters that give numbers to rows: PostgreSQL's sequences (those of serial and identity columns included) and MySQL's AUTO_INCREMENT. Their values are in no
 * log: they are read at the source and set at the target. */
#ifndef MODEL_SEQUENCE_H
#define MODEL_SEQUENCE_H

#include "model/table.h"

/* Where a counter of the source stands. Texts are decimal numbers. */
typedef struct sequence_state {
    str schema, name;               /* of the sequence at the source; name.p == NULL: it is the AUTO_INCREMENT of the column */
    str target_schema, target_name; /* of the sequence, when no column leads to it */
    const table_def *table;         /* of the source's catalog: its column takes its numbers from here; NULL: no selected one does */
    uint32_t column;
    bool owned;                     /* it belongs to that column and goes with it (serial, identity, AUTO_INCREMENT) */
    str value;                      /* with called: the number given last, else the next one */
    bool called;
    str next;                       /* the next number; p == NULL: it has come to its end */
    bool descends;
    str obstacle;                   /* why it could not be read, with what helps; p == NULL: it was */
} sequence_state;

typedef enum sequence_outcome {
    SEQUENCE_SET,
    SEQUENCE_RIGHT,  /* it stood there already */
    SEQUENCE_AHEAD,  /* the target's was used and is further on than the source's: it stays */
    SEQUENCE_ABSENT, /* the target has no such counter */
    SEQUENCE_FAILED  /* it could not be read or set */
} sequence_outcome;

/* What became of a counter. */
typedef struct sequence_result {
    str name;  /* as the target has it: "schema.sequence", "schema.table.column" */
    str next;  /* the next number there, as read back from it; p == NULL: none */
    sequence_outcome outcome;
    str why;   /* of ABSENT and FAILED */
} sequence_result;

#endif
