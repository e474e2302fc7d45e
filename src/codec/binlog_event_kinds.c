/* Binlog events: the bodies of the single kinds (QUERY, GTIDs, heartbeats, XA, ...). */
#include <string.h>

#include "base/cursor.h"
#include "codec/binlog_event.h"

static bool malformed(const binlog_event *ev, err *e)
{
    return err_set(e, ERR_SOURCE_LOG_CORRUPT, "%s event (type %u) ending at %u is not well formed", binlog_event_name(ev->type), ev->type, ev->log_pos);
}

bool binlog_rotate_parse(const binlog_event *ev, binlog_rotate *ret, err *e)
{
    cursor c = cursor_of(ev->body);
    uint64_t position = cursor_u64(&c);
    str file = cursor_take(&c, cursor_left(&c));
    if (c.failed || file.n == 0 || memchr(file.p, 0, file.n)) return malformed(ev, e);
    *ret = (binlog_rotate){position, file};
    return true;
}

static str short_text(cursor *c) { return cursor_take(c, cursor_u8(c)); }

/* One status variable after its code. False for an unknown code: its length is unknown too. Codes: MySQL Query_event, MariaDB log_event.h. */
static bool status_var(cursor *c, uint8_t code, binlog_query *q)
{
    switch (code) {
    case 0: cursor_skip(c, 4); return true; /* flags2 */
    case 1:
        q->sql_mode = cursor_u64(c);
        q->has_sql_mode = true;
        return true;
    case 2: /* catalog with a NUL after it */
        short_text(c);
        cursor_skip(c, 1);
        return true;
    case 3: cursor_skip(c, 4); return true; /* auto_increment step and offset */
    case 4:
        q->charset_client = cursor_u16(c);
        q->collation_connection = cursor_u16(c);
        q->collation_server = cursor_u16(c);
        q->has_charset = true;
        return true;
    case 5: q->time_zone = short_text(c); return true;
    case 6: short_text(c); return true;      /* catalog */
    case 7: cursor_skip(c, 2); return true;  /* lc_time_names */
    case 8: q->charset_database = cursor_u16(c); return true;
    case 9: cursor_skip(c, 8); return true;  /* table map for update */
    case 10: cursor_skip(c, 4); return true; /* master data written */
    case 11:
        q->invoker_user = short_text(c);
        q->invoker_host = short_text(c);
        return true;
    case 12: { /* updated databases; 254 = too many, none listed */
        uint8_t count = cursor_u8(c);
        if (count != 254)
            for (; count && !c->failed; count--) cursor_cstr(c);
        return true;
    }
    case 13: /* microseconds */
    case 128:
        q->microseconds = cursor_u24(c);
        q->has_microseconds = true;
        return true;
    case 16: cursor_skip(c, 1); return true; /* explicit_defaults_for_timestamp */
    case 17:
    case 129:
        q->ddl_xid = cursor_u64(c);
        q->has_ddl_xid = true;
        return true;
    case 18: cursor_skip(c, 2); return true;  /* default collation for utf8mb4 */
    case 19:                                  /* sql_require_primary_key */
    case 20: cursor_skip(c, 1); return true;  /* default_table_encryption */
    case 130: { /* MariaDB extra GTID flags: 2 bytes; a start-alter id when the bits say so is part of the GTID event */
        cursor_skip(c, 2);
        return true;
    }
    default: return false;
    }
}

bool binlog_query_parse(const binlog_event *ev, const binlog_format *f, binlog_query *ret, err *e)
{
    binlog_query q = {0};
    cursor c = cursor_of(ev->body);
    unsigned post = f->known && f->post_header[BINLOG_QUERY] ? f->post_header[BINLOG_QUERY] : 13;
    q.thread_id = cursor_u32(&c);
    q.exec_seconds = cursor_u32(&c);
    uint8_t database_bytes = cursor_u8(&c);
    q.error_code = cursor_u16(&c);
    uint16_t vars_bytes = post >= 13 ? cursor_u16(&c) : 0;
    if (post > 13) cursor_skip(&c, post - 13);
    str vars = cursor_take(&c, vars_bytes);
    q.database = cursor_take(&c, database_bytes);
    if (cursor_u8(&c) != 0 || c.failed) return malformed(ev, e);
    q.text = cursor_take(&c, cursor_left(&c));
    cursor v = cursor_of(vars);
    while (cursor_left(&v)) {
        if (!status_var(&v, cursor_u8(&v), &q)) {
            q.vars_cut = true;
            break;
        }
    }
    if (v.failed) return malformed(ev, e);
    *ret = q;
    return true;
}

bool binlog_xid_parse(const binlog_event *ev, uint64_t *ret_xid, err *e)
{
    cursor c = cursor_of(ev->body);
    uint64_t xid = cursor_u64(&c);
    if (c.failed) return malformed(ev, e);
    *ret_xid = xid;
    return true;
}

/* Integer of MySQL's serialization library: the number of low one-bits of the first byte is the number of bytes that follow; the rest, little endian,
 * is the value. Source: mysql/mysql-server:libs/mysql/serialization/readme.md, measured on MySQL 9.7. */
static uint64_t varlen(cursor *c)
{
    unsigned first = cursor_u8(c), more = 0;
    while (more < 8 && first >> more & 1) more++;
    if (more == 8) return cursor_u64(c);
    uint64_t low = first >> (more + 1), high = more ? cursor_le(c, more) : 0;
    return low | high << (7 - more);
}

/* Sign in the lowest bit. */
static int64_t varlen_signed(cursor *c)
{
    uint64_t v = varlen(c);
    return v & 1 ? (int64_t)~(v >> 1) : (int64_t)(v >> 1);
}

static bool tag_is_valid(str tag)
{
    if (tag.n > 32) return false;
    for (size_t i = 0; i < tag.n; i++) {
        char ch = tag.p[i];
        if (!((ch >= 'a' && ch <= 'z') || ch == '_' || (i && ch >= '0' && ch <= '9'))) return false;
    }
    return true;
}

/* Body: serialization version, payload bytes, last field id that must be understood, then fields: id, value. */
static bool gtid_tagged_parse(const binlog_event *ev, binlog_gtid *ret, err *e)
{
    binlog_gtid g = {0};
    cursor c = cursor_of(ev->body);
    uint64_t version = varlen(&c), bytes = varlen(&c), last_needed = varlen(&c), last_seen = 0;
    if (c.failed || version != 1 || bytes != ev->body.n || last_needed > 12) return malformed(ev, e);
    bool first = true, has_original = false;
    while (cursor_left(&c)) {
        uint64_t id = varlen(&c);
        if (!first && id <= last_seen) return malformed(ev, e);
        first = false;
        last_seen = id;
        switch (id) {
        case 0: g.may_have_statements = varlen(&c) & 1; break;
        case 1:
            for (int i = 0; i < 16; i++) {
                uint64_t b = varlen(&c);
                if (b > 255) return malformed(ev, e);
                g.uuid[i] = (uint8_t)b;
            }
            break;
        case 2: {
            int64_t gno = varlen_signed(&c);
            if (gno < 1) return malformed(ev, e);
            g.gno = (uint64_t)gno;
            break;
        }
        case 3: {
            str tag = cursor_take(&c, varlen(&c));
            if (!tag_is_valid(tag)) return malformed(ev, e);
            if (tag.n) memcpy(g.tag, tag.p, tag.n);
            break;
        }
        case 4: g.last_committed = varlen_signed(&c); break;
        case 5: g.sequence_number = varlen_signed(&c); break;
        case 6: g.immediate_commit_us = varlen(&c); break;
        case 7:
            g.original_commit_us = varlen(&c);
            has_original = true;
            break;
        case 8: g.transaction_bytes = varlen(&c); break;
        case 9: g.original_server_version = (uint32_t)varlen(&c); break;
        case 10: g.original_server_version = (uint32_t)varlen(&c); break;
        case 11: (void)varlen(&c); break; /* commit group ticket */
        default: cursor_skip(&c, cursor_left(&c)); break; /* later, ignorable fields: last_needed was checked */
        }
    }
    if (!has_original) g.original_commit_us = g.immediate_commit_us;
    if (c.failed || g.gno == 0) return malformed(ev, e);
    *ret = g;
    return true;
}

/* Body: flags 1, uuid 16, number 8, [type 2: last committed 8, sequence 8], [commit time 7, top bit: original commit time 7], [transaction bytes lenenc],
 * [server version 4, top bit: original 4], [ticket 8]. Older servers end earlier. */
bool binlog_gtid_parse(const binlog_event *ev, binlog_gtid *ret, err *e)
{
    if (ev->type == BINLOG_GTID_TAGGED) return gtid_tagged_parse(ev, ret, e);
    binlog_gtid g = {.anonymous = ev->type == BINLOG_ANONYMOUS_GTID};
    cursor c = cursor_of(ev->body);
    g.may_have_statements = cursor_u8(&c) & 1;
    str uuid = cursor_take(&c, 16);
    uint64_t gno = cursor_u64(&c);
    if (c.failed) return malformed(ev, e);
    memcpy(g.uuid, uuid.p, 16);
    if (!g.anonymous && (gno == 0 || gno > INT64_MAX - 1)) return malformed(ev, e);
    g.gno = g.anonymous ? 0 : gno;
    if (cursor_left(&c) && cursor_u8(&c) == 2) {
        g.last_committed = (int64_t)cursor_u64(&c);
        g.sequence_number = (int64_t)cursor_u64(&c);
        if (cursor_left(&c) >= 7) {
            const uint64_t more = 1ull << 55;
            g.immediate_commit_us = cursor_le(&c, 7);
            g.original_commit_us = g.immediate_commit_us & more ? cursor_le(&c, 7) : g.immediate_commit_us;
            g.immediate_commit_us &= ~more;
            if (cursor_left(&c)) g.transaction_bytes = cursor_lenenc(&c);
            if (cursor_left(&c) >= 4) {
                uint32_t version = cursor_u32(&c);
                g.original_server_version = version & 0x80000000u ? cursor_u32(&c) : version;
            }
        }
    }
    if (c.failed) return malformed(ev, e);
    *ret = g;
    return true;
}

bool binlog_mariadb_gtid_parse(const binlog_event *ev, binlog_mariadb_gtid *ret, err *e)
{
    binlog_mariadb_gtid g = {.server_id = ev->server_id};
    cursor c = cursor_of(ev->body);
    g.sequence = cursor_u64(&c);
    g.domain = cursor_u32(&c);
    g.flags = cursor_u8(&c);
    if (g.flags & BINLOG_MARIADB_GTID_GROUP_COMMIT) g.commit_id = cursor_u64(&c); /* else an XID may follow at once; padding comes last */
    if (g.flags & (BINLOG_MARIADB_GTID_PREPARED_XA | BINLOG_MARIADB_GTID_COMPLETED_XA)) {
        g.xa.format_id = cursor_u32(&c);
        uint8_t gtrid_bytes = cursor_u8(&c), bqual_bytes = cursor_u8(&c);
        g.xa.gtrid = cursor_take(&c, gtrid_bytes);
        g.xa.bqual = cursor_take(&c, bqual_bytes);
    }
    if (c.failed) return malformed(ev, e);
    *ret = g;
    return true;
}

bool binlog_gtid_list_parse(const binlog_event *ev, arena *a, binlog_gtid_list *ret, err *e)
{
    cursor c = cursor_of(ev->body);
    uint32_t head = cursor_u32(&c);
    binlog_gtid_list l = {.flags = head >> 28, .count = head & 0x0fffffff};
    if (c.failed || l.count > cursor_left(&c) / 16) return malformed(ev, e);
    binlog_gtid_list_entry *entries = arena_array(a, l.count, sizeof *entries);
    if (!entries) return err_no_memory(e, "a GTID list");
    for (uint32_t i = 0; i < l.count; i++) {
        entries[i].domain = cursor_u32(&c);
        entries[i].server_id = cursor_u32(&c);
        entries[i].sequence = cursor_u64(&c);
    }
    l.entries = entries;
    *ret = l;
    return true;
}

/* Version 1: the file name alone, the position is the header's. Version 2: fields type lenenc, length lenenc, value; 1 = file name, 2 = position lenenc. */
bool binlog_heartbeat_parse(const binlog_event *ev, binlog_heartbeat *ret, err *e)
{
    binlog_heartbeat h = {.file = ev->body, .position = ev->log_pos};
    if (ev->type == BINLOG_HEARTBEAT_V2) {
        h.file = STR_NULL;
        cursor c = cursor_of(ev->body);
        while (cursor_left(&c)) {
            uint64_t field = cursor_lenenc(&c);
            if (field == 0) break;
            str value = cursor_take(&c, cursor_lenenc(&c));
            if (c.failed) break;
            if (field == 1) h.file = value;
            if (field == 2) {
                cursor p = cursor_of(value);
                h.position = cursor_lenenc(&p);
                if (p.failed) return malformed(ev, e);
            }
        }
        if (c.failed) return malformed(ev, e);
    }
    if (h.file.n == 0) return malformed(ev, e);
    *ret = h;
    return true;
}

bool binlog_incident_parse(const binlog_event *ev, binlog_incident *ret, err *e)
{
    cursor c = cursor_of(ev->body);
    binlog_incident i = {.number = cursor_u16(&c)};
    i.message = short_text(&c);
    if (c.failed) return malformed(ev, e);
    *ret = i;
    return true;
}

bool binlog_xa_prepare_parse(const binlog_event *ev, binlog_xa_prepare *ret, err *e)
{
    cursor c = cursor_of(ev->body);
    binlog_xa_prepare x = {.one_phase = cursor_u8(&c) != 0};
    x.xa.format_id = cursor_u32(&c);
    uint32_t gtrid_bytes = cursor_u32(&c), bqual_bytes = cursor_u32(&c);
    if (gtrid_bytes > 64 || bqual_bytes > 64) return malformed(ev, e);
    x.xa.gtrid = cursor_take(&c, gtrid_bytes);
    x.xa.bqual = cursor_take(&c, bqual_bytes);
    if (c.failed) return malformed(ev, e);
    *ret = x;
    return true;
}

bool binlog_rows_query_parse(const binlog_event *ev, str *ret_text, err *e)
{
    str text = ev->body;
    if (ev->type == BINLOG_ROWS_QUERY) { /* one byte of length that cannot hold it and is to be ignored */
        if (text.n == 0) return malformed(ev, e);
        text = str_sub(text, 1, text.n - 1);
    }
    *ret_text = text;
    return true;
}
