/* Building the keys of many tables side by side: each thread has a connection and takes the next table until none is left or one failed. Two keys of one table
 * are never built at once, because ALTER TABLE locks it. */
#include "engine/postgresql/pg_schema_keys.h"

#include <pthread.h>
#include <stdlib.h>

#include "engine/postgresql/pg_session.h"

typedef struct building {
    const pg_key_task *tasks;
    uint32_t count, next;
    void (*built)(void *ctx, const table_def *t);
    void *ctx;
    pthread_mutex_t lock; /* next, failed, error, and the calls of built */
    bool failed;
    err error;
} building;

typedef struct builder {
    building *b;
    pg_conn *c;
    pthread_t thread;
    bool runs;
} builder;

static const pg_key_task *take(building *b)
{
    pthread_mutex_lock(&b->lock);
    const pg_key_task *k = !b->failed && b->next < b->count ? &b->tasks[b->next++] : NULL;
    pthread_mutex_unlock(&b->lock);
    return k;
}

static void note(building *b, const table_def *t, const err *failure)
{
    pthread_mutex_lock(&b->lock);
    if (!failure) {
        b->built(b->ctx, t);
    } else if (!b->failed) {
        b->failed = true;
        b->error = *failure;
        err_context(&b->error, "making the keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
    }
    pthread_mutex_unlock(&b->lock);
}

static bool run_task(pg_conn *c, const pg_key_task *k, err *e)
{
    for (uint32_t i = 0; i < k->count; i++) {
        if (pg_conn_exec(c, k->sql[i], NULL, e)) continue;
        err ignored = ERR_INIT;
        if (!c->broken && !pg_conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
        return false;
    }
    return true;
}

static void *build_main(void *arg)
{
    builder *me = arg;
    for (const pg_key_task *k; (k = take(me->b));) {
        err e = ERR_INIT;
        bool ok = run_task(me->c, k, &e);
        note(me->b, k->table, ok ? NULL : &e);
    }
    return NULL;
}

static bool start(builder *me, building *b, const target *t, uint32_t timeout_s, err *e)
{
    me->b = b;
    if (!pg_conn_open(t->ep, t->env, PG_TARGET, false, &me->c, e) || !pg_session_begin(me->c, NULL, e)) return false;
    me->c->statement_timeout_s = timeout_s;
    int failed = pthread_create(&me->thread, NULL, build_main, me);
    me->runs = !failed;
    return !failed || err_set_errno(e, failed, "pthread_create");
}

static int by_size(const void *a, const void *b)
{
    const table_def *x = ((const pg_key_task *)a)->table, *y = ((const pg_key_task *)b)->table;
    if (x->estimated_bytes != y->estimated_bytes) return x->estimated_bytes < y->estimated_bytes ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

bool pg_schema_run_keys(target *t, pg_key_task *tasks, uint32_t count, uint32_t timeout_s, void (*built)(void *ctx, const table_def *t), void *ctx, err *e)
{
    building b = {.tasks = tasks, .count = count, .built = built, .ctx = ctx, .error = ERR_INIT};
    uint32_t n = t->env->lanes ? t->env->lanes : 1;
    if (n > count) n = count;
    builder *all = calloc(n + 1, sizeof *all);
    if (!all) return err_no_memory(e, "index builders");
    qsort(tasks, count, sizeof *tasks, by_size);
    pthread_mutex_init(&b.lock, NULL);
    bool started = true;
    for (uint32_t i = 0; i < n && started; i++) started = start(&all[i], &b, t, timeout_s, e);
    if (!started) { /* those that run end after the table they are at */
        pthread_mutex_lock(&b.lock);
        b.next = count;
        pthread_mutex_unlock(&b.lock);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (all[i].runs) pthread_join(all[i].thread, NULL);
        pg_conn_close(all[i].c);
    }
    pthread_mutex_destroy(&b.lock);
    free(all);
    if (started && b.failed) *e = b.error;
    return started && !b.failed;
}
