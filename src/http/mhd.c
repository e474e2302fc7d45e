/* The listeners over libmicrohttpd: the only file that knows this library. Thread per connection, no suspend and resume. */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/guard.h"
#include "http/metrics.h"

#define HEADER_COUNT_MAX 100
#define REQUEST_ARENA_BYTES (64 * 1024)
#define REQUEST_ARENA_LIMIT (64 * 1024 * 1024)
/* GnuTLS priorities: its defaults, of the protocol versions only 1.2 and 1.3. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* One open connection, for the watchdog. */
typedef struct slot {
    int fd; /* -1: free */
    int64_t waiting_since_us; /* 0: a request is being answered */
} slot;

struct http_server {
    struct MHD_Daemon *daemon;
    api *api;
    service *svc;
    uint16_t port;
    uint32_t deadline_s;
    pthread_mutex_t lock;
    slot slots[HTTP_MAX_CONNECTIONS];
    pthread_t watchdog;
    bool watchdog_runs;
    cancel stop;
};

/* A request while it arrives. */
typedef struct exchange {
    char *uri; /* raw, with the query */
    buf body;
    bool too_large, begun;
} exchange;

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)cls, (void)connection;
    exchange *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->body.limit = API_MAX_REQUEST_BYTES;
    x->uri = strdup(uri);
    return x;
}

static slot *slot_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    http_server *h = cls;
    pthread_mutex_lock(&h->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        for (size_t i = 0; info && i < HTTP_MAX_CONNECTIONS; i++) {
            if (h->slots[i].fd >= 0) continue;
            h->slots[i] = (slot){info->connect_fd, clk_mono_us(clk_system())};
            *socket_context = &h->slots[i];
            break;
        }
    } else if (*socket_context) {
        ((slot *)*socket_context)->fd = -1;
    }
    pthread_mutex_unlock(&h->lock);
}

static void set_waiting(http_server *h, struct MHD_Connection *connection, bool waiting)
{
    slot *s = slot_of(connection);
    pthread_mutex_lock(&h->lock);
    if (s) s->waiting_since_us = waiting ? clk_mono_us(clk_system()) : 0;
    pthread_mutex_unlock(&h->lock);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
    (void)code;
    exchange *x = *con_cls;
    if (x) {
        if (x->uri) secret_zero(x->uri, strlen(x->uri)); /* SDKs put passwords into the query */
        if (x->body.p) secret_zero(x->body.p, x->body.n);
        free(x->uri);
        buf_finish(&x->body);
        free(x);
    }
    *con_cls = NULL;
    set_waiting(cls, connection, true);
}

static void *watch(void *arg)
{
    http_server *h = arg;
    while (!cancel_wait_ms(&h->stop, 1000)) {
        int64_t limit = clk_mono_us(clk_system()) - (int64_t)h->deadline_s * 1000000;
        pthread_mutex_lock(&h->lock);
        for (size_t i = 0; i < HTTP_MAX_CONNECTIONS; i++)
            if (h->slots[i].fd >= 0 && h->slots[i].waiting_since_us && h->slots[i].waiting_since_us < limit) shutdown(h->slots[i].fd, SHUT_RDWR);
        pthread_mutex_unlock(&h->lock);
    }
    return NULL;
}

typedef struct header_list {
    name_value items[HEADER_COUNT_MAX];
    size_t count, bytes;
} header_list;

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n, const char *value, size_t value_n)
{
    (void)kind;
    header_list *l = cls;
    l->bytes += key_n + value_n + 4;
    if (l->count == HEADER_COUNT_MAX || l->bytes > API_MAX_HEADER_BYTES) {
        l->bytes = API_MAX_HEADER_BYTES + 1;
        return MHD_NO;
    }
    l->items[l->count++] = (name_value){{key, key_n}, {value, value_n}};
    return MHD_YES;
}

static enum MHD_Result answer(struct MHD_Connection *connection, int status, str content_type, str body, str request_id, bool close)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)(body.n ? body.p : ""), MHD_RESPMEM_MUST_COPY);
    if (!r) return MHD_NO;
    char type[64], id[64];
    snprintf(type, sizeof type, "%.*s", STR_ARG(content_type));
    snprintf(id, sizeof id, "%.*s", STR_ARG(request_id));
    MHD_add_response_header(r, "Content-Type", type);
    if (*id) MHD_add_response_header(r, "x-acs-request-id", id);
    if (close) MHD_add_response_header(r, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned int)status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result plain(struct MHD_Connection *connection, int status, const char *text, bool close)
{
    return answer(connection, status, STR("text/plain; charset=utf-8"), str_from_c(text), STR_NULL, close);
}

static str client_address(struct MHD_Connection *connection, char *out, size_t out_bytes)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *sa = info ? info->client_addr : NULL;
    *out = 0;
    if (sa && sa->sa_family == AF_INET) inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, out, (socklen_t)out_bytes);
    if (sa && sa->sa_family == AF_INET6) inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, out, (socklen_t)out_bytes);
    return str_from_c(out);
}

static enum MHD_Result answer_page(http_server *h, struct MHD_Connection *connection, str path, arena *mem)
{
    err e = ERR_INIT;
    str text;
    if (str_eq(path, STR("/healthz"))) return plain(connection, 200, "ok\n", false);
    bool metrics = str_eq(path, STR("/metrics"));
    if (!metrics && !str_eq(path, STR("/readyz"))) return plain(connection, 404, "not found\n", false);
    if (!metrics_render(h->api, h->svc, mem, &text, &e) || (!metrics && !api_ready(h->api, &e))) {
        log_error("page", &e);
        return plain(connection, 503, "the catalog does not answer\n", false);
    }
    if (!metrics) return plain(connection, 200, "ready\n", false);
    return answer(connection, 200, STR("text/plain; version=0.0.4; charset=utf-8"), text, STR_NULL, false);
}

static enum MHD_Result answer_request(http_server *h, struct MHD_Connection *connection, exchange *x, const char *method, const header_list *headers)
{
    char address[64];
    arena mem;
    arena_init(&mem, REQUEST_ARENA_BYTES, REQUEST_ARENA_LIMIT);
    str uri = str_from_c(x->uri);
    size_t mark = str_find_byte(uri, '?', 0);
    http_request r = {.method = str_from_c(method), .path = str_sub(uri, 0, mark), .query = mark == SIZE_MAX ? STR("") : str_sub(uri, mark + 1, SIZE_MAX),
                      .body = buf_str(&x->body), .headers = headers->items, .header_count = headers->count,
                      .client = client_address(connection, address, sizeof address)};
    enum MHD_Result result;
    if (str_eq(r.path, STR("/")) || r.path.n == 0) {
        if (r.path.n == 0) r.path = STR("/");
        http_response out = {0};
        api_handle(h->api, &r, &mem, &out);
        result = answer(connection, out.status, out.content_type, out.body, out.request_id, false);
    } else {
        result = answer_page(h, connection, r.path, &mem);
    }
    arena_finish(&mem);
    return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **con_cls)
{
    (void)url;
    http_server *h = cls;
    exchange *x = *con_cls;
    if (!x || !x->uri) return MHD_NO;
    header_list headers = {.count = 0};
    if (!x->begun) {
        x->begun = true;
        MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, &headers);
        if (headers.bytes > API_MAX_HEADER_BYTES) return plain(connection, 431, "the headers are larger than 64 KiB or more than 100\n", true);
        const char *wrong = guard_headers(headers.items, headers.count, str_eq(str_from_c(version), STR("HTTP/1.1")));
        if (wrong) return plain(connection, 400, wrong, true);
        if (strlen(x->uri) > API_MAX_REQUEST_BYTES) return plain(connection, 414, "the request line is larger than 4 MiB\n", true);
        return MHD_YES;
    }
    if (*upload_size) {
        buf_add(&x->body, (str){upload, *upload_size});
        x->too_large = x->too_large || x->body.failed;
        *upload_size = 0;
        return MHD_YES;
    }
    if (x->too_large) return plain(connection, 413, "the request is larger than 4 MiB\n", true);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, &headers);
    set_waiting(h, connection, false);
    return answer_request(h, connection, x, method, &headers);
}

static bool load_file(const char *path, arena *a, char **ret, err *e)
{
    str text;
    if (!path) return *ret = NULL, true;
    if (!file_read(path, 1024 * 1024, a, &text, e)) return err_context(e, "reading a certificate or key");
    *ret = (char *)(uintptr_t)text.p;
    return true;
}

static bool socket_address(const http_listener *l, struct sockaddr_storage *out, bool *ret_v6, err *e)
{
    struct sockaddr_in *v4 = (void *)out;
    struct sockaddr_in6 *v6 = (void *)out;
    memset(out, 0, sizeof *out);
    *ret_v6 = strchr(l->address, ':') != NULL;
    if (*ret_v6 ? inet_pton(AF_INET6, l->address, &v6->sin6_addr) != 1 : inet_pton(AF_INET, l->address, &v4->sin_addr) != 1)
        return err_set(e, ERR_BAD_INPUT, "\"%s\" is not a numeric address; write for example 127.0.0.1:8888", l->address);
    if (*ret_v6) v6->sin6_family = AF_INET6, v6->sin6_port = htons(l->port);
    else v4->sin_family = AF_INET, v4->sin_port = htons(l->port);
    return true;
}

/* Why the library could not listen: what bind(2) said, else it is the certificate. */
static bool refuse_listen(const http_listener *l, int why, err *e)
{
    bool bound = why == EADDRINUSE || why == EADDRNOTAVAIL || why == EACCES || why == EPERM;
    const char *reason = bound ? strerror(why) : l->cert_file ? "certificate and key do not fit" : "the HTTP library gives no reason";
    return err_set(e, ERR_LISTEN, strchr(l->address, ':') ? "cannot listen on [%s]:%u: %s" : "cannot listen on %s:%u: %s", l->address, l->port, reason);
}

static bool start_daemon(http_server *h, const http_listener *l, err *e)
{
    struct sockaddr_storage sa;
    bool v6;
    arena mem;
    arena_init(&mem, 16 * 1024, 0);
    char *cert = NULL, *key = NULL;
    if (!socket_address(l, &sa, &v6, e) || !load_file(l->cert_file, &mem, &cert, e) || !load_file(l->key_file, &mem, &key, e)) {
        arena_finish(&mem);
        return false;
    }
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, cert}, {MHD_OPTION_HTTPS_MEM_KEY, 0, key},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES}, {MHD_OPTION_END, 0, NULL}};
    unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | (v6 ? MHD_USE_IPv6 : 0U) | (cert ? MHD_USE_TLS : 0U);
    errno = 0;
    h->daemon = MHD_start_daemon(flags, l->port, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&sa, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned int)HTTP_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(API_MAX_REQUEST_BYTES + 2 * API_MAX_HEADER_BYTES),
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)h->deadline_s, MHD_OPTION_URI_LOG_CALLBACK, on_uri, h,
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
                                 MHD_OPTION_THREAD_STACK_SIZE, (size_t)(1024 * 1024), MHD_OPTION_ARRAY, cert ? tls : none, MHD_OPTION_END);
    int why = errno;
    if (key) secret_zero(key, strlen(key));
    arena_finish(&mem);
    if (!h->daemon) return refuse_listen(l, why, e);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    h->port = info ? info->port : l->port;
    return true;
}

bool http_start(const http_listener *l, api *a, service *s, http_server **ret, err *e)
{
    http_server *h = calloc(1, sizeof *h);
    if (!h) return err_no_memory(e, "a listener");
    h->api = a;
    h->svc = s;
    h->deadline_s = l->deadline_s ? l->deadline_s : HTTP_REQUEST_DEADLINE_S;
    pthread_mutex_init(&h->lock, NULL);
    for (size_t i = 0; i < HTTP_MAX_CONNECTIONS; i++) h->slots[i].fd = -1;
    h->stop.fd = -1;
    bool ok = cancel_init(&h->stop, e) && start_daemon(h, l, e);
    if (ok && pthread_create(&h->watchdog, NULL, watch, h) != 0) ok = err_no_memory(e, "the watchdog thread");
    else if (ok) h->watchdog_runs = true;
    if (!ok) {
        http_stop(h);
        return false;
    }
    *ret = h;
    return true;
}

void http_stop(http_server *h)
{
    if (!h) return;
    if (h->stop.fd >= 0) cancel_ask(&h->stop);
    if (h->watchdog_runs) pthread_join(h->watchdog, NULL);
    if (h->daemon) MHD_stop_daemon(h->daemon);
    cancel_finish(&h->stop);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

uint16_t http_port(const http_server *h) { return h->port; }
