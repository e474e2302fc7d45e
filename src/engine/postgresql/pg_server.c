/* What a server says about itself. */
#include "engine/postgresql/postgresql.h"

static bool read_extensions(pg_conn *c, arena *a, server_info *info, err *e)
{
    PGresult *r;
    bool ok = true;
    if (!pg_conn_query(c, STR("SELECT x.extname, n.nspname FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace WHERE x.extname IN ('postgis', 'vector')"), &r, e))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        str *schema = str_eq(pg_field(r, i, 0), STR("vector")) ? &info->pgvector_schema : &info->postgis_schema;
        *schema = arena_copy(a, pg_field(r, i, 1));
        ok = ok && schema->p;
    }
    PQclear(r);
    return ok || err_no_memory(e, "names of extensions");
}

/* The identity is the cluster and the database: a rebuilt cluster at the same address has another system identifier, a database made anew another oid. */
bool pg_server_read(pg_conn *c, arena *a, server_info *ret, err *e)
{
    server_info info = {.product = STR("PostgreSQL"), .version_number = c->version, .max_packet_bytes = 1u << 30};
    bool ok = pg_conn_query_value(c, "SHOW server_version", a, &info.version, e) &&
              pg_conn_query_value(c,
                                  "SELECT s.system_identifier || ':' || d.oid FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d "
                                  "WHERE d.datname = pg_catalog.current_database()",
                                  a, &info.identity, e) &&
              read_extensions(c, a, &info, e);
    info.cascades_logged = true; /* rows that a foreign key action changes are in the log like any other */
    if (ok) *ret = info;
    return ok;
}
