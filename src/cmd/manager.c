/* What a service manager is told and asks for. */
#include "cmd/manager.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

void manager_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof sa.sun_path) return;
    memcpy(sa.sun_path, path, strlen(path));
    if (*path == '@') sa.sun_path[0] = 0; /* abstract name */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    close(fd);
}

int manager_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t us, owner;
    if (!usec || !str_to_u64(str_from_c(usec), &us) || us < 2000) return -1;
    if (pid && (!str_to_u64(str_from_c(pid), &owner) || owner != (uint64_t)getpid())) return -1;
    return us / 2000 > INT_MAX ? INT_MAX : (int)(us / 2000);
}
