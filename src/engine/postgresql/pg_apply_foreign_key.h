/* Foreign keys of the target against those of the source, where the target's own actions must do what the source's did without logging it. */
#ifndef ENGINE_POSTGRESQL_PG_APPLY_FOREIGN_KEY_H
#define ENGINE_POSTGRESQL_PG_APPLY_FOREIGN_KEY_H

#include "engine/postgresql/pg_conn.h"

/* Fails with ERR_NOT_SUPPORTED naming the first foreign key with actions that only one end has. */
ERR_MUST_USE bool pg_apply_foreign_keys_match(pg_conn *c, const catalog_def *catalog, err *e);

#endif
