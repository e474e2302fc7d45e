/* Reads the first events of a dump at one place of the source's binary log.
 * Event header (19 bytes): timestamp 4, type 1, server_id 4, size 4, log_pos 4, flags 2; one status byte of the packet stands before it. */
#include "engine/mysql/binlog_probe.h"

#include <string.h>

#include "base/cursor.h"
#include "codec/binlog_event.h"

enum {
    COM_BINLOG_DUMP_COMMAND = 0x12,
    DUMP_NON_BLOCK = 1,
    ERROR_MASTER_FATAL = 1236, /* ER_MASTER_FATAL_ERROR_READING_BINLOG */
    ERROR_NO_RIGHT = 1227,     /* ER_SPECIFIC_ACCESS_DENIED_ERROR */
    ERROR_DENIED = 1045,
    MOST_EVENTS = 16,
};

enum {
    EVENT_QUERY = 2, EVENT_STOP = 3, EVENT_ROTATE = 4, EVENT_FORMAT = 15, EVENT_HEARTBEAT = 27, EVENT_GTID_MYSQL = 33,
    EVENT_ANONYMOUS_GTID = 34, EVENT_PREVIOUS_GTIDS = 35, EVENT_HEARTBEAT_2 = 41, EVENT_GTID_TAGGED = 42, EVENT_BINLOG_CHECKPOINT = 161,
    EVENT_INCIDENT = 26, EVENT_GTID_MARIADB = 162, EVENT_GTID_LIST = 163, EVENT_START_ENCRYPTION = 164,
};

/* May the event with this type stand right after a transaction's end? Every group of MySQL >= 5.6 and MariaDB >= 10.0 begins with a GTID event. */
static bool begins_group(uint8_t type)
{
    switch (type) {
    case EVENT_STOP: case EVENT_ROTATE: case EVENT_FORMAT: case EVENT_HEARTBEAT: case EVENT_HEARTBEAT_2: case EVENT_GTID_MYSQL:
    case EVENT_ANONYMOUS_GTID: case EVENT_PREVIOUS_GTIDS: case EVENT_GTID_TAGGED: case EVENT_BINLOG_CHECKPOINT: case EVENT_GTID_MARIADB:
    case EVENT_GTID_LIST: case EVENT_START_ENCRYPTION: case EVENT_INCIDENT: return true;
    default: return !binlog_event_is_known(type); /* the stream says what is wrong with it */
    }
}

static bool ask_for_dump(conn *c, str file, uint64_t pos)
{
    BUF_AUTO request = BUF_INIT;
    for (unsigned shift = 0; shift < 32; shift += 8) buf_add_byte(&request, (char)(pos >> shift & 0xff));
    buf_add_byte(&request, DUMP_NON_BLOCK);
    for (int i = 0; i < 5; i++) buf_add_byte(&request, 0); /* flags' high byte, server_id */
    buf_add(&request, file);
    return !request.failed && c->my->methods->db_command(c->my, (enum enum_server_command)COM_BINLOG_DUMP_COMMAND, request.p, request.n, 1, NULL) == 0;
}

typedef enum seen { SEEN_EVENT, SEEN_END, SEEN_ERROR } seen;

/* *ret_artificial: made for this dump (the rotate at its start, the list of GTIDs in front of a place in the middle), not at the place itself.
 * *ret_here: the event says that it ends where it must when it begins at pos; bytes in the middle of an event do not. */
static seen next_event(conn *c, uint64_t pos, uint8_t *ret_type, uint32_t *ret_timestamp, bool *ret_artificial, bool *ret_here)
{
    enum { FLAG_ARTIFICIAL = 0x20 };
    unsigned long n = mysql_net_read_packet(c->my);
    if (n == packet_error) return SEEN_ERROR;
    cursor in = cursor_of((str){(const char *)c->my->net.read_pos, n});
    uint8_t status = cursor_u8(&in);
    if (status == 0xfe && n < 9) return SEEN_END;
    *ret_timestamp = cursor_u32(&in);
    *ret_type = cursor_u8(&in);
    cursor_skip(&in, 4);
    uint32_t size = cursor_u32(&in);
    uint32_t log_pos = cursor_u32(&in);
    uint16_t flags = cursor_u16(&in);
    *ret_artificial = (flags & FLAG_ARTIFICIAL) || (*ret_type == EVENT_FORMAT && pos > 4) || (*ret_type == EVENT_GTID_LIST && log_pos == 0);
    uint32_t end = (uint32_t)(pos + size);
    *ret_here = pos == 4 || log_pos == end || log_pos == end + 4; /* a checksum that the server left out */
    return in.failed || status != 0 ? SEEN_ERROR : SEEN_EVENT;
}

static bool read_start(conn *c, uint64_t pos, binlog_probe *ret, err *e)
{
    for (int i = 0; i < MOST_EVENTS; i++) {
        uint8_t type = 0;
        uint32_t timestamp = 0;
        bool artificial = false, here = false;
        switch (next_event(c, pos, &type, &timestamp, &artificial, &here)) {
        case SEEN_END: ret->boundary = true; return true;
        case SEEN_ERROR:
            if (mysql_errno(c->my) == ERROR_NO_RIGHT || mysql_errno(c->my) == ERROR_DENIED) {
                *ret = (binlog_probe){.boundary = true};
                return true;
            }
            if (mysql_errno(c->my) == ERROR_MASTER_FATAL && ret->created) return true; /* in the middle of an event */
            return conn_error(c, e, "looking at the source's binary log");
        case SEEN_EVENT: break;
        }
        if (type == EVENT_ROTATE && artificial && ret->created) { /* on to the next file: the place is the end of one that a crash cut off */
            ret->boundary = true;
            return true;
        }
        if (type == EVENT_FORMAT) ret->created = timestamp;
        if (artificial) continue;
        ret->boundary = here && begins_group(type);
        return true;
    }
    return err_set(e, ERR_PROTOCOL, "the source's binary log dump does not begin as one");
}

bool binlog_probe_at(source *s, str file, uint64_t pos, binlog_probe *ret, err *e)
{
    conn *c;
    binlog_probe probe = {0};
    if (pos > UINT32_MAX) { /* the command has 32 bits; such a file holds one huge last transaction */
        if (!binlog_probe_at(s, file, 4, &probe, e)) return false;
        probe.boundary = true;
        *ret = probe;
        return true;
    }
    if (!conn_open(s->ep, s->env, CONN_SOURCE, false, &c, e)) return false;
    bool ok = conn_exec(c, STR("SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum, "
                               "@mariadb_slave_capability = 4"), NULL, e);
    if (ok) ok = ask_for_dump(c, file, pos) ? read_start(c, pos, &probe, e) : conn_error(c, e, "asking for the source's binary log");
    conn_close(c);
    if (ok) *ret = probe;
    return ok;
}
