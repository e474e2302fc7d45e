/* A cancel of its own that follows a parent: one part of a run can be stopped without stopping the rest. */
#ifndef PIPELINE_STOP_H
#define PIPELINE_STOP_H

#include <pthread.h>

#include "base/cancel.h"

typedef struct stop {
    cancel own;           /* asked by stop_ask or as soon as the parent is asked */
    const cancel *parent; /* borrowed */
    pthread_t follower;
} stop;

/* Starts the thread that waits for the parent. */
ERR_MUST_USE bool stop_init(stop *s, const cancel *parent, err *e);
/* Ends the thread; everybody who uses own must have gone. */
void stop_finish(stop *s);
static inline void stop_ask(stop *s) { cancel_ask(&s->own); }

#endif
