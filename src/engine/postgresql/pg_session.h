/* Settings of the sessions that write to a target. */
#ifndef ENGINE_POSTGRESQL_PG_SESSION_H
#define ENGINE_POSTGRESQL_PG_SESSION_H

#include "engine/postgresql/pg_conn.h"

/* How long a statement on our tables, or a row to be written, waits for somebody else's lock. */
#define PG_SESSION_LOCK_WAIT_MS 30000

/* Settings that decide what a commit and a statement mean here, whatever the role's and database's defaults are: READ COMMITTED, a COMMIT that is on disk when
 * it is answered, no limit on idle sessions, no JIT, ordinary triggers and foreign keys at work; sluice.apply is on, which triggers of
 * our own making ask for. ret_may_replicate (may be NULL): the role may set session_replication_role=replica, with which ordinary triggers and foreign keys stay silent. */
ERR_MUST_USE bool pg_session_begin(pg_conn *c, bool *ret_may_replicate, err *e);

#endif
