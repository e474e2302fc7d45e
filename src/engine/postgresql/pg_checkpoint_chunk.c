/* Chunk plans and their progress in sluice.chunk of the target, and taking a loaded chunk back. */
#include "engine/postgresql/pg_checkpoint.h"

/* " WHERE job_id=… AND table_schema=… AND table_name=…" */
static void where_table(buf *sql, str job_id, const table_def *t)
{
    buf_add_c(sql, " WHERE job_id=");
    pg_quote_literal(sql, job_id);
    buf_add_c(sql, " AND table_schema=");
    pg_quote_literal(sql, t->schema);
    buf_add_c(sql, " AND table_name=");
    pg_quote_literal(sql, t->name);
}

/* The bytes of "\x…", PostgreSQL's form of bytea under the pinned settings, in the arena. */
static bool read_bytes(str hex, arena *a, str *ret, err *e)
{
    if (hex.n % 2 || !str_starts_with(hex, STR("\\x"))) return err_set(e, ERR_CORRUPT, "a bound in sluice.chunk is not well formed");
    char *p = arena_bytes(a, hex.n / 2);
    if (!p) return err_no_memory(e, "a chunk");
    for (size_t i = 2; i < hex.n; i++) {
        char c = hex.p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return err_set(e, ERR_CORRUPT, "a bound in sluice.chunk is not well formed");
        p[i / 2 - 1] = (char)(i % 2 ? (unsigned char)p[i / 2 - 1] << 4 | digit : digit);
    }
    *ret = (str){p, hex.n / 2 - 1};
    return true;
}

static bool row_to_chunk(const PGresult *res, int i, uint32_t table_id, arena *a, chunk *ret, err *e)
{
    uint64_t number;
    chunk k = {.table_id = table_id, .done = str_eq(pg_field(res, i, 3), STR("t"))};
    if (!str_to_u64(pg_field(res, i, 0), &number) || number > UINT32_MAX || !str_to_i64(pg_field(res, i, 5), &k.at.commit_us) ||
        !str_to_u64(pg_field(res, i, 6), &k.rows))
        return err_set(e, ERR_CORRUPT, "a row of sluice.chunk is not well formed");
    k.number = (uint32_t)number;
    k.at.text = arena_copy(a, str_or_empty(pg_field(res, i, 4)));
    if (!k.at.text.p) return err_no_memory(e, "a chunk");
    if (!read_bytes(pg_field(res, i, 1), a, &k.low, e) || !read_bytes(pg_field(res, i, 2), a, &k.high, e)) return false;
    *ret = k;
    return true;
}

bool pg_checkpoint_read_chunks(target *t, const table_def *table, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT number, low, high, done, position, commit_time, row_count FROM sluice.chunk");
    where_table(&sql, t->env->job_id, table);
    buf_add_c(&sql, " ORDER BY number");
    PGresult *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(t->conn, buf_str(&sql), &res, e)) return err_context(e, "reading the chunks of %.*s.%.*s", STR_ARG(table->schema), STR_ARG(table->name));
    int count = PQntuples(res);
    chunk *chunks = arena_array(a, (size_t)count, sizeof *chunks);
    bool ok = chunks || err_no_memory(e, "the chunks of a table");
    for (int i = 0; ok && i < count; i++) ok = row_to_chunk(res, i, table->id, a, &chunks[i], e);
    PQclear(res);
    if (!ok) return false;
    *ret = chunks;
    *ret_count = (uint32_t)count;
    return true;
}

static void add_bytes(buf *sql, str bytes)
{
    buf_add_c(sql, "'\\x");
    buf_add_hex(sql, bytes);
    buf_add_byte(sql, '\'');
}

static void chunk_values(buf *sql, str job_id, const table_def *t, const chunk *k)
{
    buf_add_byte(sql, '(');
    pg_quote_literal(sql, job_id);
    buf_add_c(sql, ", ");
    pg_quote_literal(sql, t->schema);
    buf_add_c(sql, ", ");
    pg_quote_literal(sql, t->name);
    buf_printf(sql, ", %u, ", k->number);
    add_bytes(sql, k->low);
    buf_add_c(sql, ", ");
    add_bytes(sql, k->high);
    buf_printf(sql, ", %s, ", k->done ? "true" : "false");
    pg_quote_literal(sql, k->at.text);
    buf_printf(sql, ", %lld, %llu)", (long long)k->at.commit_us, (unsigned long long)k->rows);
}

static bool insert_many(target *t, const table_def *table, const chunk *chunks, uint32_t count, err *e)
{
    enum { PER_STATEMENT = 1000, STATEMENT_BYTES = 512 * 1024 };
    BUF_AUTO sql = BUF_INIT;
    for (uint32_t i = 0; i < count;) {
        buf_reset(&sql);
        buf_add_c(&sql, "INSERT INTO sluice.chunk (job_id, table_schema, table_name, number, low, high, done, position, commit_time, row_count) VALUES ");
        for (uint32_t n = 0; i < count && n < PER_STATEMENT && sql.n < STATEMENT_BYTES; n++, i++) {
            if (n) buf_add_c(&sql, ", ");
            chunk_values(&sql, t->env->job_id, table, &chunks[i]);
        }
        if (sql.failed) return err_no_memory(e, "a statement");
        if (!pg_conn_exec(t->conn, buf_str(&sql), NULL, e)) return false;
    }
    return true;
}

bool pg_checkpoint_store_chunks(target *t, uint64_t epoch, const table_def *table, const chunk *chunks, uint32_t count, err *e)
{
    if (count == 0) return true;
    if (!pg_conn_exec(t->conn, STR("BEGIN"), NULL, e)) return false;
    bool ok = pg_checkpoint_guard(t->conn, t->env->job_id, epoch, e) && insert_many(t, table, chunks, count, e) && pg_checkpoint_commit(t->conn, e);
    if (!ok) pg_checkpoint_roll_back(t->conn);
    return ok || err_context(e, "storing the chunks of %.*s.%.*s", STR_ARG(table->schema), STR_ARG(table->name));
}

bool pg_checkpoint_lock_chunk(pg_conn *c, str job_id, const table_def *table, const chunk *k, pg_chunk_state *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT done, row_count, xid FROM sluice.chunk");
    where_table(&sql, job_id, table);
    buf_printf(&sql, " AND number=%u FOR UPDATE", k->number);
    PGresult *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(c, buf_str(&sql), &res, e)) return false;
    pg_chunk_state s = {.done = str_eq(pg_field(res, 0, 0), STR("t"))};
    bool found = PQntuples(res) == 1 && str_to_u64(pg_field(res, 0, 1), &s.rows) && str_to_u64(pg_field(res, 0, 2), &s.xid);
    PQclear(res);
    if (!found)
        return err_set(e, ERR_CHECKPOINT_MISSING, "chunk %u of %.*s.%.*s is not in sluice.chunk of the destination", k->number, STR_ARG(table->schema),
                       STR_ARG(table->name));
    *ret = s;
    return true;
}

/* Ends an UPDATE of the chunk's row, which must be as `done` says, and runs it. */
static bool update_chunk(pg_conn *c, buf *sql, str job_id, const table_def *table, const chunk *k, bool done, err *e)
{
    uint64_t touched = 0;
    where_table(sql, job_id, table);
    buf_printf(sql, " AND number=%u AND done=%s", k->number, done ? "true" : "false");
    if (sql->failed) return err_no_memory(e, "a statement");
    if (!pg_conn_exec(c, buf_str(sql), &touched, e)) return false;
    return touched == 1 || err_set(e, ERR_CHECKPOINT_MISSING, "chunk %u of %.*s.%.*s cannot be marked in sluice.chunk of the destination", k->number,
                                   STR_ARG(table->schema), STR_ARG(table->name));
}

bool pg_checkpoint_chunk_done(pg_conn *c, str job_id, const table_def *table, const chunk *k, position at, uint64_t rows, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_printf(&sql, "UPDATE sluice.chunk SET done=true, xid=pg_catalog.txid_current(), row_count=%llu, commit_time=%lld, position=", (unsigned long long)rows,
               (long long)at.commit_us);
    pg_quote_literal(&sql, at.text);
    return update_chunk(c, &sql, job_id, table, k, false, e);
}

/* ---- taking back ---- */

/* The chunk's rows are those that its transaction wrote and nobody has touched since: exactly these, whatever the bounds say in the source's words. Freezing and
 * moving rows keep a row's xmin; another transaction with the same 32 bits would show in the count. */
static bool delete_rows(pg_conn *c, const table_def *table, uint64_t xid, uint64_t *ret_gone, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "DELETE FROM ");
    pg_quote_table(&sql, table->target_schema, table->target_name);
    buf_printf(&sql, " WHERE xmin='%u'::pg_catalog.xid", (uint32_t)xid);
    if (sql.failed) return err_no_memory(e, "a statement");
    return pg_conn_exec(c, buf_str(&sql), ret_gone, e);
}

static bool unload(target *t, uint64_t epoch, const table_def *table, const chunk *k, err *e)
{
    pg_chunk_state s;
    uint64_t gone = 0;
    BUF_AUTO sql = BUF_INIT;
    if (!pg_checkpoint_guard(t->conn, t->env->job_id, epoch, e) || !pg_checkpoint_lock_chunk(t->conn, t->env->job_id, table, k, &s, e)) return false;
    if (!s.done) return true;
    if (s.rows && !delete_rows(t->conn, table, s.xid, &gone, e)) return false;
    if (gone != s.rows)
        return err_set(e, ERR_TARGET_DIVERGED,
                       "it must be loaded anew, because the load was interrupted and the table's foreign keys have actions that the source does not log; but of "
                       "the %llu rows that were loaded %llu are left as they were: somebody else writes to the table; empty it and reset the job",
                       (unsigned long long)s.rows, (unsigned long long)gone);
    buf_add_c(&sql, "UPDATE sluice.chunk SET done=false, xid=0, commit_time=0, position=''"); /* row_count stays as the estimate */
    return update_chunk(t->conn, &sql, t->env->job_id, table, k, true, e);
}

bool pg_checkpoint_unload_chunk(target *t, uint64_t epoch, const table_def *table, const chunk *k, err *e)
{
    pg_conn *c = t->conn;
    /* Foreign keys may not take children along: where the role may, their triggers stay silent. */
    bool ok = pg_conn_exec(c, STR("BEGIN"), NULL, e) && (!t->may_replicate || pg_conn_exec(c, STR("SET LOCAL session_replication_role = replica"), NULL, e)) &&
              unload(t, epoch, table, k, e) && pg_checkpoint_commit(c, e);
    if (ok) return true;
    pg_checkpoint_roll_back(c);
    return err_context(e, "taking back chunk %u of %.*s.%.*s", k->number, STR_ARG(table->target_schema), STR_ARG(table->target_name));
}
