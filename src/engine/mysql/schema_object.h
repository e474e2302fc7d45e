/* Which objects a job made in the target: sluice.object, so that a schema phase that was killed goes on where it stood. */
#ifndef ENGINE_MYSQL_SCHEMA_OBJECT_H
#define ENGINE_MYSQL_SCHEMA_OBJECT_H

#include "base/map.h"
#include "engine/mysql/mysql.h"

/* The job's rows of sluice.object, by "kind name". */
typedef struct object_rows {
    target *t;
    arena mem;
    map known; /* value: non-NULL when the job began or finished the object */
} object_rows;

/* Makes sluice.object when it is missing (ledger first) and reads the job's rows. Finish with object_rows_finish, also after a failure. */
ERR_MUST_USE bool object_rows_open(target *t, object_rows *ret, err *e);
void object_rows_finish(object_rows *o);
/* The job has begun or finished this object. name: `schema`.`name` as quoted. */
bool object_rows_has(const object_rows *o, const char *kind, str name);
/* Durable before the object is made. */
ERR_MUST_USE bool object_rows_begin(object_rows *o, const char *kind, str name, err *e);
ERR_MUST_USE bool object_rows_done(object_rows *o, const char *kind, str name, err *e);

#endif
