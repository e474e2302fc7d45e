/* Writes the rows of a chunk and its mark of progress in one transaction of the target. */
#include "engine/mysql/loader.h"

#include <stdlib.h>
#include <string.h>

enum { QUIET_S = 7 * 24 * 3600 /* how long the server waits for rows of a slow source */ };

/* unique_checks stays on: off, MariaDB would take duplicates. READ COMMITTED: lanes do not lock gaps against each other. */
static bool prepare(conn *c, err *e)
{
    return conn_execf(c, e,
                      "SET SESSION net_read_timeout=%d, net_write_timeout=%d, wait_timeout=%d, lock_wait_timeout=30, innodb_lock_wait_timeout=30, "
                      "foreign_key_checks=0, unique_checks=1, sql_notes=1, autocommit=0",
                      QUIET_S, QUIET_S, QUIET_S) &&
           conn_exec(c, STR("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"), NULL, e);
}

bool loader_open_lane(target *t, uint64_t epoch, bool ignore_existing, loader **ret, err *e)
{
    loader *l = calloc(1, sizeof *l);
    if (!l) return err_no_memory(e, "a loader");
    *l = (loader){.t = t, .epoch = epoch, .ignore_existing = ignore_existing};
    if (!conn_open(t->ep, t->env, CONN_TARGET, true, &l->conn, e) || !prepare(l->conn, e)) {
        loader_close_lane(l);
        return false;
    }
    *ret = l;
    return true;
}

void loader_close_lane(loader *l)
{
    if (!l) return;
    conn_close(l->conn);
    buf_finish(&l->text);
    free(l);
}

const val *load_next_row(load *l)
{
    while (!l->batch || l->row == l->batch->row_count) {
        row_batch_free(l->batch);
        l->batch = NULL;
        l->row = 0;
        if (l->end) return NULL;
        const cancel *stop = l->l->t->env->cancel;
        if (stop && cancel_asked(stop)) {
            cancel_error(&l->failure);
            return NULL;
        }
        if (!l->feed->next(l->feed->ctx, &l->batch, &l->failure)) {
            l->batch = NULL;
            if (l->failure.code == ERR_NONE) err_set(&l->failure, ERR_INTERNAL, "the reader of rows failed without a reason");
            return NULL;
        }
        l->end = l->batch == NULL;
    }
    return l->batch->vals + (size_t)l->t->column_count * l->row++;
}

bool load_warnings(load *l, uint64_t records, uint64_t skipped, uint64_t warnings, err *e)
{
    BUF_AUTO text = BUF_INIT;
    MYSQL_RES *res;
    err ignored = ERR_INIT;
    if (conn_query(l->l->conn, STR("SHOW WARNINGS LIMIT 3"), &res, &ignored)) {
        for (MYSQL_ROW row; (row = mysql_fetch_row(res));) buf_printf(&text, "; %s: %s", row[1], row[2]);
        mysql_free_result(res);
    }
    bool existing = skipped && !l->l->ignore_existing;
    return err_set(e, existing ? ERR_TARGET_CONFLICT : ERR_TARGET_QUERY,
                   "the destination table %.*s.%.*s took %llu of %llu rows (%llu refused as duplicates, %llu warnings)%.*s", STR_ARG(l->t->target_schema),
                   STR_ARG(l->t->target_name), (unsigned long long)(records - skipped), (unsigned long long)l->rows, (unsigned long long)skipped,
                   (unsigned long long)warnings, STR_ARG(buf_str(&text)));
}

/* MariaDB warns of every ENUM error value, MySQL 9.7 of those in a character set without ASCII. */
static bool is_warned(const load *l, const column_def *c)
{
    bool wide = str_eq(c->charset, STR("ucs2")) || str_starts_with(c->charset, STR("utf16")) || str_eq(c->charset, STR("utf32"));
    return c->type == COL_ENUM && (wide || l->l->conn->is_mariadb);
}

static bool choose_columns(load *l, err *e)
{
    l->columns.at = calloc(l->t->column_count + 1, sizeof *l->columns.at);
    if (!l->columns.at) return err_no_memory(e, "a load");
    for (uint32_t i = 0; i < l->t->column_count; i++)
        if (l->t->columns[i].selected && !l->t->columns[i].generated)
            l->columns.at[l->columns.count++] = (load_column){.index = i, .warned = is_warned(l, &l->t->columns[i])};
    return l->columns.count || err_set(e, ERR_BAD_INPUT, "no column of %.*s.%.*s is selected", STR_ARG(l->t->schema), STR_ARG(l->t->name));
}

static bool write_rows(load *l, err *e)
{
    const val *first = load_next_row(l);
    if (l->failure.code != ERR_NONE) {
        *e = l->failure;
        return false;
    }
    if (!first) return true;
    l->row--;
    bool refused = l->l->no_local_infile;
    if (!refused && !load_by_infile(l, &refused, e)) return false;
    if (!refused) return true;
    l->l->no_local_infile = true;
    return load_by_insert(l, e);
}

static bool commit(load *l, err *e)
{
    conn *c = l->l->conn;
    if (conn_exec(c, STR("COMMIT"), NULL, e)) return true;
    if (e->retry == RETRY_RECONNECT) e->code = ERR_COMMIT_UNKNOWN; /* the chunk's mark tells, see checkpoint_lock_chunk */
    return false;
}

static bool load_in_transaction(load *l, const chunk *k, position at, uint64_t *ret_rows, err *e)
{
    conn *c = l->l->conn;
    str job = l->l->t->env->job_id;
    bool done;
    uint64_t before;
    if (!checkpoint_lock_chunk(c, job, l->t, k, &done, &before, e)) return false;
    if (done) {
        *ret_rows = before;
        return conn_exec(c, STR("ROLLBACK"), NULL, e);
    }
    if (!choose_columns(l, e) || !write_rows(l, e)) return false;
    uint64_t loaded = l->rows - l->skipped;
    if (!checkpoint_guard(c, job, l->l->epoch, e) || !checkpoint_chunk_done(c, job, l->t, k, at, loaded, e) || !commit(l, e)) return false;
    *ret_rows = loaded;
    return true;
}

/* Retries read the chunk again from its beginning: what the feed gave is gone. A chunk that was done before consumes nothing of the feed. */
bool loader_load(loader *l, const table_def *t, const chunk *k, position at, const row_feed *feed, uint64_t *ret_rows, err *e)
{
    load one = {.l = l, .t = t, .feed = feed, .overlap = k->overlap && !l->ignore_existing};
    bool ok = load_in_transaction(&one, k, at, ret_rows, e);
    row_batch_free(one.batch);
    free(one.columns.at);
    if (ok) return true;
    err ignored = ERR_INIT;
    if (!l->conn->broken && !conn_exec(l->conn, STR("ROLLBACK"), NULL, &ignored)) l->conn->broken = true;
    return err_context(e, "loading chunk %u of %.*s.%.*s", k->number, STR_ARG(t->target_schema), STR_ARG(t->target_name));
}
