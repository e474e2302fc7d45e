/* The supervisor: one thread that keeps a worker or probe for every job whose state asks for one, hears what they tell, and carries deletions out. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/log.h"
#include "job/supervisor_priv.h"

#define TICK_MS 500
#define STOP_EOF_US (10LL * 1000000)
#define PRECHECK_LIMIT_US (600LL * 1000000)
#define CLEANUP_LIMIT_US (60LL * 1000000)
#define BACKOFF_FIRST_US 1000000LL
#define BACKOFF_MAX_US (60LL * 1000000)
#define TELL_AGAIN_US (10LL * 1000000)
#define CHILDREN_MAX 1100

static int64_t mono_us(void) { return clk_mono_us(clk_system()); }

void supervisor_log(supervisor *s, const char *event, const err *e)
{
    int64_t now = mono_us();
    if (e->retry == RETRY_LATER && s->told_us && now - s->told_us < TELL_AGAIN_US) return;
    if (e->retry == RETRY_LATER) s->told_us = now;
    log_error(event, e);
}

child *supervisor_find(supervisor *s, child_kind kind, const char *run_id, const char *end)
{
    for (child *c = s->children; c; c = c->next)
        if (c->kind == kind && strcmp(c->run_id, run_id) == 0 && (!end || strcmp(c->end, end) == 0)) return c;
    return NULL;
}

child *supervisor_start_child(supervisor *s, child_kind kind, str job_id, str run_id, const char *end, json_t *message, err *e)
{
    child *c = calloc(1, sizeof *c);
    if (!c) {
        json_decref(message);
        err_no_memory(e, "a role process");
        return NULL;
    }
    c->kind = kind;
    c->started_us = mono_us();
    snprintf(c->job_id, sizeof c->job_id, "%.*s", STR_ARG(job_id));
    snprintf(c->run_id, sizeof c->run_id, "%.*s", STR_ARG(run_id));
    snprintf(c->end, sizeof c->end, "%s", end ? end : "");
    if (!role_spawn(s->options.program, kind == CHILD_WORKER ? "worker" : "probe", &c->process, e)) {
        json_decref(message);
        child_free(c);
        return NULL;
    }
    c->next = s->children;
    s->children = c;
    if (!ctl_send_new(&c->process.ctl, message, e)) log_error("spawn", e); /* its end will be seen */
    return c;
}

/* End of file on its socket: a worker finishes the transaction and checkpoints. Insists after ten seconds. */
void supervisor_stop_child(child *c)
{
    if (c->stop_asked) return;
    c->stop_asked = true;
    c->stop_asked_us = mono_us();
    shutdown(c->process.ctl.fd, SHUT_WR);
    if (c->kind != CHILD_WORKER) syscall(SYS_pidfd_send_signal, c->process.pidfd, SIGTERM, NULL, 0);
}

static void insist(child *c)
{
    int64_t now = mono_us(), age = now - c->started_us;
    if (c->kind == CHILD_PRECHECK && age > PRECHECK_LIMIT_US) supervisor_stop_child(c);
    if (c->kind == CHILD_CLEANUP && age > CLEANUP_LIMIT_US) supervisor_stop_child(c);
    if (!c->stop_asked || c->killed || now - c->stop_asked_us < STOP_EOF_US) return;
    c->killed = true;
    syscall(SYS_pidfd_send_signal, c->process.pidfd, SIGKILL, NULL, 0);
}

/* --- back-off --- */

static backoff *backoff_of(supervisor *s, str run_id)
{
    backoff *b = map_get(&s->backoffs, run_id);
    if (b) return b;
    b = calloc(1, sizeof *b);
    if (!b) return NULL;
    snprintf(b->run_id, sizeof b->run_id, "%.*s", STR_ARG(run_id));
    if (map_put(&s->backoffs, str_from_c(b->run_id), b)) return b;
    free(b);
    return NULL;
}

static bool may_start(supervisor *s, const char *run_id)
{
    const backoff *b = map_get(&s->backoffs, str_from_c(run_id));
    return !b || b->next_us <= mono_us();
}

static void note_failure(supervisor *s, str run_id, bool advanced)
{
    backoff *b = backoff_of(s, run_id);
    if (!b) return;
    if (advanced) b->failures = 0, b->since_us = 0;
    if (!b->since_us) b->since_us = mono_us();
    int64_t wait = advanced ? 0 : BACKOFF_FIRST_US << (b->failures < 6 ? b->failures : 6);
    b->failures++;
    b->next_us = mono_us() + (wait > BACKOFF_MAX_US ? BACKOFF_MAX_US : wait);
}

static bool retry_time_over(supervisor *s, const job_record *r, const char *run_id)
{
    const backoff *b = map_get(&s->backoffs, str_from_c(run_id));
    return b && b->since_us && mono_us() - b->since_us > service_retry_limit_s(r->reserve) * 1000000;
}

/* --- failures --- */

/* What the end of a worker or precheck means for its job. final: the worker reported the failure itself, after the pipeline had retried it for the job's
 * retry time; a worker that died is started again. */
static bool settle_job(supervisor *s, const child *c, const err *why, bool final, arena *a, err *e)
{
    job_record r;
    bool found = false;
    catalog *cat = s->svc->catalog;
    if (!jobs_find(cat, str_from_c(c->job_id), STR(""), false, a, &r, &found, e)) return false;
    if (!found || !str_eq(job_run_id(&r, a), str_from_c(c->run_id))) return true;
    bool wanted = c->kind == CHILD_WORKER ? fsm_wants_worker(r.state) : fsm_wants_precheck(r.state);
    if (!wanted) return true;
    if (c->kind == CHILD_WORKER && !final && !retry_time_over(s, &r, c->run_id)) {
        r.worker_restarts++;
        if (!c->advanced) {
            if (!fsm_apply(&r, EVENT_RETRY, e)) return false;
            if (!r.retrying) r.retry_since_us = clk_wall_us(catalog_clock(cat));
            r.retrying = true;
            r.retry_count++;
            r.retry_target = STR("inner_module");
            r.retry_text = str_from_c(why->text);
        }
        return jobs_save(cat, &r, e) && service_log_add(cat, r.job_id, "WARN", str_from_c(why->text), e);
    }
    r.error_code = str_from_c(err_name(why->code));
    r.error_text = str_from_c(why->text);
    r.retrying = false;
    if (c->kind == CHILD_PRECHECK) {
        r.precheck.status = STR("Failed");
        r.precheck.error = r.error_text;
    } else {
        job_stage *stage = r.stream.started_us ? &r.stream : r.load.started_us ? &r.load : &r.structure;
        stage->status = STR("Failed");
        stage->error = r.error_text;
    }
    return fsm_apply(&r, c->kind == CHILD_PRECHECK ? EVENT_PRECHECK_REFUSED : fsm_failed_event(&r), e) && jobs_save(cat, &r, e) &&
           service_log_add(cat, r.job_id, "ERROR", r.error_text, e);
}

/* --- starting --- */

static bool load_passwords(supervisor *s, const job_record *r, arena *a, secret pw[2], err *e)
{
    return jobs_secret_get(s->svc->catalog, service_secret_context(r->job_id, "src", a), &pw[0], e) &&
           jobs_secret_get(s->svc->catalog, service_secret_context(r->job_id, "dest", a), &pw[1], e);
}

/* Reads the job again: between the list and this transaction it may have been deleted, reset or paused. */
static bool still_wanted(supervisor *s, job_record *r, bool worker, arena *a, bool *ret, err *e)
{
    job_record now;
    bool found = false;
    if (!jobs_find(s->svc->catalog, r->job_id, STR(""), false, a, &now, &found, e)) return false;
    *ret = found && str_eq(job_run_id(&now, a), job_run_id(r, a)) && (worker ? fsm_wants_worker(now.state) : fsm_wants_precheck(now.state));
    if (*ret) *r = now;
    return true;
}

static bool make_message(supervisor *s, job_record *r, bool worker, arena *a, json_t **ret, err *e)
{
    secret pw[2] = {SECRET_INIT, SECRET_INIT};
    message_options o = {s->options.lanes, s->options.worker_budget_bytes, s->svc->policy, s->options.spill_folder};
    bool ok = load_passwords(s, r, a, pw, e);
    if (ok && worker) r->epoch++;
    if (ok && !worker) {
        r->precheck = (job_stage){.status = STR("Checking"), .started_us = clk_wall_us(catalog_clock(s->svc->catalog))};
        r->error_code = r->error_text = STR("");
        ok = precheck_restart(s->svc->catalog, r->job_id, e); /* an item that failed before and is not told now must not count */
    }
    ok = ok && jobs_save(s->svc->catalog, r, e);
    if (ok) *ret = message_job(worker ? "job" : "precheck", r, &pw[0], &pw[1], &o, a);
    for (int i = 0; i < 2; i++) secret_wipe(&pw[i]);
    return ok;
}

/* In one transaction: the new epoch is durable before the worker exists. *ret stays NULL when the job asks for no process any more. */
static bool prepare_start(supervisor *s, job_record *r, bool worker, arena *a, json_t **ret, err *e)
{
    bool wanted = false;
    json_t *message = NULL;
    if (!catalog_begin(s->svc->catalog, e)) return false;
    bool ok = still_wanted(s, r, worker, a, &wanted, e) && (!wanted || make_message(s, r, worker, a, &message, e));
    if (ok && catalog_commit(s->svc->catalog, e)) {
        *ret = message;
        return true;
    }
    if (!ok) catalog_rollback(s->svc->catalog);
    json_decref(message);
    return false;
}

/* What cannot be read back from the catalog today cannot be read tomorrow: the job fails with it instead of waiting for ever. Anything else (the catalog is locked,
 * its disk is full) is tried again with the next round. */
static void not_prepared(supervisor *s, const job_record *r, str run_id, bool worker, const err *why, arena *a)
{
    child none = {.kind = worker ? CHILD_WORKER : CHILD_PRECHECK};
    err e = ERR_INIT;
    supervisor_log(s, "start", why);
    if (why->code != ERR_SECRET_KEY && why->code != ERR_LIMIT && why->code != ERR_CORRUPT) return;
    snprintf(none.job_id, sizeof none.job_id, "%.*s", STR_ARG(r->job_id));
    snprintf(none.run_id, sizeof none.run_id, "%.*s", STR_ARG(run_id));
    if (!catalog_begin(s->svc->catalog, &e) || !service_end(s->svc, settle_job(s, &none, why, true, a, &e), &e)) supervisor_log(s, "settle", &e);
}

static void start_for(supervisor *s, job_record *r, bool worker, arena *a)
{
    err e = ERR_INIT;
    json_t *message = NULL;
    str run = job_run_id(r, a);
    if (!prepare_start(s, r, worker, a, &message, &e)) {
        not_prepared(s, r, run, worker, &e, a);
        return;
    }
    if (!message) return;
    child *c = supervisor_start_child(s, worker ? CHILD_WORKER : CHILD_PRECHECK, r->job_id, run, NULL, message, &e);
    if (!c) {
        log_error("start", &e);
        note_failure(s, run, false);
        return;
    }
    c->config_version = r->config_version;
    c->limits_version = r->limits_version;
    c->base_txns = r->applied_txns;
    c->base_rows = r->applied_rows;
    log_event(LOG_INFO, "started", "kind=%s job=%s pid=%d epoch=%llu", worker ? "worker" : "precheck", c->run_id, (int)c->process.pid, (unsigned long long)r->epoch);
}

static void send_limits(child *c, const job_record *r)
{
    err e = ERR_INIT;
    if (c->limits_version == r->limits_version) return;
    c->limits_version = r->limits_version;
    if (!ctl_send_new(&c->process.ctl, message_limits(r, "full"), &e) || !ctl_send_new(&c->process.ctl, message_limits(r, "stream"), &e)) log_error("limits", &e);
}

static uint32_t count_workers(const supervisor *s)
{
    uint32_t n = 0;
    for (const child *c = s->children; c; c = c->next) n += c->kind == CHILD_WORKER;
    return n;
}

/* Brings one job's processes in line with its state. */
static void align(supervisor *s, job_record *r, arena *a)
{
    char run[64];
    snprintf(run, sizeof run, "%.*s", STR_ARG(job_run_id(r, a)));
    child *worker = supervisor_find(s, CHILD_WORKER, run, NULL), *probe = supervisor_find(s, CHILD_PRECHECK, run, NULL);
    bool wants_worker = fsm_wants_worker(r->state), wants_probe = fsm_wants_precheck(r->state);
    if (worker) worker->wanted = wants_worker && worker->config_version == r->config_version;
    if (worker && worker->wanted) send_limits(worker, r);
    if (probe) probe->wanted = wants_probe && probe->config_version == r->config_version;
    if (wants_worker && !worker && may_start(s, run) && count_workers(s) < s->options.max_workers) start_for(s, r, true, a);
    if (wants_probe && !probe && may_start(s, run)) start_for(s, r, false, a);
    child *fresh = supervisor_find(s, wants_worker ? CHILD_WORKER : CHILD_PRECHECK, run, NULL);
    if (fresh && fresh != worker && fresh != probe) fresh->wanted = true;
}

static const job_state active[] = {JOB_STATE_PRECHECKING, JOB_STATE_MIGRATING, JOB_STATE_INITIALIZING, JOB_STATE_SYNCHRONIZING, JOB_STATE_RETRYING};
#define ACTIVE_STATES (sizeof active / sizeof *active)

/* The jobs that ask for a process, by state, as of one moment. */
static bool list_active(supervisor *s, arena *a, job_record *lists[ACTIVE_STATES], uint32_t counts[ACTIVE_STATES], err *e)
{
    if (!catalog_begin(s->svc->catalog, e)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < ACTIVE_STATES; i++) {
        uint32_t total = 0;
        jobs_filter f = {.type = -1, .state = (int)active[i], .limit = 100000};
        ok = jobs_list(s->svc->catalog, &f, a, &lists[i], &counts[i], &total, e);
    }
    catalog_rollback(s->svc->catalog);
    return ok;
}

static void reconcile(supervisor *s)
{
    arena a;
    err e = ERR_INIT;
    job_record *lists[ACTIVE_STATES] = {0};
    uint32_t counts[ACTIVE_STATES] = {0};
    arena_init(&a, 256 * 1024, 0);
    if (list_active(s, &a, lists, counts, &e)) {
        for (child *c = s->children; c; c = c->next) c->wanted = c->kind == CHILD_CLEANUP;
        for (size_t i = 0; i < ACTIVE_STATES; i++)
            for (uint32_t k = 0; k < counts[i]; k++) align(s, &lists[i][k], &a);
        for (child *c = s->children; c; c = c->next)
            if (!c->wanted) supervisor_stop_child(c);
    } else { /* what cannot be read changes nothing */
        supervisor_log(s, "catalog", &e);
    }
    arena_finish(&a);
}

/* --- ends --- */

static void on_end(supervisor *s, child *c, int status)
{
    arena a;
    err e = ERR_INIT, why = c->error;
    bool good = c->finished && !c->failed;
    log_event(LOG_INFO, "ended", "kind=%d job=%s status=%d signal=%d code=%s", (int)c->kind, c->run_id, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
              WIFSIGNALED(status) ? WTERMSIG(status) : 0, c->failed ? err_name(c->error.code) : "None");
    if (c->kind == CHILD_CLEANUP || good || (c->stop_asked && !c->failed)) return;
    if (!c->failed && WIFSIGNALED(status)) err_set(&why, ERR_INTERNAL, "the %s process was ended by signal %d", c->kind == CHILD_WORKER ? "worker" : "probe", WTERMSIG(status));
    else if (!c->failed) err_set(&why, ERR_INTERNAL, "the %s process ended with status %d and no report", c->kind == CHILD_WORKER ? "worker" : "probe", WEXITSTATUS(status));
    if (c->kind == CHILD_WORKER) note_failure(s, str_from_c(c->run_id), c->advanced);
    arena_init(&a, 16 * 1024, 0);
    bool ok = catalog_begin(s->svc->catalog, &e);
    if (ok) ok = service_end(s->svc, settle_job(s, c, &why, c->failed, &a, &e), &e);
    if (!ok) supervisor_log(s, "settle", &e);
    arena_finish(&a);
}

static void drain(supervisor *s, child *c)
{
    json_t *m = NULL;
    err e = ERR_INIT;
    while (ctl_receive(&c->process.ctl, 0, &m, &e) == CTL_MESSAGE) {
        child_message(s->svc, c, m);
        json_decref(m);
        m = NULL;
    }
    if (e.code != ERR_NONE) log_error("control", &e);
}

static void flush_all(supervisor *s)
{
    err e = ERR_INIT;
    bool news = false;
    for (child *c = s->children; c; c = c->next) {
        child_catch_up(s->svc, c);
        news = news || child_has_news(c);
    }
    if (!news || !catalog_begin(s->svc->catalog, &e)) {
        if (e.code != ERR_NONE) supervisor_log(s, "flush", &e);
        return;
    }
    bool ok = true;
    for (child *c = s->children; ok && c; c = c->next)
        if (child_has_news(c)) ok = child_flush(s->svc, c, &e);
    if (ok) ok = catalog_commit(s->svc->catalog, &e);
    else catalog_rollback(s->svc->catalog);
    for (child *c = s->children; ok && c; c = c->next) child_flushed(c);
    if (!ok) supervisor_log(s, "flush", &e);
}

static void remove_child(supervisor *s, child *gone)
{
    for (child **at = &s->children; *at; at = &(*at)->next)
        if (*at == gone) {
            *at = gone->next;
            break;
        }
    child_free(gone);
}

static void reap(supervisor *s, child *c)
{
    drain(s, c);
    flush_all(s);
    int status = role_reap(&c->process);
    on_end(s, c, status);
    if (c->kind == CHILD_CLEANUP && !delete_child_ended(s, c)) release_child_ended(s, c);
    remove_child(s, c);
    service_wake(s->svc);
}

/* --- the loop --- */

static void wait_and_hear(supervisor *s)
{
    struct pollfd fds[CHILDREN_MAX * 2 + 2];
    child *who[CHILDREN_MAX];
    nfds_t n = 0;
    size_t count = 0;
    fds[n++] = (struct pollfd){s->svc->wake_fd, POLLIN, 0};
    fds[n++] = (struct pollfd){s->stop.fd, POLLIN, 0};
    for (child *c = s->children; c && count < CHILDREN_MAX; c = c->next) {
        who[count++] = c;
        fds[n++] = (struct pollfd){c->process.ctl.fd, POLLIN, 0};
        fds[n++] = (struct pollfd){c->process.pidfd, POLLIN, 0};
    }
    if (poll(fds, n, TICK_MS) < 0 && errno != EINTR) clk_sleep_us(clk_system(), 100000);
    uint64_t ignored;
    if (fds[0].revents) (void)!read(s->svc->wake_fd, &ignored, sizeof ignored);
    for (size_t i = 0; i < count; i++) {
        if (fds[2 + i * 2].revents & POLLIN) drain(s, who[i]);
        if (fds[2 + i * 2 + 1].revents) reap(s, who[i]);
        else insist(who[i]);
    }
}

static void *run(void *arg)
{
    supervisor *s = arg;
    int64_t flushed_us = 0;
    while (!cancel_asked(&s->stop)) {
        reconcile(s);
        delete_work(s);
        release_work(s);
        wait_and_hear(s);
        s->rounds++;
        if (mono_us() - flushed_us >= TICK_MS * 1000) {
            flush_all(s);
            flushed_us = mono_us();
        }
    }
    for (child *c = s->children; c; c = c->next) supervisor_stop_child(c);
    while (s->children && mono_us() < s->stop_deadline_us) {
        struct pollfd p = {s->children->process.pidfd, POLLIN, 0};
        if (poll(&p, 1, 100) > 0) reap(s, s->children);
        else insist(s->children);
        for (child *c = s->children; c; c = c->next) drain(s, c);
    }
    while (s->children) {
        child *c = s->children;
        role_end(&c->process);
        remove_child(s, c);
    }
    return NULL;
}

bool supervisor_start(service *svc, const supervisor_options *o, supervisor **ret, err *e)
{
    supervisor *s = calloc(1, sizeof *s);
    if (!s) return err_no_memory(e, "the supervisor");
    s->svc = svc;
    s->options = *o;
    if (!cancel_init(&s->stop, e)) {
        free(s);
        return false;
    }
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        cancel_finish(&s->stop);
        free(s);
        return err_no_memory(e, "the supervisor thread");
    }
    *ret = s;
    return true;
}

uint64_t supervisor_rounds(const supervisor *s) { return s->rounds; }

void supervisor_stop(supervisor *s, int deadline_ms)
{
    s->stop_deadline_us = mono_us() + (int64_t)deadline_ms * 1000;
    cancel_ask(&s->stop);
    pthread_join(s->thread, NULL);
    cancel_finish(&s->stop);
    for (size_t i = 0; i < s->backoffs.count; i++) free(s->backoffs.entries[i].value);
    map_finish(&s->backoffs);
    free(s);
}
