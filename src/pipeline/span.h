/* Chunk positions against stream positions: how a table's changes at a place in the stream are to be applied.
 *
 * Let min and max be the lowest and the highest position of a table's chunks. A change of a transaction that ends at p is
 *   skipped       when p <= min: every chunk contains it;
 *   overlapping   when min < p <= max: some chunks contain it, so it is applied idempotently, and at max the rows are exact;
 *   strict        when p > max: the row must be as the change says.
 * A table without a row key is one chunk, so it has no overlap. The overlap ends by position, never by time. */
#ifndef PIPELINE_SPAN_H
#define PIPELINE_SPAN_H

#include "pipeline/run.h"

typedef enum span_rule { SPAN_STRICT, SPAN_OVERLAP, SPAN_SKIP } span_rule;

typedef struct spans {
    bool (*compare)(position a, position b, int *ret, err *e);
    arena mem;
    position *at;      /* distinct chunk positions, ascending */
    uint32_t count;
    uint32_t *min, *max; /* per table id: 1 + index in at; 0: the table was not loaded, all its changes are strict */
    uint32_t table_count;
} spans;

/* Reads the chunks of all tables; a chunk that is not done is an error. With load == false there are none. */
ERR_MUST_USE bool spans_read(spans *s, dest *d, bool load, err *e);
void spans_finish(spans *s);
/* The rank of a stream position: how many of the distinct chunk positions lie before it. From *rank on (the rank of an earlier position). */
ERR_MUST_USE bool spans_rank(const spans *s, position p, uint32_t *rank, err *e);
/* Positions of equal rank are treated alike, so a window of one rank has one rule per table. */
span_rule spans_rule(const spans *s, uint32_t rank, uint32_t table_id);
/* The highest chunk position; none when nothing was loaded. */
position spans_highest(const spans *s);

#endif
