/* Applying windows: rows and the job's checkpoint in one transaction of the target. A window that the data refuses is rolled back and done again change
 * by change, only to name the row that is wrong. */
#include "engine/postgresql/pg_apply.h"

#include <stdlib.h>

#include "engine/postgresql/pg_apply_foreign_key.h"
#include "engine/postgresql/pg_checkpoint.h"

/* ---- begin ---- */

/* Changes of such a table are applied in order: their effects reach beyond the row, or a set of them may collide with itself on the way. */
static bool is_ordered(const pg_applier *a, const pg_table *t)
{
    return (a->replica ? t->replica_triggers : t->triggers) || t->unique_count || (t->key_count && !t->has_row_key) || t->deferrable || (!a->replica && t->foreign_keys);
}

static bool refuse_table(const pg_applier *a, const pg_table *t, err *e)
{
    if (a->replica ? t->replica_rules || (a->enforce && t->rules && t->foreign_keys) : t->rules)
        return err_set(e, ERR_NOT_SUPPORTED, "table %.*s of the destination has rules that rewrite what is written to it; drop or disable them", STR_ARG(t->name));
    if (a->replica || a->enforce || !t->acting_foreign_key.p) return true;
    return err_set(e, ERR_TARGET_PRIVILEGE,
                   "the foreign key %.*s of or to %.*s changes child rows, which the source's log has too: they would be changed twice; as a superuser run GRANT SET ON "
                   "PARAMETER session_replication_role TO \"%.*s\" (PostgreSQL 15 or later), or drop the foreign key's actions",
                   STR_ARG(t->acting_foreign_key), STR_ARG(t->name), STR_ARG(a->t->ep->user));
}

static bool look_at_tables(pg_applier *a, catalog_def *c, err *e)
{
    if (!pg_tables_read(a->t->conn, (const table_def *const *)c->tables, c->table_count, &a->mem, &a->tables, e)) return false;
    for (uint32_t i = 0; i < c->table_count; i++) {
        pg_table *t = &a->tables[i];
        t->foreign_keys_act = a->enforce && t->acting_foreign_key.p;
        if (!refuse_table(a, t, e)) return false;
        if (is_ordered(a, t)) c->tables[i]->target_has_triggers = true;
        a->defer |= t->deferrable || ((!a->replica || a->enforce) && t->foreign_keys);
    }
    return true;
}

bool pg_applier_begin(target *t, uint64_t epoch, catalog_def *c, const server_info *from, err *e)
{
    pg_applier_free(t->applier);
    t->applier = NULL;
    pg_applier *a = calloc(1, sizeof *a);
    if (!a) return err_no_memory(e, "the applier");
    *a = (pg_applier){.t = t, .epoch = epoch, .replica = t->may_replicate, .enforce = !from->cascades_logged};
    arena_init(&a->mem, 64 * 1024, 0);
    arena_init(&a->scratch, 64 * 1024, 0);
    pg_apply_run_init(&a->run, t->conn);
    bool ok = (!a->enforce || pg_apply_foreign_keys_match(t->conn, c, e)) && look_at_tables(a, c, e);
    if (!ok) {
        pg_applier_free(a);
        return false;
    }
    t->applier = a;
    return true;
}

void pg_applier_free(pg_applier *a)
{
    if (!a) return;
    pg_apply_run_finish(&a->run);
    arena_finish(&a->scratch);
    arena_finish(&a->mem);
    free(a);
}

/* ---- windows ---- */

static bool begin(pg_applier *a, err *e)
{
    pg_apply_run_reset(&a->run);
    a->origin_now = !a->replica;
    buf *b = pg_apply_run_begin(&a->run);
    buf_add_c(b, "BEGIN");
    if (!pg_apply_run_add(&a->run, PG_EXPECT_OK, 0, NULL, e)) return false;
    if (a->replica) {
        buf_add_c(pg_apply_run_begin(&a->run), "SET LOCAL session_replication_role=replica");
        if (!pg_apply_run_add(&a->run, PG_EXPECT_OK, 0, NULL, e)) return false;
    }
    if (!a->defer) return true;
    buf_add_c(pg_apply_run_begin(&a->run), "SET CONSTRAINTS ALL DEFERRED");
    return pg_apply_run_add(&a->run, PG_EXPECT_OK, 0, NULL, e);
}

static bool put_window(pg_applier *a, const apply_window *w, err *e)
{
    a->settled = w->settled;
    if (!pg_apply_role(a, false, e)) return false;
    for (uint32_t i = 0; i < w->merged_count; i++)
        if (!pg_apply_merged(a, &w->merged[i], e)) return false;
    for (uint32_t i = 0, n; i < w->ordered_count; i += n) {
        const change *c = w->ordered[i];
        n = 1;
        if (!(c->kind == CHANGE_TRUNCATE                    ? pg_apply_truncate(a, &w->ordered[i], w->ordered_count - i, &n, e)
              : w->ordered_overlap && w->ordered_overlap[i] ? pg_apply_change_again(a, c, e)
                                                            : pg_apply_change(a, c, e)))
            return false;
    }
    return true;
}

/* What goes into one target transaction. */
typedef struct work {
    const apply_window *last;  /* the checkpoint; the rows too without a feed */
    const window_feed *feed;   /* NULL: one window */
} work;

static bool put_all(pg_applier *a, const work *k, err *e)
{
    if (!k->feed) return put_window(a, k->last, e);
    const apply_window *w;
    if (!k->feed->rewind(k->feed->ctx, e)) return false;
    for (;;) {
        if (!k->feed->next(k->feed->ctx, &w, e)) return false;
        if (!w) return true;
        if (!put_window(a, w, e) || !pg_apply_run_flush(&a->run, e)) return false;
        if (a->t->env->cancel && cancel_asked(a->t->env->cancel)) return cancel_error(e);
    }
}

/* Constraints that are checked at the end of the transaction speak here. */
static bool commit(pg_applier *a, err *e)
{
    if (pg_checkpoint_commit(a->t->conn, e)) return true;
    if (pg_apply_is_divergence(e->native)) e->code = ERR_TARGET_DIVERGED;
    return false;
}

/* Goes with the last batch of rows: small windows come often, and each answer is waited for. */
static bool put_checkpoint(pg_applier *a, const apply_window *w, err *e)
{
    pg_checkpoint_advance_sql(pg_apply_run_begin(&a->run), a->t->env->job_id, a->epoch, w->phase, w->end, w->txn_count, w->row_count);
    if (pg_apply_run_add(&a->run, PG_EXPECT_JOB, 1, NULL, e) && pg_apply_run_flush(&a->run, e)) return true;
    return a->run.job_lost ? pg_checkpoint_lost(a->t->conn, a->t->env->job_id, a->epoch, e) : false;
}

static bool apply_once(pg_applier *a, const work *k, err *e)
{
    target *t = a->t;
    a->run.suspect = a->run.job_lost = false;
    if (begin(a, e) && put_all(a, k, e) && put_checkpoint(a, k->last, e) && commit(a, e)) return true;
    pg_apply_run_reset(&a->run);
    pg_checkpoint_roll_back(t->conn);
    return false;
}

static bool apply_work(target *t, const work *k, err *e)
{
    pg_applier *a = t->applier;
    if (!a) return err_set(e, ERR_INTERNAL, "a window was applied before apply_begin");
    a->exact = false;
    if (apply_once(a, k, e)) return true;
    if (!a->run.suspect || t->conn->broken) return false;
    a->exact = true;
    *e = ERR_INIT;
    bool ok = apply_once(a, k, e);
    a->exact = false;
    a->rescued += ok;
    return ok;
}

bool pg_applier_apply(target *t, const apply_window *w, err *e) { return apply_work(t, &(work){.last = w}, e); }

bool pg_applier_apply_large(target *t, const window_feed *feed, const apply_window *last, err *e)
{
    return apply_work(t, &(work){.last = last, .feed = feed}, e);
}
