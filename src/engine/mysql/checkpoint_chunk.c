/* Chunk plans and their progress in sluice.chunk of the target. */
#include "engine/mysql/checkpoint_tables.h"

static str field(MYSQL_RES *res, MYSQL_ROW row, unsigned i)
{
    return row[i] ? (str){row[i], mysql_fetch_lengths(res)[i]} : STR_NULL;
}

static bool row_to_chunk(MYSQL_RES *res, MYSQL_ROW row, uint32_t table_id, arena *a, chunk *ret, err *e)
{
    uint64_t number, done;
    chunk k = {.table_id = table_id};
    if (!str_to_u64(field(res, row, 0), &number) || number > UINT32_MAX || !str_to_u64(field(res, row, 3), &done) ||
        !str_to_i64(field(res, row, 5), &k.at.commit_us) || !str_to_u64(field(res, row, 6), &k.rows))
        return err_set(e, ERR_CORRUPT, "a row of sluice.chunk is not well formed");
    k.number = (uint32_t)number;
    k.done = done != 0;
    k.low = arena_copy(a, field(res, row, 1));
    k.high = arena_copy(a, field(res, row, 2));
    k.at.text = arena_copy(a, field(res, row, 4));
    if (!k.low.p || !k.high.p || !k.at.text.p) return err_no_memory(e, "a chunk");
    *ret = k;
    return true;
}

bool checkpoint_read_chunks(target *t, const table_def *table, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT number, low, high, done, position, commit_time, row_count FROM sluice.chunk");
    checkpoint_add_where_table(&sql, t->env->job_id, table);
    buf_add_c(&sql, " ORDER BY number");
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(t->conn, buf_str(&sql), &res, e)) return err_context(e, "reading the chunks of %.*s.%.*s", STR_ARG(table->schema), STR_ARG(table->name));
    uint64_t count = mysql_num_rows(res);
    chunk *chunks = count <= UINT32_MAX ? arena_array(a, count, sizeof *chunks) : NULL;
    bool ok = chunks || err_no_memory(e, "the chunks of a table");
    for (uint64_t i = 0; ok && i < count; i++) {
        MYSQL_ROW row = mysql_fetch_row(res);
        ok = row ? row_to_chunk(res, row, table->id, a, &chunks[i], e) : err_set(e, ERR_INTERNAL, "fewer chunks than counted");
    }
    mysql_free_result(res);
    if (!ok) return false;
    *ret = chunks;
    *ret_count = (uint32_t)count;
    return true;
}

static void chunk_values(buf *sql, str job_id, const table_def *t, const chunk *k)
{
    conn_quote_literal(sql, job_id, STR("utf8mb4"));
    buf_add_c(sql, ", ");
    conn_quote_literal(sql, t->schema, STR("utf8mb4"));
    buf_add_c(sql, ", ");
    conn_quote_literal(sql, t->name, STR("utf8mb4"));
    buf_printf(sql, ", %u, ", k->number);
    conn_quote_literal(sql, k->low, STR_NULL);
    buf_add_c(sql, ", ");
    conn_quote_literal(sql, k->high, STR_NULL);
    buf_printf(sql, ", %d, ", k->done);
    conn_quote_literal(sql, k->at.text, STR("utf8mb4"));
    buf_printf(sql, ", %lld, %llu", (long long)k->at.commit_us, (unsigned long long)k->rows);
}

#define INSERT_CHUNKS "INSERT INTO sluice.chunk (job_id, table_schema, table_name, number, low, high, done, position, commit_time, row_count) "

/* A small table: one statement that is conditioned on the epoch by itself. */
static bool store_one(target *t, uint64_t epoch, const table_def *table, const chunk *k, bool *ret_stored, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t touched = 0;
    buf_add_c(&sql, INSERT_CHUNKS "SELECT ");
    chunk_values(&sql, t->env->job_id, table, k);
    buf_add_c(&sql, " FROM sluice.checkpoint WHERE job_id=");
    conn_quote_literal(&sql, t->env->job_id, STR("utf8mb4"));
    buf_printf(&sql, " AND lane=0 AND epoch=%llu LOCK IN SHARE MODE", (unsigned long long)epoch);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_exec(t->conn, buf_str(&sql), &touched, e)) return false;
    *ret_stored = touched == 1;
    return true;
}

static bool insert_many(target *t, const table_def *table, const chunk *chunks, uint32_t count, err *e)
{
    enum { PER_STATEMENT = 500, STATEMENT_BYTES = 512 * 1024 };
    BUF_AUTO sql = BUF_INIT;
    for (uint32_t i = 0; i < count;) {
        buf_reset(&sql);
        buf_add_c(&sql, INSERT_CHUNKS "VALUES ");
        for (uint32_t n = 0; i < count && n < PER_STATEMENT && sql.n < STATEMENT_BYTES; n++, i++) {
            buf_add_c(&sql, n ? ", (" : "(");
            chunk_values(&sql, t->env->job_id, table, &chunks[i]);
            buf_add_byte(&sql, ')');
        }
        if (sql.failed) return err_no_memory(e, "a statement");
        if (!conn_exec(t->conn, buf_str(&sql), NULL, e)) return false;
    }
    return true;
}

static void roll_back(conn *c)
{
    err ignored = ERR_INIT;
    if (!c->broken && !conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
}

bool checkpoint_store_chunks(target *t, uint64_t epoch, const table_def *table, const chunk *chunks, uint32_t count, err *e)
{
    bool stored = false;
    if (count == 0) return true;
    if (count == 1) {
        if (!store_one(t, epoch, table, chunks, &stored, e)) return false;
        if (stored) return true;
        return checkpoint_guard(t->conn, t->env->job_id, epoch, e) &&
               err_set_native(e, ERR_TARGET_BUSY, RETRY_TXN, 0, "the chunk of %.*s.%.*s was not stored", STR_ARG(table->schema), STR_ARG(table->name));
    }
    if (!conn_exec(t->conn, STR("START TRANSACTION"), NULL, e)) return false;
    bool ok = checkpoint_guard(t->conn, t->env->job_id, epoch, e) && insert_many(t, table, chunks, count, e) &&
              conn_exec(t->conn, STR("COMMIT"), NULL, e);
    if (!ok) roll_back(t->conn);
    return ok || err_context(e, "storing the chunks of %.*s.%.*s", STR_ARG(table->schema), STR_ARG(table->name));
}

bool checkpoint_lock_chunk(conn *c, str job_id, const table_def *table, const chunk *k, bool *ret_done, uint64_t *ret_rows, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT done, row_count FROM sluice.chunk");
    checkpoint_add_where_table(&sql, job_id, table);
    buf_printf(&sql, " AND number=%u FOR UPDATE", k->number);
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(c, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    uint64_t done = 0, rows = 0;
    bool found = row && str_to_u64(field(res, row, 0), &done) && str_to_u64(field(res, row, 1), &rows);
    mysql_free_result(res);
    if (!found)
        return err_set(e, ERR_CHECKPOINT_MISSING, "chunk %u of %.*s.%.*s is not in sluice.chunk of the destination", k->number, STR_ARG(table->schema),
                       STR_ARG(table->name));
    *ret_done = done != 0;
    *ret_rows = rows;
    return true;
}

bool checkpoint_chunk_undone(conn *c, str job_id, const table_def *table, const chunk *k, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t touched = 0;
    buf_add_c(&sql, "UPDATE sluice.chunk SET done=0, commit_time=0, position=''"); /* row_count stays as the estimate */
    checkpoint_add_where_table(&sql, job_id, table);
    buf_printf(&sql, " AND number=%u AND done=1", k->number);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_exec(c, buf_str(&sql), &touched, e)) return false;
    return touched == 1 || err_set(e, ERR_CHECKPOINT_MISSING, "chunk %u of %.*s.%.*s cannot be marked in sluice.chunk of the destination", k->number,
                                   STR_ARG(table->schema), STR_ARG(table->name));
}

bool checkpoint_chunk_done(conn *c, str job_id, const table_def *table, const chunk *k, position at, uint64_t rows, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t touched = 0;
    buf_printf(&sql, "UPDATE sluice.chunk SET done=1, row_count=%llu, commit_time=%lld, position=", (unsigned long long)rows, (long long)at.commit_us);
    conn_quote_literal(&sql, at.text, STR("utf8mb4"));
    checkpoint_add_where_table(&sql, job_id, table);
    buf_printf(&sql, " AND number=%u AND done=0", k->number);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_exec(c, buf_str(&sql), &touched, e)) return false;
    return touched == 1 || err_set(e, ERR_CHECKPOINT_MISSING, "chunk %u of %.*s.%.*s cannot be marked done in sluice.chunk of the destination",
                                   k->number, STR_ARG(table->schema), STR_ARG(table->name));
}
