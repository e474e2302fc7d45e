/* PQcancel connects and reads without a deadline (libpq 15, src/interfaces/libpq/fe-connect.c): a frozen server, whose kernel still takes connections, would hold
 * its caller for ever. It runs in a thread, which is left to itself when it takes too long. */
#include "engine/postgresql/pg_cancel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define WAIT_S 3

typedef struct asking {
    PGcancel *cancel;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done, left; /* under lock: by the thread; by the caller. The second of the two frees */
} asking;

static void free_asking(asking *a)
{
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    PQfreeCancel(a->cancel);
    free(a);
}

static void *ask_main(void *arg)
{
    asking *a = arg;
    char ignored[256];
    (void)PQcancel(a->cancel, ignored, sizeof ignored);
    pthread_mutex_lock(&a->lock);
    a->done = true;
    bool last = a->left;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    if (last) free_asking(a);
    return NULL;
}

static asking *new_asking(PGconn *pg)
{
    pthread_condattr_t attr;
    asking *a = calloc(1, sizeof *a);
    if (!a || !(a->cancel = PQgetCancel(pg))) {
        free(a);
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->wake, &attr);
    pthread_condattr_destroy(&attr);
    return a;
}

void pg_cancel_ask(PGconn *pg)
{
    pthread_t thread;
    struct timespec until;
    asking *a = new_asking(pg);
    if (!a) return;
    if (pthread_create(&thread, NULL, ask_main, a)) {
        free_asking(a);
        return;
    }
    pthread_detach(thread);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&a->lock);
    for (int late = 0; !a->done && !late;) late = pthread_cond_timedwait(&a->wake, &a->lock, &until);
    a->left = true;
    bool last = a->done;
    pthread_mutex_unlock(&a->lock);
    if (last) free_asking(a);
}
