/* What a job publishes at a PostgreSQL source. */
#ifndef ENGINE_POSTGRESQL_PG_PUBLICATION_H
#define ENGINE_POSTGRESQL_PG_PUBLICATION_H

#include "engine/postgresql/postgresql.h"

/* Makes it, ledger first, unless it exists. One that was there before the job is adopted when it publishes all that the
 * job needs, else ERR_SOURCE_CONFIG. */
ERR_MUST_USE bool pg_publication_make(source *s, const char *name, const catalog_def *c, err *e);

#endif
