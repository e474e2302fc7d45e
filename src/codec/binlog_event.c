/* Binlog events: header, checksum, format description, type table. The single kinds are in binlog_event_kinds.c. */
#include "codec/binlog_event.h"

#include <string.h>
#include <zlib.h>

#include "base/cursor.h"

enum { KNOWN = 1, ROWS = 2, UNREADABLE = 4 };

static const struct {
    const char *name;
    unsigned char traits;
} types[256] = {
    [1] = {"START_V3", KNOWN | UNREADABLE},
    [BINLOG_QUERY] = {"QUERY", KNOWN},
    [BINLOG_STOP] = {"STOP", KNOWN},
    [BINLOG_ROTATE] = {"ROTATE", KNOWN},
    [BINLOG_INTVAR] = {"INTVAR", KNOWN},
    [BINLOG_LOAD] = {"LOAD", KNOWN | UNREADABLE},
    [BINLOG_SLAVE] = {"SLAVE", KNOWN | UNREADABLE},
    [BINLOG_CREATE_FILE] = {"CREATE_FILE", KNOWN | UNREADABLE},
    [BINLOG_APPEND_BLOCK] = {"APPEND_BLOCK", KNOWN | UNREADABLE},
    [BINLOG_EXEC_LOAD] = {"EXEC_LOAD", KNOWN | UNREADABLE},
    [BINLOG_DELETE_FILE] = {"DELETE_FILE", KNOWN | UNREADABLE},
    [BINLOG_NEW_LOAD] = {"NEW_LOAD", KNOWN | UNREADABLE},
    [BINLOG_RAND] = {"RAND", KNOWN},
    [BINLOG_USER_VAR] = {"USER_VAR", KNOWN},
    [BINLOG_FORMAT_DESCRIPTION] = {"FORMAT_DESCRIPTION", KNOWN},
    [BINLOG_XID] = {"XID", KNOWN},
    [BINLOG_BEGIN_LOAD_QUERY] = {"BEGIN_LOAD_QUERY", KNOWN | UNREADABLE},
    [BINLOG_EXECUTE_LOAD_QUERY] = {"EXECUTE_LOAD_QUERY", KNOWN | UNREADABLE},
    [BINLOG_TABLE_MAP] = {"TABLE_MAP", KNOWN},
    [BINLOG_WRITE_ROWS_V0] = {"WRITE_ROWS_V0", KNOWN | UNREADABLE},
    [BINLOG_UPDATE_ROWS_V0] = {"UPDATE_ROWS_V0", KNOWN | UNREADABLE},
    [BINLOG_DELETE_ROWS_V0] = {"DELETE_ROWS_V0", KNOWN | UNREADABLE},
    [BINLOG_WRITE_ROWS_V1] = {"WRITE_ROWS_V1", KNOWN | ROWS},
    [BINLOG_UPDATE_ROWS_V1] = {"UPDATE_ROWS_V1", KNOWN | ROWS},
    [BINLOG_DELETE_ROWS_V1] = {"DELETE_ROWS_V1", KNOWN | ROWS},
    [BINLOG_INCIDENT] = {"INCIDENT", KNOWN},
    [BINLOG_HEARTBEAT] = {"HEARTBEAT", KNOWN},
    [BINLOG_IGNORABLE] = {"IGNORABLE", KNOWN},
    [BINLOG_ROWS_QUERY] = {"ROWS_QUERY", KNOWN},
    [BINLOG_WRITE_ROWS] = {"WRITE_ROWS", KNOWN | ROWS},
    [BINLOG_UPDATE_ROWS] = {"UPDATE_ROWS", KNOWN | ROWS},
    [BINLOG_DELETE_ROWS] = {"DELETE_ROWS", KNOWN | ROWS},
    [BINLOG_GTID] = {"GTID", KNOWN},
    [BINLOG_ANONYMOUS_GTID] = {"ANONYMOUS_GTID", KNOWN},
    [BINLOG_PREVIOUS_GTIDS] = {"PREVIOUS_GTIDS", KNOWN},
    [BINLOG_TRANSACTION_CONTEXT] = {"TRANSACTION_CONTEXT", KNOWN},
    [BINLOG_VIEW_CHANGE] = {"VIEW_CHANGE", KNOWN},
    [BINLOG_XA_PREPARE] = {"XA_PREPARE", KNOWN},
    [BINLOG_PARTIAL_UPDATE_ROWS] = {"PARTIAL_UPDATE_ROWS", KNOWN | UNREADABLE},
    [BINLOG_TRANSACTION_PAYLOAD] = {"TRANSACTION_PAYLOAD", KNOWN | UNREADABLE},
    [BINLOG_HEARTBEAT_V2] = {"HEARTBEAT_V2", KNOWN},
    [BINLOG_GTID_TAGGED] = {"GTID_TAGGED", KNOWN},
    [BINLOG_ANNOTATE_ROWS] = {"ANNOTATE_ROWS", KNOWN},
    [BINLOG_CHECKPOINT] = {"BINLOG_CHECKPOINT", KNOWN},
    [BINLOG_MARIADB_GTID] = {"MARIADB_GTID", KNOWN},
    [BINLOG_GTID_LIST] = {"GTID_LIST", KNOWN},
    [BINLOG_START_ENCRYPTION] = {"START_ENCRYPTION", KNOWN},
    [BINLOG_QUERY_COMPRESSED] = {"QUERY_COMPRESSED", KNOWN | UNREADABLE},
    [BINLOG_WRITE_ROWS_COMPRESSED_V1] = {"WRITE_ROWS_COMPRESSED_V1", KNOWN | UNREADABLE},
    [BINLOG_UPDATE_ROWS_COMPRESSED_V1] = {"UPDATE_ROWS_COMPRESSED_V1", KNOWN | UNREADABLE},
    [BINLOG_DELETE_ROWS_COMPRESSED_V1] = {"DELETE_ROWS_COMPRESSED_V1", KNOWN | UNREADABLE},
    [BINLOG_WRITE_ROWS_COMPRESSED] = {"WRITE_ROWS_COMPRESSED", KNOWN | UNREADABLE},
    [BINLOG_UPDATE_ROWS_COMPRESSED] = {"UPDATE_ROWS_COMPRESSED", KNOWN | UNREADABLE},
    [BINLOG_DELETE_ROWS_COMPRESSED] = {"DELETE_ROWS_COMPRESSED", KNOWN | UNREADABLE},
};

const char *binlog_event_name(uint8_t type) { return types[type].name ? types[type].name : "UNKNOWN"; }
bool binlog_event_is_known(uint8_t type) { return types[type].traits & KNOWN; }
bool binlog_event_is_unreadable(uint8_t type) { return types[type].traits & UNREADABLE; }
bool binlog_event_is_rows(uint8_t type) { return types[type].traits & ROWS; }

void binlog_format_init(binlog_format *f) { *f = (binlog_format){0}; }

uint32_t binlog_event_peek_size(str bytes)
{
    if (bytes.n < BINLOG_HEADER_BYTES) return 0;
    cursor c = cursor_of(bytes);
    cursor_skip(&c, 9);
    uint32_t size = cursor_u32(&c);
    return size < BINLOG_HEADER_BYTES ? 0 : size;
}

/* CRC-32 over header and body; `in_use_cleared`: as if flag IN_USE were not set (it is set while a file is open and not covered by the sum). */
static uint32_t checksum_of(str bytes, bool in_use_cleared)
{
    uLong crc = crc32(0, NULL, 0);
    if (in_use_cleared && bytes.n >= BINLOG_HEADER_BYTES) {
        unsigned char header[BINLOG_HEADER_BYTES];
        memcpy(header, bytes.p, sizeof header);
        header[17] &= (unsigned char)~BINLOG_FLAG_IN_USE;
        crc = crc32(crc, header, sizeof header);
        return (uint32_t)crc32_z(crc, (const unsigned char *)bytes.p + sizeof header, bytes.n - sizeof header);
    }
    return (uint32_t)crc32_z(crc, (const unsigned char *)bytes.p, bytes.n);
}

static bool checksum_fits(str bytes, bool in_use_cleared)
{
    if (bytes.n < BINLOG_HEADER_BYTES + 4) return false;
    cursor c = cursor_of(str_sub(bytes, bytes.n - 4, 4));
    return checksum_of(str_sub(bytes, 0, bytes.n - 4), in_use_cleared) == cursor_u32(&c);
}

static uint32_t version_number(const char *text)
{
    uint32_t part[3] = {0};
    for (int i = 0; i < 3; i++) {
        while (*text >= '0' && *text <= '9' && part[i] < 1000) part[i] = part[i] * 10 + (uint32_t)(*text++ - '0');
        if (*text != '.') break;
        text++;
    }
    return part[0] * 10000 + part[1] * 100 + part[2];
}

/* Body: version 2, server version 50, created 4, header length 1, one length per type, and from MySQL 5.6.1 and MariaDB 5.3 on: checksum algorithm 1,
 * CRC-32 4 (both there even when the algorithm is 0). */
static bool format_read(str body_and_sum, binlog_format *ret, bool *ret_has_sum, err *e)
{
    binlog_format f = {.known = true};
    cursor c = cursor_of(body_and_sum);
    f.version = cursor_u16(&c);
    str version = cursor_take(&c, 50);
    f.created = cursor_u32(&c);
    uint8_t header_bytes = cursor_u8(&c);
    if (c.failed) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the format description event is cut short");
    memcpy(f.server_version, version.p, 50);
    f.server_number = version_number(f.server_version);
    if (f.version != 4)
        return err_set(e, ERR_SOURCE_LOG_FORMAT, "binlog format %u of server %s is not version 4 (MySQL 5.0 or later is needed)", f.version, f.server_version);
    if (header_bytes != BINLOG_HEADER_BYTES)
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the format description event tells a header of %u bytes", header_bytes);
    size_t left = cursor_left(&c);
    bool maria_name = str_find(str_from_c(f.server_version), STR("MariaDB")) != SIZE_MAX;
    /* By the version, and against a damaged version by the length: servers without checksums list fewer than 35 types. */
    bool has_sum = (maria_name ? f.server_number >= 50300 : f.server_number >= 50601) || left >= 35 + 5;
    if (has_sum) {
        if (left < 5) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the format description event of %s has no checksum", f.server_version);
        left -= 5;
    }
    if (left > 255) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the format description event lists %zu event types", left);
    str lengths = cursor_take(&c, left);
    f.type_count = (uint16_t)left;
    memcpy(f.post_header + 1, lengths.p, left);
    f.mariadb = maria_name || left >= BINLOG_MARIADB_GTID;
    if (has_sum) {
        uint8_t algorithm = cursor_u8(&c);
        if (algorithm > 1)
            return err_set(e, ERR_SOURCE_LOG_FORMAT, "the binlog uses checksum algorithm %u; set binlog_checksum to CRC32 or NONE", algorithm);
        f.checksum = algorithm == 1;
    }
    *ret_has_sum = has_sum;
    *ret = f;
    return true;
}

bool binlog_event_parse(str bytes, const binlog_format *f, binlog_event *ret, err *e)
{
    cursor c = cursor_of(bytes);
    binlog_event ev = {.bytes = bytes};
    ev.timestamp = cursor_u32(&c);
    ev.type = cursor_u8(&c);
    ev.server_id = cursor_u32(&c);
    ev.size = cursor_u32(&c);
    ev.log_pos = cursor_u32(&c);
    ev.flags = cursor_u16(&c);
    if (c.failed) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "a binlog event of %zu bytes is shorter than its header", bytes.n);
    const char *name = binlog_event_name(ev.type);
    if (ev.size != bytes.n)
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "%s event (type %u) ending at %u tells %u bytes, %zu came", name, ev.type, ev.log_pos, ev.size, bytes.n);
    ev.body = str_sub(bytes, BINLOG_HEADER_BYTES, bytes.n - BINLOG_HEADER_BYTES);
    bool cut = f->checksum, checked = f->checksum;
    if (ev.type == BINLOG_FORMAT_DESCRIPTION) {
        binlog_format own;
        if (!format_read(ev.body, &own, &cut, e)) return false;
        checked = own.checksum;
    } else if (!f->known) {
        checked = cut = checksum_fits(bytes, false);
    }
    if (checked && !checksum_fits(bytes, ev.type == BINLOG_FORMAT_DESCRIPTION))
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "%s event (type %u) ending at %u fails its CRC-32", name, ev.type, ev.log_pos);
    if (cut) ev.body.n -= 4;
    *ret = ev;
    return true;
}

bool binlog_format_parse(const binlog_event *ev, binlog_format *ret, err *e)
{
    bool has_sum;
    str body_and_sum = str_sub(ev->bytes, BINLOG_HEADER_BYTES, ev->bytes.n);
    return format_read(body_and_sum, ret, &has_sum, e);
}
