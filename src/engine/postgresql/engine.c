/* The table of operations. */
#include <stdlib.h>

#include "engine/postgresql/postgresql.h"

bool pg_source_open(const endpoint *ep, const engine_env *env, source **ret, err *e)
{
    source *s = calloc(1, sizeof *s);
    if (!s) return err_no_memory(e, "a source");
    *s = (source){.ep = ep, .env = env};
    if (!pg_conn_open(ep, env, PG_SOURCE, false, &s->conn, e)) {
        free(s);
        return false;
    }
    *ret = s;
    return true;
}

void pg_source_close(source *s)
{
    if (!s) return;
    pg_conn_close(s->conn);
    free(s);
}
