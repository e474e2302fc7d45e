/* The job's row in the target: claim with a fencing epoch, read, move. The tables are described and made in checkpoint_tables.c.
 * Epochs are unique per worker start; a worker may claim again with its own epoch after a reconnect. */
#include "engine/mysql/checkpoint_tables.h"

#include <string.h>

static str field(MYSQL_RES *res, MYSQL_ROW row, unsigned i)
{
    return row[i] ? (str){row[i], mysql_fetch_lengths(res)[i]} : STR_NULL;
}

/* " WHERE job_id=… AND lane=0" */
static void where_job(buf *sql, str job_id)
{
    buf_add_c(sql, " WHERE job_id=");
    conn_quote_literal(sql, job_id, STR("utf8mb4"));
    buf_add_c(sql, " AND lane=0");
}

static bool row_to_checkpoint(MYSQL_RES *res, MYSQL_ROW row, arena *a, checkpoint *ret, err *e)
{
    checkpoint k = {.exists = true};
    int64_t commit_us = 0;
    k.phase = arena_copy(a, field(res, row, 1));
    k.at.text = arena_copy(a, field(res, row, 2));
    if (!k.phase.p || !k.at.text.p) return err_no_memory(e, "the job's checkpoint");
    if (!str_to_u64(field(res, row, 0), &k.epoch) || !str_to_i64(field(res, row, 3), &commit_us) || !str_to_u64(field(res, row, 4), &k.txn_count) ||
        !str_to_u64(field(res, row, 5), &k.row_count))
        return err_set(e, ERR_CORRUPT, "the job's row in sluice.checkpoint is not well formed");
    k.at.commit_us = commit_us;
    *ret = k;
    return true;
}

static bool read_row(conn *c, str job_id, arena *a, checkpoint *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT epoch, phase, position, commit_time, txn_count, row_count FROM sluice.checkpoint");
    where_job(&sql, job_id);
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(c, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    checkpoint none = {0};
    bool ok = true;
    if (row) {
        ok = row_to_checkpoint(res, row, a, ret, e);
    } else {
        *ret = none;
    }
    mysql_free_result(res);
    return ok;
}

bool checkpoint_read(target *t, arena *a, checkpoint *ret, err *e)
{
    checkpoint_objects have;
    if (!checkpoint_tables_find(t->conn, &have, e)) return false;
    if (have.checkpoint != CHECKPOINT_OURS) {
        *ret = (checkpoint){0};
        return true;
    }
    return read_row(t->conn, t->env->job_id, a, ret, e);
}

/* An update touched no row: which of the two reasons is it? */
static bool lost_row(conn *c, str job_id, uint64_t epoch, err *e)
{
    arena a;
    arena_init(&a, 4096, 0);
    checkpoint now = {0};
    bool ok = read_row(c, job_id, &a, &now, e);
    arena_finish(&a);
    if (!ok) return false;
    if (!now.exists)
        return err_set(e, ERR_CHECKPOINT_MISSING, "the row of job %.*s in sluice.checkpoint of the destination is gone", STR_ARG(job_id));
    return err_set(e, ERR_FENCED, "job %.*s belongs to the worker with epoch %llu, this one has %llu", STR_ARG(job_id),
                   (unsigned long long)now.epoch, (unsigned long long)epoch);
}

bool checkpoint_advance(conn *c, str job_id, uint64_t epoch, const char *phase, position at, uint64_t txns, uint64_t rows, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t touched = 0;
    buf_add_c(&sql, "UPDATE sluice.checkpoint SET seq=seq+1, updated=UTC_TIMESTAMP(6)");
    if (phase) {
        buf_add_c(&sql, ", phase=");
        conn_quote_literal(&sql, str_from_c(phase), STR("utf8mb4"));
    }
    if (!position_is_none(at)) {
        buf_add_c(&sql, ", position=");
        conn_quote_literal(&sql, at.text, STR("utf8mb4"));
        buf_printf(&sql, ", commit_time=%lld", (long long)at.commit_us);
    }
    if (txns || rows) buf_printf(&sql, ", txn_count=txn_count+%llu, row_count=row_count+%llu", (unsigned long long)txns, (unsigned long long)rows);
    where_job(&sql, job_id);
    buf_printf(&sql, " AND epoch=%llu", (unsigned long long)epoch);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_exec(c, buf_str(&sql), &touched, e)) return err_context(e, "writing the job's checkpoint");
    return touched == 1 || lost_row(c, job_id, epoch, e);
}

/* In a transaction: an UPDATE that arrives late, after its connection was given up, must not move the row back. COMMIT is sent with the row locked, and a
 * claim comes after it. */
bool checkpoint_save(target *t, uint64_t epoch, const char *phase, position at, err *e)
{
    conn *c = t->conn;
    err ignored = ERR_INIT;
    bool ok = conn_exec(c, STR("START TRANSACTION"), NULL, e) && checkpoint_advance(c, t->env->job_id, epoch, phase, at, 0, 0, e) &&
              conn_exec(c, STR("COMMIT"), NULL, e);
    if (!ok && !c->broken && !conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
    return ok;
}

bool checkpoint_guard(conn *c, str job_id, uint64_t epoch, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT epoch FROM sluice.checkpoint");
    where_job(&sql, job_id);
    buf_add_c(&sql, " LOCK IN SHARE MODE");
    MYSQL_RES *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(c, buf_str(&sql), &res, e)) return err_context(e, "checking the job's epoch");
    MYSQL_ROW row = mysql_fetch_row(res);
    uint64_t now = 0;
    bool ok = row && str_to_u64(field(res, row, 0), &now) && now == epoch;
    mysql_free_result(res);
    return ok || lost_row(c, job_id, epoch, e);
}

/* ---- claim ---- */

static bool insert_row(target *t, uint64_t epoch, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "INSERT IGNORE INTO sluice.checkpoint (job_id, lane, epoch, phase, position, updated) VALUES (");
    conn_quote_literal(&sql, t->env->job_id, STR("utf8mb4"));
    buf_printf(&sql, ", 0, %llu, '', '', UTC_TIMESTAMP(6))", (unsigned long long)epoch);
    if (sql.failed) return err_no_memory(e, "a statement");
    return conn_exec(t->conn, buf_str(&sql), NULL, e);
}

/* Nothing of ours is left out: the ledger knows schema, tables and rows before they exist. Under the named lock, against a removal at the same time. */
static bool make_row(target *t, uint64_t epoch, err *e)
{
    if (!checkpoint_tables_lock(t->conn, e)) return false;
    bool ok = checkpoint_tables_make(t, e) && insert_row(t, epoch, e) && checkpoint_tables_made(t, e);
    checkpoint_tables_unlock(t->conn);
    return ok;
}

static bool raise_epoch(target *t, uint64_t epoch, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t touched = 0;
    buf_printf(&sql, "UPDATE sluice.checkpoint SET epoch=%llu, seq=seq+1, updated=UTC_TIMESTAMP(6)", (unsigned long long)epoch);
    where_job(&sql, t->env->job_id);
    buf_printf(&sql, " AND epoch<=%llu", (unsigned long long)epoch);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_exec(t->conn, buf_str(&sql), &touched, e)) return err_context(e, "claiming the job's checkpoint");
    return touched == 1 || lost_row(t->conn, t->env->job_id, epoch, e);
}

bool checkpoint_claim(target *t, uint64_t epoch, arena *a, checkpoint *ret, err *e)
{
    checkpoint_objects have;
    checkpoint now = {0};
    if (!checkpoint_session(t->conn, e) || !checkpoint_tables_find(t->conn, &have, e)) return false;
    if (have.checkpoint == CHECKPOINT_OURS && have.chunk == CHECKPOINT_OURS && !read_row(t->conn, t->env->job_id, a, &now, e)) return false;
    if (!now.exists && !make_row(t, epoch, e)) return false;
    return raise_epoch(t, epoch, e) && read_row(t->conn, t->env->job_id, a, ret, e);
}
