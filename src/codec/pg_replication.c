/* PostgreSQL's streaming replication protocol inside CopyData. */
#include "codec/pg_replication.h"

#include "codec/pg_time.h"

bool pg_replication_parse(str copy_data, pg_replication_message *ret, err *e)
{
    cursor c = cursor_of(copy_data);
    pg_replication_message m = {.kind = (pg_replication_kind)cursor_u8(&c), .payload = STR("")};
    const char *name = "XLogData";
    if (m.kind == PG_REPLICATION_DATA) {
        m.start = cursor_be(&c, 8);
        m.wal_end = cursor_be(&c, 8);
        m.sent_us = pg_time_read(&c);
        m.payload = cursor_take(&c, cursor_left(&c));
    } else if (m.kind == PG_REPLICATION_KEEPALIVE) {
        name = "keepalive";
        m.wal_end = cursor_be(&c, 8);
        m.sent_us = pg_time_read(&c);
        m.reply_requested = cursor_u8(&c) != 0;
        if (cursor_left(&c)) c.failed = true;
    } else {
        return err_set(e, ERR_PROTOCOL, "the source sent a replication message of the unknown kind 0x%02x (%zu bytes)", (unsigned)m.kind, copy_data.n);
    }
    if (c.failed) return err_set(e, ERR_PROTOCOL, "the source sent a replication message (%s, %zu bytes) that is not well formed", name, copy_data.n);
    *ret = m;
    return true;
}

static char *put_u64(char *out, uint64_t v)
{
    for (int shift = 56; shift >= 0; shift -= 8) *out++ = (char)(uint8_t)(v >> shift);
    return out;
}

void pg_replication_status_build(const pg_replication_status *s, char out[PG_REPLICATION_STATUS_BYTES])
{
    *out++ = 'r';
    out = put_u64(out, s->written);
    out = put_u64(out, s->flushed);
    out = put_u64(out, s->applied);
    out = put_u64(out, (uint64_t)pg_time_from_unix_us(s->sent_us));
    *out = s->reply_requested ? 1 : 0;
}
