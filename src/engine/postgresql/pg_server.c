/* What a server says about itself. */
#include "engine/postgresql/postgresql.h"

/* The identity is the cluster and the database: a rebuilt cluster at the same address has another system identifier, a database made anew another oid. */
bool pg_server_read(pg_conn *c, arena *a, server_info *ret, err *e)
{
    server_info info = {.product = STR("PostgreSQL"), .version_number = c->version, .max_packet_bytes = 1u << 30};
    bool ok = pg_conn_query_value(c, "SHOW server_version", a, &info.version, e) &&
              pg_conn_query_value(c,
                                  "SELECT s.system_identifier || ':' || d.oid FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d "
                                  "WHERE d.datname = pg_catalog.current_database()",
                                  a, &info.identity, e);
    info.cascades_logged = true; /* rows that a foreign key action changes are in the log like any other */
    if (ok) *ret = info;
    return ok;
}
