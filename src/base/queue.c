/* A bounded byte-counted queue: ring of slots, one mutex, two condition variables. */
#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct slot {
    void *item;
    size_t bytes;
} slot;

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    slot *slots;
    size_t cap, head, count, bytes, limit;
    bool closed;
};

queue *queue_new(size_t limit_bytes)
{
    queue *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->cap = 64;
    q->limit = limit_bytes;
    q->slots = calloc(q->cap, sizeof *q->slots);
    if (!q->slots) {
        free(q);
        return NULL;
    }
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, &attr);
    pthread_cond_init(&q->not_full, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

void queue_free(queue *q)
{
    if (!q) return;
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
    free(q->slots);
    free(q);
}

static struct timespec deadline_after(int64_t timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += timeout_ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
    return t;
}

/* Waits on c under the lock; false when the deadline passed. */
static bool wait_on(queue *q, pthread_cond_t *c, int64_t timeout_ms, const struct timespec *deadline)
{
    if (timeout_ms < 0) return pthread_cond_wait(c, &q->lock) == 0;
    return pthread_cond_timedwait(c, &q->lock, deadline) == 0;
}

static bool grow(queue *q)
{
    slot *fresh = calloc(q->cap * 2, sizeof *fresh);
    if (!fresh) return false;
    for (size_t i = 0; i < q->count; i++) fresh[i] = q->slots[(q->head + i) % q->cap];
    free(q->slots);
    q->slots = fresh;
    q->cap *= 2;
    q->head = 0;
    return true;
}

queue_result queue_push(queue *q, void *item, size_t bytes, int64_t timeout_ms)
{
    struct timespec deadline = {0};
    if (timeout_ms >= 0) deadline = deadline_after(timeout_ms);
    queue_result result = QUEUE_OK;
    pthread_mutex_lock(&q->lock);
    for (;;) {
        bool room = q->count == 0 || (bytes <= q->limit && q->bytes <= q->limit - bytes);
        if (q->closed) result = QUEUE_CLOSED;
        else if (room && (q->count < q->cap || grow(q))) break;
        else if (wait_on(q, &q->not_full, timeout_ms, &deadline)) continue;
        else result = q->closed ? QUEUE_CLOSED : QUEUE_TIMEOUT;
        pthread_mutex_unlock(&q->lock);
        return result;
    }
    q->slots[(q->head + q->count) % q->cap] = (slot){item, bytes};
    q->count++;
    q->bytes += bytes;
    pthread_cond_signal(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
    return QUEUE_OK;
}

queue_result queue_pop(queue *q, int64_t timeout_ms, void **ret_item)
{
    struct timespec deadline = {0};
    if (timeout_ms >= 0) deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&q->lock);
    while (q->count == 0) {
        queue_result result = q->closed ? QUEUE_CLOSED : QUEUE_TIMEOUT;
        if (!q->closed && timeout_ms != 0 && wait_on(q, &q->not_empty, timeout_ms, &deadline)) continue;
        if (q->count) break;
        pthread_mutex_unlock(&q->lock);
        return result;
    }
    slot s = q->slots[q->head];
    q->head = (q->head + 1) % q->cap;
    q->count--;
    q->bytes -= s.bytes;
    pthread_cond_signal(&q->not_full);
    pthread_mutex_unlock(&q->lock);
    *ret_item = s.item;
    return QUEUE_OK;
}

void queue_close(queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->not_full);
    pthread_mutex_unlock(&q->lock);
}

size_t queue_bytes(queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->bytes;
    pthread_mutex_unlock(&q->lock);
    return n;
}

size_t queue_items(queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->count;
    pthread_mutex_unlock(&q->lock);
    return n;
}
