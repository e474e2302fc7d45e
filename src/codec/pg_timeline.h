/* The history of a timeline: a line for each one before it, oldest first, with the place where it was left. White space is tabs; # begins a comment.
 *
 *   1	0/3000148	no recovery target specified
 *
 * Source: PostgreSQL's readTimeLineHistory (src/backend/access/transam/timeline.c), files of PostgreSQL 15 to 18. */
#ifndef CODEC_PG_TIMELINE_H
#define CODEC_PG_TIMELINE_H

#include "codec/pg_lsn.h"

/* Where the timeline was left: the log before is shared with the one that the history is of. PG_LSN_NONE: the history does not have it. ERR_CORRUPT when the
 * text is no history. */
ERR_MUST_USE bool pg_timeline_end(str history, uint32_t timeline, pg_lsn *ret, err *e);

#endif
