/* The control socket: fragments, messages, members. A fragment's first byte tells whether more follow. */
#include "job/ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/secret.h"

#define FRAGMENT_BYTES 60000
#define SEND_TIMEOUT_S 10

bool ctl_pair(int ret_fds[2], err *e)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) return err_set_errno(e, errno, "socketpair");
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return true;
}

void ctl_init(ctl *c, int fd)
{
    struct timeval limit = {.tv_sec = SEND_TIMEOUT_S};
    *c = (ctl){.fd = fd, .partial = {.limit = CTL_MAX_MESSAGE_BYTES}};
    pthread_mutex_init(&c->lock, NULL);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void ctl_finish(ctl *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    if (c->partial.p) secret_zero(c->partial.p, c->partial.cap);
    buf_finish(&c->partial);
    pthread_mutex_destroy(&c->lock);
}

static bool send_fragment(int fd, char more, str part, err *e)
{
    struct iovec parts[2] = {{&more, 1}, {(void *)(uintptr_t)part.p, part.n}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent;
    do sent = sendmsg(fd, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)part.n + 1 || err_set_errno(e, sent < 0 ? errno : EMSGSIZE, "control socket");
}

bool ctl_send(ctl *c, const json_t *message, err *e)
{
    char *text = json_dumps(message, JSON_COMPACT);
    if (!text) return err_no_memory(e, "a control message");
    str rest = str_from_c(text);
    size_t whole = rest.n;
    bool ok = rest.n <= CTL_MAX_MESSAGE_BYTES || err_set(e, ERR_LIMIT, "a control message of %zu bytes is too large", rest.n);
    pthread_mutex_lock(&c->lock);
    do {
        str part = str_sub(rest, 0, FRAGMENT_BYTES);
        rest = str_sub(rest, part.n, SIZE_MAX);
        ok = ok && send_fragment(c->fd, rest.n ? 1 : 0, part, e);
    } while (ok && rest.n);
    pthread_mutex_unlock(&c->lock);
    secret_zero(text, whole);
    free(text);
    return ok;
}

bool ctl_send_new(ctl *c, json_t *message, err *e)
{
    bool ok = message ? ctl_send(c, message, e) : err_no_memory(e, "a control message");
    json_decref(message);
    return ok;
}

static ctl_result read_fragment(ctl *c, bool *ret_whole, err *e)
{
    char *room = buf_reserve(&c->partial, FRAGMENT_BYTES + 1);
    if (!room) return err_set(e, ERR_LIMIT, "a control message is larger than %d bytes", CTL_MAX_MESSAGE_BYTES), CTL_ERROR;
    ssize_t n;
    do n = recv(c->fd, room, FRAGMENT_BYTES + 1, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return CTL_NOTHING;
    if (n < 0 && errno == ECONNRESET) return CTL_EOF;
    if (n < 0) return err_set_errno(e, errno, "control socket"), CTL_ERROR;
    if (n == 0) return CTL_EOF;
    *ret_whole = room[0] == 0;
    memmove(room, room + 1, (size_t)n - 1);
    c->partial.n += (size_t)n - 1;
    return CTL_MESSAGE;
}

ctl_result ctl_receive(ctl *c, int timeout_ms, json_t **ret, err *e)
{
    for (;;) {
        bool whole = false;
        ctl_result r = read_fragment(c, &whole, e);
        if (r == CTL_NOTHING) {
            struct pollfd p = {.fd = c->fd, .events = POLLIN};
            int ready = timeout_ms ? poll(&p, 1, timeout_ms) : 0;
            if (ready > 0 || (ready < 0 && errno == EINTR)) continue;
            return CTL_NOTHING;
        }
        if (r != CTL_MESSAGE) return r;
        if (!whole) continue;
        json_t *message = json_loadb(c->partial.p, c->partial.n, JSON_REJECT_DUPLICATES, NULL);
        secret_zero(c->partial.p, c->partial.n);
        buf_reset(&c->partial);
        if (json_is_object(message)) return *ret = message, CTL_MESSAGE;
        json_decref(message);
        err_set(e, ERR_PROTOCOL, "a control message is not a JSON object");
        return CTL_ERROR;
    }
}

const char *ctl_text(const json_t *o, const char *name)
{
    const char *v = json_string_value(json_object_get(o, name));
    return v ? v : "";
}

str ctl_str(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_string(v) ? (str){json_string_value(v), json_string_length(v)} : STR("");
}

json_t *ctl_value(str s)
{
    json_t *v = json_stringn(s.n ? s.p : "", s.n);
    return v ? v : json_string("");
}

int64_t ctl_number(const json_t *o, const char *name) { return json_integer_value(json_object_get(o, name)); }
bool ctl_flag(const json_t *o, const char *name) { return json_is_true(json_object_get(o, name)); }

/* Error texts may hold bytes of a server that are not UTF-8; those become '?'. */
static json_t *text_value(const char *text)
{
    json_t *v = json_string(text);
    if (v) return v;
    char clean[ERR_TEXT_BYTES];
    size_t n = 0;
    for (; text[n] && n + 1 < sizeof clean; n++) clean[n] = (signed char)text[n] < 0 ? '?' : text[n];
    clean[n] = 0;
    return json_string(clean);
}

json_t *ctl_failed(const err *e)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:o}", "type", "failed", "code", err_name(e->code), "retry", (int)e->retry, "native", e->native, "text",
                     text_value(e->text));
}

bool ctl_read_failed(const json_t *message, err *e)
{
    err_code code = err_code_from_name(ctl_str(message, "code"));
    int64_t retry = ctl_number(message, "retry");
    return err_set_native(e, code == ERR_NONE ? ERR_INTERNAL : code, retry >= RETRY_NEVER && retry <= RETRY_LATER ? (err_retry)retry : RETRY_NEVER,
                          (int)ctl_number(message, "native"), "%s", ctl_text(message, "text"));
}
