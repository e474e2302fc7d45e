/* A request to stop that threads can poll and wait for. */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include <stdatomic.h>

#include "base/err.h"

typedef struct cancel {
    atomic_bool asked;
    int fd; /* eventfd, readable once asked; for poll() */
} cancel;

ERR_MUST_USE bool cancel_init(cancel *c, err *e);
void cancel_finish(cancel *c);
/* Safe from any thread, not from signal handlers. Idempotent. */
void cancel_ask(cancel *c);
static inline bool cancel_asked(const cancel *c) { return atomic_load_explicit(&c->asked, memory_order_relaxed); }
/* Waits until asked or the time is over; true when asked. */
bool cancel_wait_ms(const cancel *c, int timeout_ms);
/* Fills ERR_CANCELLED and returns false. */
bool cancel_error(err *e);

#endif
