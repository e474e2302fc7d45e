/* Building the keys of many tables side by side. Two keys of one table are never built at once, because ALTER TABLE locks it. */
#include "engine/postgresql/pg_schema_keys.h"

#include <stdlib.h>

#include "engine/postgresql/pg_session.h"
#include "engine/table_work.h"

typedef struct building {
    const target *t;
    const pg_key_task *tasks;
    uint32_t timeout_s;
    void (*built)(void *ctx, const table_def *t);
    void *ctx;
} building;

static bool open_builder(void *ctx, void **ret, err *e)
{
    const building *b = ctx;
    pg_conn *c = NULL;
    if (!pg_conn_open(b->t->ep, b->t->env, PG_TARGET, false, &c, e) || !pg_session_begin(c, NULL, e)) {
        pg_conn_close(c);
        return false;
    }
    c->statement_timeout_s = b->timeout_s;
    *ret = c;
    return true;
}

static void close_builder(void *connection) { pg_conn_close(connection); }

static bool build(void *ctx, void *connection, uint32_t at, err *e)
{
    const pg_key_task *k = &((const building *)ctx)->tasks[at];
    pg_conn *c = connection;
    for (uint32_t i = 0; i < k->count; i++) {
        if (pg_conn_exec(c, k->sql[i], NULL, e)) continue;
        err ignored = ERR_INIT;
        if (!c->broken && !pg_conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
        return err_context(e, "making the keys of %.*s.%.*s", STR_ARG(k->table->target_schema), STR_ARG(k->table->target_name));
    }
    return true;
}

static void done(void *ctx, uint32_t i)
{
    const building *b = ctx;
    b->built(b->ctx, b->tasks[i].table);
}

static int by_size(const void *a, const void *b)
{
    const table_def *x = ((const pg_key_task *)a)->table, *y = ((const pg_key_task *)b)->table;
    if (x->estimated_bytes != y->estimated_bytes) return x->estimated_bytes < y->estimated_bytes ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

bool pg_schema_run_keys(target *t, pg_key_task *tasks, uint32_t count, uint32_t timeout_s, void (*built)(void *ctx, const table_def *t), void *ctx, err *e)
{
    building b = {.t = t, .tasks = tasks, .timeout_s = timeout_s, .built = built, .ctx = ctx};
    table_work all = {.count = count, .lanes = t->env->lanes, .open = open_builder, .close = close_builder, .run = build, .done = done, .ctx = &b};
    qsort(tasks, count, sizeof *tasks, by_size);
    return table_work_run(&all, e);
}
