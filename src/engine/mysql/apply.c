/* Applying windows: rows and the job's checkpoint in one transaction of the target. A window that the data refuses is rolled back and done again change
 * by change, only to name the row that is wrong. */
#include "engine/mysql/apply.h"

#include <stdlib.h>

#include "engine/mysql/apply_foreign_key.h"

const apply_table *apply_table_of(const applier *a, const table_def *t) { return &a->tables.list[t->id]; }

static bool set_session(conn *c, bool foreign_keys, err *e)
{
    if (!conn_execf(c, e, "SET SESSION foreign_key_checks=%d, unique_checks=1", foreign_keys ? 1 : 0)) return false;
    return !c->is_mariadb || conn_exec(c, STR("SET SESSION in_predicate_conversion_threshold=0"), NULL, e);
}

bool applier_begin(target *t, uint64_t epoch, catalog_def *c, const server_info *from, err *e)
{
    applier_free(t->applier);
    t->applier = NULL;
    applier *a = calloc(1, sizeof *a);
    uint64_t packet = 0;
    if (!a) return err_no_memory(e, "the applier");
    t->foreign_keys_on = !from->cascades_logged;
    a->t = t;
    a->epoch = epoch;
    a->foreign_keys = a->foreign_keys_now = t->foreign_keys_on;
    arena_init(&a->mem, 64 * 1024, 0);
    bool ok = set_session(t->conn, a->foreign_keys, e) && conn_query_u64(t->conn, "SELECT @@session.max_allowed_packet", &packet, e) &&
              (!a->foreign_keys || apply_foreign_keys_match(t->conn, c, e)) && apply_tables_read(t->conn, c, &a->mem, &a->tables, e) && apply_run_init(&a->run, t->conn, packet, e);
    if (!ok) {
        applier_free(a);
        return false;
    }
    t->applier = a;
    return true;
}

void applier_free(applier *a)
{
    if (!a) return;
    apply_run_finish(&a->run);
    arena_finish(&a->mem);
    free(a);
}

static bool begin(applier *a, err *e)
{
    apply_run_reset(&a->run);
    buf_add_c(apply_run_begin(&a->run), "BEGIN");
    return apply_run_add(&a->run, EXPECT_OK, 0, NULL, e);
}

static bool put_rows(applier *a, const apply_window *w, err *e)
{
    for (uint32_t i = 0; i < w->merged_count; i++)
        if (!apply_foreign_keys(a, a->foreign_keys, e) || !apply_merged(a, &w->merged[i], e)) return false;
    for (uint32_t i = 0; i < w->ordered_count; i++) {
        const change *c = w->ordered[i];
        if (!(c->kind == CHANGE_TRUNCATE                    ? apply_truncate(a, c, e)
              : w->ordered_overlap && w->ordered_overlap[i] ? apply_change_again(a, c, e)
                                                            : apply_change(a, c, e)))
            return false;
    }
    return apply_foreign_keys(a, a->foreign_keys, e) && apply_run_flush(&a->run, e);
}

/* A connection that is lost while COMMIT is under way leaves open whether it happened: only the checkpoint knows. */
static bool commit(applier *a, err *e)
{
    if (conn_exec(a->t->conn, STR("COMMIT"), NULL, e)) return true;
    if (e->code == ERR_CANCELLED || !a->t->conn->broken) return false;
    err cause = *e;
    return err_set_native(e, ERR_COMMIT_UNKNOWN, RETRY_RECONNECT, cause.native, "the answer to COMMIT was lost: %.800s", cause.text);
}

static void roll_back(applier *a)
{
    err ignored = ERR_INIT;
    apply_run_reset(&a->run);
    if (!a->t->conn->broken && !conn_exec(a->t->conn, STR("ROLLBACK"), NULL, &ignored)) a->t->conn->broken = true; /* never commit what is half done */
    if (!a->t->conn->broken && !set_session(a->t->conn, a->foreign_keys, &ignored)) a->t->conn->broken = true;
    a->foreign_keys_now = a->foreign_keys;
}

/* What goes into one target transaction. */
typedef struct work {
    const apply_window *last;  /* the checkpoint; the rows too without a feed */
    const window_feed *feed;   /* NULL: one window */
} work;

static bool put_window(applier *a, const apply_window *w, err *e)
{
    a->settled = w->settled;
    return put_rows(a, w, e);
}

static bool put_all(applier *a, const work *k, err *e)
{
    if (!k->feed) return put_window(a, k->last, e);
    const apply_window *w;
    if (!k->feed->rewind(k->feed->ctx, e)) return false;
    for (;;) {
        if (!k->feed->next(k->feed->ctx, &w, e)) return false;
        if (!w) return true;
        if (!put_window(a, w, e)) return false;
        if (a->t->env->cancel && cancel_asked(a->t->env->cancel)) return cancel_error(e);
    }
}

static bool apply_once(applier *a, const work *k, err *e)
{
    const apply_window *w = k->last;
    a->run.suspect = false;
    bool ok = begin(a, e) && put_all(a, k, e);
    if (ok) a->run.suspect = false;
    ok = ok && checkpoint_advance(a->t->conn, a->t->env->job_id, a->epoch, w->phase, w->end, w->txn_count, w->row_count, e) && commit(a, e);
    if (!ok) roll_back(a);
    return ok;
}

static bool apply_work(target *t, const work *k, err *e)
{
    applier *a = t->applier;
    if (!a) return err_set(e, ERR_INTERNAL, "a window was applied before apply_begin");
    a->exact = false;
    if (apply_once(a, k, e)) return true;
    if (!a->run.suspect || t->conn->broken) return false;
    a->exact = true;
    *e = ERR_INIT;
    bool ok = apply_once(a, k, e);
    a->exact = false;
    return ok;
}

bool applier_apply(target *t, const apply_window *w, err *e) { return apply_work(t, &(work){.last = w}, e); }

bool applier_apply_large(target *t, const window_feed *feed, const apply_window *last, err *e)
{
    return apply_work(t, &(work){.last = last, .feed = feed}, e);
}
