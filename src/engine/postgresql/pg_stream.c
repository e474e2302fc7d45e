/* Reading a slot: START_REPLICATION, transactions from Begin to Commit, status to the server.
 *
 * The server learns only positions that are durable in the target (flush), at least every second and at once when it asks. While the sink blocks, a thread
 * tells it: the server would take silence for death. The connection belongs to one of the two at a time, by `lock`. */
#include "engine/postgresql/pg_stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pg_replication.h"
#include "engine/postgresql/pg_position.h"
#include "engine/postgresql/pg_shape.h"
#include "engine/postgresql/pg_slot.h"
#include "engine/postgresql/pg_stream_alter.h"
#include "engine/postgresql/pg_stream_ddl.h"
#include "engine/postgresql/pg_timeline.h"
#include "engine/postgresql/pg_watch.h"

#define STATUS_EVERY_MS 1000
#define WAIT_MS 200
#define LOOK_EVERY_MS 2000 /* at the catalog */

typedef struct stream {
    source *s;
    const stream_request *r;
    const txn_sink *sink;
    pg_conn *c;
    pgoutput_decoder decoder;
    pg_stream_tables tables;
    arena mem;            /* of one message */
    pg_place place;       /* system and timeline; lsn: end of the last transaction, or what the server has looked through since */
    arena place_mem;
    pg_lsn until;         /* PG_LSN_NONE = for ever */
    txn *open;            /* owned; the transaction between Begin and Commit, or what is not pushed of it yet */
    pg_stream_ddl ddl;    /* what it did to definitions */
    uint64_t parted;      /* changes of it that were pushed in parts */
    int64_t commit_us;
    bool moved;           /* place is newer than what was pushed */
    int64_t told_us, pushed_us, looked_us;
    char seen[PG_SEEN_BYTES]; /* of place */
    pg_watch_told emptied;    /* by the open transaction */
    pg_lsn doubt;             /* up to where the log may still explain why partitions are empty; PG_LSN_NONE: all is well */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool pushing, ended;  /* under lock */
} stream;

static const clk *clock_of(const stream *m) { return m->s->env->clock ? m->s->env->clock : clk_system(); }

/* --- status --- */

static bool durable_lsn(stream *m, pg_lsn *ret, err *e)
{
    BUF_AUTO text = BUF_INIT;
    pg_place p;
    if (!m->r->durable(m->r->durable_ctx, &text)) return err_no_memory(e, "a position");
    if (!pg_place_parse(buf_str(&text), &p, e)) return false;
    *ret = p.lsn;
    return true;
}

static bool send_status(stream *m, err *e)
{
    char bytes[PG_REPLICATION_STATUS_BYTES];
    pg_lsn durable;
    if (!durable_lsn(m, &durable, e)) return false;
    pg_replication_status s = {.written = durable, .flushed = durable, .applied = durable, .sent_us = clk_wall_us(clock_of(m))};
    pg_replication_status_build(&s, bytes);
    m->told_us = clk_mono_us(clock_of(m));
    return pg_copy_in_put(m->c, (str){bytes, sizeof bytes}, e);
}

/* Runs while the sink blocks. What fails here, fails for the reader too as soon as it goes on. */
static void *tell_main(void *arg)
{
    stream *m = arg;
    pthread_mutex_lock(&m->lock);
    while (!m->ended) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec += STATUS_EVERY_MS / 1000;
        err ignored = ERR_INIT;
        bool late = pthread_cond_timedwait(&m->wake, &m->lock, &t) == ETIMEDOUT;
        if (late && m->pushing && !m->c->broken && !send_status(m, &ignored)) m->c->broken = true;
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* Takes the transaction. */
static bool push(stream *m, txn *t, err *e)
{
    t->bytes = sizeof *t + t->mem.used_bytes + (size_t)t->change_cap * sizeof(change);
    m->moved = false;
    m->pushed_us = clk_mono_us(clock_of(m));
    pthread_mutex_lock(&m->lock);
    m->pushing = true;
    pthread_mutex_unlock(&m->lock);
    bool ok = m->sink->push(m->sink->ctx, t, e);
    pthread_mutex_lock(&m->lock);
    m->pushing = false;
    pthread_mutex_unlock(&m->lock);
    return ok;
}

/* --- the catalog --- */

/* What is not explained now may be behind what was read of the log so far. */
static bool note_doubt(stream *m, err *e)
{
    if (m->doubt != PG_LSN_NONE) return m->open || m->place.lsn < m->doubt || pg_watch_emptied(m->s, e);
    pg_place now;
    arena mem;
    arena_init(&mem, 256, 0);
    bool ok = pg_place_read(m->s->conn, &mem, &now, e);
    if (ok) m->doubt = now.lsn;
    arena_finish(&mem);
    return ok;
}

static bool look(stream *m, pg_lsn shared, const pg_watch_told *told, err *e)
{
    pg_watch_found found;
    m->looked_us = clk_mono_us(clock_of(m));
    if (!pg_watch_look(m->s, m->seen, shared, told, &found, e)) return false;
    if (found == PG_WATCH_EMPTIED) return note_doubt(m, e);
    m->doubt = PG_LSN_NONE;
    m->place.seen = str_from_c(m->seen);
    return true;
}

/* A job that comes without a look begins with one. However many rows new partitions have, they are looked at. */
static bool look_first(stream *m, str seen, pg_lsn shared, err *e)
{
    pg_conn *c = m->s->conn;
    uint32_t before = c->statement_timeout_s;
    if (seen.n >= sizeof m->seen) return err_set(e, ERR_SOURCE_POSITION, "'%.*s' is not what a position of PostgreSQL says of the catalog", STR_ARG(seen));
    if (!pg_watch_select(m->s, m->r->catalog, e)) return false;
    c->statement_timeout_s = 0;
    snprintf(m->seen, sizeof m->seen, "%.*s", STR_ARG(seen));
    m->place.seen = str_from_c(m->seen);
    bool ok = seen.n ? look(m, shared, NULL, e) : pg_watch_first(m->s, c, m->seen, e);
    m->place.seen = str_from_c(m->seen);
    c->statement_timeout_s = before;
    return ok;
}

static void note_emptied(stream *m, const txn *t, uint32_t first)
{
    for (uint32_t i = first; i < t->change_count; i++)
        if (t->changes[i].kind == CHANGE_TRUNCATE && str_starts_with(t->changes[i].table->storage_engine, STR("p")) && m->emptied.count < PG_WATCH_MAX_EMPTIED)
            m->emptied.emptied[m->emptied.count++] = t->changes[i].table;
}

/* Before the transaction's end gets its position, which says that its truncations are known. */
static bool look_at_emptied(stream *m, err *e)
{
    bool there, ok = true;
    for (uint32_t i = 0; ok && i < m->emptied.count; i++) ok = pg_stream_wait_visible(m->s->conn, m->emptied.emptied[i]->schema, m->emptied.emptied[i]->name, &there, e);
    return ok && (!m->emptied.count || look(m, PG_LSN_NONE, &m->emptied, e));
}

/* --- transactions --- */

static bool place_at(stream *m, pg_lsn lsn, txn *t, position *ret, err *e)
{
    pg_place p = m->place;
    p.lsn = lsn;
    return pg_place_format(&p, m->commit_us, &t->mem, ret, e);
}

static bool on_begin(stream *m, const pgoutput_begin *b, err *e)
{
    if (m->open) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the log begins a transaction inside another one");
    m->commit_us = b->commit_us;
    m->parted = 0;
    m->emptied.count = 0;
    pg_stream_ddl_forget(&m->ddl);
    m->open = txn_new(0); /* part_of_large watches the limit */
    if (!m->open) return err_no_memory(e, "a transaction");
    return place_at(m, m->place.lsn, m->open, &m->open->before, e);
}

/* Nothing of a transaction that the log gives is ever taken back: all parts before it count. */
static void mark_part(const stream *m, txn *t, txn_part part)
{
    t->part = part;
    t->keep = m->parted;
}

/* A transaction that is too large for memory goes on in parts. */
static bool part_of_large(stream *m, err *e)
{
    txn *t = m->open;
    size_t bytes = t->mem.used_bytes + (size_t)t->change_cap * sizeof(change);
    if (!m->r->txn_limit_bytes || bytes < m->r->txn_limit_bytes) return true;
    if (!m->r->parts)
        return err_set(e, ERR_LIMIT, "a transaction of the source holds more than %zu bytes of changes; raise the worker's memory budget", m->r->txn_limit_bytes);
    m->open = txn_new(0);
    if (!m->open || !place_at(m, m->place.lsn, m->open, &m->open->before, e)) {
        txn_free(t);
        return m->open ? false : err_no_memory(e, "a transaction");
    }
    mark_part(m, t, m->parted ? TXN_NEXT_PART : TXN_FIRST_PART);
    m->parted += t->change_count;
    return push(m, t, e);
}

static bool is_changed_by(const txn *t, const table_def *table)
{
    for (uint32_t i = 0; t && i < t->change_count; i++)
        if (t->changes[i].table == table) return true;
    return false;
}

/* Takes x. The target has everything before the open transaction when it changes the columns, and reading begins anew behind that. */
static bool push_alter(stream *m, txn *x, err *e)
{
    const table_def *t = x->alter->table;
    bool ok = false;
    if (m->parted || is_changed_by(m->open, t)) {
        err_set(e, ERR_SOURCE_DDL,
                "one transaction of the source changed rows of %.*s.%.*s and then its columns, which cannot be carried; make the same change in the destination, then reset the job",
                STR_ARG(t->schema), STR_ARG(t->name));
    } else {
        ok = place_at(m, m->place.lsn, x, &x->end, e);
    }
    if (!ok) {
        txn_free(x);
        return false;
    }
    x->before = x->end;
    err_set(e, ERR_SOURCE_DDL, "the columns of %.*s.%.*s changed: the stream begins anew", STR_ARG(t->schema), STR_ARG(t->name));
    err refused = ERR_INIT;
    if (!push(m, x, &refused)) *e = refused;
    return false;
}

/* What the message says of the columns against what the stream knows: x->alter is set when they differ and the way there is known. */
static bool look_for_alter(stream *m, const table_def *t, const pgoutput_relation *r, txn *x, err *e)
{
    bool known;
    BUF_AUTO shape = BUF_INIT;
    table_alter *a = arena_alloc(&x->mem, sizeof *a);
    if (!a || !pg_shape_text(t, &shape)) return err_no_memory(e, "a change of columns");
    if (!pg_stream_alter_find(m->s, t, r, &x->mem, a, &known, e)) return false;
    if (known && !str_eq(buf_str(&shape), a->shape)) x->alter = a;
    return true;
}

static bool on_relation(stream *m, const pgoutput_relation *r, err *e)
{
    err why = ERR_INIT;
    const table_def *t = catalog_find_table(m->r->catalog, r->schema, r->name);
    bool same = pg_stream_tables_relation(&m->tables, r, e);
    if (!m->r->alters || !t || (!same && e->code != ERR_SOURCE_DDL)) return same;
    txn *x = txn_new(0);
    if (!x) return err_no_memory(e, "a change of columns");
    bool ok = look_for_alter(m, t, r, x, &why);
    if (ok && x->alter) return push_alter(m, x, e);
    txn_free(x);
    if (!ok) *e = why;
    return ok && same;
}

static bool on_truncate(stream *m, const pgoutput_truncate *x, err *e)
{
    uint32_t before = m->open->change_count;
    if (!pg_stream_tables_truncate(&m->tables, x, m->open, e)) return false;
    note_emptied(m, m->open, before);
    return part_of_large(m, e);
}

/* --- definitions --- */

/* Columns that a table has now, before the transaction that changed them: its rows may be the first of the new form. */
static bool columns_first(stream *m, err *e)
{
    for (size_t i = 0; m->r->alters && !m->parted && i < pg_stream_ddl_count(&m->ddl); i++) {
        const table_def *t;
        pgoutput_relation r;
        txn *x = txn_new(0);
        if (!x) return err_no_memory(e, "a change of columns");
        bool ok = pg_stream_ddl_relation(&m->ddl, i, &x->mem, &t, &r, e);
        if (ok && t && !is_changed_by(m->open, t)) ok = look_for_alter(m, t, &r, x, e);
        if (ok && x->alter) return push_alter(m, x, e);
        txn_free(x);
        if (!ok) return false;
    }
    return true;
}

/* Where the open transaction ends. */
static bool push_ddl(stream *m, pg_lsn end, bool over, err *e)
{
    txn *x = txn_new(0);
    ddl_list *l = x ? arena_alloc(&x->mem, sizeof *l) : NULL;
    bool ok = l || err_no_memory(e, "changes of definitions");
    ok = ok && pg_stream_ddl_list(&m->ddl, &x->mem, l, e) && place_at(m, end, x, &x->end, e);
    if (ok && m->parted && l->count)
        ok = err_set(e, ERR_SOURCE_DDL, "a transaction of the source that is larger than the worker's memory also changed definitions: %.*s; make the same change in the destination, then reset the job",
                     STR_ARG(l->changes[0].text));
    if (!ok || (!l->count && (over || !l->note_count))) {
        txn_free(x);
        return ok;
    }
    l->over = over;
    if (over) l->note_count = 0;
    x->before = x->end;
    x->ddl = l;
    return push(m, x, e);
}

static bool on_commit(stream *m, const pgoutput_commit *c, err *e)
{
    bool ddl = m->r->ddl && pg_stream_ddl_any(&m->ddl);
    if (!m->open) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the log ends a transaction that it did not begin");
    if (ddl && (!pg_stream_ddl_check(&m->ddl, e) || !columns_first(m, e) || !push_ddl(m, c->end_lsn, false, e))) return false;
    txn *t = m->open;
    m->open = NULL;
    m->commit_us = c->commit_us;
    m->place.lsn = c->end_lsn;
    m->moved = true;
    t->commit_us = c->commit_us;
    if (m->parted) mark_part(m, t, TXN_LAST_PART);
    if (t->change_count == 0 && !m->parted) {
        txn_free(t);
        return !ddl || push_ddl(m, c->end_lsn, true, e);
    }
    if (look_at_emptied(m, e) && place_at(m, c->end_lsn, t, &t->end, e)) return push(m, t, e) && (!ddl || push_ddl(m, c->end_lsn, true, e));
    txn_free(t);
    return false;
}

static bool on_message(stream *m, const pgoutput_message *x, err *e)
{
    switch (x->kind) {
    case PGOUTPUT_BEGIN: return on_begin(m, &x->u.begin, e);
    case PGOUTPUT_COMMIT: return on_commit(m, &x->u.commit, e);
    case PGOUTPUT_RELATION: return on_relation(m, &x->u.relation, e);
    case PGOUTPUT_TYPE: case PGOUTPUT_ORIGIN: return true; /* a name of a type, and where a transaction came from: nothing that changes rows */
    case PGOUTPUT_INSERT: case PGOUTPUT_UPDATE: case PGOUTPUT_DELETE:
        if (!m->open) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the log has a row outside of a transaction");
        return pg_stream_tables_change(&m->tables, x, m->open, e) && part_of_large(m, e);
    case PGOUTPUT_TRUNCATE:
        if (!m->open) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the log truncates a table outside of a transaction");
        return on_truncate(m, &x->u.truncate, e);
    case PGOUTPUT_MESSAGE: return !m->open || pg_stream_ddl_take(&m->ddl, &x->u.message, e);
    default: return err_set(e, ERR_SOURCE_LOG_UNKNOWN_EVENT, "the log has a %s message, which was not asked for", pgoutput_kind_name(x->kind));
    }
}

static bool heartbeat(stream *m, err *e)
{
    txn *t = txn_new(0);
    if (!t) return err_no_memory(e, "a heartbeat");
    t->heartbeat = true;
    t->commit_us = m->commit_us;
    if (place_at(m, m->place.lsn, t, &t->end, e)) {
        t->before = t->end;
        return push(m, t, e);
    }
    txn_free(t);
    return false;
}

/* Between transactions the server tells how far it has looked: everything up to there was sent. */
static bool on_keepalive(stream *m, const pg_replication_message *k, err *e)
{
    if (!m->open && k->wal_end > m->place.lsn) {
        m->place.lsn = k->wal_end;
        m->commit_us = k->sent_us;
        m->moved = true;
    }
    return !k->reply_requested || send_status(m, e);
}

static bool on_copy_data(stream *m, str data, err *e)
{
    pg_replication_message r;
    pgoutput_message x;
    if (!pg_replication_parse(data, &r, e)) return false;
    if (r.kind == PG_REPLICATION_KEEPALIVE) return on_keepalive(m, &r, e);
    arena_reset(&m->mem);
    return pgoutput_decode(&m->decoder, r.payload, &m->mem, &x, e) && on_message(m, &x, e);
}

static bool reached(const stream *m) { return m->until != PG_LSN_NONE && !m->open && m->place.lsn >= m->until; }

static bool read_on(stream *m, err *e)
{
    char *held = NULL;
    bool ok = true;
    int64_t beat_us = (int64_t)(m->r->heartbeat_ms ? m->r->heartbeat_ms : STATUS_EVERY_MS) * 1000;
    while (ok && !reached(m)) {
        str data = STR_NULL;
        int64_t now = clk_mono_us(clock_of(m));
        if (m->moved && !m->open && now - m->pushed_us >= beat_us) ok = heartbeat(m, e);
        if (ok && !m->open && now - m->looked_us >= LOOK_EVERY_MS * 1000) ok = look(m, PG_LSN_NONE, NULL, e);
        if (ok && now - m->told_us >= STATUS_EVERY_MS * 1000) ok = send_status(m, e);
        ok = ok && pg_copy_out_next(m->c, &held, WAIT_MS, &data, e);
        if (ok && !data.p) ok = err_set_native(e, ERR_SOURCE_CONNECT, RETRY_RECONNECT, 0, "the source ended the stream");
        if (ok && data.n) ok = on_copy_data(m, data, e);
    }
    if (held) PQfreemem(held);
    if (ok && m->moved) ok = heartbeat(m, e);
    m->c->broken = true; /* the stream is not ended in an orderly way: closing the connection ends it */
    return ok;
}

/* --- beginning --- */

/* Behind a name, or an address that moves, the two connections may have reached two servers. What was checked is true of the other one. */
static bool check_same_server(stream *m, err *e)
{
    pg_place p;
    arena mem;
    arena_init(&mem, 256, 0);
    bool ok = pg_place_read(m->c, &mem, &p, e);
    if (ok && (!str_eq(p.system, m->place.system) || p.timeline != m->place.timeline))
        ok = err_set_native(e, ERR_SOURCE_CONNECT, RETRY_RECONNECT, 0, "two connections to the source reached two servers (timelines %u and %u); name one server", m->place.timeline, p.timeline);
    arena_finish(&mem);
    return ok;
}

static bool explain_refusal(stream *m, const char *name, err *e)
{
    err why = ERR_INIT;
    bool used = e->native == PG_STATE('5', '5', '0', '0', '6'); /* object_in_use */
    bool fine = used ? pg_slot_check_idle(m->s, name, &why) : pg_slot_check(m->s, m->place.lsn, &why);
    if (!fine && (used || why.code == ERR_SOURCE_LOG_PURGED)) {
        *e = why;
        return false;
    }
    if (used) e->retry = RETRY_LATER; /* it has just been let go */
    return err_context(e, "reading the replication slot %s", name);
}

static bool start_replication(stream *m, err *e)
{
    char name[PG_SLOT_NAME_BYTES], lsn[PG_LSN_TEXT_BYTES];
    BUF_AUTO sql = BUF_INIT;
    pg_slot_name(m->s->env->job_id, name);
    buf_printf(&sql, "START_REPLICATION SLOT %s LOGICAL %s (proto_version '1', publication_names '\"%s\"'%s)", name, pg_lsn_format(m->place.lsn, lsn), name,
               m->r->ddl ? ", messages 'true'" : "");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_copy_out_begin(m->c, buf_str(&sql), true, e)) return explain_refusal(m, name, e);
    /* Until now somebody else could have moved it, and the server passes over what lies between in silence. From now on it is ours alone. */
    return pg_slot_check(m->s, m->place.lsn, e);
}

static bool run_with_teller(stream *m, err *e)
{
    pthread_t teller;
    pthread_condattr_t attr;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &attr);
    pthread_condattr_destroy(&attr);
    int failed = pthread_create(&teller, NULL, tell_main, m);
    bool ok = failed ? err_set_errno(e, failed, "pthread_create") : read_on(m, e);
    pthread_mutex_lock(&m->lock);
    m->ended = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    if (!failed) pthread_join(teller, NULL);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    return ok;
}

/* Up to where the server's log is the one in which the position was taken, PG_LSN_NONE without a promotion since. From there on positions are of the new one. */
static bool find_timeline(stream *m, const pg_place *from, pg_lsn *ret_shared, err *e)
{
    pg_place have;
    arena mem;
    arena_init(&mem, 256, 0);
    bool ok = pg_place_read(m->s->conn, &mem, &have, e);
    if (ok) m->place.timeline = have.timeline;
    if (ok && have.timeline != from->timeline) ok = pg_timeline_follow(m->s, from, have.timeline, ret_shared, e);
    arena_finish(&mem);
    return ok;
}

static bool set_places(stream *m, err *e)
{
    pg_place from, until;
    pg_lsn shared = PG_LSN_NONE;
    if (!pg_place_parse(m->r->from.text, &from, e)) return false;
    m->place = from;
    m->place.system = arena_copy(&m->place_mem, from.system);
    if (!m->place.system.p) return err_no_memory(e, "a position");
    if (!find_timeline(m, &from, &shared, e) || !look_first(m, from.seen, shared, e)) return false;
    if (position_is_none(m->r->until)) return true;
    if (!pg_place_parse(m->r->until.text, &until, e)) return false;
    m->until = until.lsn;
    return true;
}

bool pg_stream_run(source *s, const stream_request *r, const txn_sink *sink, err *e)
{
    stream m = {.s = s, .r = r, .sink = sink};
    arena_init(&m.mem, 64 * 1024, 0);
    arena_init(&m.place_mem, 256, 0);
    pg_stream_tables_init(&m.tables, r->catalog);
    pgoutput_decoder_init(&m.decoder, 1);
    bool ok = set_places(&m, e) && pg_stream_ddl_begin(&m.ddl, s, r, &m.place_mem, e) && pg_conn_open(s->ep, s->env, PG_SOURCE, true, &m.c, e) && check_same_server(&m, e) && start_replication(&m, e) && run_with_teller(&m, e);
    pg_conn_close(m.c);
    txn_free(m.open);
    pg_stream_ddl_forget(&m.ddl);
    pg_stream_tables_finish(&m.tables);
    arena_finish(&m.place_mem);
    arena_finish(&m.mem);
    return ok;
}
