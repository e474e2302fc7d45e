/* Following a job on stderr: each stage's result once, then bars per table with rate and time left at a terminal, one line per ten seconds elsewhere. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include "cmd/client.h"

typedef enum progress_end {
    PROGRESS_FINISHED,    /* the job is Finished */
    PROGRESS_RUNNING,     /* the job synchronizes and has caught up */
    PROGRESS_WAITING,     /* Suspending, NotStarted, PreCheckPass, NotConfigured: nothing moves by itself */
    PROGRESS_FAILED,      /* failed: e tells why, with the exit status of the failure */
    PROGRESS_INTERRUPTED, /* Ctrl-C; the job goes on */
} progress_end;

/* Polls until an end is reached. forever: goes on showing a synchronizing job until Ctrl-C. A service that does not answer for a while (it is
 * being restarted) is waited for; returns false when the API cannot be asked. */
ERR_MUST_USE bool progress_follow(client *c, const char *job_id, bool forever, progress_end *ret, err *e);

#endif
