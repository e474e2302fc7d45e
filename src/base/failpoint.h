/* Where a process may die in a test of crash recovery. */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

/* Kills the process (SIGKILL) when the environment says SLUICE_FAILPOINT=<name>. */
void failpoint(const char *name);

#endif
