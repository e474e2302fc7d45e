/* Starting and ending role processes. */
#include "job/role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The child's signals start afresh: serve has blocked some for its signalfd. */
static bool child_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawnattr_init(attr) == 0 && posix_spawnattr_setsigmask(attr, &none) == 0 && posix_spawnattr_setsigdefault(attr, &all) == 0 &&
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) == 0 && posix_spawnattr_setpgroup(attr, 0) == 0;
}

bool role_spawn(const char *program, const char *role, role_process *ret, err *e)
{
    int fds[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char *argv[] = {(char *)(uintptr_t)"sluice", (char *)(uintptr_t)role, NULL};
    if (!ctl_pair(fds, e)) return false;
    int child_fd = fds[1];
    if (child_fd == CTL_FD) { /* dup2 onto itself would keep close-on-exec */
        child_fd = fcntl(fds[1], F_DUPFD_CLOEXEC, CTL_FD + 1);
        close(fds[1]);
    }
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_fd, CTL_FD);
    int rc = child_attributes(&attr) ? posix_spawn(&pid, program, &actions, &attr, argv, environ) : EINVAL;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    close(child_fd);
    int pidfd = rc == 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (rc != 0 || pidfd < 0) {
        close(fds[0]);
        if (pid > 0) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
        return err_set_errno(e, rc ? rc : errno, "start a role process");
    }
    fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    ret->pid = pid;
    ret->pidfd = pidfd;
    ctl_init(&ret->ctl, fds[0]);
    return true;
}

int role_reap(role_process *p)
{
    int status = 0;
    pid_t got;
    do got = waitpid(p->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    close(p->pidfd);
    p->pidfd = -1;
    ctl_finish(&p->ctl);
    return status;
}

void role_end(role_process *p)
{
    syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
    (void)role_reap(p);
}
