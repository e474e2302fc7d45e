/* Stages by name and the steps between them. */
#include "pipeline/run.h"

static const char *const names[STAGE_COUNT] = {"schema", "full", "index", "stream"};

const char *stage_name(stage s) { return s < STAGE_COUNT ? names[s] : "?"; }

stage run_stage_of(str phase)
{
    for (int s = STAGE_COUNT - 1; s > 0; s--)
        if (str_eq(phase, str_from_c(names[s]))) return (stage)s;
    return STAGE_SCHEMA;
}

void run_stage_event(const run *r, stage s, bool finished)
{
    if (r->events->stage) r->events->stage(r->events->ctx, s, finished);
}

bool place_set(place *p, position at, err *e)
{
    buf_reset(&p->text);
    buf_add(&p->text, at.text);
    p->commit_us = at.commit_us;
    return !p->text.failed || err_no_memory(e, "a position");
}

typedef struct phase_step {
    const char *phase;
    position at;
} phase_step;

static bool save_phase(run *r, dest *d, void *arg, err *e)
{
    const phase_step *p = arg;
    return r->job->target_engine->target->save_checkpoint(d->t, r->job->epoch, p->phase, p->at, e);
}

bool run_save_phase(run *r, const char *phase, position at, err *e)
{
    phase_step p = {phase, at};
    return dest_retry(r, save_phase, &p, e);
}
