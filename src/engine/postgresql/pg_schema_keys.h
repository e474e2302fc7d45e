/* Building the keys of many tables side by side. */
#ifndef ENGINE_POSTGRESQL_PG_SCHEMA_KEYS_H
#define ENGINE_POSTGRESQL_PG_SCHEMA_KEYS_H

#include "engine/postgresql/postgresql.h"

/* What is to be run for one table, in order; each text is a transaction of its own. */
typedef struct pg_key_task {
    const table_def *table;
    const str *sql;
    uint32_t count;
} pg_key_task;

/* Runs the tasks, sorted anew by the tables' sizes, the largest first, on as many connections as env->lanes says. built is called once per finished table, by one
 * thread at a time. The first failure ends all after the statements that are under way. */
ERR_MUST_USE bool pg_schema_run_keys(target *t, pg_key_task *tasks, uint32_t count, uint32_t timeout_s, void (*built)(void *ctx, const table_def *t), void *ctx, err *e);

#endif
