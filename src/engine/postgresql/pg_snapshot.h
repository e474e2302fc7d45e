/* Reader connections that see one state of a source. */
#ifndef ENGINE_POSTGRESQL_PG_SNAPSHOT_H
#define ENGINE_POSTGRESQL_PG_SNAPSHOT_H

#include "engine/postgresql/postgresql.h"

struct snapshot {
    source *src;     /* borrowed */
    arena mem;
    pg_conn **lanes; /* each in a REPEATABLE READ transaction with the snapshot */
    uint32_t count;
    position at;     /* exactly what the snapshot holds */
};

#endif
