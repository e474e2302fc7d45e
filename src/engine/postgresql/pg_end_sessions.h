/* Before a job's objects are removed: nothing of its own is in the way, and the removal is in nobody's. */
#ifndef ENGINE_POSTGRESQL_PG_END_SESSIONS_H
#define ENGINE_POSTGRESQL_PG_END_SESSIONS_H

#include "engine/postgresql/pg_conn.h"

/* Ends the sessions that the job's worker left behind at this end (a killed worker's statement goes on; half-open
 * connections stay for minutes) and waits up to 10 s for each; from here on the session waits 2 s for locks, so that a
 * removal never queues in front of production. */
ERR_MUST_USE bool pg_end_sessions(pg_conn *c, err *e);

#endif
