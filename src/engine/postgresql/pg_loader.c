/* Writes the rows of a chunk and its mark of progress in one transaction of the target. */
#include "engine/postgresql/pg_loader.h"

#include <stdlib.h>

#include "engine/postgresql/pg_checkpoint.h"
#include "engine/postgresql/pg_session.h"

static bool prepare(loader *l, err *e)
{
    l->replica = l->t->may_replicate;
    return pg_session_begin(l->conn, NULL, e) && (!l->replica || pg_conn_exec(l->conn, STR("SET session_replication_role = replica"), NULL, e));
}

bool pg_loader_open(target *t, uint64_t epoch, bool ignore_existing, loader **ret, err *e)
{
    loader *l = calloc(1, sizeof *l);
    if (!l) return err_no_memory(e, "a loader");
    *l = (loader){.t = t, .epoch = epoch, .ignore_existing = ignore_existing};
    arena_init(&l->mem, 16 * 1024, 0);
    if (!pg_conn_open(t->ep, t->env, PG_TARGET, false, &l->conn, e) || !prepare(l, e)) {
        pg_loader_close(l);
        return false;
    }
    *ret = l;
    return true;
}

void pg_loader_close(loader *l)
{
    if (!l) return;
    pg_conn_close(l->conn);
    buf_finish(&l->text);
    buf_finish(&l->keys);
    arena_finish(&l->mem);
    free(l);
}

/* The target's side of the table; a lane loads many chunks of one table in a row. */
static bool look_at_table(loader *l, const table_def *t, err *e)
{
    if (l->table && l->table->def == t) return true;
    l->table = NULL;
    arena_reset(&l->mem);
    if (!pg_tables_read(l->conn, &t, 1, &l->mem, &l->table, e)) return false;
    if (l->table->written_count) return true;
    l->table = NULL;
    return err_set(e, ERR_BAD_INPUT, "no column of %.*s.%.*s is selected", STR_ARG(t->schema), STR_ARG(t->name));
}

/* Rows of two chunks have different row keys, so only other unique keys can meet. */
static bool wants_staging(const loader *l, bool overlap)
{
    return l->ignore_existing ? l->table->unique_count || l->table->has_row_key : overlap && l->table->unique_count;
}

/* A unique constraint that is checked later is not checked at all with role replica. */
static bool choose_role(const loader *l, err *e)
{
    const pg_table *t = l->table;
    if (!l->replica || !t->deferrable || t->triggers || t->foreign_keys) return true;
    return pg_conn_exec(l->conn, STR("SET LOCAL session_replication_role = origin"), NULL, e);
}

static bool write_rows(pg_load *one, err *e)
{
    if (!pg_load_copy(one, e) || (one->staged && !pg_load_move(one, e))) return false;
    if (one->taken == one->rows || one->l->ignore_existing) return true;
    return err_set(e, ERR_TARGET_QUERY, "the destination table %.*s took %llu of %llu rows: a trigger of it turns rows away; disable it",
                   STR_ARG(one->at->name), (unsigned long long)one->taken, (unsigned long long)one->rows);
}

static bool load_in_transaction(pg_load *one, const chunk *k, position at, uint64_t *ret_rows, err *e)
{
    loader *l = one->l;
    str job = l->t->env->job_id;
    pg_chunk_state before;
    if (!pg_conn_exec(l->conn, STR("BEGIN"), NULL, e) || !pg_checkpoint_lock_chunk(l->conn, job, one->t, k, &before, e)) return false;
    if (before.done) {
        *ret_rows = before.rows;
        return pg_conn_exec(l->conn, STR("ROLLBACK"), NULL, e);
    }
    if (!look_at_table(l, one->t, e) || !choose_role(l, e)) return false;
    one->at = l->table;
    one->staged = wants_staging(l, k->overlap);
    if (!write_rows(one, e) || !pg_checkpoint_guard(l->conn, job, l->epoch, e) ||
        !pg_checkpoint_chunk_done(l->conn, job, one->t, k, at, one->taken, e) || !pg_checkpoint_commit(l->conn, e))
        return false;
    *ret_rows = one->taken;
    return true;
}

/* Retries read the chunk again from its beginning: what the feed gave is gone. A chunk that was done before consumes nothing of the feed. */
bool pg_loader_load(loader *l, const table_def *t, const chunk *k, position at, const row_feed *feed, uint64_t *ret_rows, err *e)
{
    pg_load one = {.l = l, .t = t, .feed = feed, .binary = k->raw && k->binary};
    bool ok = load_in_transaction(&one, k, at, ret_rows, e);
    row_batch_free(one.batch);
    if (ok) return true;
    pg_checkpoint_roll_back(l->conn);
    return err_context(e, "loading chunk %u of %.*s.%.*s", k->number, STR_ARG(t->target_schema), STR_ARG(t->target_name));
}
