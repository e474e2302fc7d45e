/* One lane of the full load: a thread that reads chunks from its snapshot connection, a thread that loads them, a bounded queue between. */
#ifndef PIPELINE_LANE_H
#define PIPELINE_LANE_H

#include "base/queue.h"
#include "pipeline/stop.h"
#include "pipeline/work.h"

/* What the lanes of one attempt share. */
typedef struct load_attempt {
    run *run;
    dest *dest;        /* used by lane 0 (planning) while the lanes run */
    snapshot *snap;
    work work;
    stop stop;         /* asked by the first failure */
    bool uneven;       /* the lanes' positions differ */
    size_t batch_bytes;
    pthread_mutex_t lock;
    bool failed;
    err error;         /* the first failure */
    struct lane *lanes;
    uint32_t lane_count;
} load_attempt;

typedef struct lane {
    load_attempt *attempt;
    uint32_t number;
    position at;        /* borrowed from the snapshot */
    loader *loader;
    queue *queue;
    retry retry;        /* of load_chunk after RETRY_TXN */
    pthread_t reader, writer;
    bool reader_runs, writer_runs;
} lane;

/* Keeps the first failure, stops everybody. */
void lane_fail(load_attempt *a, const err *e);
bool lane_start(lane *l, err *e);
/* Waits for the threads. */
void lane_join(lane *l);
/* Frees the queue with what is left inside; every lane has been joined (a failing lane closes the queues of all). */
void lane_finish(lane *l);
/* full_load.c: makes the tasks of a table; called by lane 0's reader. */
bool load_plan_table(load_attempt *a, table_load *l, err *e);

#endif
