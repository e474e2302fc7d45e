/* sluice serve: catalog, supervisor, API and listeners of one data folder, until SIGTERM or SIGINT. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/manager.h"
#include "cmd/run.h"
#include "http/server.h"
#include "job/roles.h"
#include "pipeline/spill.h"

#define STOP_DEADLINE_MS 15000

typedef struct server {
    catalog *catalog;
    service *svc;
    supervisor *sup;
    net_policy policy;
    api *api;
    http_server *plain, *tls;
    char spill_folder[4096];
} server;

/* "127.0.0.1:8888", "[::1]:8888". */
static bool split_address(const char *text, const char *option, char *host, size_t host_bytes, uint16_t *ret_port, err *e)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    str h = colon ? (str){text, (size_t)(colon - text)} : STR_NULL;
    if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']') h = str_sub(h, 1, h.n - 2);
    if (!colon || h.n == 0 || h.n >= host_bytes || !str_to_u64(str_from_c(colon + 1), &port) || port > 65535)
        return err_set(e, ERR_BAD_INPUT, "--%s is not valid: \"%s\" is not ADDRESS:PORT, for example 127.0.0.1:8888", option, text);
    memcpy(host, h.p, h.n);
    host[h.n] = 0;
    *ret_port = (uint16_t)port;
    return true;
}

static bool listen_on(const args *a, const char *option, server *s, http_server **ret, err *e)
{
    const char *text = args_get(a, option);
    bool tls = strcmp(option, "https") == 0;
    char host[64];
    int64_t deadline_s;
    http_listener l = {.address = host};
    if (!text) return true;
    if (!args_number(a, "request-deadline", 1, 3600, HTTP_REQUEST_DEADLINE_S, &deadline_s, e)) return false;
    l.deadline_s = (uint32_t)deadline_s;
    if (!split_address(text, option, host, sizeof host, &l.port, e)) return false;
    if (tls) l.cert_file = args_get(a, "cert"), l.key_file = args_get(a, "key");
    if (tls && (!l.cert_file || !l.key_file)) return err_set(e, ERR_BAD_INPUT, "--https needs --cert FILE and --key FILE");
    if (!http_start(&l, s->api, s->svc, ret, e)) return false;
    policy_add_own_port(&s->policy, http_port(*ret));
    log_event(LOG_INFO, "listening", "scheme=%s address=%s port=%u", option, host, http_port(*ret));
    return true;
}

static bool set_log_level(const args *a, err *e)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    const char *v = args_get(a, "log-level");
    for (int i = 0; v && i < 4; i++)
        if (strcmp(v, names[i]) == 0) return log_set_level((log_level)i), true;
    return !v || err_set(e, ERR_BAD_INPUT, "--log-level is not valid: \"%s\" is not debug, info, warn or error", v);
}

/* One line with every option that was given, wherever it came from. No option holds a secret: keys and passwords are files. */
static void log_options(const args *a)
{
    BUF_AUTO line = BUF_INIT;
    for (const opt *o = a->cmd->options; o->name; o++) {
        char quoted[1024];
        const char *v = args_get(a, o->name);
        if (v) buf_printf(&line, " %s=%s", o->name, log_quote(quoted, sizeof quoted, str_from_c(v)));
    }
    log_event(LOG_INFO, "options", "version=%s%.*s", SLUICE_VERSION, STR_ARG(buf_str(&line)));
}

static bool start(const args *a, server *s, err *e)
{
    const char *dir = args_get(a, "data");
    int64_t rate, burst, workers, lanes, memory_mib;
    if (!set_log_level(a, e)) return false;
    log_options(a);
    if (!dir) return err_set(e, ERR_BAD_INPUT, "--data DIR is missing: the folder of the service's data");
    if (!args_has(a, "http") && !args_has(a, "https")) return err_set(e, ERR_BAD_INPUT, "neither --http nor --https is given: name an address to listen on, for example --http 127.0.0.1:8888");
    if (!args_number(a, "rate-limit", 0, 1000000, 100, &rate, e) || !args_number(a, "rate-burst", 1, 1000000, 200, &burst, e) ||
        !args_number(a, "max-workers", 1, 1000, 64, &workers, e) || !args_number(a, "lanes", 1, 32, 2, &lanes, e) ||
        !args_number(a, "worker-memory", 16, 65536, 128, &memory_mib, e))
        return false;
    const char *region = args_get(a, "region");
    supervisor_options so = {.program = "/proc/self/exe", .max_workers = (uint32_t)workers, .lanes = (uint32_t)lanes, .worker_budget_bytes = (uint64_t)memory_mib << 20};
    api_options ao = {.region = str_from_c(region ? region : "local"), .host_id = STR("sluice"), .requests_per_s = (uint32_t)rate, .burst = (uint32_t)burst};
    snprintf(s->spill_folder, sizeof s->spill_folder, "%s/spill", dir);
    so.spill_folder = s->spill_folder;
    if (!policy_allow(&s->policy, str_from_c(args_get(a, "allow-endpoint")), e)) return false;
    if (!file_make_dirs(dir, 0700, e) || !catalog_open(dir, clk_system(), &s->catalog, e) || !service_open(s->catalog, &s->svc, e)) return false;
    spill_clear(s->spill_folder);
    service_use_policy(s->svc, &s->policy);
    /* The supervisor last: what it starts is told the ports of the listeners. */
    return api_open(s->svc, &ao, &s->api, e) && listen_on(a, "http", s, &s->plain, e) && listen_on(a, "https", s, &s->tls, e) && supervisor_start(s->svc, &so, &s->sup, e);
}

static void stop(server *s)
{
    http_stop(s->plain);
    http_stop(s->tls);
    if (s->sup) supervisor_stop(s->sup, STOP_DEADLINE_MS);
    api_close(s->api);
    if (s->svc) service_close(s->svc);
    if (s->catalog) catalog_close(s->catalog);
}

/* Until SIGTERM, SIGINT or SIGHUP. The watchdog of the service manager is fed as long as the supervisor goes round. */
static void wait_for_signal(int fd, const supervisor *sup)
{
    struct signalfd_siginfo info = {.ssi_signo = 0};
    struct pollfd p = {fd, POLLIN, 0};
    uint64_t seen = 0;
    for (;;) {
        int n = poll(&p, 1, manager_watchdog_ms());
        if (n > 0 && read(fd, &info, sizeof info) == (ssize_t)sizeof info) break;
        if (n < 0 && errno != EINTR) break;
        uint64_t rounds = supervisor_rounds(sup);
        if (n == 0 && rounds != seen) manager_notify("WATCHDOG=1");
        seen = rounds;
    }
    log_event(LOG_INFO, "stopping", "signal=%u", info.ssi_signo);
}

int run_serve(const args *a)
{
    server s = {0};
    err e = ERR_INIT;
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of that write, like a full disk */
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before the first thread, so that only the signalfd sees them */
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    log_set_common_fields("role=serve");
    bool ok = fd >= 0 ? start(a, &s, &e) : err_set_errno(&e, errno, "signalfd");
    if (ok) {
        manager_notify("READY=1");
        log_event(LOG_INFO, "ready", "version=%s", SLUICE_VERSION);
        wait_for_signal(fd, s.sup);
        manager_notify("STOPPING=1");
    }
    stop(&s);
    if (fd >= 0) close(fd);
    return ok ? 0 : command_fail(&e);
}
