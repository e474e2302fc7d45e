/* A job that has ended holds nothing at its source: a slot would keep the source's log for ever. What the ledger has there is removed as a deletion would
 * remove it, and a deletion that comes later finds it settled. Failed and paused jobs may be started again: they keep everything. */
#include "base/log.h"
#include "job/supervisor_priv.h"

#define WAIT_MAX_US (60LL * 1000000) /* the source's disk may be filling up */

static int64_t now_us(supervisor *s) { return clk_wall_us(catalog_clock(s->svc->catalog)); }

/* Inside a transaction: the job of an entry, if it has ended in the run that made the entry. */
static bool find_ended(supervisor *s, str job_id, str run_id, arena *a, job_record *ret, bool *ret_found, err *e)
{
    if (!jobs_find(s->svc->catalog, job_id, STR(""), false, a, ret, ret_found, e)) return false;
    *ret_found = *ret_found && ret->state == JOB_STATE_FINISHED && str_eq(job_run_id(ret, a), run_id);
    return true;
}

/* Its own processes first: they still use what is to go. */
static bool is_busy(supervisor *s, str run_id)
{
    char run[64];
    snprintf(run, sizeof run, "%.*s", STR_ARG(run_id));
    return supervisor_find(s, CHILD_WORKER, run, NULL) || supervisor_find(s, CHILD_PRECHECK, run, NULL) || supervisor_find(s, CHILD_CLEANUP, run, "src");
}

static bool list_due(supervisor *s, arena *a, ledger_record **ret, uint32_t *ret_count, err *e)
{
    if (!catalog_begin(s->svc->catalog, e)) return false;
    bool ok = ledger_list_due(s->svc->catalog, STR("src"), JOB_STATE_FINISHED, now_us(s), a, ret, ret_count, e);
    catalog_rollback(s->svc->catalog);
    return ok;
}

static bool release(supervisor *s, const ledger_record *l, arena *a, err *e)
{
    job_record r;
    bool ended = false;
    if (is_busy(s, l->run_id)) return true;
    if (!catalog_begin(s->svc->catalog, e)) return false;
    bool ok = find_ended(s, l->job_id, l->run_id, a, &r, &ended, e);
    catalog_rollback(s->svc->catalog);
    return ok && (!ended || cleanup_start(s, r.job_id, l->run_id, "src", &r.source, service_secret_context(r.job_id, "src", a), a, e));
}

/* A probe that cannot even be started (no key to its password, no process) is not tried with every round. */
static void postpone(supervisor *s, ledger_record *l, const err *why)
{
    err e = ERR_INIT;
    supervisor_log(s, "release", why);
    l->last_error = str_from_c(why->text);
    l->next_try_us = now_us(s) + WAIT_MAX_US;
    if (!catalog_begin(s->svc->catalog, &e) || !service_end(s->svc, ledger_save(s->svc->catalog, l, &e), &e)) supervisor_log(s, "release", &e);
}

void release_work(supervisor *s)
{
    arena a;
    err e = ERR_INIT;
    ledger_record *list = NULL;
    uint32_t n = 0;
    arena_init(&a, 64 * 1024, 0);
    bool ok = list_due(s, &a, &list, &n, &e);
    for (uint32_t i = 0; ok && i < n; i++) {
        err why = ERR_INIT;
        if (!release(s, &list[i], &a, &why)) postpone(s, &list[i], &why);
    }
    if (!ok) supervisor_log(s, "release", &e);
    arena_finish(&a);
}

/* One word for each outcome: a source that stays away is told of once. */
static bool tell(supervisor *s, const child *c, const job_record *r, str failure, arena *a, err *e)
{
    BUF_AUTO text = BUF_INIT;
    str rest = c->cleaned ? ctl_str(c->cleaned, "removed") : STR_NULL, line;
    if (failure.n) buf_printf(&text, "the source could not be freed of what the job holds there; tried again until it is: %.*s", STR_ARG(failure));
    while (!failure.n && rest.n && str_split_next(&rest, '\n', &line))
        if (line.n) buf_printf(&text, "%s%.*s", text.n ? ", " : "removed at the source: ", STR_ARG(line));
    if (text.failed) return err_no_memory(e, "a line of the log");
    return !text.n || service_log_add(s->svc->catalog, r->job_id, failure.n ? "WARN" : "INFO", arena_copy(a, buf_str(&text)), e);
}

static bool settle(supervisor *s, const child *c, const job_record *r, arena *a, err *e)
{
    ledger_record *list = NULL;
    uint32_t n = 0;
    str failure = STR_NULL;
    bool told = false;
    if (!cleanup_open_entries(s, str_from_c(c->run_id), c->end, a, &list, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) {
        ledger_record *l = &list[i];
        if (!cleanup_settles(c, l)) {
            int64_t wait = cleanup_wait_us(l->attempts);
            l->next_try_us = now_us(s) + (wait < WAIT_MAX_US ? wait : WAIT_MAX_US);
            told = told || l->attempts > 0;
            l->attempts++;
            failure = l->last_error;
        }
        if (!ledger_save(s->svc->catalog, l, e)) return false;
    }
    return (failure.n && told) || tell(s, c, r, failure, a, e);
}

void release_child_ended(supervisor *s, const child *c)
{
    arena a;
    err e = ERR_INIT;
    job_record r;
    bool ended = false;
    arena_init(&a, 32 * 1024, 0);
    bool begun = catalog_begin(s->svc->catalog, &e);
    bool ok = begun && find_ended(s, str_from_c(c->job_id), str_from_c(c->run_id), &a, &r, &ended, &e) && (!ended || settle(s, c, &r, &a, &e));
    ok = begun && service_end(s->svc, ok, &e);
    if (!ok) supervisor_log(s, "release", &e);
    else if (ended) log_event(c->cleaned ? LOG_INFO : LOG_WARN, "released", "job=%s done=%d", c->run_id, c->cleaned != NULL);
    arena_finish(&a);
}
