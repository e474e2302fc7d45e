/* What a service manager is told and asks for: sd_notify(3) and sd_watchdog_enabled(3) without their library. */
#ifndef CMD_MANAGER_H
#define CMD_MANAGER_H

#include <stdint.h>

/* One datagram like "READY=1" to NOTIFY_SOCKET; nothing happens when it is not set or nobody listens. */
void manager_notify(const char *state);
/* Milliseconds between two "WATCHDOG=1" that the manager asks for: half of WATCHDOG_USEC when WATCHDOG_PID is missing or this process; -1: none are asked for. */
int manager_watchdog_ms(void);

#endif
