/* The job's row in the target: claim with a fencing epoch, read, move. The tables are described and made in pg_checkpoint_tables.c.
 * Epochs are unique per worker start; a worker may claim again with its own epoch after a reconnect. */
#include "engine/postgresql/pg_checkpoint.h"

#include <string.h>

#include "engine/postgresql/pg_checkpoint_tables.h"
#include "engine/postgresql/pg_session.h"

/* " WHERE job_id='…' AND lane=0" */
static void where_job(buf *sql, str job_id)
{
    buf_add_c(sql, " WHERE job_id=");
    pg_quote_literal(sql, job_id);
    buf_add_c(sql, " AND lane=0");
}

static bool row_to_checkpoint(const PGresult *res, arena *a, checkpoint *ret, err *e)
{
    checkpoint k = {.exists = true};
    k.phase = arena_copy(a, str_or_empty(pg_field(res, 0, 1)));
    k.at.text = arena_copy(a, str_or_empty(pg_field(res, 0, 2)));
    if (!k.phase.p || !k.at.text.p) return err_no_memory(e, "the job's checkpoint");
    if (!str_to_u64(pg_field(res, 0, 0), &k.epoch) || !str_to_i64(pg_field(res, 0, 3), &k.at.commit_us) || !str_to_u64(pg_field(res, 0, 4), &k.txn_count) ||
        !str_to_u64(pg_field(res, 0, 5), &k.row_count))
        return err_set(e, ERR_CORRUPT, "the job's row in sluice.checkpoint is not well formed");
    *ret = k;
    return true;
}

static bool read_row(pg_conn *c, str job_id, arena *a, checkpoint *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT epoch, phase, position, commit_time, txn_count, row_count FROM sluice.checkpoint");
    where_job(&sql, job_id);
    PGresult *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(c, buf_str(&sql), &res, e)) return false;
    bool ok = true;
    *ret = (checkpoint){0};
    if (PQntuples(res)) ok = row_to_checkpoint(res, a, ret, e);
    PQclear(res);
    return ok;
}

bool pg_checkpoint_read(target *t, arena *a, checkpoint *ret, err *e)
{
    pg_checkpoint_objects have;
    if (!pg_checkpoint_tables_find(t->conn, &have, e)) return false;
    if (have.checkpoint == PG_CHECKPOINT_OURS) return read_row(t->conn, t->env->job_id, a, ret, e);
    *ret = (checkpoint){0};
    return true;
}

/* An update touched no row: which of the two reasons is it? */
bool pg_checkpoint_lost(pg_conn *c, str job_id, uint64_t epoch, err *e)
{
    arena a;
    arena_init(&a, 4096, 0);
    checkpoint now = {0};
    bool ok = read_row(c, job_id, &a, &now, e);
    arena_finish(&a);
    if (!ok) return false;
    if (!now.exists) return err_set(e, ERR_CHECKPOINT_MISSING, "the row of job %.*s in sluice.checkpoint of the destination is gone", STR_ARG(job_id));
    return err_set(e, ERR_FENCED, "job %.*s belongs to the worker with epoch %llu, this one has %llu", STR_ARG(job_id), (unsigned long long)now.epoch,
                   (unsigned long long)epoch);
}

void pg_checkpoint_advance_sql(buf *sql, str job_id, uint64_t epoch, const char *phase, position at, uint64_t txns, uint64_t rows)
{
    buf_add_c(sql, "UPDATE sluice.checkpoint SET seq=seq+1, updated=pg_catalog.clock_timestamp()");
    if (phase) {
        buf_add_c(sql, ", phase=");
        pg_quote_literal(sql, str_from_c(phase));
    }
    if (!position_is_none(at)) {
        buf_add_c(sql, ", position=");
        pg_quote_literal(sql, at.text);
        buf_printf(sql, ", commit_time=%lld", (long long)at.commit_us);
    }
    if (txns || rows) buf_printf(sql, ", txn_count=txn_count+%llu, row_count=row_count+%llu", (unsigned long long)txns, (unsigned long long)rows);
    where_job(sql, job_id);
    buf_printf(sql, " AND epoch=%llu", (unsigned long long)epoch);
}

bool pg_checkpoint_advance(pg_conn *c, str job_id, uint64_t epoch, const char *phase, position at, uint64_t txns, uint64_t rows, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t touched = 0;
    pg_checkpoint_advance_sql(&sql, job_id, epoch, phase, at, txns, rows);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_exec(c, buf_str(&sql), &touched, e)) return err_context(e, "writing the job's checkpoint");
    return touched == 1 || pg_checkpoint_lost(c, job_id, epoch, e);
}

bool pg_checkpoint_guard(pg_conn *c, str job_id, uint64_t epoch, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT epoch FROM sluice.checkpoint");
    where_job(&sql, job_id);
    buf_add_c(&sql, " FOR SHARE");
    PGresult *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(c, buf_str(&sql), &res, e)) return err_context(e, "checking the job's epoch");
    uint64_t now = 0;
    bool ok = str_to_u64(pg_field(res, 0, 0), &now) && now == epoch;
    PQclear(res);
    return ok || pg_checkpoint_lost(c, job_id, epoch, e);
}

bool pg_checkpoint_commit(pg_conn *c, err *e)
{
    PGresult *res;
    if (!pg_conn_query(c, STR("COMMIT"), &res, e)) {
        if (e->code == ERR_CANCELLED || !c->broken) return false;
        err cause = *e;
        return err_set_native(e, ERR_COMMIT_UNKNOWN, RETRY_RECONNECT, cause.native, "the answer to COMMIT was lost: %.800s", cause.text);
    }
    bool done = strcmp(PQcmdStatus(res), "COMMIT") == 0; /* "ROLLBACK" for a transaction that had failed */
    PQclear(res);
    return done || err_set(e, ERR_INTERNAL, "the destination rolled back what was to be committed");
}

void pg_checkpoint_roll_back(pg_conn *c)
{
    err ignored = ERR_INIT;
    if (!c->broken && !pg_conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true; /* never commit what is half done */
}

/* In a transaction: an UPDATE that arrives late, after its connection was given up, must not move the row back. COMMIT is sent with the row locked, and a
 * claim comes after it. */
bool pg_checkpoint_save(target *t, uint64_t epoch, const char *phase, position at, err *e)
{
    bool ok = pg_conn_exec(t->conn, STR("BEGIN"), NULL, e) && pg_checkpoint_advance(t->conn, t->env->job_id, epoch, phase, at, 0, 0, e) &&
              pg_checkpoint_commit(t->conn, e);
    if (!ok) pg_checkpoint_roll_back(t->conn);
    return ok;
}

/* ---- claim ---- */

static bool insert_row(target *t, uint64_t epoch, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "INSERT INTO sluice.checkpoint (job_id, lane, epoch, phase, position, updated) VALUES (");
    pg_quote_literal(&sql, t->env->job_id);
    buf_printf(&sql, ", 0, %llu, '', '', pg_catalog.clock_timestamp()) ON CONFLICT DO NOTHING", (unsigned long long)epoch);
    if (sql.failed) return err_no_memory(e, "a statement");
    return pg_conn_exec(t->conn, buf_str(&sql), NULL, e);
}

/* Nothing of ours is left out: the ledger knows schema, tables and rows before they exist. Under the lock, against a removal at the same time. */
static bool make_row(target *t, uint64_t epoch, err *e)
{
    if (!pg_checkpoint_tables_lock(t->conn, e)) return false;
    bool ok = pg_checkpoint_tables_make(t, e) && insert_row(t, epoch, e) && pg_checkpoint_tables_made(t, e);
    pg_checkpoint_tables_unlock(t->conn);
    return ok;
}

static bool raise_epoch(target *t, uint64_t epoch, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t touched = 0;
    buf_printf(&sql, "UPDATE sluice.checkpoint SET epoch=%llu, seq=seq+1, updated=pg_catalog.clock_timestamp()", (unsigned long long)epoch);
    where_job(&sql, t->env->job_id);
    buf_printf(&sql, " AND epoch<=%llu", (unsigned long long)epoch);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_exec(t->conn, buf_str(&sql), &touched, e)) return err_context(e, "claiming the job's checkpoint");
    return touched == 1 || pg_checkpoint_lost(t->conn, t->env->job_id, epoch, e);
}

bool pg_checkpoint_claim(target *t, uint64_t epoch, arena *a, checkpoint *ret, err *e)
{
    pg_checkpoint_objects have;
    checkpoint now = {0};
    if (!pg_checkpoint_tables_find(t->conn, &have, e)) return false;
    if (have.checkpoint == PG_CHECKPOINT_OURS && have.chunk == PG_CHECKPOINT_OURS && !read_row(t->conn, t->env->job_id, a, &now, e)) return false;
    if (!now.exists && !make_row(t, epoch, e)) return false;
    return raise_epoch(t, epoch, e) && read_row(t->conn, t->env->job_id, a, ret, e);
}
