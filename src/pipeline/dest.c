/* The connection to the target: opening, claiming the job's row, reconnecting. */
#include "pipeline/run.h"

void dest_init(dest *d, run *r, const cancel *c)
{
    *d = (dest){.run = r, .env = r->env};
    d->env.cancel = c;
    arena_init(&d->mem, 4096, 4 * POSITION_MAX_BYTES);
}

void dest_close(dest *d)
{
    d->run->job->target_engine->target->close(d->t);
    d->t = NULL;
}

void dest_finish(dest *d)
{
    dest_close(d);
    arena_finish(&d->mem);
}

/* Each worker start has an epoch of its own, so a row that carries ours was claimed by us: the answer to an earlier claim was lost, or this is a
 * reconnection. Then the COMMIT of a transaction of ours may still be on its way: it was sent when that transaction had the row locked, so a claim, which
 * writes the row, comes after it, and what the row says then is final. Only reading it would take the state before for the last word. */
static bool claim(dest *d, err *e)
{
    const target_ops *ops = d->run->job->target_engine->target;
    if (d->run->claimed) {
        if (!ops->read_checkpoint(d->t, &d->mem, &d->ck, e)) return false;
        if (!d->ck.exists)
            return err_set(e, ERR_CHECKPOINT_MISSING, "job %.*s: its row in the destination's checkpoint table is gone; reset the job", STR_ARG(d->run->job->job_id));
    }
    if (!ops->claim(d->t, d->run->job->epoch, &d->mem, &d->ck, e)) return false;
    return d->run->claimed = true;
}

bool dest_open(dest *d, err *e)
{
    dest_close(d);
    arena_reset(&d->mem);
    d->ck = (checkpoint){0};
    const pipeline_job *job = d->run->job;
    if (!job->target_engine->target->open(job->target, &d->env, &d->t, e)) {
        d->t = NULL;
        return false;
    }
    if (claim(d, e)) return true;
    dest_close(d);
    return false;
}

bool dest_try(dest *d, dest_step step, void *arg, err *e)
{
    run *r = d->run;
    retry again;
    retry_init(&again, r->job, r->events, r->cancel, r->clock, "destDB");
    while (!((d->t || dest_open(d, e)) && step(r, d, arg, e))) {
        if (dest_is_lost(e)) dest_close(d);
        if (!retry_again(&again, e)) return false;
    }
    retry_over(&again);
    return true;
}

bool dest_retry(run *r, dest_step step, void *arg, err *e)
{
    dest d;
    dest_init(&d, r, r->cancel);
    bool ok = dest_try(&d, step, arg, e);
    dest_finish(&d);
    return ok;
}
