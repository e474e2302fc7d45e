/* See pg_end_sessions.h. Sessions are known by their application_name, which names job and end (pg_conn.c), and by
 * their role, which is ours. */
#include "engine/postgresql/pg_end_sessions.h"

#define LOCK_WAIT_MS 2000

bool pg_end_sessions(pg_conn *c, err *e)
{
    /* The wait is an argument since PostgreSQL 14. */
    return pg_conn_execf(c, e, "SET lock_timeout = %d", LOCK_WAIT_MS) &&
           pg_conn_execf(c, e,
                         "SELECT pg_catalog.pg_terminate_backend(pid%s) FROM pg_catalog.pg_stat_activity WHERE "
                         "application_name = pg_catalog.current_setting('application_name') "
                         "AND usename = SESSION_USER AND datname = pg_catalog.current_database() AND pid <> "
                         "pg_catalog.pg_backend_pid()",
                         c->version >= 140000 ? ", 10000" : "");
}
