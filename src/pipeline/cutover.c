/* A cutover. The counters are read after the target has the marker: whoever stopped writing before asking finds no number twice. */
#include "pipeline/cutover.h"

#include "pipeline/sequences.h"

#define CONNECT_TIMEOUT_S 10
#define IO_TIMEOUT_S 30
#define LOOK_EVERY_MS 100

typedef struct cutover {
    const pipeline_job *job;
    engine_env env;
    source *s;
    target *t;
    catalog_def from;
    catalog_def *to;
    arena *a;
} cutover;

static bool open_ends(cutover *c, err *e)
{
    const source_ops *s = c->job->source_engine->source;
    const target_ops *t = c->job->target_engine->target;
    return s->open(c->job->source, &c->env, &c->s, e) && t->open(c->job->target, &c->env, &c->t, e);
}

/* Both ends' tables under the same numbers. */
static bool read_catalogs(cutover *c, err *e)
{
    server_info info;
    mapping *map;
    mapping_options o = {.target = c->job->target_engine->sql, .choice = c->job->type_choice, .ctx = c->job->type_ctx};
    if (!c->job->target_engine->target->server(c->t, c->a, &info, e) || !c->job->source_engine->source->read_catalog(c->s, c->job->objects, c->a, &c->from, e)) return false;
    o.target_mariadb = str_eq(info.product, STR("MariaDB"));
    o.target_version = info.version_number;
    if (!mapping_make(&c->from, c->job->source_engine->sql, &o, NULL, c->a, &map, e)) return false;
    c->to = mapping_catalog(map);
    return true;
}

/* Does the target have everything up to the marker? */
static bool look(cutover *c, cutover_result *r, bool *ret, err *e)
{
    checkpoint now = {.exists = false};
    arena mem;
    int order = -1;
    arena_init(&mem, 4096, 0);
    bool ok = c->job->target_engine->target->read_checkpoint(c->t, &mem, &now, e);
    if (ok && (!now.exists || position_is_none(now.at))) ok = err_set(e, ERR_CHECKPOINT_MISSING, "the destination has no position of job %.*s; its load is not done", STR_ARG(c->job->job_id));
    ok = ok && c->job->source_engine->source->compare(now.at, r->marker, &order, e);
    *ret = order >= 0;
    if (ok && !str_eq(r->at.text, now.at.text)) {
        r->at = position_copy(c->a, now.at);
        ok = r->at.text.p || err_no_memory(e, "a position");
    }
    arena_finish(&mem);
    return ok;
}

static bool wait_for_marker(cutover *c, int64_t wait_ms, const clk *clock, cutover_result *r, err *e)
{
    int64_t began = clk_mono_us(clock);
    if (!c->job->source_engine->source->current_position(c->s, c->a, &r->marker, e)) return false;
    for (;;) {
        if (!look(c, r, &r->ready, e)) return false;
        r->waited_ms = (clk_mono_us(clock) - began) / 1000;
        if (r->ready || r->waited_ms >= wait_ms) return true;
        if (cancel_wait_ms(c->env.cancel, LOOK_EVERY_MS)) return cancel_error(e);
    }
}

bool cutover_run(const pipeline_job *job, uint64_t margin, int64_t wait_ms, const cancel *stop, const clk *clock, arena *a, cutover_result *ret, err *e)
{
    cutover c = {.job = job, .a = a};
    cutover_result r = {.ready = false};
    c.env = (engine_env){.clock = clock, .cancel = stop, .job_id = job->job_id, .replica_id = job->replica_id, .budget_bytes = job->budget_bytes, .lanes = 1,
                         .connect_timeout_s = CONNECT_TIMEOUT_S, .io_timeout_s = IO_TIMEOUT_S};
    bool ok = open_ends(&c, e) && read_catalogs(&c, e) && wait_for_marker(&c, wait_ms, clock, &r, e);
    if (ok && r.ready && sequences_carried(job)) ok = sequences_set(job, c.s, c.t, &c.from, c.to, margin, a, &r.sequences, &r.sequence_count, e);
    job->source_engine->source->close(c.s);
    job->target_engine->target->close(c.t);
    if (ok) *ret = r;
    return ok;
}
