/* The roles that serve starts as processes of its own, and the supervisor that runs them. */
#ifndef JOB_ROLES_H
#define JOB_ROLES_H

#include "job/service.h"

typedef struct supervisor supervisor;

typedef struct supervisor_options {
    const char *program;        /* path of this program, /proc/self/exe by default */
    uint32_t max_workers;
    uint32_t lanes;             /* of a job's full load when Reserve does not say */
    const char *spill_folder; /* of large transactions, borrowed; NULL: workers keep all in memory */
    uint64_t worker_budget_bytes;
} supervisor_options;

/* Starts the supervisor thread (epoll over pidfds, control sockets, timers); takes up running jobs and unfinished deletions of the catalog. */
ERR_MUST_USE bool supervisor_start(service *s, const supervisor_options *o, supervisor **ret, err *e);
/* Asks workers to checkpoint and end, waits up to deadline_ms, then kills. */
void supervisor_stop(supervisor *s, int deadline_ms);
/* Rounds of its loop so far, about two a second; one that stands still waits for the catalog or is stuck. Any thread. */
uint64_t supervisor_rounds(const supervisor *s);

/* `sluice worker` and `sluice probe`: control socket on fd 3; return the exit status. EOF on fd 3 means: finish the transaction, checkpoint, exit 0. */
int worker_main(void);
int probe_main(void);

#endif
