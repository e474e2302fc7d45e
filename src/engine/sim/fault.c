/* Crashes and failures of calls. */
#include <stdio.h>
#include <string.h>

#include "engine/sim/sim.h"

void sim_tick(sim_world *w)
{
    if (w->head < w->log_count && rng_chance(&w->random, 30)) w->head++;
    if (w->forgets && rng_chance(&w->random, 10)) w->purged = w->keeps_log ? w->confirmed : w->head;
    if (w->purges && rng_chance(&w->random, 3)) w->purged = w->head > 2 ? w->head - 2 : 0;
}

void sim_worker_start(sim_world *w, uint32_t replica_id, cancel *c, bool may_crash)
{
    pthread_mutex_lock(&w->lock);
    w->workers[replica_id] = c;
    w->crash_at = may_crash && rng_chance(&w->random, 60) ? w->calls + 2 + (uint32_t)rng_below(&w->random, 150) : 0;
    pthread_mutex_unlock(&w->lock);
}

void sim_worker_end(sim_world *w, uint32_t replica_id)
{
    pthread_mutex_lock(&w->lock);
    w->workers[replica_id] = NULL;
    pthread_mutex_unlock(&w->lock);
}

uint32_t sim_calls(sim_world *w)
{
    pthread_mutex_lock(&w->lock);
    uint32_t n = w->calls;
    pthread_mutex_unlock(&w->lock);
    return n;
}

bool sim_dies(sim_world *w, const engine_env *env)
{
    uint32_t me = env->replica_id;
    if (me >= SIM_WORKERS) return false;
    if (w->crash_at && w->calls >= w->crash_at && !(me + 1 < SIM_WORKERS && w->workers[me + 1])) {
        w->crash_at = 0;
        w->dead[me] = true;
        if (w->workers[me]) cancel_ask(w->workers[me]);
    }
    return w->dead[me];
}

bool sim_lost(sim_site site, bool *broken, err *e)
{
    *broken = true;
    return site == SIM_AT_SOURCE ? err_set_native(e, ERR_SOURCE_CONNECT, RETRY_RECONNECT, 2013, "the source's connection is gone")
                                 : err_set_native(e, ERR_TARGET_CONNECT, RETRY_RECONNECT, 2013, "the destination's connection is gone");
}

static bool fails(sim_world *w, sim_site site, bool *broken, err *e)
{
    if (w->faults_left == 0 || !rng_chance(&w->random, w->fault_percent)) return true;
    w->faults_left--;
    uint64_t dice = rng_below(&w->random, 10);
    if (site == SIM_AT_TARGET_TXN && dice < 4) return err_set_native(e, ERR_TARGET_BUSY, RETRY_TXN, 1213, "deadlock");
    if (dice < 7) return sim_lost(site, broken, e);
    return site == SIM_AT_SOURCE ? err_set_native(e, ERR_SOURCE_QUERY, RETRY_LATER, 1040, "too many connections")
                                 : err_set_native(e, ERR_TARGET_UNAVAILABLE, RETRY_LATER, 1290, "read only");
}

bool sim_enter(sim_world *w, const engine_env *env, sim_site site, bool *broken, err *e)
{
    pthread_mutex_lock(&w->lock);
    if (e->code != ERR_NONE) sim_violate(w, "an engine was called with the error of an earlier call: %s", e->text);
    w->calls++;
    sim_tick(w);
    /* A statement on its way to a server is not called back by a cancel: half of the target's transactions still go through. */
    bool heeds = site != SIM_AT_TARGET_TXN || rng_chance(&w->random, 50);
    bool ok = !sim_dies(w, env) && !(heeds && cancel_asked(env->cancel));
    if (!ok) cancel_error(e);
    if (ok && *broken) ok = sim_lost(site, broken, e);
    ok = ok && fails(w, site, broken, e);
    if (!ok) pthread_mutex_unlock(&w->lock);
    return ok;
}

void sim_leave(sim_world *w) { pthread_mutex_unlock(&w->lock); }

position sim_position(uint32_t n, arena *a) { return (position){arena_printf(a, "sim:%u", n), (int64_t)n * 1000000}; }

bool sim_position_parse(position p, uint32_t *ret, err *e)
{
    uint64_t n;
    if (!str_starts_with(p.text, STR("sim:")) || !str_to_u64(str_sub(p.text, 4, SIZE_MAX), &n) || n > UINT32_MAX)
        return err_set(e, ERR_SOURCE_POSITION, "\"%.*s\" is not a position of a simulated source", STR_ARG(p.text));
    *ret = (uint32_t)n;
    return true;
}
