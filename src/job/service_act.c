/* Steering jobs: start, suspend, stop, reset, rename, skip prechecks, limits; one or many at once. */
#include <stdlib.h>
#include <string.h>

#include "engine/precheck.h"
#include "job/service_priv.h"

/* One change of one job, inside a transaction. */
typedef bool act_fn(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e);

static bool act(service *s, job_ref ref, act_fn *fn, const void *ctx, service_fault *f, err *e)
{
    arena a;
    job_record r;
    arena_init(&a, 16 * 1024, 0);
    bool begun = catalog_begin(s->catalog, e);
    bool ok = begun && service_find(s, ref, &a, &r, f, e) && fn(s, &r, ctx, &a, f, e);
    ok = begun && service_end(s, ok, e);
    arena_finish(&a);
    return ok;
}

static bool save_with_log(service *s, const job_record *r, const char *text, err *e)
{
    return jobs_save(s->catalog, r, e) && service_log_add(s->catalog, r->job_id, "INFO", str_from_c(text), e);
}

static bool do_start(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    (void)ctx, (void)a;
    uint64_t generation = r->generation;
    if (!fsm_apply(r, fsm_start_event(r), e)) return service_refuse(f, "DtsJobId", "InvalidJobStatus");
    /* Configure first (no purchase yet): the start is the precheck alone (API reference 3.4). */
    r->run_wanted = r->run_wanted || r->purchased || r->state != JOB_STATE_PRECHECKING;
    if (r->generation == generation) return jobs_save(s->catalog, r, e); /* it runs already */
    r->error_code = r->error_text = STR("");
    r->retrying = false;
    return save_with_log(s, r, "start requested", e);
}

static bool do_suspend(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    (void)ctx, (void)a;
    if (!fsm_apply(r, EVENT_SUSPEND, e)) return service_refuse(f, "DtsJobId", "InvalidJobStatus");
    r->retrying = false;
    return save_with_log(s, r, "suspend requested", e);
}

static bool do_stop(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    (void)ctx, (void)a;
    bool already = r->state == JOB_STATE_FINISHED;
    if (!fsm_apply(r, EVENT_STOP, e)) return service_refuse(f, "DtsJobId", "InvalidJobStatus");
    if (already) return true;
    r->finished_us = clk_wall_us(catalog_clock(s->catalog));
    r->retrying = false;
    return save_with_log(s, r, "ended by request", e);
}

static bool do_reset(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    (void)ctx;
    bool already = r->state == JOB_STATE_NOT_CONFIGURED;
    if (!fsm_apply(r, EVENT_RESET, e)) return service_refuse(f, "DtsJobId", "InvalidJobStatus");
    if (already) return true;
    if (!service_begin_deletion(s, r, "reset", STR(""), a, e)) return false;
    job_record fresh = {.job_id = r->job_id, .instance_id = r->instance_id, .name = r->name, .type = r->type, .state = r->state, .generation = r->generation, .epoch = r->epoch,
                        .run = r->run + 1, .purchased = r->purchased, .instance_class = r->instance_class, .pay_type = r->pay_type, .sync_architecture = r->sync_architecture,
                        .resource_group = r->resource_group, .region = r->region, .created_us = r->created_us, .delay_ms = -1, .config_version = r->config_version + 1};
    return jobs_save_texts(s->catalog, r->job_id, STR(""), STR(""), e) && precheck_clear(s->catalog, r->job_id, false, e) && progress_clear(s->catalog, r->job_id, e) &&
           save_with_log(s, &fresh, "reset", e);
}

static bool do_rename(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    (void)a, (void)f;
    r->name = *(const str *)ctx;
    return save_with_log(s, r, "renamed", e);
}

bool service_start(service *s, job_ref ref, service_fault *f, err *e) { return act(s, ref, do_start, NULL, f, e); }
bool service_suspend(service *s, job_ref ref, service_fault *f, err *e) { return act(s, ref, do_suspend, NULL, f, e); }
bool service_stop(service *s, job_ref ref, service_fault *f, err *e) { return act(s, ref, do_stop, NULL, f, e); }
bool service_reset(service *s, job_ref ref, service_fault *f, err *e) { return act(s, ref, do_reset, NULL, f, e); }

bool service_rename(service *s, job_ref ref, str name, service_fault *f, err *e)
{
    if (name.n == 0 || name.n > JOB_MAX_NAME_BYTES) {
        err_set(e, ERR_BAD_INPUT, "a job's name has 1 to %d bytes", JOB_MAX_NAME_BYTES);
        return service_refuse(f, "DtsJobName", NULL);
    }
    return act(s, ref, do_rename, &name, f, e);
}

typedef struct skip_request {
    const str *items;
    uint32_t count;
    bool skip;
} skip_request;

static bool skip_one(service *s, job_record *r, str item, bool skip, arena *a, service_fault *f, err *e)
{
    int order = precheck_order(item);
    if (order < 0 || !precheck_can_skip(item)) {
        err_set(e, ERR_BAD_INPUT, order < 0 ? "there is no precheck item \"%.*s\"" : "the precheck item %.*s cannot be skipped: correct what it names", STR_ARG(str_sub(item, 0, 80)));
        return service_refuse(f, "SkipPreCheckItems", NULL);
    }
    precheck_record *list = NULL, p = {.order = (uint32_t)order, .item = item, .state = STR("NotStarted"), .can_skip = true};
    uint32_t n = 0;
    if (!precheck_list(s->catalog, r->job_id, a, &list, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(list[i].item, item)) p = list[i];
    p.skipped = skip;
    return precheck_save(s->catalog, r->job_id, &p, true, e);
}

static bool do_skip(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    const skip_request *q = ctx;
    for (uint32_t i = 0; i < q->count; i++)
        if (!skip_one(s, r, q->items[i], q->skip, a, f, e)) return false;
    /* What stopped the task no longer does: it checks again, and goes on as its start had asked (API reference 3.3). */
    if (q->skip && r->state == JOB_STATE_PRECHECK_FAILED && !fsm_apply(r, EVENT_START_CHECK, e)) return service_refuse(f, "DtsJobId", "InvalidJobStatus");
    return save_with_log(s, r, q->skip ? "precheck items are skipped" : "precheck items count again", e);
}

bool service_skip_precheck(service *s, job_ref ref, const str *items, uint32_t count, bool skip, service_fault *f, err *e)
{
    skip_request q = {items, count, skip};
    return act(s, ref, do_skip, &q, f, e);
}

/* --- limits --- */

typedef struct limits_request {
    str code, config;
    bool enable;
} limits_request;

static bool read_limits(const limits_request *q, json_t **ret, service_fault *f, err *e)
{
    json_t *config = q->enable ? json_loadb(q->config.n ? q->config.p : "", q->config.n, JSON_REJECT_DUPLICATES, NULL) : json_object();
    int64_t rows = service_limit_of(config, "dts.datamove.source.rps.max"), bytes = service_limit_of(config, "dts.datamove.source.bps.max"),
            queries = service_limit_of(config, "dts.datamove.blaster.qps.max");
    bool ok = json_is_object(config) && rows != INT64_MIN && bytes != INT64_MIN && queries != INT64_MIN;
    json_decref(config);
    if (!ok) {
        err_set(e, ERR_BAD_INPUT, "ConfigList is a JSON object with the numbers dts.datamove.source.rps.max, dts.datamove.source.bps.max, dts.datamove.blaster.qps.max; -1 = no limit");
        return service_refuse(f, "ConfigList", NULL);
    }
    *ret = json_pack("{s:I, s:I, s:I}", "rps", (json_int_t)rows, "bps", (json_int_t)bytes, "qps", (json_int_t)queries);
    return true;
}

static bool do_limits(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    const limits_request *q = ctx;
    json_t *limit = NULL, *all = r->limits.n ? json_loadb(r->limits.p, r->limits.n, 0, NULL) : NULL;
    if (!read_limits(q, &limit, f, e)) {
        json_decref(all);
        return false;
    }
    if (!all) all = json_object();
    json_object_set_new(all, str_eq(q->code, STR("03")) ? "03" : "04", limit);
    char *text = json_dumps(all, JSON_COMPACT);
    r->limits = arena_copy(a, str_from_c(text));
    r->limits_version++;
    free(text);
    json_decref(all);
    return save_with_log(s, r, "rate limits changed", e);
}

bool service_set_limits(service *s, job_ref ref, str job_code, bool enable, str config_list, service_fault *f, err *e)
{
    bool known = str_eq(job_code, STR("03")) || str_eq(job_code, STR("04")) || str_eq(job_code, STR("07"));
    if (!known) {
        err_set(e, ERR_BAD_INPUT, "JobCode is 03 (full load), 04 or 07 (stream)");
        return service_refuse(f, "JobCode", NULL);
    }
    limits_request q = {job_code, config_list, enable};
    return act(s, ref, do_limits, &q, f, e);
}

/* --- many --- */

static act_fn *act_of(const char *verb)
{
    if (strcmp(verb, "start") == 0) return do_start;
    if (strcmp(verb, "suspend") == 0) return do_suspend;
    return strcmp(verb, "stop") == 0 ? do_stop : NULL;
}

static bool delete_one(service *s, job_record *r, const void *ctx, arena *a, service_fault *f, err *e)
{
    (void)f;
    return service_begin_deletion(s, r, "delete", *(const str *)ctx, a, e);
}

bool service_many(service *s, const char *verb, const str *job_ids, uint32_t count, str account, service_fault *f, err *e)
{
    arena a;
    arena_init(&a, 64 * 1024, 0);
    act_fn *fn = strcmp(verb, "delete") == 0 ? delete_one : act_of(verb);
    bool begun = catalog_begin(s->catalog, e), ok = begun;
    for (uint32_t i = 0; ok && i < count; i++) {
        job_record r;
        bool repeat = false;
        if (fn == delete_one) ok = service_delete_is_repeat(s, (job_ref){.job_id = job_ids[i]}, account, &a, &repeat, e);
        ok = ok && (repeat || (service_find(s, (job_ref){.job_id = job_ids[i]}, &a, &r, f, e) && fn(s, &r, &account, &a, f, e)));
    }
    if (!ok && begun) service_refuse(f, "DtsJobIds", NULL);
    ok = begun && service_end(s, ok, e); /* all or nothing: one transaction */
    arena_finish(&a);
    return ok;
}
