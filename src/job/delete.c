/* Carrying deletions out: step by step, journalled, resumable after a crash at any point; what an unreachable end keeps becomes a leftover that is retried. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "job/supervisor_priv.h"

enum {
#define DELETE_STEP(symbol, name, meaning) STEP_##symbol,
#include "job/delete.def"
#undef DELETE_STEP
    STEP_COUNT
};

static const char *const step_names[] = {
#define DELETE_STEP(symbol, name, meaning) name,
#include "job/delete.def"
#undef DELETE_STEP
};

#define ABANDON_US (7LL * 24 * 3600 * 1000000)

static int64_t now_us(supervisor *s) { return clk_wall_us(catalog_clock(s->svc->catalog)); }

static bool step_done(const deletion_record *d, int step) { return (d->steps & (1U << step)) != 0; }

static json_t *receipt_of(const deletion_record *d)
{
    json_t *o = json_loadb(d->receipt.p, d->receipt.n, 0, NULL);
    return o ? o : json_object();
}

static void set_receipt(deletion_record *d, json_t *o, arena *a)
{
    char *text = json_dumps(o, JSON_COMPACT);
    str s = arena_copy(a, str_from_c(text));
    if (s.p) d->receipt = s;
    free(text);
    json_decref(o);
}

/* --- journalling --- */

static void note_step(supervisor *s, deletion_record *d, int step, arena *a)
{
    json_t *o = receipt_of(d), *steps = json_object_get(o, "steps");
    char when[CLOCK_ISO_BYTES];
    clock_format_iso(now_us(s), when);
    if (!steps) json_object_set_new(o, "steps", steps = json_array());
    json_array_append_new(steps, json_pack("{s:s, s:s}", "step", step_names[step], "at", when));
    set_receipt(d, o, a);
}

/* Marks a step in a transaction of its own (the caller's changes included) and stops there when a test asks. */
static bool journal(supervisor *s, deletion_record *d, int step, bool ok, arena *a, err *e)
{
    char name[32];
    if (!step_done(d, step)) note_step(s, d, step, a);
    d->steps |= 1U << step;
    ok = service_end(s->svc, ok && deletion_save(s->svc->catalog, d, e), e);
    snprintf(name, sizeof name, "delete:%s", step_names[step]);
    if (ok) failpoint(name);
    return ok;
}

static bool mark(supervisor *s, deletion_record *d, int step, arena *a, err *e)
{
    return catalog_begin(s->svc->catalog, e) && journal(s, d, step, true, a, e);
}

/* --- ends --- */

static void start_cleanup(supervisor *s, const deletion_record *d, const char *end, arena *a)
{
    err e = ERR_INIT;
    json_t *spec = json_loadb(d->spec.p, d->spec.n, 0, NULL), *o = json_object_get(spec, end);
    job_endpoint ep = {.engine_name = ctl_str(o, "engine"), .host = ctl_str(o, "host"), .port = ctl_str(o, "port"), .user = ctl_str(o, "user"), .database = ctl_str(o, "database"),
                       .ssl = ctl_str(o, "ssl"), .identity = ctl_str(o, "identity")};
    if (!cleanup_start(s, d->job_id, d->run_id, end, &ep, service_leftover_context(d->run_id, end, a), a, &e)) supervisor_log(s, "cleanup", &e);
    json_decref(spec);
}

/* The outcome of a cleanup goes to every open entry of the end that it did not settle by itself. */
static bool settle_entries(supervisor *s, const deletion_record *d, const child *c, ledger_record *list, uint32_t n,
                           err *e)
{
    for (uint32_t i = 0; i < n; i++) {
        ledger_record *l = &list[i];
        if (!cleanup_settles(c, l)) {
            l->state = now_us(s) - d->requested_us > ABANDON_US ? STR("abandoned") : STR("leftover");
            l->next_try_us = now_us(s) + cleanup_wait_us(l->attempts);
            l->attempts++;
        }
        if (!ledger_save(s->svc->catalog, l, e)) return false;
    }
    if (!c->cleaned) log_event(LOG_WARN, "leftovers", "job=%.*s end=%s objects=%u", STR_ARG(d->run_id), c->end, n);
    return true;
}

static void add_removed(json_t *receipt, const child *c)
{
    json_t *list = json_object_get(receipt, "removed");
    str rest = c->cleaned ? ctl_str(c->cleaned, "removed") : STR_NULL, line;
    while (rest.n && str_split_next(&rest, '\n', &line))
        if (line.n) json_array_append_new(list, json_stringn(line.p, line.n));
    if (c->cleaned && ctl_flag(c->cleaned, "other_server"))
        json_array_append_new(list, json_sprintf("%s: another server answers at the address now; what the old one had is gone with it, nothing was touched", c->end));
}

/* What the job had made outside and what became of it; the last position, when the cleanup could read it. */
static bool add_outcome(supervisor *s, const deletion_record *d, const child *c, json_t *receipt, arena *a, err *e)
{
    ledger_record *all = NULL;
    uint32_t n = 0;
    if (!ledger_list(s->svc->catalog, d->run_id, STR(""), STR(""), a, &all, &n, e)) return false;
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s%, s:s%, s:s%, s:s%, s:b, s:s%}", "end", all[i].end.p, all[i].end.n, "kind", all[i].kind.p, all[i].kind.n, "name",
                                              all[i].name.p, all[i].name.n, "state", all[i].state.p, all[i].state.n, "shared", (int)all[i].shared, "note",
                                              all[i].last_error.p, all[i].last_error.n));
    json_object_set_new(receipt, "ledger", list);
    const json_t *last = c->cleaned ? json_object_get(c->cleaned, "checkpoint") : NULL;
    if (json_is_object(last)) {
        json_object_set(receipt, "position", json_object_get(last, "position"));
        json_object_set(receipt, "applied_transactions", json_object_get(last, "txns"));
        json_object_set(receipt, "applied_rows", json_object_get(last, "rows"));
    }
    return true;
}

bool delete_child_ended(supervisor *s, child *c)
{
    arena a;
    err e = ERR_INIT;
    deletion_record d;
    ledger_record *list = NULL;
    uint32_t n = 0;
    bool found = false;
    arena_init(&a, 64 * 1024, 0);
    if (!catalog_begin(s->svc->catalog, &e)) {
        supervisor_log(s, "cleanup", &e);
        return true;
    }
    bool ok = deletion_find(s->svc->catalog, str_from_c(c->run_id), &a, &d, &found, &e) && found && cleanup_open_entries(s, d.run_id, c->end, &a, &list, &n, &e);
    if (ok) {
        json_t *receipt = receipt_of(&d);
        add_removed(receipt, c);
        ok = settle_entries(s, &d, c, list, n, &e) && add_outcome(s, &d, c, receipt, &a, &e);
        set_receipt(&d, receipt, &a);
        int step = strcmp(c->end, "src") == 0 ? STEP_SOURCE : STEP_TARGET;
        if (ok && c->cleaned) ok = jobs_secret_remove(s->svc->catalog, service_leftover_context(d.run_id, c->end, &a), &e);
        ok = journal(s, &d, step, ok, &a, &e);
    } else {
        catalog_rollback(s->svc->catalog);
    }
    if (!ok && e.code != ERR_NONE) supervisor_log(s, "cleanup", &e);
    arena_finish(&a);
    return found || e.code != ERR_NONE;
}

/* --- steps --- */

static bool stop_worker(supervisor *s, deletion_record *d, arena *a, err *e)
{
    char run[64];
    snprintf(run, sizeof run, "%.*s", STR_ARG(d->run_id));
    bool running = false;
    for (int kind = CHILD_WORKER; kind <= CHILD_PRECHECK; kind++) {
        child *c = supervisor_find(s, (child_kind)kind, run, NULL);
        if (c) supervisor_stop_child(c);
        running = running || c;
    }
    return running || mark(s, d, STEP_STOP, a, e);
}

/* One end: nothing made there = done; else a cleanup probe, whose end journals the step. */
static bool clean_end(supervisor *s, deletion_record *d, int step, const char *end, arena *a, err *e)
{
    char run[64];
    ledger_record *list = NULL;
    uint32_t n = 0;
    snprintf(run, sizeof run, "%.*s", STR_ARG(d->run_id));
    if (supervisor_find(s, CHILD_CLEANUP, run, end)) return true;
    if (!catalog_begin(s->svc->catalog, e)) return false;
    bool ok = cleanup_open_entries(s, d->run_id, end, a, &list, &n, e);
    if (ok && n == 0) return journal(s, d, step, jobs_secret_remove(s->svc->catalog, service_leftover_context(d->run_id, end, a), e), a, e);
    catalog_rollback(s->svc->catalog);
    if (ok) start_cleanup(s, d, end, a);
    return ok;
}

/* The end of a deletion: its receipt is complete, though leftovers may stay. */
static bool finish(supervisor *s, deletion_record *d, arena *a, err *e)
{
    json_t *receipt = receipt_of(d);
    char when[CLOCK_ISO_BYTES];
    d->finished_us = now_us(s);
    clock_format_iso(d->finished_us, when);
    json_object_set_new(receipt, "finished", json_true());
    json_object_set_new(receipt, "finished_at", json_string(when));
    log_event(LOG_INFO, "deleted", "job=%.*s kind=%.*s", STR_ARG(d->run_id), STR_ARG(d->kind));
    set_receipt(d, receipt, a);
    return mark(s, d, STEP_SECRETS, a, e);
}

/* A job is gone when what its resets left to clean is settled, too. list: all unfinished deletions. */
static bool waits_for_reset(const deletion_record *d, const deletion_record *list, uint32_t n)
{
    if (str_eq(d->kind, STR("reset"))) return false;
    for (uint32_t i = 0; i < n; i++)
        if (list[i].finished_us == 0 && str_eq(list[i].job_id, d->job_id) && !str_eq(list[i].run_id, d->run_id)) return true;
    return false;
}

static bool advance(supervisor *s, deletion_record *d, const deletion_record *list, uint32_t n, arena *a, err *e)
{
    if (!step_done(d, STEP_STOP) && !stop_worker(s, d, a, e)) return false;
    if (!step_done(d, STEP_STOP)) return true;
    if (!step_done(d, STEP_SOURCE) && !clean_end(s, d, STEP_SOURCE, "src", a, e)) return false;
    if (!step_done(d, STEP_TARGET) && !clean_end(s, d, STEP_TARGET, "dest", a, e)) return false;
    if (!step_done(d, STEP_SOURCE) || !step_done(d, STEP_TARGET) || waits_for_reset(d, list, n)) return true;
    return finish(s, d, a, e);
}

/* Leftovers whose time has come: one cleanup for each run and end. */
static bool retry_leftovers(supervisor *s, arena *a, err *e)
{
    ledger_record *list = NULL;
    uint32_t n = 0;
    if (!catalog_begin(s->svc->catalog, e)) return false;
    bool ok = ledger_list(s->svc->catalog, STR(""), STR(""), STR("leftover"), a, &list, &n, e);
    for (uint32_t i = 0; ok && i < n; i++) {
        deletion_record d;
        bool found = false;
        char run[64], end[8];
        snprintf(run, sizeof run, "%.*s", STR_ARG(list[i].run_id));
        snprintf(end, sizeof end, "%.*s", STR_ARG(list[i].end));
        if (list[i].next_try_us > now_us(s) || supervisor_find(s, CHILD_CLEANUP, run, end)) continue;
        ok = deletion_find(s->svc->catalog, list[i].run_id, a, &d, &found, e);
        if (!ok || !found || d.finished_us == 0) continue;
        catalog_rollback(s->svc->catalog); /* the probe's start reads the secret in a transaction of its own */
        start_cleanup(s, &d, end, a);
        if (!catalog_begin(s->svc->catalog, e)) return false;
    }
    catalog_rollback(s->svc->catalog);
    return ok;
}

void delete_work(supervisor *s)
{
    arena a;
    err e = ERR_INIT;
    deletion_record *list = NULL;
    uint32_t n = 0;
    arena_init(&a, 64 * 1024, 0);
    bool ok = catalog_begin(s->svc->catalog, &e);
    if (ok) {
        ok = deletion_list_unfinished(s->svc->catalog, &a, &list, &n, &e);
        catalog_rollback(s->svc->catalog);
    }
    for (uint32_t i = 0; ok && i < n; i++) ok = advance(s, &list[i], list, n, &a, &e);
    ok = ok && retry_leftovers(s, &a, &e);
    if (!ok) supervisor_log(s, "delete", &e);
    arena_finish(&a);
}
