/* A cancel that follows a parent: one thread polls both. */
#include "pipeline/stop.h"

#include <errno.h>
#include <poll.h>

static void *follow(void *arg)
{
    stop *s = arg;
    struct pollfd fds[2] = {{.fd = s->parent->fd, .events = POLLIN}, {.fd = s->own.fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    cancel_ask(&s->own);
    return NULL;
}

bool stop_init(stop *s, const cancel *parent, err *e)
{
    s->parent = parent;
    if (!cancel_init(&s->own, e)) return false;
    int failed = pthread_create(&s->follower, NULL, follow, s);
    if (!failed) return true;
    cancel_finish(&s->own);
    return err_set_errno(e, failed, "pthread_create");
}

void stop_finish(stop *s)
{
    cancel_ask(&s->own);
    pthread_join(s->follower, NULL);
    cancel_finish(&s->own);
}
