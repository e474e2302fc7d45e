/* Collations of one server as another one names them. */
#ifndef ENGINE_MYSQL_SCHEMA_COLLATION_H
#define ENGINE_MYSQL_SCHEMA_COLLATION_H

#include "base/map.h"
#include "engine/mysql/mysql.h"

typedef enum collation_fit {
    COLLATION_SAME,    /* the target has it, perhaps under utf8/utf8mb3's other name */
    COLLATION_SIMILAR, /* mapped to one with other weights or padding: order and equality of rare characters differ */
    COLLATION_UNKNOWN,
} collation_fit;

/* Reads the target's collations into known (name → name); keys live in the arena. */
ERR_MUST_USE bool collation_read_known(conn *c, arena *a, map *known, err *e);
/* ret: the target's name, in the arena; unchanged when unknown or without memory. */
collation_fit collation_map(const map *known, str collation, arena *a, str *ret);
/* The target's name of a charset ("utf8" or "utf8mb3"), by a collation of it that the target knows. */
str collation_charset(str collation);

#endif
