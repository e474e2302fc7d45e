/* Binlogs of real servers: every row equals what the server's SELECT gave, cuts and flipped bits are found. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "codec/gtid_position.h"
#include "codec/gtid_set.h"
#include "codec/sql_statement.h"
#include "dump.h"

static str read_golden(arena *a, const char *name)
{
    const char *root = getenv("SLUICE_TEST_DATA");
    str path = arena_printf(a, "%s/binlog/%s", root ? root : "tests/golden", name), bytes;
    err e = ERR_INIT;
    if (!file_read(path.p, 1 << 26, a, &bytes, &e)) fail_msg("%s", e.text);
    return bytes;
}

/* Names of all golden binlogs, without ".binlog". */
static size_t golden_names(arena *a, const char *names[64])
{
    const char *root = getenv("SLUICE_TEST_DATA");
    DIR *d = opendir(arena_printf(a, "%s/binlog", root ? root : "tests/golden").p);
    assert_non_null(d);
    size_t n = 0;
    for (struct dirent *f; (f = readdir(d)) && n < 64;) {
        str s = str_from_c(f->d_name);
        if (str_ends_with(s, STR(".binlog"))) names[n++] = arena_copy_c(a, str_sub(s, 0, s.n - 7));
    }
    closedir(d);
    return n;
}

/* ---- rows equal the server's ---- */

typedef struct lines {
    char **line;
    size_t n, cap;
} lines;

static void add_line(lines *l, str text)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->line = realloc(l->line, l->cap * sizeof *l->line);
    }
    char *copy = malloc(text.n + 1); /* not strndup: the sanitizer's one looks for a NUL behind the slice */
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    l->line[l->n++] = copy;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void free_lines(lines *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->line[i]);
    free(l->line);
}

static void on_row(void *user, const binlog_table_map *m, change_kind kind, const val *before, const val *after)
{
    if (kind != CHANGE_INSERT || before || !after) return;
    BUF_AUTO out = BUF_INIT;
    buf_printf(&out, "I\t%.*s", STR_ARG(m->table));
    for (uint32_t i = 0; i < m->column_count; i++) {
        buf_add_byte(&out, '\t');
        dump_value(&out, &after[i]);
    }
    add_line(user, buf_str(&out));
}

/* Columns that the log cannot tell from binary strings are read by a definition. */
static const table_def *definition(void *user, str schema, str table)
{
    (void)user;
    (void)schema;
    static column_def columns[] = {
        {.name = {"id", 2}, .type = COL_INT, .selected = true},
        {.name = {"u", 1}, .type = COL_UUID, .selected = true},
        {.name = {"a", 1}, .type = COL_INET, .selected = true},
        {.name = {"b", 1}, .type = COL_INET, .selected = true},
        {.name = {"c", 1}, .type = COL_BINARY, .length = 16, .selected = true},
    };
    static const table_def addr = {.schema = {"g", 1}, .name = {"addr", 4}, .columns = columns, .column_count = 5};
    return str_eq(table, STR("addr")) ? &addr : NULL;
}

static void test_rows(void **state)
{
    (void)state;
    arena a = {0};
    const char *names[64];
    size_t files = golden_names(&a, names);
    assert_true(files >= 4);
    for (size_t i = 0; i < files; i++) {
        if (str_starts_with(str_from_c(names[i]), STR("groups"))) continue;
        lines got = {0}, want = {0};
        dump_state s = {.row = on_row, .definition = definition, .user = &got};
        err e = ERR_INIT;
        if (!dump_file(&s, read_golden(&a, arena_printf(&a, "%s.binlog", names[i]).p), &e)) fail_msg("%s: %s", names[i], e.text);
        dump_finish(&s);
        str rest = read_golden(&a, arena_printf(&a, "%s.rows", names[i]).p), line;
        while (str_split_next(&rest, '\n', &line))
            if (line.n) add_line(&want, line);
        qsort(got.line, got.n, sizeof *got.line, by_text);
        qsort(want.line, want.n, sizeof *want.line, by_text);
        for (size_t k = 0; k < got.n && k < want.n; k++)
            if (strcmp(got.line[k], want.line[k]) != 0) fail_msg("%s:\n got %.300s\nwant %.300s", names[i], got.line[k], want.line[k]);
        assert_int_equal(got.n, want.n);
        assert_true(want.n > 0);
        free_lines(&got);
        free_lines(&want);
    }
    arena_finish(&a);
}

/* ---- groups: GTIDs and statements ---- */

typedef struct groups {
    gtid_set set;
    gtid_position position;
    buf kinds; /* statements and group ends in order */
} groups;

static void on_event(void *user, const binlog_event *ev, const binlog_format *f)
{
    groups *g = user;
    err e = ERR_INIT;
    arena a = {0};
    if (ev->type == BINLOG_GTID || ev->type == BINLOG_GTID_TAGGED) {
        binlog_gtid gtid;
        assert_true(binlog_gtid_parse(ev, &gtid, &e) && gtid_set_add(&g->set, gtid.uuid, gtid.tag, gtid.gno, gtid.gno, &e));
        assert_true(gtid.original_server_version / 100 == 907 && gtid.transaction_bytes > ev->size && gtid.immediate_commit_us / 1000000 >= ev->timestamp);
        buf_add_c(&g->kinds, gtid.tag[0] ? "| tagged " : "| ");
    } else if (ev->type == BINLOG_MARIADB_GTID) {
        binlog_mariadb_gtid gtid;
        assert_true(binlog_mariadb_gtid_parse(ev, &gtid, &e));
        assert_true(gtid_position_set(&g->position, (gtid_mariadb){gtid.domain, gtid.server_id, gtid.sequence}, &e));
        bool xa = gtid.flags & (BINLOG_MARIADB_GTID_PREPARED_XA | BINLOG_MARIADB_GTID_COMPLETED_XA);
        if (xa) assert_true(gtid.xa.format_id == 7 && str_eq(gtid.xa.gtrid, STR("gtrid")) && str_eq(gtid.xa.bqual, STR("bqual")));
        buf_add_c(&g->kinds, xa ? "| xa " : "| ");
        if (gtid.flags & BINLOG_MARIADB_GTID_STANDALONE) buf_add_c(&g->kinds, "alone ");
    } else if (ev->type == BINLOG_QUERY) {
        binlog_query q;
        sql_statement st;
        assert_true(binlog_query_parse(ev, f, &q, &e) && !q.vars_cut && q.has_sql_mode && q.has_charset);
        sql_dialect d = sql_dialect_of(&q, f);
        assert_true(sql_statement_classify(q.text, &d, q.database, &a, &st, &e));
        buf_printf(&g->kinds, "%s ", sql_statement_kind_name(st.kind));
        if (st.kind == SQL_STATEMENT_DROP_TABLE) assert_true(str_eq(st.names[0].name, STR("q\"x")));
    } else if (ev->type == BINLOG_XA_PREPARE) {
        binlog_xa_prepare x;
        assert_true(binlog_xa_prepare_parse(ev, &x, &e));
        buf_add_c(&g->kinds, x.one_phase ? "XA_PREPARE1 " : "XA_PREPARE ");
    } else if (ev->type == BINLOG_XID || binlog_event_is_rows(ev->type)) {
        buf_printf(&g->kinds, "%s ", ev->type == BINLOG_XID ? "XID" : "rows");
    }
    arena_finish(&a);
}

static void check_groups(const char *name, const char *kinds)
{
    arena a = {0};
    groups g = {0};
    dump_state s = {.event = on_event, .user = &g};
    err e = ERR_INIT;
    if (!dump_file(&s, read_golden(&a, arena_printf(&a, "%s.binlog", name).p), &e)) fail_msg("%s: %s", name, e.text);
    dump_finish(&s);
    assert_string_equal(buf_c(&g.kinds), kinds);
    str executed = read_golden(&a, arena_printf(&a, "%s.gtid", name).p);
    if (g.position.count) {
        gtid_position want;
        assert_true(gtid_position_parse(executed, &want, &e) && gtid_position_equal(&g.position, &want));
        gtid_position_finish(&want);
    } else {
        BUF_AUTO printed = BUF_INIT;
        gtid_set_print(&g.set, &printed);
        assert_true(str_eq(buf_str(&printed), executed));
    }
    gtid_set_finish(&g.set);
    gtid_position_finish(&g.position);
    buf_finish(&g.kinds);
    arena_finish(&a);
}

static void test_groups(void **state)
{
    (void)state;
    check_groups("groups-mysql-9.7.4",
                 "| CREATE DATABASE | CREATE TABLE | BEGIN rows XID | BEGIN rows SAVEPOINT XID | XA START rows XA END XA_PREPARE | XA COMMIT "
                 "| XA START rows XA END XA_PREPARE1 | CREATE TABLE | DROP TABLE | TRUNCATE TABLE | BEGIN rows XID | tagged BEGIN rows XID | BEGIN rows XID ");
    check_groups("groups-mariadb-10.11.19",
                 "| alone CREATE DATABASE | alone CREATE TABLE | rows XID | rows SAVEPOINT XID | xa rows XA END XA_PREPARE | xa alone XA COMMIT | rows XID "
                 "| alone CREATE TABLE | alone DROP TABLE | alone TRUNCATE TABLE | rows XID | rows XID ");
}

/* ---- damage ---- */

typedef void (*each_event)(str bytes, const binlog_format *f);

static void walk(const char *name, each_event each)
{
    arena a = {0};
    str rest = read_golden(&a, name);
    rest = str_sub(rest, 4, rest.n);
    binlog_format f;
    binlog_format_init(&f);
    while (rest.n) {
        uint32_t size = binlog_event_peek_size(rest);
        assert_true(size && size <= rest.n);
        str bytes = str_sub(rest, 0, size);
        binlog_event ev;
        err e = ERR_INIT;
        assert_true(binlog_event_parse(bytes, &f, &ev, &e));
        if (ev.type == BINLOG_FORMAT_DESCRIPTION) assert_true(binlog_format_parse(&ev, &f, &e));
        each(bytes, &f);
        rest = str_sub(rest, size, rest.n);
    }
    arena_finish(&a);
}

static void flip(str bytes, const binlog_format *f)
{
    char *copy = malloc(bytes.n);
    size_t step = bytes.n > 400 ? bytes.n * 8 / 1000 | 1 : 1;
    for (size_t bit = 0; bit < bytes.n * 8; bit += step) {
        memcpy(copy, bytes.p, bytes.n);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        binlog_event ev;
        err e = ERR_INIT;
        bool ok = binlog_event_parse((str){copy, bytes.n}, f, &ev, &e);
        /* Not covered: the IN_USE flag and the byte that says that there is a sum. */
        bool not_covered = bytes.p[4] == BINLOG_FORMAT_DESCRIPTION && (bit == 17 * 8 || bit / 8 == bytes.n - 5);
        if (ok && !not_covered) fail_msg("bit %zu of a %s of %zu bytes was flipped unseen", bit, binlog_event_name((uint8_t)bytes.p[4]), bytes.n);
        if (!ok) assert_true(e.code == ERR_SOURCE_LOG_CORRUPT || e.code == ERR_SOURCE_LOG_FORMAT);
    }
    free(copy);
}

static void test_bit_flips(void **state)
{
    (void)state;
    arena a = {0};
    const char *names[64];
    size_t files = golden_names(&a, names);
    for (size_t i = 0; i < files; i++) walk(arena_printf(&a, "%s.binlog", names[i]).p, flip);
    arena_finish(&a);
}

/* All decoders of a type, on a body of `keep` bytes in memory of exactly that size. */
static bool decode_cut(const binlog_event *whole, const binlog_format *f, size_t keep, err *e)
{
    arena a = {0};
    char *exact = malloc(keep ? keep : 1);
    memcpy(exact, whole->body.p, keep);
    binlog_event ev = *whole;
    ev.body = (str){exact, keep};
    ev.bytes = ev.body;
    bool ok = true;
    switch (ev.type) {
    case BINLOG_QUERY: {
        binlog_query q;
        ok = binlog_query_parse(&ev, f, &q, e);
        break;
    }
    case BINLOG_ROTATE: {
        binlog_rotate r;
        ok = binlog_rotate_parse(&ev, &r, e);
        break;
    }
    case BINLOG_XID: {
        uint64_t xid;
        ok = binlog_xid_parse(&ev, &xid, e);
        break;
    }
    case BINLOG_GTID:
    case BINLOG_ANONYMOUS_GTID:
    case BINLOG_GTID_TAGGED: {
        binlog_gtid g;
        ok = binlog_gtid_parse(&ev, &g, e);
        break;
    }
    case BINLOG_MARIADB_GTID: {
        binlog_mariadb_gtid g;
        ok = binlog_mariadb_gtid_parse(&ev, &g, e);
        break;
    }
    case BINLOG_GTID_LIST: {
        binlog_gtid_list l;
        ok = binlog_gtid_list_parse(&ev, &a, &l, e);
        break;
    }
    case BINLOG_TABLE_MAP: {
        binlog_table_map m;
        ok = binlog_table_map_parse(&ev, f, &a, &m, e);
        break;
    }
    case BINLOG_WRITE_ROWS:
    case BINLOG_WRITE_ROWS_V1: {
        binlog_rows r;
        ok = binlog_rows_parse(&ev, f, &r, e);
        break;
    }
    default: ok = false; break;
    }
    if (!ok && whole->body.n == keep && e->code) fail_msg("%s: %s", binlog_event_name(whole->type), e->text);
    arena_finish(&a);
    free(exact);
    return ok;
}

/* Bytes of a type's fixed part: a cut within it must be an error; later cuts may be a shorter, well formed event. */
static size_t fixed_part(const binlog_event *ev)
{
    switch (ev->type) {
    case BINLOG_QUERY: return 13 + 1;
    case BINLOG_ROTATE: return 9;
    case BINLOG_XID: return 8;
    case BINLOG_GTID:
    case BINLOG_ANONYMOUS_GTID: return 25;
    case BINLOG_GTID_TAGGED: return ev->body.n;
    case BINLOG_MARIADB_GTID: return 13;
    case BINLOG_GTID_LIST: return 4;
    case BINLOG_TABLE_MAP: return 20;
    default: return 10;
    }
}

static void cut(str bytes, const binlog_format *f)
{
    binlog_event ev;
    err e = ERR_INIT;
    for (size_t n = 0; n < bytes.n; n += n < 100 ? 1 : 97) assert_false(binlog_event_parse(str_sub(bytes, 0, n), f, &ev, &e));
    e = ERR_INIT;
    assert_true(binlog_event_parse(bytes, f, &ev, &e));
    for (size_t keep = 0; keep <= ev.body.n && keep < 4000; keep++) {
        bool ok = decode_cut(&ev, f, keep, &e);
        if (ok && keep < fixed_part(&ev)) fail_msg("a %s cut to %zu bytes was taken", binlog_event_name(ev.type), keep);
    }
}

static void test_cuts(void **state)
{
    (void)state;
    arena a = {0};
    const char *names[64];
    size_t files = golden_names(&a, names);
    for (size_t i = 0; i < files; i++) walk(arena_printf(&a, "%s.binlog", names[i]).p, cut);
    arena_finish(&a);
}

/* A row event cut anywhere but between two rows is an error. */
typedef struct cut_rows_state {
    dump_state dump;
    uint32_t checked;
} cut_rows_state;

static size_t count_rows(const dump_state *s, const binlog_event *ev, size_t keep, bool *ret_ok)
{
    const binlog_table_map *m = &s->map[s->map_count - 1];
    char *exact = malloc(keep ? keep : 1);
    memcpy(exact, ev->body.p, keep);
    binlog_event shorter = *ev;
    shorter.body = (str){exact, keep};
    arena a = {0};
    binlog_rows r;
    binlog_plan plan;
    binlog_reader reader = {0};
    err e = ERR_INIT;
    size_t rows = 0;
    bool more = true;
    bool ok = binlog_rows_parse(&shorter, &s->format, &r, &e) && binlog_plan_build(m, NULL, true, &a, &plan, &e);
    while (ok && more) {
        const val *before, *after;
        ok = binlog_rows_next(&r, &plan, &reader, &a, &before, &after, &more, &e);
        rows += ok && more;
    }
    *ret_ok = ok;
    binlog_reader_finish(&reader);
    arena_finish(&a);
    free(exact);
    return rows;
}

static void cut_rows_event(void *user, const binlog_event *ev, const binlog_format *f)
{
    (void)f;
    cut_rows_state *s = user;
    if (!binlog_event_is_rows(ev->type) || ev->body.n > 6000) return;
    bool ok;
    size_t total = count_rows(&s->dump, ev, ev->body.n, &ok), taken = 0, last = SIZE_MAX;
    assert_true(ok && total > 0);
    for (size_t keep = 0; keep < ev->body.n; keep++) {
        size_t rows = count_rows(&s->dump, ev, keep, &ok);
        if (!ok) continue;
        taken++;
        assert_true(rows < total && rows != last);
        last = rows;
    }
    assert_int_equal(taken, total); /* after 0 .. total-1 rows */
    s->checked++;
}

static void test_cut_rows(void **state)
{
    (void)state;
    arena a = {0};
    const char *names[64];
    size_t files = golden_names(&a, names);
    for (size_t i = 0; i < files; i++) {
        cut_rows_state s = {.dump = {.event = cut_rows_event}};
        s.dump.user = &s;
        err e = ERR_INIT;
        assert_true(dump_file(&s.dump, read_golden(&a, arena_printf(&a, "%s.binlog", names[i]).p), &e));
        assert_true(s.checked > 0);
        dump_finish(&s.dump);
    }
    arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_groups), cmocka_unit_test(test_bit_flips), cmocka_unit_test(test_cuts), cmocka_unit_test(test_cut_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
