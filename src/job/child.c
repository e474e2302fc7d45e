/* What workers and probes tell: messages to catalog changes. */
#include "job/child.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/precheck.h"

void child_free(child *c)
{
    json_decref(c->tables);
    json_decref(c->applied);
    json_decref(c->cleaned);
    json_decref(c->settled);
    json_decref(c->told);
    json_decref(c->pending);
    free(c);
}

/* A change of the child's job in one transaction; nothing happens when the job is gone. */
typedef bool change_fn(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e);

/* False: the catalog cannot answer now (full, locked); the message has to come again. */
static bool change_job(service *s, child *c, const json_t *m, change_fn *fn)
{
    arena a;
    job_record r;
    bool found = false;
    err e = ERR_INIT;
    arena_init(&a, 16 * 1024, 0);
    bool ok = catalog_begin(s->catalog, &e);
    if (ok) {
        ok = jobs_find(s->catalog, str_from_c(c->job_id), STR(""), false, &a, &r, &found, &e);
        if (ok && found && str_eq(job_run_id(&r, &a), str_from_c(c->run_id))) ok = fn(s, c, &r, m, &a, &e);
        ok = service_end(s, ok, &e);
    }
    bool later = !ok && e.retry == RETRY_LATER;
    if (!ok && (!later || json_array_size(c->pending) == 0)) log_error("report", &e);
    arena_finish(&a);
    return !later;
}

static int64_t now_us(service *s) { return clk_wall_us(catalog_clock(s->catalog)); }

/* The job was Retrying because its worker had died: a new one at work ends that. */
static bool back_at_work(child *c, job_record *r, err *e)
{
    job_state next;
    job_event event = fsm_retry_over_event(r);
    if (r->state != JOB_STATE_RETRYING || c->retrying || !fsm_next(r->state, event, r->type, &next)) return true;
    r->retrying = false;
    r->retry_text = STR("");
    return fsm_apply(r, event, e);
}

static void begin_stage(job_stage *stage, int64_t now)
{
    if (!stage->started_us) stage->started_us = now;
    stage->status = STR("Migrating");
    stage->error = STR("");
}

static void end_stage(job_stage *stage, int64_t now)
{
    if (!stage->started_us) stage->started_us = now;
    stage->status = STR("Finished");
    stage->percent = 100;
    stage->finished_us = now;
}

static bool on_stage(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    str name = ctl_str(m, "stage");
    bool finished = ctl_flag(m, "finished");
    int64_t now = now_us(s);
    c->advanced = c->advanced || finished;
    job_stage *stage = str_eq(name, STR("full")) ? &r->load : str_eq(name, STR("stream")) ? &r->stream : &r->structure;
    bool stream = stage == &r->stream;
    if (stage->status.n || !stream) { /* a full-only job streams to one consistent point: no stage of its own */
        if (finished) end_stage(stage, now);
        else begin_stage(stage, now);
    }
    job_state ignored;
    if (!back_at_work(c, r, e)) return false;
    if (stream && !finished && fsm_next(r->state, EVENT_STREAM_BEGUN, r->type, &ignored) && !fsm_apply(r, EVENT_STREAM_BEGUN, e)) return false;
    str text = arena_printf(a, "stage %.*s %s", STR_ARG(name), finished ? "finished" : "begun");
    return jobs_save(s->catalog, r, e) && service_log_add(s->catalog, r->job_id, "INFO", text, e);
}

static bool on_object(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    int64_t done = ctl_number(m, "done"), total = ctl_number(m, "total");
    c->advanced = c->advanced || done < total;
    job_table_progress p = {.stage = STR("structure"), .schema = ctl_str(m, "kind"), .name = ctl_str(m, "name"), .state = STR("Finished"), .total = 1, .done = 1, .finished_us = now_us(s)};
    r->structure.percent = total > 0 ? (uint32_t)(done * 100 / total) : 100;
    r->structure.progress = arena_printf(a, "%lld/%lld", (long long)done, (long long)total);
    return progress_save(s->catalog, r->job_id, &p, e) && jobs_save(s->catalog, r, e);
}

static bool on_retrying(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)a;
    bool over = str_eq(ctl_str(m, "code"), STR("None"));
    c->retrying = !over;
    job_state next;
    job_event event = over ? fsm_retry_over_event(r) : EVENT_RETRY;
    if (fsm_next(r->state, event, r->type, &next) && !fsm_apply(r, event, e)) return false;
    if (!over && !r->retrying) r->retry_since_us = now_us(s);
    r->retrying = !over;
    r->retry_count = (uint32_t)ctl_number(m, "attempt");
    r->retry_target = ctl_str(m, "end");
    r->retry_text = over ? STR("") : ctl_str(m, "text");
    return jobs_save(s->catalog, r, e) && service_log_add(s->catalog, r->job_id, over ? "INFO" : "WARN", over ? STR("the failure is over") : ctl_str(m, "text"), e);
}

static bool on_caught_up(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)a;
    c->caught_up = ctl_flag(m, "yes");
    if (!r->stream.status.n) return true;
    r->stream.status = c->caught_up ? STR("Catched") : STR("Migrating");
    if (c->caught_up) r->stream.percent = 100, r->delay_ms = 0;
    return jobs_save(s->catalog, r, e);
}

static bool on_note(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)c, (void)a;
    return service_log_add(s->catalog, r->job_id, strcmp(ctl_text(m, "level"), "WARN") == 0 ? "WARN" : "INFO", ctl_str(m, "text"), e);
}

static bool on_done(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)m, (void)a, (void)c;
    job_state next;
    if (!fsm_next(r->state, EVENT_DONE, r->type, &next)) return true;
    if (!fsm_apply(r, EVENT_DONE, e)) return false;
    r->finished_us = now_us(s);
    r->retrying = false;
    if (r->stream.status.n) end_stage(&r->stream, r->finished_us);
    return jobs_save(s->catalog, r, e) && service_log_add(s->catalog, r->job_id, "INFO", STR("all stages finished"), e);
}

/* --- prechecks --- */

/* One item may be told several times (one object each): the worst state wins, the texts are joined. */
static void join_item(precheck_record *kept, const precheck_record *given, arena *a)
{
    bool worse = str_eq(given->state, STR("Failed")) || str_eq(kept->state, STR("Success"));
    if (worse) kept->state = given->state;
    if (given->detail.n) kept->detail = kept->detail.n ? arena_printf(a, "%.*s\n%.*s", STR_ARG(str_sub(kept->detail, 0, 60000)), STR_ARG(given->detail)) : given->detail;
    if (given->repair.n) kept->repair = kept->repair.n ? arena_printf(a, "%.*s\n%.*s", STR_ARG(str_sub(kept->repair, 0, 60000)), STR_ARG(given->repair)) : given->repair;
}

static bool on_item(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)c;
    precheck_record *list = NULL, given = {.item = ctl_str(m, "item"), .state = ctl_str(m, "state"), .detail = ctl_str(m, "detail"), .repair = ctl_str(m, "repair")};
    uint32_t n = 0;
    int order = precheck_order(given.item);
    if (order < 0) return err_set(e, ERR_PROTOCOL, "a probe told the unknown item %.*s", STR_ARG(given.item));
    given.order = (uint32_t)order;
    given.can_skip = precheck_can_skip(given.item);
    given.started_us = r->precheck.started_us;
    given.finished_us = now_us(s);
    if (!precheck_list(s->catalog, r->job_id, a, &list, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!str_eq(list[i].item, given.item) || list[i].finished_us < r->precheck.started_us || list[i].finished_us == 0) continue;
        join_item(&list[i], &given, a);
        given = list[i];
    }
    return precheck_save(s->catalog, r->job_id, &given, false, e);
}

static bool on_findings(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)c, (void)a;
    size_t i;
    const json_t *f;
    json_array_foreach(json_object_get(m, "findings"), i, f)
    {
        char *text = json_dumps(f, JSON_COMPACT);
        bool ok = text ? finding_add(s->catalog, r->job_id, str_from_c(text), e) : err_no_memory(e, "a finding");
        free(text);
        if (!ok) return false;
    }
    return true;
}

static bool on_identity(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)c, (void)a;
    job_endpoint *ep = str_eq(ctl_str(m, "end"), STR("src")) ? &r->source : &r->target;
    ep->identity = ctl_str(m, "identity");
    ep->product = ctl_str(m, "product");
    return jobs_save(s->catalog, r, e);
}

static bool count_failed(service *s, const job_record *r, arena *a, uint32_t *ret, err *e)
{
    precheck_record *list = NULL;
    uint32_t n = 0;
    *ret = 0;
    if (!precheck_list(s->catalog, r->job_id, a, &list, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) *ret += str_eq(list[i].state, STR("Failed")) && !list[i].skipped;
    return true;
}

static bool on_checked(service *s, child *c, job_record *r, const json_t *m, arena *a, err *e)
{
    (void)m;
    uint32_t failed = 0;
    if (!fsm_wants_precheck(r->state) || !count_failed(s, r, a, &failed, e)) return e->code == ERR_NONE;
    c->failed_items = failed;
    bool passed = failed == 0;
    r->precheck.status = passed ? STR("Finished") : STR("Failed");
    r->precheck.percent = 100;
    r->precheck.finished_us = now_us(s);
    r->precheck.error = passed ? STR("") : arena_printf(a, "%u item%s failed", failed, failed == 1 ? "" : "s");
    r->error_code = passed ? STR("") : str_from_c(err_name(ERR_PRECHECK_FAILED));
    r->error_text = r->precheck.error;
    if (!fsm_apply(r, !passed ? EVENT_PRECHECK_REFUSED : r->run_wanted ? EVENT_PRECHECK_PASSED_RUN : EVENT_PRECHECK_PASSED, e)) return false;
    if (passed && r->run_wanted && !r->started_us) r->started_us = now_us(s);
    return jobs_save(s->catalog, r, e) && service_log_add(s->catalog, r->job_id, passed ? "INFO" : "ERROR", passed ? STR("precheck passed") : r->precheck.error, e);
}

/* --- ledger --- */

static void answer_ledger(child *c, const json_t *m, bool ok, const ledger_record *found, const err *why)
{
    err ignored = ERR_INIT;
    (void)!ctl_send_new(&c->process.ctl,
                        json_pack("{s:s, s:I, s:b, s:b, s:I, s:s%, s:s}", "type", "ledger", "seq",
                                  (json_int_t)ctl_number(m, "seq"), "ok", (int)ok, "later",
                                  (int)(!ok && why->retry == RETRY_LATER), "id", (json_int_t)found->id, "state",
                                  found->state.n ? found->state.p : "", found->state.n, "text", ok ? "" : why->text),
                        &ignored);
}

static ledger_record told_entry(const child *c, const job_record *r, const json_t *m, arena *a)
{
    const job_endpoint *ep = str_eq(ctl_str(m, "end"), STR("src")) ? &r->source : &r->target;
    return (ledger_record){.job_id = r->job_id,
                           .run_id = str_from_c(c->run_id),
                           .end = ctl_str(m, "end"),
                           .kind = ctl_str(m, "kind"),
                           .name = ctl_str(m, "name"),
                           .undo = ctl_str(m, "undo"),
                           .shared = ctl_flag(m, "shared"),
                           .state = ctl_str(m, "state"),
                           .last_error = ctl_str(m, "why"),
                           .where = arena_printf(a, "%.*s:%.*s", STR_ARG(ep->host), STR_ARG(ep->port))};
}

static bool ledger_op(service *s, const child *c, const job_record *r, const json_t *m, arena *a, ledger_record *ret,
                      err *e)
{
    const char *op = ctl_text(m, "op");
    ledger_record l = told_entry(c, r, m, a);
    bool there = false;
    if (strcmp(op, "intend") == 0) return ledger_intend(s->catalog, &l, &ret->id, e);
    if (strcmp(op, "created") == 0) return ledger_created(s->catalog, l.run_id, (uint64_t)ctl_number(m, "id"), e);
    if (strcmp(op, "find") == 0) return ledger_find_object(s->catalog, &l, a, ret, &there, e);
    if (strcmp(op, "settle") == 0) return ledger_settle(s->catalog, &l, e);
    return err_set(e, ERR_PROTOCOL, "the ledger has no operation \"%s\"", op);
}

static void on_ledger(service *s, child *c, const json_t *m)
{
    arena a;
    job_record r;
    ledger_record answer = {.id = 0};
    bool found = false;
    err e = ERR_INIT;
    arena_init(&a, 16 * 1024, 0);
    bool begun = catalog_begin(s->catalog, &e), ok = begun;
    ok = ok && jobs_find(s->catalog, str_from_c(c->job_id), STR(""), false, &a, &r, &found, &e);
    if (ok && (!found || !str_eq(job_run_id(&r, &a), str_from_c(c->run_id))))
        ok = err_set(&e, ERR_JOB_NOT_FOUND, "the job is being deleted");
    ok = ok && ledger_op(s, c, &r, m, &a, &answer, &e);
    ok = begun && service_end(s, ok, &e);
    answer_ledger(c, m, ok, &answer, &e);
    arena_finish(&a);
}

/* --- messages --- */

static void keep_table(child *c, const json_t *m)
{
    char key[300];
    snprintf(key, sizeof key, "%s.%s", ctl_text(m, "schema"), ctl_text(m, "name"));
    if (!c->tables) c->tables = json_object();
    if (!c->told) c->told = json_object();
    json_object_set(c->tables, key, (json_t *)(uintptr_t)m);
    /* The first word about a table is what earlier workers had done. */
    const json_t *before = json_object_get(c->told, key);
    int64_t rows = ctl_number(m, "done"), bytes = ctl_number(m, "bytes"), rows_before = before ? ctl_number(before, "rows") : rows, bytes_before = before ? ctl_number(before, "bytes") : 0;
    if (rows > rows_before) c->load_rows += (uint64_t)(rows - rows_before);
    if (bytes > bytes_before) c->load_bytes += (uint64_t)(bytes - bytes_before);
    c->advanced = c->advanced || bytes > 0;
    json_object_set_new(c->told, key, json_pack("{s:I, s:I}", "rows", (json_int_t)rows, "bytes", (json_int_t)bytes));
}

bool child_has_news(const child *c) { return c->applied || json_object_size(c->tables) > 0 || c->rates_move; }

static bool flush_tables(service *s, child *c, job_record *r, arena *a, err *e)
{
    const char *key;
    json_t *m;
    json_object_foreach(c->tables, key, m)
    {
        bool finished = strcmp(ctl_text(m, "state"), "Finished") == 0;
        job_table_progress p = {.stage = STR("full"), .schema = ctl_str(m, "schema"), .name = ctl_str(m, "name"), .target_schema = ctl_str(m, "target_schema"),
                                .target_name = ctl_str(m, "target_name"), .state = ctl_str(m, "state"), .total = (uint64_t)ctl_number(m, "total"),
                                .done = (uint64_t)ctl_number(m, "done"), .bytes = (uint64_t)ctl_number(m, "bytes"),
                                .started_us = strcmp(ctl_text(m, "state"), "NotStarted") == 0 ? 0 : now_us(s), .finished_us = finished ? now_us(s) : 0};
        if (!progress_save(s->catalog, r->job_id, &p, e)) return false;
    }
    job_table_progress *all = NULL;
    uint32_t n = 0;
    if (json_object_size(c->tables) == 0) return true;
    if (!progress_list(s->catalog, r->job_id, STR("full"), a, &all, &n, e)) return false;
    uint64_t done = 0, total = 0;
    for (uint32_t i = 0; i < n; i++) done += all[i].done, total += all[i].total;
    r->load.percent = total ? (uint32_t)(done * 100 / total) : r->load.percent;
    if (r->load.percent > 99 && !str_eq(r->load.status, STR("Finished"))) r->load.percent = 99;
    r->load.progress = arena_printf(a, "%llu", (unsigned long long)done);
    return true;
}

/* Rates since the last flush, of the load and the stream together. */
static void set_rates(child *c, job_record *r, int64_t mono)
{
    int64_t passed = mono - c->last_flush_us;
    uint64_t rows = c->load_rows + (c->applied ? (uint64_t)ctl_number(c->applied, "rows") : c->last_rows),
             bytes = c->load_bytes + (c->applied ? (uint64_t)ctl_number(c->applied, "bytes") : c->last_bytes);
    if (passed > 0 && c->last_flush_us) {
        r->rps = (int64_t)((double)(rows - c->last_load_rows - c->last_rows) * 1e6 / (double)passed);
        r->bytes_per_s = (int64_t)((double)(bytes - c->last_load_bytes - c->last_bytes) * 1e6 / (double)passed);
    }
    c->rates_move = r->rps != 0 || r->bytes_per_s != 0;
    c->last_rows = rows - c->load_rows;
    c->last_bytes = bytes - c->load_bytes;
    c->last_load_rows = c->load_rows;
    c->last_load_bytes = c->load_bytes;
    c->last_flush_us = mono;
}

static void set_applied(service *s, child *c, job_record *r)
{
    r->applied_txns = c->base_txns + (uint64_t)ctl_number(c->applied, "txns");
    r->applied_rows = c->base_rows + (uint64_t)ctl_number(c->applied, "rows");
    r->position = ctl_str(c->applied, "position");
    r->source_commit_us = ctl_number(c->applied, "commit_us");
    int64_t delay = r->source_commit_us ? (now_us(s) - r->source_commit_us) / 1000 : 0;
    r->delay_ms = c->caught_up ? 0 : delay > 0 ? delay : 0;
}

bool child_flush(service *s, child *c, err *e)
{
    arena a;
    job_record r;
    bool found = false;
    arena_init(&a, 32 * 1024, 0);
    bool ok = jobs_find(s->catalog, str_from_c(c->job_id), STR(""), false, &a, &r, &found, e);
    if (ok && found && str_eq(job_run_id(&r, &a), str_from_c(c->run_id))) {
        set_rates(c, &r, clk_mono_us(clk_system()));
        if (c->applied) set_applied(s, c, &r);
        ok = back_at_work(c, &r, e) && flush_tables(s, c, &r, &a, e) && jobs_save(s->catalog, &r, e);
    }
    arena_finish(&a);
    return ok;
}

void child_flushed(child *c)
{
    json_decref(c->applied);
    c->applied = NULL;
    json_object_clear(c->tables);
}

/* What was told before a stage's end is stored before it: who reads the new stage sees its tables finished. */
static bool flush_now(service *s, child *c)
{
    err e = ERR_INIT;
    if (!child_has_news(c)) return true;
    bool begun = catalog_begin(s->catalog, &e), ok = begun && child_flush(s, c, &e);
    if (ok) ok = catalog_commit(s->catalog, &e);
    else if (begun) catalog_rollback(s->catalog);
    bool later = !ok && e.retry == RETRY_LATER;
    if (ok) child_flushed(c);
    else if (!later || json_array_size(c->pending) == 0) log_error("flush", &e);
    return !later;
}

static const struct {
    const char *type;
    change_fn *fn;
} changes[] = {{"stage", on_stage}, {"object", on_object}, {"retrying", on_retrying}, {"caught_up", on_caught_up}, {"note", on_note}, {"done", on_done},
               {"item", on_item},   {"findings", on_findings}, {"identity", on_identity}, {"checked", on_checked}};

/* What a message of this type changes about the job; NULL: nothing. */
static change_fn *change_of(const char *type)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (strcmp(type, changes[i].type) == 0) return changes[i].fn;
    return NULL;
}

/* True when the change was made or never will be; false: it has to come again. */
static bool take_change(service *s, child *c, const json_t *m)
{
    const char *type = ctl_text(m, "type");
    if ((strcmp(type, "stage") == 0 || strcmp(type, "done") == 0) && !flush_now(s, c)) return false;
    return change_job(s, c, m, change_of(type));
}

void child_catch_up(service *s, child *c)
{
    if (json_array_size(c->pending) == 0) return;
    while (json_array_size(c->pending) && take_change(s, c, json_array_get(c->pending, 0))) json_array_remove(c->pending, 0);
    if (json_array_size(c->pending) == 0) log_event(LOG_INFO, "reports_stored", "job=%s", c->run_id);
}

/* Behind what waits already. Of failures in a row, and of words about being caught up, the last one tells all. */
static void keep_for_later(child *c, const json_t *m)
{
    if (!c->pending) c->pending = json_array();
    size_t n = json_array_size(c->pending);
    const char *type = ctl_text(m, "type");
    bool replaces = (strcmp(type, "retrying") == 0 || strcmp(type, "caught_up") == 0) && n && strcmp(ctl_text(json_array_get(c->pending, n - 1), "type"), type) == 0;
    if (replaces) json_array_set(c->pending, n - 1, (json_t *)(uintptr_t)m);
    else json_array_append(c->pending, (json_t *)(uintptr_t)m);
}

void child_message(service *s, child *c, const json_t *m)
{
    const char *type = ctl_text(m, "type");
    if (strcmp(type, "table") == 0) {
        keep_table(c, m);
    } else if (strcmp(type, "applied") == 0) {
        json_decref(c->applied);
        c->applied = json_incref((json_t *)(uintptr_t)m);
        c->advanced = c->advanced || ctl_number(m, "txns") > 0;
    } else if (strcmp(type, "ledger") == 0) {
        on_ledger(s, c, m);
    } else if (strcmp(type, "failed") == 0) {
        c->finished = c->failed = true;
        (void)!ctl_read_failed(m, &c->error);
    } else if (strcmp(type, "cleaned") == 0) {
        c->finished = true;
        c->cleaned = json_incref((json_t *)(uintptr_t)m);
    } else if (strcmp(type, "settled") == 0) {
        if (!c->settled) c->settled = json_array();
        json_array_append(c->settled, (json_t *)(uintptr_t)m);
    }
    if (change_of(type)) {
        child_catch_up(s, c);
        if (json_array_size(c->pending) || !take_change(s, c, m)) keep_for_later(c, m);
    }
    if (strcmp(type, "done") == 0 || strcmp(type, "checked") == 0) c->finished = true;
}
