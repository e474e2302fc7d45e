/* Where the AUTO_INCREMENT counters of a server stand. */
#ifndef ENGINE_MYSQL_AUTO_INCREMENT_H
#define ENGINE_MYSQL_AUTO_INCREMENT_H

#include "base/map.h"
#include "engine/mysql/mysql.h"

typedef struct auto_increment_schema auto_increment_schema;

/* Counters of the databases that were asked about, each read once. Zeroed to begin with. */
typedef struct auto_increments {
    conn *c; /* borrowed */
    arena *a;
    auto_increment_schema *read;
} auto_increments;

/* The next number of a table, decimal; p == NULL: it has no such counter, or is not there. The text lives in the arena. */
ERR_MUST_USE bool auto_increment_find(auto_increments *list, str schema, str table, str *ret, err *e);
/* Forgets what was read, so that it is read again. */
void auto_increment_forget(auto_increments *list);

#endif
