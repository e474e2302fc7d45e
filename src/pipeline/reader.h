/* The thread that reads the source's log into a bounded queue of transactions and reconnects by itself. */
#ifndef PIPELINE_READER_H
#define PIPELINE_READER_H

#include "base/queue.h"
#include "pipeline/run.h"
#include "pipeline/span.h"
#include "pipeline/spill.h"
#include "pipeline/stop.h"

typedef struct reader {
    run *run;
    stop stop;
    queue *queue;      /* of txn; closed when the thread ends */
    const spans *loaded; /* borrowed */
    position until;    /* borrowed; none = for ever */
    spill *open;       /* parts of a transaction that has not ended */
    place at;          /* end of the last transaction that was queued */
    pthread_mutex_t lock;
    place goal;        /* newest position of the source when last asked */
    bool has_goal;
    place durable;     /* what the target is known to have */
    pthread_t thread;
    bool failed;       /* read after the queue was found closed */
    err error;
} reader;

/* Starts reading after `from`, which the target has. loaded: where its rows are from, kept until reader_finish. */
ERR_MUST_USE bool reader_start(reader *rd, run *r, const spans *loaded, position from, position until, err *e);
/* The target has everything up to here: the source may be told. */
ERR_MUST_USE bool reader_set_durable(reader *rd, position at, err *e);
/* Stops the thread and frees what is queued. */
void reader_finish(reader *rd);
/* Takes the goal once: true when there is a new one (the caller's place is set). */
bool reader_take_goal(reader *rd, place *ret);

#endif
