/* Inside of the supervisor: shared by supervisor.c, cleanup.c, delete.c and release.c. */
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

/* cleanup.c: a probe that removes what a run made at one end ("src", "dest"), as the ledger has it; secret: the context of the end's password. Its settings
 * and the ledger are read in a transaction of its own. */
ERR_MUST_USE bool cleanup_start(supervisor *s, str job_id, str run_id, const char *end, const job_endpoint *ep, str secret, arena *a, err *e);
/* Inside a transaction: entries of an end that are not settled. */
ERR_MUST_USE bool cleanup_open_entries(supervisor *s, str run_id, const char *end, arena *a, ledger_record **ret, uint32_t *ret_count, err *e);
/* What the end of a cleanup means for an open entry: true with its new state, false with last_error when it stays open. */
bool cleanup_settles(const child *c, ledger_record *l);
/* How long to wait before the next attempt: 1 s, doubled each time, at most 600 s. */
int64_t cleanup_wait_us(uint32_t attempts);

/* delete.c: advances unfinished deletions and due leftovers. */
void delete_work(supervisor *s);
/* delete.c: a cleanup probe has ended. False: it was not that of a deletion. */
bool delete_child_ended(supervisor *s, child *c);

/* release.c: jobs that have ended give up what they hold at their sources. */
void release_work(supervisor *s);
/* release.c: a cleanup probe that is not of a deletion has ended. */
void release_child_ended(supervisor *s, const child *c);

#endif
