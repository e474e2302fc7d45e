/* Inside of the supervisor: shared by supervisor.c and delete.c. */
#ifndef JOB_SUPERVISOR_PRIV_H
#define JOB_SUPERVISOR_PRIV_H

#include <pthread.h>

#include "base/cancel.h"
#include "base/map.h"
#include "job/child.h"
#include "job/message.h"
#include "job/roles.h"

/* Failures of a job's workers in a row. */
typedef struct backoff {
    char run_id[64];
    uint32_t failures;
    int64_t since_us, next_us; /* monotonic */
} backoff;

struct supervisor {
    service *svc;
    supervisor_options options;
    pthread_t thread;
    cancel stop;
    int64_t stop_deadline_us;
    child *children;
    map backoffs;
    _Atomic uint64_t rounds;
    int64_t told_us; /* monotonic: when the log said last that the catalog cannot answer */
};

/* Logs a failure; while the catalog cannot answer (RETRY_LATER), which every round meets again, at most every ten seconds. */
void supervisor_log(supervisor *s, const char *event, const err *e);
/* end NULL: any. */
child *supervisor_find(supervisor *s, child_kind kind, const char *run_id, const char *end);
/* Takes the message. NULL on failure. */
child *supervisor_start_child(supervisor *s, child_kind kind, str job_id, str run_id, const char *end, json_t *message, err *e);
void supervisor_stop_child(child *c);

/* delete.c: advances unfinished deletions and due leftovers. */
void delete_work(supervisor *s);
/* delete.c: a cleanup probe has ended. */
void delete_child_ended(supervisor *s, child *c);

#endif
