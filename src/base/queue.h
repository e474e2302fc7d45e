/* A bounded queue between threads, counted in bytes: the memory budget of a pipeline stage. Items change owner when pushed. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/err.h"

typedef struct queue queue;

typedef enum queue_result { QUEUE_OK, QUEUE_CLOSED, QUEUE_TIMEOUT } queue_result;

/* Holds items until their bytes reach limit_bytes (one item always fits). NULL without memory. */
queue *queue_new(size_t limit_bytes);
/* Items still inside are the caller's to drain first (queue_pop until QUEUE_CLOSED). NULL is fine. */
void queue_free(queue *q);
/* Waits for room. QUEUE_CLOSED: not taken, the caller still owns the item. timeout_ms < 0: waits until closed. */
queue_result queue_push(queue *q, void *item, size_t bytes, int64_t timeout_ms);
/* QUEUE_CLOSED only when closed and empty. timeout_ms 0: does not wait. */
queue_result queue_pop(queue *q, int64_t timeout_ms, void **ret_item);
/* No more pushes; pops drain what is left. Wakes everybody. Idempotent. */
void queue_close(queue *q);
size_t queue_bytes(queue *q);
size_t queue_items(queue *q);

#endif
