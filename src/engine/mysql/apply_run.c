/* Batches of statements as one multi-statement packet. A failing statement ends the batch at the server, so that an answer too few is never taken for done. */
#include "engine/mysql/apply_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Larger batches bring nothing (measured), and each is memory on both ends. */
#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_STATEMENTS 1000

enum { ERROR_DATA_TRUNCATED = 1265 };

/* Room of a packet that is not ours: header and the server's own reckoning. */
#define PACKET_SLACK_BYTES 1024

bool apply_run_init(apply_run *r, conn *c, uint64_t max_packet_bytes, err *e)
{
    *r = (apply_run){.c = c};
    r->packet_bytes = max_packet_bytes > 2 * PACKET_SLACK_BYTES ? (size_t)max_packet_bytes - PACKET_SLACK_BYTES : PACKET_SLACK_BYTES;
    r->limit_bytes = r->packet_bytes < BATCH_BYTES ? r->packet_bytes : BATCH_BYTES;
    if (mysql_set_server_option(c->my, MYSQL_OPTION_MULTI_STATEMENTS_ON)) return conn_error(c, e, "switching multi statements on");
    return true;
}

void apply_run_finish(apply_run *r)
{
    buf_finish(&r->sql);
    free(r->list);
    r->list = NULL;
}

void apply_run_reset(apply_run *r)
{
    if (r->sql.cap > 4 * BATCH_BYTES) buf_finish(&r->sql);
    buf_reset(&r->sql);
    r->start = 0;
    r->count = 0;
}

buf *apply_run_begin(apply_run *r)
{
    if (r->count) buf_add_byte(&r->sql, ';');
    r->start = r->sql.n;
    return &r->sql;
}

static bool list_room(apply_run *r, err *e)
{
    if (r->count < r->cap) return true;
    uint32_t cap = r->cap ? r->cap * 2 : 64;
    apply_statement *fresh = realloc(r->list, cap * sizeof *fresh);
    if (!fresh) return err_no_memory(e, "a batch of statements");
    r->list = fresh;
    r->cap = cap;
    return true;
}

static bool too_large(const apply_run *r, const apply_table *t, err *e)
{
    str name = t ? t->name : STR("");
    return err_set(e, ERR_LIMIT, "a row of %.*s makes a statement of %zu bytes, the destination takes %zu: raise its max_allowed_packet", STR_ARG(name),
                   apply_run_bytes(r), r->packet_bytes);
}

bool apply_run_add(apply_run *r, apply_expect expect, uint32_t n, const apply_table *table, err *e)
{
    if (r->sql.failed) return err_no_memory(e, "a statement");
    if (apply_run_bytes(r) > r->packet_bytes) return too_large(r, table, e);
    if (r->sql.n > r->packet_bytes) { /* does not fit with the others: they go first */
        BUF_AUTO own = BUF_INIT;
        buf_add(&own, str_sub(buf_str(&r->sql), r->start, SIZE_MAX));
        r->sql.n = r->start ? r->start - 1 : 0;
        if (own.failed) return err_no_memory(e, "a statement");
        if (!apply_run_flush(r, e)) return false;
        buf_add(apply_run_begin(r), buf_str(&own));
        if (r->sql.failed) return err_no_memory(e, "a statement");
    }
    if (!list_room(r, e)) return false;
    r->list[r->count++] = (apply_statement){expect, n, r->sql.n, r->enum_errors, table};
    if (r->single || r->sql.n >= r->limit_bytes || r->count >= BATCH_STATEMENTS) return apply_run_flush(r, e);
    return true;
}

/* "Records: 3  Duplicates: 3  Warnings: 0" in whatever language the server speaks: the n-th number. */
static uint64_t info_number(const char *info, int n)
{
    uint64_t v = 0;
    for (int i = 0; info && *info; i++) {
        while (*info && (*info < '0' || *info > '9')) info++;
        if (!*info) return 0;
        for (v = 0; *info >= '0' && *info <= '9'; info++) v = v * 10 + (uint64_t)(*info - '0');
        if (i == n) return v;
    }
    return 0;
}

static bool count_is_right(apply_run *r, const apply_statement *s)
{
    uint64_t affected = mysql_affected_rows(r->c->my), found = affected;
    const char *info = mysql_info(r->c->my);
    switch (s->expect) {
    case EXPECT_OK:
    case EXPECT_ANY: return true;
    case EXPECT_AFFECTED: break;
    case EXPECT_MATCHED: found = info_number(info, 0); break;
    case EXPECT_UPSERTED: { /* a changed row counts 2 and as a duplicate, an unchanged one 0, a new one 1 */
        uint64_t records = info_number(info, 0), changed = info_number(info, 1);
        found = records == s->n && affected >= 2 * changed ? s->n - (affected - 2 * changed) : 0;
        break;
    }
    }
    if (found == s->n) return true;
    r->found = (uint32_t)found;
    r->counted = true;
    return false;
}

static void describe(const apply_statement *s, char *out, size_t n)
{
    if (s->table) {
        snprintf(out, n, "applying changes of %.*s.%.*s", STR_ARG(s->table->def->target_schema), STR_ARG(s->table->def->target_name));
    } else {
        snprintf(out, n, "applying changes");
    }
}

/* Only warnings that say nothing about data: deprecated syntax and names, a range too large to plan. */
static bool harmless(unsigned long number) { return number == 1287 || number == 1681 || number == 3719 || number == 3778 || number == 3170; }

/* Warnings are texts of the last statement only: a batch with one is done again statement by statement. */
static bool check_warnings(apply_run *r, const apply_statement *s, bool last, err *e)
{
    if (mysql_warning_count(r->c->my) == 0) return true;
    char what[400];
    describe(s, what, sizeof what);
    if (!last) {
        r->suspect = true;
        return err_set(e, ERR_TARGET_QUERY, "%s: the destination warns", what);
    }
    MYSQL_RES *res;
    if (!conn_query(r->c, STR("SHOW WARNINGS"), &res, e)) return false;
    bool ok = true;
    uint32_t meant = s->enum_errors;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        unsigned long number = row[1] ? strtoul(row[1], NULL, 10) : 0;
        if (harmless(number)) continue;
        if (number == ERROR_DATA_TRUNCATED && meant) {
            meant--;
            continue;
        }
        r->suspect = true;
        ok = err_set_native(e, ERR_TARGET_QUERY, RETRY_NEVER, (int)number, "%s: the destination warns (%lu): %s; a value would not be kept exactly", what, number,
                            row[2] ? row[2] : "");
    }
    mysql_free_result(res);
    return ok;
}

/* The answer of one statement is at hand. */
static bool check_answer(apply_run *r, const apply_statement *s, bool last, err *e)
{
    if (mysql_field_count(r->c->my)) {
        mysql_free_result(mysql_store_result(r->c->my));
        return err_set(e, ERR_INTERNAL, "a statement of the applier has rows");
    }
    if (!count_is_right(r, s)) {
        char what[400];
        describe(s, what, sizeof what);
        r->suspect = true;
        return err_set(e, ERR_TARGET_DIVERGED, "%s: %u rows expected, %u found", what, s->n, r->found);
    }
    return check_warnings(r, s, last, e);
}

static bool refused(apply_run *r, const apply_statement *s, err *e)
{
    char what[400];
    describe(s, what, sizeof what);
    bool ok = conn_error(r->c, e, what); /* without the statement: it holds the user's values */
    r->suspect = e->retry == RETRY_NEVER && s->table != NULL;
    return ok;
}

/* Reads the answers that are left, so that the connection can roll back. */
static void drain(apply_run *r)
{
    while (!r->c->broken && mysql_more_results(r->c->my)) {
        if (mysql_next_result(r->c->my) > 0) break;
        if (mysql_field_count(r->c->my)) mysql_free_result(mysql_store_result(r->c->my));
    }
}

static bool read_answers(apply_run *r, err *e)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (i) {
            int next = mysql_next_result(r->c->my);
            if (next > 0) return refused(r, &r->list[i], e);
            if (next < 0) return err_set(e, ERR_PROTOCOL, "the destination answered %u of %u statements", i, r->count);
        }
        if (!check_answer(r, &r->list[i], i + 1 == r->count, e)) return false;
    }
    return mysql_more_results(r->c->my) ? err_set(e, ERR_PROTOCOL, "the destination answered more statements than were sent") : true;
}

bool apply_run_flush(apply_run *r, err *e)
{
    r->suspect = r->counted = false;
    if (!r->count) return true;
    bool ok = conn_send(r->c, buf_str(&r->sql), e);
    if (!ok && mysql_errno(r->c->my) && e->code != ERR_CANCELLED && e->native) ok = refused(r, &r->list[0], e);
    if (ok) ok = read_answers(r, e);
    if (!ok) drain(r);
    apply_run_reset(r);
    return ok;
}
