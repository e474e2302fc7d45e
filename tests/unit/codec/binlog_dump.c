/* binlog_dump FILE [rows]: every event, or only the rows in the form of tests/golden/binlog/NAME.rows, one line a row. */
#include <stdlib.h>

#include "base/file.h"
#include "codec/gtid_set.h"
#include "dump.h"

static bool rows_only;

static void put_image(buf *out, const binlog_table_map *m, const val *vals)
{
    for (uint32_t i = 0; vals && i < m->column_count; i++) {
        buf_add_byte(out, '\t');
        dump_value(out, &vals[i]);
    }
}

static void on_row(void *user, const binlog_table_map *m, change_kind kind, const val *before, const val *after)
{
    (void)user;
    BUF_AUTO out = BUF_INIT;
    buf_printf(&out, "%c\t%.*s", "IUD"[kind], STR_ARG(m->table));
    put_image(&out, m, before);
    if (before && after) buf_add_c(&out, "\t->");
    put_image(&out, m, after);
    puts(buf_c(&out));
}

static void put_query(const binlog_event *ev, const binlog_format *f, buf *out, err *e)
{
    binlog_query q;
    if (!binlog_query_parse(ev, f, &q, e)) return;
    buf_printf(out, " db=%.*s sql_mode=%llu charset=%u tz=%.*s us=%u xid=%llu cut=%d %.*s", STR_ARG(q.database), (unsigned long long)q.sql_mode,
               q.charset_client, STR_ARG(q.time_zone), q.microseconds, (unsigned long long)q.ddl_xid, q.vars_cut, STR_ARG(q.text));
}

static void on_event(void *user, const binlog_event *ev, const binlog_format *f)
{
    (void)user;
    if (rows_only) return;
    err e = ERR_INIT;
    arena a = {0};
    BUF_AUTO out = BUF_INIT;
    buf_printf(&out, "# %s end=%u flags=%u", binlog_event_name(ev->type), ev->log_pos, ev->flags);
    switch (ev->type) {
    case BINLOG_FORMAT_DESCRIPTION: buf_printf(&out, " %s types=%u crc=%d mariadb=%d", f->server_version, f->type_count, f->checksum, f->mariadb); break;
    case BINLOG_QUERY: put_query(ev, f, &out, &e); break;
    case BINLOG_GTID:
    case BINLOG_ANONYMOUS_GTID:
    case BINLOG_GTID_TAGGED: {
        binlog_gtid g;
        if (!binlog_gtid_parse(ev, &g, &e)) break;
        buf_add_byte(&out, ' ');
        gtid_print_uuid(g.uuid, &out);
        buf_printf(&out, ":%s:%llu lc=%lld sn=%lld ict=%llu oct=%llu len=%llu ver=%u", g.tag, (unsigned long long)g.gno, (long long)g.last_committed,
                   (long long)g.sequence_number, (unsigned long long)g.immediate_commit_us, (unsigned long long)g.original_commit_us,
                   (unsigned long long)g.transaction_bytes, g.original_server_version);
        break;
    }
    case BINLOG_PREVIOUS_GTIDS: {
        gtid_set s;
        if (!gtid_set_decode(ev->body, &s, &e)) break;
        buf_add_byte(&out, ' ');
        gtid_set_print(&s, &out);
        gtid_set_finish(&s);
        break;
    }
    case BINLOG_MARIADB_GTID: {
        binlog_mariadb_gtid g;
        if (binlog_mariadb_gtid_parse(ev, &g, &e))
            buf_printf(&out, " %u-%u-%llu flags=%u cid=%llu", g.domain, g.server_id, (unsigned long long)g.sequence, g.flags, (unsigned long long)g.commit_id);
        break;
    }
    case BINLOG_GTID_LIST: {
        binlog_gtid_list l;
        if (!binlog_gtid_list_parse(ev, &a, &l, &e)) break;
        for (uint32_t i = 0; i < l.count; i++) buf_printf(&out, " %u-%u-%llu", l.entries[i].domain, l.entries[i].server_id, (unsigned long long)l.entries[i].sequence);
        break;
    }
    case BINLOG_XID: {
        uint64_t xid;
        if (binlog_xid_parse(ev, &xid, &e)) buf_printf(&out, " %llu", (unsigned long long)xid);
        break;
    }
    case BINLOG_XA_PREPARE: {
        binlog_xa_prepare x;
        if (binlog_xa_prepare_parse(ev, &x, &e))
            buf_printf(&out, " one_phase=%d %u %.*s %.*s", x.one_phase, x.xa.format_id, STR_ARG(x.xa.gtrid), STR_ARG(x.xa.bqual));
        break;
    }
    case BINLOG_ROWS_QUERY:
    case BINLOG_ANNOTATE_ROWS: {
        str text;
        if (binlog_rows_query_parse(ev, &text, &e)) buf_printf(&out, " %.*s", STR_ARG(text));
        break;
    }
    case BINLOG_ROTATE: {
        binlog_rotate r;
        if (binlog_rotate_parse(ev, &r, &e)) buf_printf(&out, " %.*s %llu", STR_ARG(r.file), (unsigned long long)r.position);
        break;
    }
    default: break;
    }
    if (e.code) buf_printf(&out, " ERROR %s", e.text);
    puts(buf_c(&out));
    arena_finish(&a);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: binlog_dump FILE [rows]\n", stderr);
        return 2;
    }
    rows_only = argc > 2;
    err e = ERR_INIT;
    arena mem = {0};
    str file;
    if (!file_read(argv[1], 1 << 30, &mem, &file, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    dump_state s = {.row = on_row, .event = on_event};
    bool ok = dump_file(&s, file, &e);
    if (!ok) printf("ERROR %s\n", e.text);
    dump_finish(&s);
    arena_finish(&mem);
    return ok ? 0 : 1;
}
