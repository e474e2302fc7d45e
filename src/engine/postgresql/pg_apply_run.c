/* Batches of statements as one Query message. A failing statement ends the batch at the server, so that an answer too few is never taken for done. */
#include "engine/postgresql/pg_apply_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Larger batches bring nothing, and each is memory on both ends. */
#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_STATEMENTS 1000
/* MaxAllocSize of PostgreSQL (src/include/utils/memutils.h) holds for a statement too. */
#define STATEMENT_BYTES ((size_t)0x3fffffff - 1024)

void pg_apply_run_init(pg_apply_run *r, pg_conn *c) { *r = (pg_apply_run){.c = c}; }

void pg_apply_run_finish(pg_apply_run *r)
{
    buf_finish(&r->sql);
    free(r->list);
    r->list = NULL;
}

void pg_apply_run_reset(pg_apply_run *r)
{
    if (r->sql.cap > 4 * BATCH_BYTES) buf_finish(&r->sql);
    buf_reset(&r->sql);
    r->start = 0;
    r->count = 0;
}

buf *pg_apply_run_begin(pg_apply_run *r)
{
    if (r->count) buf_add_byte(&r->sql, ';');
    r->start = r->sql.n;
    return &r->sql;
}

static bool list_room(pg_apply_run *r, err *e)
{
    if (r->count < r->cap) return true;
    uint32_t cap = r->cap ? r->cap * 2 : 64;
    pg_apply_statement *fresh = realloc(r->list, cap * sizeof *fresh);
    if (!fresh) return err_no_memory(e, "a batch of statements");
    r->list = fresh;
    r->cap = cap;
    return true;
}

bool pg_apply_run_add(pg_apply_run *r, pg_apply_expect expect, uint32_t n, const pg_table *table, err *e)
{
    if (r->sql.failed) return err_no_memory(e, "a statement");
    if (r->sql.n - r->start > STATEMENT_BYTES)
        return err_set(e, ERR_LIMIT, "a row of %.*s makes a statement of %zu bytes, PostgreSQL takes %zu: make the row smaller", STR_ARG(table ? table->name : STR("")),
                       r->sql.n - r->start, STATEMENT_BYTES);
    if (!list_room(r, e)) return false;
    r->list[r->count++] = (pg_apply_statement){expect, n, table};
    if (r->single || r->sql.n >= BATCH_BYTES || r->count >= BATCH_STATEMENTS) return pg_apply_run_flush(r, e);
    return true;
}

static void describe(const pg_apply_statement *s, char *out, size_t n)
{
    if (s->table) {
        snprintf(out, n, "applying changes of %.*s.%.*s", STR_ARG(s->table->def->target_schema), STR_ARG(s->table->def->target_name));
    } else {
        snprintf(out, n, s->expect == PG_EXPECT_JOB ? "writing the job's checkpoint" : "applying changes");
    }
}

/* Classes 22 data, 23 constraints, 44 view options, 54 limits, P0 a trigger's own words: which row is it? Anything else would be refused whatever the row is. */
static bool is_of_data(const char *state)
{
    static const char *const classes[] = {"22", "23", "44", "54", "P0"};
    for (size_t i = 0; state && i < sizeof classes / sizeof *classes; i++)
        if (strncmp(state, classes[i], 2) == 0) return true;
    return false;
}

static bool refused(pg_apply_run *r, const pg_apply_statement *s, const PGresult *res, err *e)
{
    char what[400];
    describe(s, what, sizeof what);
    bool ok = pg_conn_error(r->c, res, e, what);
    r->suspect = e->retry == RETRY_NEVER && s->table != NULL && is_of_data(PQresultErrorField(res, PG_DIAG_SQLSTATE));
    return ok;
}

static bool check_answer(pg_apply_run *r, const pg_apply_statement *s, PGresult *res, err *e)
{
    ExecStatusType status = PQresultStatus(res);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return refused(r, s, res, e);
    if (s->expect == PG_EXPECT_OK || s->expect == PG_EXPECT_ANY) return true;
    if (!str_to_u64(str_from_c(PQcmdTuples(res)), &r->found)) return err_set(e, ERR_PROTOCOL, "the destination does not tell how many rows a statement touched");
    if (r->found == s->n) return true;
    r->job_lost = s->expect == PG_EXPECT_JOB;
    if (r->job_lost) return err_set(e, ERR_CHECKPOINT_MISSING, "the job's row in sluice.checkpoint of the destination was not found");
    char what[400];
    describe(s, what, sizeof what);
    r->suspect = r->counted = true;
    return err_set(e, ERR_TARGET_DIVERGED, "%s: %u rows expected, %llu found", what, s->n, (unsigned long long)r->found);
}

/* Reads the answers that are left, so that the connection can roll back. */
static void drain(pg_apply_run *r)
{
    err ignored = ERR_INIT;
    PGresult *res = NULL;
    do PQclear(res), res = NULL;
    while (!r->c->broken && pg_conn_next(r->c, &res, &ignored) && res);
}

static bool read_answers(pg_apply_run *r, err *e)
{
    PGresult *res;
    for (uint32_t i = 0; i < r->count; i++) {
        if (!pg_conn_next(r->c, &res, e)) return false;
        if (!res) return err_set(e, ERR_PROTOCOL, "the destination answered %u of %u statements", i, r->count);
        bool ok = check_answer(r, &r->list[i], res, e);
        PQclear(res);
        if (!ok) return false;
    }
    if (!pg_conn_next(r->c, &res, e)) return false;
    PQclear(res);
    return !res || err_set(e, ERR_PROTOCOL, "the destination answered more statements than were sent");
}

bool pg_apply_run_flush(pg_apply_run *r, err *e)
{
    r->suspect = r->counted = r->job_lost = false;
    if (!r->count) return true;
    bool ok = pg_conn_send(r->c, buf_str(&r->sql), e) && read_answers(r, e);
    if (!ok) drain(r);
    pg_apply_run_reset(r);
    return ok;
}
