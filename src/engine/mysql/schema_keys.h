/* Keys and foreign keys of the job's tables, built after the load. */
#ifndef ENGINE_MYSQL_SCHEMA_KEYS_H
#define ENGINE_MYSQL_SCHEMA_KEYS_H

#include "engine/mysql/mysql.h"
#include "engine/mysql/schema_text.h"

typedef struct key_work {
    target *t;               /* its connection is used by the calling thread alone */
    const catalog_def *c;
    const schema_pair *pair;
    const table_def *const *tables;
    uint32_t count;
    void (*built)(void *ctx, const char *kind /* "index", "foreign key" */, const table_def *t); /* once a table and kind; calls do not overlap */
    void *ctx;
} key_work;

/* Builds the keys that the target's tables do not have yet: several tables at once, each on a connection of its own (env->lanes), for an ALTER that
 * builds indexes keeps one core of the server busy. Call again after a failure. */
ERR_MUST_USE bool schema_build_keys(const key_work *w, err *e);
/* Adds the foreign keys that the target's tables do not have yet. Without a check of the rows: chunks have states of different moments until the stream
 * has caught up. */
ERR_MUST_USE bool schema_build_foreign_keys(const key_work *w, err *e);
/* The definition that the target's table has by now. */
ERR_MUST_USE bool schema_read_present(conn *c, const table_def *t, arena *a, ddl_table *ret, err *e);
/* Sets what the statements of definitions need on a connection: UTF-8 texts, no foreign key checks, no time limit but the keep-alive's. */
ERR_MUST_USE bool schema_pin_session(conn *c, err *e);

#endif
