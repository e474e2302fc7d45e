/* Reading the binlog: events to transactions, in commit order, with the position of every transaction boundary.
 * The position moves only between groups. Nothing of a selected table is passed over: what cannot be read exactly stops the stream before its position
 * passes it. */
#include "engine/mysql/stream.h"

#include <stdio.h>
#include <string.h>

#include "engine/mysql/mysql.h"

bool stream_at(stream *m, const binlog_event *ev, err *e)
{
    if (e->code == ERR_CANCELLED) return false;
    return err_context(e, "source binlog %s, event ending at %llu", m->file, (unsigned long long)(m->wrapped + ev->log_pos));
}

bool stream_place(stream *m, arena *a, position *ret, err *e)
{
    if (m->gtid_changed) {
        buf_reset(&m->gtid_text);
        if (m->format.mariadb) {
            gtid_position_print(&m->domains, &m->gtid_text);
        } else {
            gtid_set_print(&m->set, &m->gtid_text);
        }
        if (m->gtid_text.failed) return err_no_memory(e, "the GTID state");
        m->gtid_changed = false;
    }
    if (m->track_gtid) m->place.gtid = buf_str(&m->gtid_text);
    if (!stream_xa_text(&m->xa, &m->place.xa, e)) return false;
    return binlog_place_format(&m->place, m->commit_us, a, ret, e);
}

/* An event without a place in the file. One that ends at a multiple of 4 GiB exactly has log_pos 0 too. */
static bool is_artificial(const stream *m, const binlog_event *ev)
{
    if (ev->flags & BINLOG_FLAG_ARTIFICIAL) return true;
    return ev->log_pos == 0 && (uint32_t)(m->last_log_pos + ev->size) != 0;
}

/* log_pos has 32 bits and only grows within a file: a large step back is the wrap at 4 GiB, a small one is no log of a sane server. */
static bool follow_log_pos(stream *m, const binlog_event *ev, err *e)
{
    if (ev->log_pos < m->last_log_pos) {
        if (m->last_log_pos - ev->log_pos < UINT32_MAX / 2)
            return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the event's end position lies before that of the event before it (%u)", m->last_log_pos);
        m->wrapped += (uint64_t)UINT32_MAX + 1;
    }
    m->last_log_pos = ev->log_pos;
    return true;
}

static bool enter_file(stream *m, str file, uint64_t pos, err *e)
{
    if (file.n == 0 || file.n >= sizeof m->file || memchr(file.p, 0, file.n))
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the name of the next log file is not usable (%zu bytes)", file.n);
    memcpy(m->file, file.p, file.n);
    m->file[file.n] = 0;
    m->place.file = (str){m->file, file.n};
    m->place.pos = pos;
    m->place.created = 0;
    m->wrapped = 0;
    m->last_log_pos = 0;
    m->moved = true;
    return true;
}

/* An artificial ROTATE names the file that the stream is in: at the start, and in front of every file (also when a crash left the old one without a
 * ROTATE of its own). */
static bool on_rotate(stream *m, const binlog_event *ev, err *e)
{
    binlog_rotate r;
    if (!binlog_rotate_parse(ev, &r, e)) return false;
    if (m->artificial) {
        if (str_eq(r.file, m->place.file)) return true;
        if (!m->format.known)
            return err_set(e, ERR_SOURCE_POSITION, "the source began with the log file %.*s, %s was asked for", STR_ARG(r.file), m->file);
    }
    if (!stream_group_cut_off(m, e)) return false;
    stream_tables_forget(&m->tables);
    return enter_file(m, r.file, r.position, e);
}

/* The header's timestamp is when the file was created, also of the copy that a start in the middle of the file gets. */
static bool on_format(stream *m, const binlog_event *ev, err *e)
{
    binlog_format f;
    if (!binlog_format_parse(ev, &f, e) || !stream_group_cut_off(m, e)) return false;
    if (m->place.created && ev->timestamp && m->place.created != ev->timestamp)
        return err_set(e, ERR_SOURCE_CHANGED, "the log file was created at %u, that of the stored position at %u: the logs were reset or this is another server",
                       ev->timestamp, m->place.created);
    m->format = f;
    m->place.created = ev->timestamp;
    stream_tables_forget(&m->tables);
    return true;
}

/* An event between groups that may be passed: the boundary moves behind it. */
static bool pass_between(stream *m, const binlog_event *ev)
{
    if (!m->group.open && !m->artificial) {
        m->place.pos = m->wrapped + ev->log_pos;
        m->moved = true;
    }
    return true;
}

/* The event may not fit with what the group holds (values take more room than their bytes): it begins another part. */
static bool is_nearly_full(const stream *m, const binlog_event *ev)
{
    size_t held = stream_txn_bytes(m->group.changes), limit = m->r->txn_limit_bytes;
    return m->r->parts && limit && (held > limit / 2 || held + 4 * ev->body.n > limit);
}

static bool on_rows(stream *m, const binlog_event *ev, err *e)
{
    stream_rows rows;
    txn *t;
    if (!stream_rows_open(&m->tables, ev, &m->format, &rows, e)) return false;
    if (rows.map && m->group.changes && is_nearly_full(m, ev) && !stream_group_push_part(m, e)) return false;
    if (rows.map && (!stream_group_txn(m, &t, e) || !stream_rows_read(&m->tables, &rows, ev, &m->format, m->r->txn_limit_bytes, t, e))) return false;
    if (rows.statement_end) stream_tables_end_statement(&m->tables);
    return true;
}

static bool on_incident(const binlog_event *ev, err *e)
{
    binlog_incident i;
    if (!binlog_incident_parse(ev, &i, e)) return false;
    return err_set(e, ERR_SOURCE_LOG_FORMAT, "the source reports an incident (%u): %.*s; changes are missing in its log: reset the job", i.number,
                   STR_ARG(str_sub(i.message, 0, 300)));
}

static bool on_unreadable(const binlog_event *ev, err *e)
{
    switch (ev->type) {
    case BINLOG_TRANSACTION_PAYLOAD:
        return err_set(e, ERR_SOURCE_LOG_FORMAT, "a transaction was logged compressed; set binlog_transaction_compression=OFF for all sessions and reset the job");
    case BINLOG_QUERY_COMPRESSED:
        return err_set(e, ERR_SOURCE_LOG_FORMAT, "a statement was logged compressed; set log_bin_compress=OFF and reset the job");
    default:
        return err_set(e, ERR_SOURCE_STATEMENT_FORMAT, "a %s event: LOAD DATA was logged as a statement; set binlog_format=ROW for all sessions and reset the job",
                       binlog_event_name(ev->type));
    }
}

static bool on_unknown(stream *m, const binlog_event *ev, err *e)
{
    if (ev->flags & BINLOG_FLAG_IGNORABLE) return pass_between(m, ev);
    return err_set(e, ERR_SOURCE_LOG_UNKNOWN_EVENT, "an event of the unknown type %u (%s)", ev->type, binlog_event_name(ev->type));
}

/* Events that only make sense inside a group. */
static bool needs_group(stream *m, const binlog_event *ev, err *e)
{
    if (m->group.open) return true;
    return err_set(e, m->started ? ERR_SOURCE_LOG_CORRUPT : ERR_SOURCE_POSITION, "a %s event outside of a transaction: %s", binlog_event_name(ev->type),
                   m->started ? "the log is not well formed" : "the stored position is not the start of a transaction");
}

static bool on_event(stream *m, const binlog_event *ev, err *e)
{
    switch (ev->type) {
    case BINLOG_ROTATE: return on_rotate(m, ev, e);
    case BINLOG_FORMAT_DESCRIPTION: return on_format(m, ev, e) && pass_between(m, ev);
    case BINLOG_GTID:
    case BINLOG_ANONYMOUS_GTID:
    case BINLOG_GTID_TAGGED:
    case BINLOG_MARIADB_GTID: return stream_group_begin(m, ev, e);
    case BINLOG_QUERY: return stream_query(m, ev, e);
    case BINLOG_TABLE_MAP: return needs_group(m, ev, e) && stream_tables_map(&m->tables, ev, &m->format, e);
    case BINLOG_XID: return needs_group(m, ev, e) && stream_group_commit(m, ev, e);
    case BINLOG_XA_PREPARE: return needs_group(m, ev, e) && stream_group_xa_prepare(m, ev, e);
    case BINLOG_INCIDENT: return on_incident(ev, e);
    case BINLOG_INTVAR:
    case BINLOG_RAND:
    case BINLOG_USER_VAR: /* prepare a statement, which is judged by itself */
    case BINLOG_IGNORABLE:
    case BINLOG_ROWS_QUERY:
    case BINLOG_ANNOTATE_ROWS:
    case BINLOG_TRANSACTION_CONTEXT:
    case BINLOG_VIEW_CHANGE: return needs_group(m, ev, e);
    case BINLOG_STOP:
    case BINLOG_PREVIOUS_GTIDS:
    case BINLOG_GTID_LIST:
    case BINLOG_CHECKPOINT:
    case BINLOG_START_ENCRYPTION: return pass_between(m, ev);
    default: break;
    }
    if (binlog_event_is_rows(ev->type) || ev->type == BINLOG_PARTIAL_UPDATE_ROWS || (ev->type >= BINLOG_WRITE_ROWS_V0 && ev->type <= BINLOG_DELETE_ROWS_V0) ||
        (ev->type >= BINLOG_WRITE_ROWS_COMPRESSED_V1 && ev->type <= BINLOG_DELETE_ROWS_COMPRESSED))
        return needs_group(m, ev, e) && on_rows(m, ev, e);
    return binlog_event_is_unreadable(ev->type) ? on_unreadable(ev, e) : on_unknown(m, ev, e);
}

/* The dump had to begin in front of the start position: what ends up to there was read before. */
static bool pass_to_start(stream *m, const binlog_event *ev, err *e)
{
    if (ev->type == BINLOG_FORMAT_DESCRIPTION) return on_format(m, ev, e);
    if (m->artificial) return ev->type != BINLOG_ROTATE || on_rotate(m, ev, e);
    uint64_t end = m->wrapped + ev->log_pos;
    if (end < m->skip_to) return true;
    if (end > m->skip_to) return err_set(e, ERR_SOURCE_POSITION, "no event ends at the stored position %llu", (unsigned long long)m->skip_to);
    m->skip_to = 0;
    return true;
}

static bool is_heartbeat(const binlog_event *ev) { return ev->type == BINLOG_HEARTBEAT || ev->type == BINLOG_HEARTBEAT_V2; }

/* One event, then the heartbeat when the source is idle or has only sent foreign changes for a while. */
static bool take_event(stream *m, str bytes, err *e)
{
    binlog_event ev = {0};
    if (!binlog_event_parse(bytes, &m->format, &ev, e))
        return err_context(e, "source binlog %s, event after %llu", m->file, (unsigned long long)(m->wrapped + m->last_log_pos));
    if (is_heartbeat(&ev)) return m->started || m->format.known ? stream_push_heartbeat(m, e) : true;
    m->artificial = is_artificial(m, &ev);
    if (!m->artificial && !follow_log_pos(m, &ev, e)) return stream_at(m, &ev, e);
    if (m->skip_to) return pass_to_start(m, &ev, e) || stream_at(m, &ev, e);
    if (!on_event(m, &ev, e)) return stream_at(m, &ev, e);
    if (!m->artificial) m->started = true;
    if (!m->moved || m->group.open) return true;
    int64_t now = clk_mono_us(m->s->env->clock ? m->s->env->clock : clk_system());
    return now - m->pushed_at_us < (int64_t)m->r->heartbeat_ms * 1000 || stream_push_heartbeat(m, e);
}

static bool reached_until(stream *m, bool *ret, err *e)
{
    *ret = false;
    if (!m->has_until || m->group.open) return true;
    int order;
    if (str_eq(m->place.file, m->until.file)) {
        *ret = m->place.pos >= m->until.pos;
        return true;
    }
    if (!binlog_place_compare(&m->place, &m->until, &order, e)) return false;
    *ret = order >= 0;
    return true;
}

static bool run(stream *m, err *e)
{
    for (bool reached;;) {
        if (!reached_until(m, &reached, e)) return false;
        if (reached) return !m->moved || stream_push_heartbeat(m, e);
        if (m->s->env->cancel && cancel_asked(m->s->env->cancel)) return cancel_error(e);
        str bytes;
        if (!binlog_dump_next(m->dump, &bytes, e)) {
            if (e->code != ERR_CANCELLED) err_context(e, "source binlog %s from %llu", m->file, (unsigned long long)m->place.pos);
            return false;
        }
        if (!take_event(m, bytes, e)) return false;
    }
}

static bool start_place(stream *m, err *e)
{
    binlog_place p;
    if (!binlog_position_check(m->s, m->r->from, e) || !binlog_place_parse(m->r->from.text, &p, e) || !enter_file(m, p.file, p.pos, e)) return false;
    m->place.created = p.created;
    m->place.server = arena_copy(&m->mem, p.server);
    if (!m->place.server.p) return err_no_memory(e, "the start position");
    if (p.pos > UINT32_MAX) { /* where no dump can be asked to begin */
        m->skip_to = p.pos;
    } else {
        m->last_log_pos = (uint32_t)p.pos;
    }
    m->commit_us = m->r->from.commit_us;
    m->track_gtid = p.gtid.n > 0;
    m->gtid_changed = m->track_gtid;
    m->moved = false;
    if (m->track_gtid && !(m->s->conn->is_mariadb ? gtid_position_parse(p.gtid, &m->domains, e) : gtid_set_parse(p.gtid, &m->set, e)))
        return err_context(e, "the stored position's GTID state");
    if (!stream_xa_restore(&m->xa, p.xa, e)) return false;
    m->format.mariadb = m->s->conn->is_mariadb;
    m->has_until = !position_is_none(m->r->until);
    return !m->has_until || binlog_place_parse(m->r->until.text, &m->until, e);
}

static bool start(stream *m, err *e)
{
    uint64_t name_case = 0;
    return conn_query_u64(m->s->conn, "SELECT @@global.lower_case_table_names", &name_case, e) && start_place(m, e) &&
           stream_tables_init(&m->tables, m->r->catalog, name_case != 0, e) &&
           binlog_dump_open(m->s->ep, m->s->env, m->place.file, m->skip_to ? 4 : m->place.pos, m->r->heartbeat_ms ? m->r->heartbeat_ms : 1000, &m->dump, e);
}

bool stream_run(source *s, const stream_request *r, const txn_sink *sink, err *e)
{
    stream m = {.s = s, .r = r, .sink = sink};
    arena_init(&m.mem, 4096, 0);
    binlog_format_init(&m.format);
    bool ok = start(&m, e) && run(&m, e);
    binlog_dump_close(m.dump);
    stream_group_finish(&m);
    stream_tables_finish(&m.tables);
    gtid_set_finish(&m.set);
    gtid_position_finish(&m.domains);
    stream_xa_finish(&m.xa);
    buf_finish(&m.gtid_text);
    arena_finish(&m.mem);
    return ok;
}
