/* A source that was promoted: does its log go on where the job stands? */
#ifndef ENGINE_POSTGRESQL_PG_TIMELINE_H
#define ENGINE_POSTGRESQL_PG_TIMELINE_H

#include "engine/postgresql/pg_position.h"

/* Is the log up to the place, which is of another timeline than `have`, part of the server's own? ret_switch: up to where the two are one. PostgreSQL 17 and
 * newer, whose slots go along with a promotion. ERR_SOURCE_CHANGED when not. */
ERR_MUST_USE bool pg_timeline_follow(source *s, const pg_place *at, uint32_t have, pg_lsn *ret_switch, err *e);
/* Did the job's slot come along? ERR_SOURCE_LOG_PURGED when not, saying what carries slots to standbys. */
ERR_MUST_USE bool pg_timeline_check_slot(source *s, uint32_t have, err *e);

#endif
