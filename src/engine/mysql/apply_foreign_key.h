/* Foreign keys of the target against those of the source, where the target's own actions must do what the source's did without logging it. */
#ifndef ENGINE_MYSQL_APPLY_FOREIGN_KEY_H
#define ENGINE_MYSQL_APPLY_FOREIGN_KEY_H

#include "engine/mysql/mysql.h"

/* Fails with ERR_NOT_SUPPORTED naming the first foreign key with actions that only one end has. */
ERR_MUST_USE bool apply_foreign_keys_match(conn *c, const catalog_def *catalog, err *e);

#endif
