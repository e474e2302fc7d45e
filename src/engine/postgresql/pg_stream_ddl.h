/* What the event triggers of a source (pg_ddl_function.h) told of one transaction. */
#ifndef ENGINE_POSTGRESQL_PG_STREAM_DDL_H
#define ENGINE_POSTGRESQL_PG_STREAM_DDL_H

#include "codec/pgoutput.h"
#include "engine/postgresql/postgresql.h"

#define PG_STREAM_DDL_MAX 4096 /* messages of one transaction */

typedef struct pg_stream_ddl {
    const stream_request *r; /* borrowed */
    bool *published;         /* by table id: in the job's publication; in the arena of begin */
    str token;               /* in messages that are the event triggers' (pg_ddl_capture.h); in the same arena; p == NULL: none are taken */
    struct json_t *messages; /* a list, owned; NULL: none */
} pg_stream_ddl;

ERR_MUST_USE bool pg_stream_ddl_begin(pg_stream_ddl *d, source *s, const stream_request *r, arena *a, err *e);
void pg_stream_ddl_forget(pg_stream_ddl *d); /* the messages */
/* A message of the log, ours or not. */
ERR_MUST_USE bool pg_stream_ddl_take(pg_stream_ddl *d, const pgoutput_logical_message *m, err *e);
static inline bool pg_stream_ddl_any(const pg_stream_ddl *d) { return d->messages != NULL; }
size_t pg_stream_ddl_count(const pg_stream_ddl *d);
/* The selected table that the i-th message says was changed, NULL when it says something else or a later one says more; its columns afterwards as a Relation message would tell them,
 * in the arena. */
ERR_MUST_USE bool pg_stream_ddl_relation(const pg_stream_ddl *d, size_t i, arena *a, const table_def **ret, pgoutput_relation *ret_relation, err *e);
/* ERR_SOURCE_DDL where rows were changed that the log does not have, or nobody knows what was. */
ERR_MUST_USE bool pg_stream_ddl_check(const pg_stream_ddl *d, err *e);
/* What is to be done for all of them, in the arena; the table's columns are known. ERR_SOURCE_DDL: what cannot be carried and must not be passed over. */
ERR_MUST_USE bool pg_stream_ddl_list(const pg_stream_ddl *d, arena *a, ddl_list *ret, err *e);

#endif
