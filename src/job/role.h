/* Starting roles (worker, probe) as processes of this program, with their control socket on fd 3. */
#ifndef JOB_ROLE_H
#define JOB_ROLE_H

#include <sys/types.h>

#include "job/ctl.h"

typedef struct role_process {
    pid_t pid;
    int pidfd; /* readable when it has ended */
    ctl ctl;
} role_process;

/* posix_spawn of `program role`; nothing of a job is in argv or environment. */
ERR_MUST_USE bool role_spawn(const char *program, const char *role, role_process *ret, err *e);
/* Reaps a process whose pidfd is readable; the wait status. */
int role_reap(role_process *p);
/* Ends it now: closes the socket, kills, waits. */
void role_end(role_process *p);

#endif
