/* A request to stop: a flag and an eventfd. */
#include "base/cancel.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool cancel_init(cancel *c, err *e)
{
    atomic_init(&c->asked, false);
    c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return c->fd >= 0 || err_set_errno(e, errno, "eventfd");
}

void cancel_finish(cancel *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

void cancel_ask(cancel *c)
{
    atomic_store(&c->asked, true);
    uint64_t one = 1;
    (void)!write(c->fd, &one, sizeof one);
}

bool cancel_wait_ms(const cancel *c, int timeout_ms)
{
    if (cancel_asked(c)) return true;
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    (void)poll(&p, 1, timeout_ms);
    return cancel_asked(c);
}

bool cancel_error(err *e) { return err_set(e, ERR_CANCELLED, "asked to stop"); }
