/* The threads of a piece of work on many tables. */
#include "engine/table_work.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct crew {
    const table_work *w;
    pthread_mutex_t lock; /* next, failed, error, and the calls of w->done */
    uint32_t next;
    bool failed;
    err error;
} crew;

typedef struct hand {
    crew *crew;
    void *connection;
    pthread_t thread;
    bool opened, runs;
} hand;

static bool take(crew *c, uint32_t *ret)
{
    pthread_mutex_lock(&c->lock);
    bool more = !c->failed && c->next < c->w->count;
    if (more) *ret = c->next++;
    pthread_mutex_unlock(&c->lock);
    return more;
}

static void note(crew *c, uint32_t i, const err *failure)
{
    pthread_mutex_lock(&c->lock);
    if (!failure) {
        c->w->done(c->w->ctx, i);
    } else if (!c->failed) {
        c->failed = true;
        c->error = *failure;
    }
    pthread_mutex_unlock(&c->lock);
}

static void *hand_main(void *arg)
{
    hand *me = arg;
    const table_work *w = me->crew->w;
    for (uint32_t i; take(me->crew, &i);) {
        err e = ERR_INIT;
        bool ok = w->run(w->ctx, me->connection, i, &e);
        note(me->crew, i, ok ? NULL : &e);
    }
    return NULL;
}

static bool start(hand *me, crew *c, err *e)
{
    me->crew = c;
    me->opened = c->w->open(c->w->ctx, &me->connection, e);
    if (!me->opened) return false;
    int failed = pthread_create(&me->thread, NULL, hand_main, me);
    me->runs = !failed;
    return !failed || err_set_errno(e, failed, "pthread_create");
}

bool table_work_run(const table_work *w, err *e)
{
    crew c = {.w = w, .error = ERR_INIT};
    uint32_t n = w->lanes ? w->lanes : 1;
    if (n > w->count) n = w->count;
    hand *all = calloc(n + 1, sizeof *all);
    if (!all) return err_no_memory(e, "threads for tables");
    pthread_mutex_init(&c.lock, NULL);
    bool started = true;
    for (uint32_t i = 0; i < n && started; i++) started = start(&all[i], &c, e);
    if (!started) { /* those that run end after the table they are at */
        pthread_mutex_lock(&c.lock);
        c.next = w->count;
        pthread_mutex_unlock(&c.lock);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (all[i].runs) pthread_join(all[i].thread, NULL);
        if (all[i].opened) w->close(all[i].connection);
    }
    pthread_mutex_destroy(&c.lock);
    free(all);
    if (started && c.failed) *e = c.error;
    return started && !c.failed;
}
