/* Groups of the binlog: where a transaction begins and ends, what it leaves, and how it is delivered.
 * Group start: a GTID event (MySQL >= 5.7 and MariaDB write one always), else QUERY BEGIN or a lone statement. Group end: XID, QUERY COMMIT (engines without
 * transactions), QUERY ROLLBACK, XA_PREPARE, or the statement itself. A CREATE TABLE ... SELECT stands inside BEGIN ... XID (measured on both servers). */
#include <stdio.h>
#include <string.h>

#include "engine/mysql/stream.h"

/* Savepoints of one transaction. */
#define SAVEPOINTS_MOST 10000

bool stream_group_begin(stream *m, const binlog_event *ev, err *e)
{
    stream_group *g = &m->group;
    if (g->open) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "a %s event begins a transaction inside another one", binlog_event_name(ev->type));
    g->open = true;
    g->transaction = g->prepared_xa = g->has_gtid = g->in_parts = false;
    g->commit_us = 0;
    g->pushed = g->keep = g->other_end = 0;
    g->other = g->first = NULL;
    if (ev->type == BINLOG_MARIADB_GTID) {
        binlog_mariadb_gtid gtid;
        if (!binlog_mariadb_gtid_parse(ev, &gtid, e)) return false;
        g->mariadb = (gtid_mariadb){gtid.domain, gtid.server_id, gtid.sequence};
        g->transaction = !(gtid.flags & BINLOG_MARIADB_GTID_STANDALONE);
        g->prepared_xa = gtid.flags & BINLOG_MARIADB_GTID_PREPARED_XA;
        g->has_gtid = true;
    } else if (ev->type != BINLOG_QUERY) {
        if (!binlog_gtid_parse(ev, &g->mysql, e)) return false;
        g->has_gtid = !g->mysql.anonymous;
        g->commit_us = (int64_t)g->mysql.immediate_commit_us;
    }
    return true;
}

bool stream_group_txn(stream *m, txn **ret, err *e)
{
    stream_group *g = &m->group;
    if (!g->changes) {
        g->changes = txn_new(0); /* stream_rows_read watches the limit */
        if (!g->changes) return err_no_memory(e, "a transaction");
        if (!stream_place(m, &g->changes->mem, &g->changes->before, e)) return false;
    }
    *ret = g->changes;
    return true;
}

static void drop_savepoints(stream_group *g)
{
    if (!g->savepoints.count) return;
    map_clear(&g->savepoints);
    arena_reset(&g->savepoint_mem);
}

static bool add_gtid(stream *m, err *e)
{
    stream_group *g = &m->group;
    if (!m->track_gtid || !g->has_gtid) return true;
    m->gtid_changed = true;
    if (m->format.mariadb) return gtid_position_set(&m->domains, g->mariadb, e);
    return gtid_set_add(&m->set, g->mysql.uuid, g->mysql.tag, g->mysql.gno, g->mysql.gno, e);
}

/* The boundary moves behind the event; the group is over. */
static bool pass(stream *m, const binlog_event *ev, err *e)
{
    stream_group *g = &m->group;
    if (!add_gtid(m, e)) return false;
    m->place.pos = m->wrapped + ev->log_pos;
    m->commit_us = g->commit_us ? g->commit_us : (int64_t)ev->timestamp * 1000000;
    m->moved = true;
    g->open = false;
    drop_savepoints(g);
    stream_tables_end_statement(&m->tables);
    return true;
}

static bool push(stream *m, txn *t, err *e)
{
    t->commit_us = m->commit_us;
    t->bytes = sizeof *t + t->mem.used_bytes + (size_t)t->change_cap * sizeof(change);
    m->moved = false;
    m->pushed_at_us = clk_mono_us(m->s->env->clock ? m->s->env->clock : clk_system());
    return m->sink->push(m->sink->ctx, t, e);
}

bool stream_push_heartbeat(stream *m, err *e)
{
    txn *t = txn_new(0);
    if (!t) return err_no_memory(e, "a heartbeat");
    t->heartbeat = true;
    if (!stream_place(m, &t->mem, &t->end, e)) {
        txn_free(t);
        return false;
    }
    t->before = t->end;
    return push(m, t, e);
}

static bool does_not_roll_back(const table_def *t) { return !str_eq_nocase(t->storage_engine, STR("InnoDB")); }

/* A part is as the parts before it left it: keep says how many of their changes remain. */
static void mark_part(stream_group *g, txn *t, txn_part part)
{
    t->part = part;
    t->keep = g->keep;
    t->bytes = sizeof *t + t->mem.used_bytes + (size_t)t->change_cap * sizeof(change);
    g->in_parts = true;
    g->pushed = g->keep = g->keep + t->change_count;
}

bool stream_group_push_part(stream *m, err *e)
{
    stream_group *g = &m->group;
    txn *t = g->changes;
    if (!t || t->change_count == 0) return true;
    for (uint32_t i = 0; i < t->change_count; i++)
        if (does_not_roll_back(t->changes[i].table)) {
            g->other_end = g->keep + i + 1;
            g->other = t->changes[i].table;
        }
    g->changes = NULL;
    if (!g->first) g->first = t->changes[0].table;
    mark_part(g, t, g->in_parts ? TXN_NEXT_PART : TXN_FIRST_PART);
    return m->sink->push(m->sink->ctx, t, e);
}

bool stream_group_commit(stream *m, const binlog_event *ev, err *e)
{
    txn *t;
    if (m->group.in_parts && !stream_group_txn(m, &t, e)) return false;
    if (!pass(m, ev, e)) return false;
    t = m->group.changes;
    m->group.changes = NULL;
    if (!m->group.in_parts && (!t || t->change_count == 0)) {
        txn_free(t);
        return true;
    }
    if (m->group.in_parts) mark_part(&m->group, t, TXN_LAST_PART);
    if (!stream_place(m, &t->mem, &t->end, e)) {
        txn_free(t);
        return false;
    }
    return push(m, t, e);
}

static bool is_lost(const table_def *t, const char *what, err *e)
{
    return err_set(e, ERR_NOT_SUPPORTED,
                   "%s in a transaction that changed %.*s.%.*s, whose storage engine (%.*s) does not roll back: what remains of it is not in the log; "
                   "convert the table to InnoDB and reset the job",
                   what, STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(t->storage_engine));
}

/* A rollback undoes changes of transactional tables only. `from`: the first change that it meant. */
static bool check_undone(const stream_group *g, uint64_t from, const char *what, err *e)
{
    if (g->other_end > from) return is_lost(g->other, what, e);
    for (uint64_t i = from > g->pushed ? from - g->pushed : 0; g->changes && i < g->changes->change_count; i++)
        if (does_not_roll_back(g->changes->changes[i].table)) return is_lost(g->changes->changes[i].table, what, e);
    return true;
}

/* Parts that were pushed are void with what is pushed next. */
static void forget_changes(stream_group *g)
{
    txn_free(g->changes);
    g->changes = NULL;
    g->in_parts = false;
    g->pushed = g->keep = g->other_end = 0;
}

bool stream_group_rollback(stream *m, const binlog_event *ev, err *e)
{
    if (!check_undone(&m->group, 0, "ROLLBACK", e)) return false;
    forget_changes(&m->group);
    return stream_group_commit(m, ev, e);
}

bool stream_group_cut_off(stream *m, err *e)
{
    if (!m->group.open) return true;
    if (!check_undone(&m->group, 0, "the source crashed", e)) return false;
    forget_changes(&m->group);
    m->group.open = false;
    drop_savepoints(&m->group);
    return true;
}

/* In the parts that were pushed and in memory. */
static uint64_t change_count(const stream_group *g) { return g->pushed + (g->changes ? g->changes->change_count : 0); }

/* Names are compared without case, as the servers do. */
static str savepoint_key(stream_group *g, str name)
{
    str key = arena_copy(&g->savepoint_mem, name);
    for (size_t i = 0; key.p && i < key.n; i++) {
        char *c = (char *)(uintptr_t)key.p + i;
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    }
    return key;
}

bool stream_group_savepoint(stream *m, str name, err *e)
{
    stream_group *g = &m->group;
    if (g->savepoints.count >= SAVEPOINTS_MOST) return err_set(e, ERR_LIMIT, "a transaction has more than %d savepoints", SAVEPOINTS_MOST);
    if (!g->savepoint_mem.block_bytes) arena_init(&g->savepoint_mem, 4096, 0);
    str key = savepoint_key(g, name);
    void *mark = (void *)((uintptr_t)change_count(g) + 1);
    if (!key.p) return err_no_memory(e, "a savepoint");
    map_remove(&g->savepoints, key);
    return map_put(&g->savepoints, key, mark) ? true : err_no_memory(e, "a savepoint");
}

bool stream_group_rollback_to(stream *m, str name, err *e)
{
    stream_group *g = &m->group;
    str key = savepoint_key(g, name);
    uintptr_t mark = key.p ? (uintptr_t)map_get(&g->savepoints, key) : 0;
    if (!mark)
        return err_set(e, ERR_SOURCE_LOG_FORMAT, "ROLLBACK TO SAVEPOINT %.*s in a transaction that has no such savepoint", STR_ARG(name));
    uint64_t keep = (uint64_t)mark - 1, in_memory = keep > g->pushed ? keep - g->pushed : 0;
    if (!check_undone(g, keep, "ROLLBACK TO SAVEPOINT", e)) return false;
    if (g->changes && g->changes->change_count > in_memory) g->changes->change_count = (uint32_t)in_memory;
    if (keep < g->pushed) g->pushed = g->keep = keep;
    return true;
}

bool stream_group_xa_prepare(stream *m, const binlog_event *ev, err *e)
{
    binlog_xa_prepare x;
    if (!binlog_xa_prepare_parse(ev, &x, e)) return false;
    if (x.one_phase) return stream_group_commit(m, ev, e);
    if (change_count(&m->group)) {
        const table_def *t = m->group.first ? m->group.first : m->group.changes->changes[0].table;
        return err_set(e, ERR_NOT_SUPPORTED,
                       "an XA transaction that changed %.*s.%.*s was prepared; whether it commits is decided later, which is not supported: "
                       "do not use XA PREPARE on selected tables, and reset the job",
                       STR_ARG(t->schema), STR_ARG(t->name));
    }
    return stream_xa_prepared(&m->xa, &x.xa, e) && stream_group_commit(m, ev, e);
}

void stream_group_finish(stream *m)
{
    forget_changes(&m->group);
    map_finish(&m->group.savepoints);
    arena_finish(&m->group.savepoint_mem);
}
