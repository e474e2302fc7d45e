/* Reader connections that see one state of a source. */
#ifndef ENGINE_MYSQL_SNAPSHOT_H
#define ENGINE_MYSQL_SNAPSHOT_H

#include "engine/mysql/mysql.h"

typedef struct snapshot_lane {
    conn *conn;  /* in a REPEATABLE READ transaction WITH CONSISTENT SNAPSHOT; results come as the bytes are stored */
    position at; /* none: the source keeps no log that we may read */
} snapshot_lane;

struct snapshot {
    source *src;  /* borrowed */
    arena mem;
    snapshot_lane *lanes;
    uint32_t count;
};

#endif
