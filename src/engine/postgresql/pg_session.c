/* The session of a target: see pg_session.h. */
#include "engine/postgresql/pg_session.h"

/* A position is reported as durable once COMMIT is answered, so synchronous_commit=off would lie; the other values keep their meaning. */
static bool set_durable(pg_conn *c, err *e)
{
    return pg_conn_exec(c, STR("SELECT pg_catalog.set_config('synchronous_commit', 'on', false) WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"),
                        NULL, e);
}

/* Superusers may, and since PostgreSQL 15 whom they GRANT it: trying is the only test that is right everywhere. */
static bool find_may_replicate(pg_conn *c, bool *ret, err *e)
{
    *ret = pg_conn_exec(c, STR("SET session_replication_role = replica; SET session_replication_role = origin"), NULL, e);
    if (*ret) return true;
    if (e->native != PG_STATE('4', '2', '5', '0', '1')) return false;
    *e = ERR_INIT;
    return true;
}

bool pg_session_begin(pg_conn *c, bool *ret_may_replicate, err *e)
{
    return pg_conn_execf(c, e, "SET sluice.apply = 'on'; SET default_transaction_isolation = 'read committed'; SET jit = off; SET lock_timeout = %d%s%s", PG_SESSION_LOCK_WAIT_MS,
                         c->version >= 140000 ? "; SET idle_session_timeout = 0" : "", c->version >= 170000 ? "; SET transaction_timeout = 0" : "") &&
           set_durable(c, e) && (!ret_may_replicate || find_may_replicate(c, ret_may_replicate, e));
}
