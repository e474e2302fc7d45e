/* Fuzz target: single events. Input: type 1, flags of the format 1, body. Every parser of the type runs on the body; the whole input is also read as a raw
 * event. */
#include <stdlib.h>
#include <string.h>

#include "codec/binlog_event.h"
#include "codec/binlog_table_map.h"
#include "codec/gtid_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;
static void touch(str s)
{
    for (size_t i = 0; i < s.n; i++) sink += (unsigned char)s.p[i];
}

static void single(const binlog_event *ev, const binlog_format *f, arena *a)
{
    err e = ERR_INIT;
    union {
        binlog_rotate rotate;
        binlog_query query;
        uint64_t xid;
        binlog_gtid gtid;
        binlog_mariadb_gtid mariadb;
        binlog_gtid_list list;
        binlog_heartbeat heartbeat;
        binlog_incident incident;
        binlog_xa_prepare xa;
        str text;
    } u;
    if (binlog_rotate_parse(ev, &u.rotate, &e)) touch(u.rotate.file);
    if (binlog_query_parse(ev, f, &u.query, &e)) {
        touch(u.query.text);
        touch(u.query.database);
        touch(u.query.time_zone);
        touch(u.query.invoker_host);
    }
    if (binlog_xid_parse(ev, &u.xid, &e)) sink += (unsigned)u.xid;
    if (binlog_gtid_parse(ev, &u.gtid, &e)) touch(str_from_c(u.gtid.tag));
    if (binlog_mariadb_gtid_parse(ev, &u.mariadb, &e)) touch(u.mariadb.xa.gtrid);
    if (binlog_gtid_list_parse(ev, a, &u.list, &e) && u.list.count) sink += u.list.entries[u.list.count - 1].domain;
    if (binlog_heartbeat_parse(ev, &u.heartbeat, &e)) touch(u.heartbeat.file);
    if (binlog_incident_parse(ev, &u.incident, &e)) touch(u.incident.message);
    if (binlog_xa_prepare_parse(ev, &u.xa, &e)) touch(u.xa.xa.bqual);
    if (binlog_rows_query_parse(ev, &u.text, &e)) touch(u.text);
}

static void table_map(const binlog_event *ev, const binlog_format *f, arena *a)
{
    err e = ERR_INIT;
    binlog_table_map m, again;
    if (!binlog_table_map_parse(ev, f, a, &m, &e)) {
        if (e.code == ERR_NONE) abort();
        return;
    }
    for (uint32_t i = 0; i < m.column_count; i++) {
        touch(m.columns[i].name);
        for (uint32_t k = 0; k < m.columns[i].label_count; k++) touch(m.columns[i].labels[k]);
    }
    if (!binlog_table_map_parse(ev, f, a, &again, &e) || !binlog_table_map_equal(&m, &again)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    arena_init(&a, 4096, 64 << 20);
    err e = ERR_INIT;
    binlog_format f, other;
    binlog_event ev;
    binlog_format_init(&f);
    str all = {(const char *)data, size};
    if (binlog_event_parse(all, &f, &ev, &e) && ev.type == BINLOG_FORMAT_DESCRIPTION && binlog_format_parse(&ev, &other, &e)) touch(str_from_c(other.server_version));
    if (size >= 2) {
        f.known = data[1] & 1;
        f.post_header[BINLOG_TABLE_MAP] = data[1] & 2 ? 6 : 8;
        f.post_header[BINLOG_QUERY] = data[1] & 4 ? 11 : data[1] & 8 ? 20 : 13;
        ev = (binlog_event){.type = data[0], .body = str_sub(all, 2, size), .bytes = all};
        single(&ev, &f, &a);
        table_map(&ev, &f, &a);
    }
    arena_finish(&a);
    return 0;
}
