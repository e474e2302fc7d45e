/* pgoutput messages by hand: what no server of the golden files sends, limits, order, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "codec/pgoutput.h"

#define LSN "\0\0\0\x16\xb3\x74\xd8\x48"
#define END "\0\0\0\x16\xb3\x74\xd8\x50"
#define TIME "\0\0\0\0\0\0\0\5"
#define EPOCH 946684800000000

static pgoutput_message decode(pgoutput_decoder *d, str bytes, arena *a)
{
    pgoutput_message m;
    err e = ERR_INIT;
    if (!pgoutput_decode(d, bytes, a, &m, &e)) fail_msg("%s", e.text);
    return m;
}

static void refuse(unsigned protocol, bool in_stream, str bytes, err_code code, const char *text)
{
    pgoutput_decoder d, before;
    pgoutput_decoder_init(&d, protocol);
    d.in_stream = in_stream;
    d.stream_xid = in_stream ? 9 : 0;
    before = d;
    arena a = {0};
    pgoutput_message m = {.kind = PGOUTPUT_BEGIN, .xid = 77};
    err e = ERR_INIT;
    if (pgoutput_decode(&d, bytes, &a, &m, &e)) fail_msg("taken: %.*s", STR_ARG(bytes));
    if (e.code != code || !strstr(e.text, text)) fail_msg("%s %s, not %s", err_name(e.code), e.text, text);
    assert_true(m.xid == 77 && d.in_stream == before.in_stream && d.stream_xid == before.stream_xid);
    arena_finish(&a);
}

/* Every message that a server may send, each cut at every byte: only the whole is taken. */
static const struct {
    const char *name;
    unsigned protocol;
    bool in_stream;
    str bytes;
} messages[] = {
    {"Begin", 1, false, {"B" LSN TIME "\0\0\2\xe5", 21}},
    {"Commit", 1, false, {"C\0" LSN END TIME, 26}},
    {"Origin", 1, false, {"O" LSN "or", 12}},
    {"Origin", 2, true, {"O" LSN "or", 12}},
    {"Relation", 1, false, {"R" "\0\0\x40\1" "public\0" "t\0" "d" "\0\2" "\1id\0\0\0\0\x17\xff\xff\xff\xff" "\0v\0\0\0\4\x13\0\0\0\x24", 40}},
    {"Relation", 2, true, {"R" "\0\0\0\xa" "\0\0\x40\1" "\0" "t\0" "f" "\0\0", 15}},
    {"Type", 1, false, {"Y" "\0\0\x40\2" "public\0" "mood", 17}},
    {"Insert", 1, false, {"I" "\0\0\x40\1" "N" "\0\3" "n" "t\0\0\0\2ab" "b\0\0\0\0", 21}},
    {"Insert", 2, true, {"I" "\0\0\0\xa" "\0\0\x40\1" "N" "\0\0", 12}},
    {"Update", 1, false, {"U" "\0\0\x40\1" "N" "\0\2" "u" "t\0\0\0\1x", 15}},
    {"Update", 1, false, {"U" "\0\0\x40\1" "K" "\0\2" "t\0\0\0\1k" "n" "N" "\0\2" "t\0\0\0\1l" "u", 25}},
    {"Update", 1, false, {"U" "\0\0\x40\1" "O" "\0\1" "n" "N" "\0\1" "n", 13}},
    {"Delete", 1, false, {"D" "\0\0\x40\1" "O" "\0\1" "t\0\0\0\1k", 14}},
    {"Delete", 3, true, {"D" "\0\0\0\xb" "\0\0\x40\1" "K" "\0\1" "t\0\0\0\1k", 18}},
    {"Truncate", 1, false, {"T" "\0\0\0\2" "\3" "\0\0\x40\1" "\0\0\x40\2", 14}},
    {"Message", 1, false, {"M" "\0" LSN "p\0" "\0\0\0\3abc", 19}},
    {"Message", 4, true, {"M" "\0\0\0\xa" "\1" LSN "\0" "\0\0\0\0", 19}},
    {"Stream Start", 2, false, {"S" "\0\0\0\xa" "\1", 6}},
    {"Stream Stop", 2, true, {"E", 1}},
    {"Stream Commit", 2, false, {"c" "\0\0\0\xa" "\0" LSN END TIME, 30}},
    {"Stream Abort", 2, false, {"A" "\0\0\0\xa" "\0\0\0\xb", 9}},
    {"Stream Abort", 4, false, {"A" "\0\0\0\xa" "\0\0\0\xb" LSN TIME, 25}},
    {"Begin Prepare", 3, false, {"b" LSN END TIME "\0\0\0\xa" "gid", 33}},
    {"Prepare", 3, false, {"P" "\0" LSN END TIME "\0\0\0\xa" "gid", 34}},
    {"Commit Prepared", 3, false, {"K" "\0" LSN END TIME "\0\0\0\xa" "gid", 34}},
    {"Rollback Prepared", 3, false, {"r" "\0" LSN END TIME TIME "\0\0\0\xa" "gid", 42}},
    {"Stream Prepare", 3, false, {"p" "\0" LSN END TIME "\0\0\0\xa" "gid", 34}},
};

static void test_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        str whole = messages[i].bytes;
        for (size_t keep = 0; keep <= whole.n + 1; keep++) {
            char *exact = malloc(keep ? keep : 1);
            memcpy(exact, whole.p, keep < whole.n ? keep : whole.n);
            if (keep > whole.n) exact[whole.n] = 'x';
            pgoutput_decoder d;
            pgoutput_decoder_init(&d, messages[i].protocol);
            d.in_stream = messages[i].in_stream;
            arena a = {0};
            pgoutput_message m;
            err e = ERR_INIT;
            bool taken = pgoutput_decode(&d, (str){exact, keep}, &a, &m, &e);
            /* without its place a Stream Abort is whole, too */
            bool whole_too = keep == 9 && str_eq(str_from_c(messages[i].name), STR("Stream Abort"));
            if (taken != (keep == whole.n || whole_too)) fail_msg("%s, %zu of %zu bytes: %s", messages[i].name, keep, whole.n, taken ? "taken" : e.text);
            if (taken) assert_string_equal(pgoutput_kind_name(m.kind), messages[i].name);
            if (!taken && keep) assert_true(strstr(e.text, messages[i].name) && e.code == ERR_SOURCE_LOG_CORRUPT);
            arena_finish(&a);
            free(exact);
        }
    }
}

static void test_protocols_and_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        unsigned first = 1;
        uint8_t kind = (uint8_t)messages[i].bytes.p[0];
        if (strchr("SEcA", kind)) first = 2;
        if (strchr("bPKrp", kind)) first = 3;
        if (first > 1) refuse(first - 1, messages[i].in_stream, messages[i].bytes, ERR_SOURCE_LOG_CORRUPT, "does not have");
        if (strchr("BCScAbPKrp", kind)) refuse(4, true, messages[i].bytes, ERR_SOURCE_LOG_CORRUPT, "within a segment");
        if (kind == 'E') refuse(4, false, messages[i].bytes, ERR_SOURCE_LOG_CORRUPT, "outside");
    }
    for (unsigned kind = 0; kind < 256; kind++) {
        if (kind && strchr("BCORYIUDTMSEcAbPKrp", (int)kind)) continue;
        char byte[2] = {(char)(uint8_t)kind, 0};
        refuse(4, false, (str){byte, 2}, ERR_SOURCE_LOG_UNKNOWN_EVENT, "unknown kind");
        assert_string_equal(pgoutput_kind_name(kind), "unknown");
    }
    refuse(1, false, STR(""), ERR_SOURCE_LOG_CORRUPT, "empty");
}

static void test_fields(void **state)
{
    (void)state;
    arena a = {0};
    pgoutput_decoder d;
    pgoutput_decoder_init(&d, 4);
    pgoutput_message m = decode(&d, messages[0].bytes, &a);
    assert_true(m.kind == PGOUTPUT_BEGIN && m.u.begin.final_lsn == 0x16b374d848 && m.u.begin.commit_us == EPOCH + 5 && m.u.begin.xid == 741);
    m = decode(&d, messages[1].bytes, &a);
    assert_true(m.u.commit.commit_lsn == 0x16b374d848 && m.u.commit.end_lsn == 0x16b374d850 && m.u.commit.commit_us == EPOCH + 5 && m.u.commit.xid == 0);
    m = decode(&d, messages[4].bytes, &a);
    const pgoutput_relation *r = &m.u.relation;
    assert_true(r->oid == 0x4001 && str_eq(r->schema, STR("public")) && str_eq(r->name, STR("t")) && r->identity == 'd' && r->column_count == 2);
    assert_true(r->columns[0].key && str_eq(r->columns[0].name, STR("id")) && r->columns[0].type_oid == 23 && r->columns[0].type_modifier == -1);
    assert_true(!r->columns[1].key && r->columns[1].type_oid == 1043 && r->columns[1].type_modifier == 36);
    pgoutput_relation copy;
    err e = ERR_INIT;
    assert_true(pgoutput_relation_copy(r, &a, &copy, &e));
    assert_true(copy.columns != r->columns && copy.name.p != r->name.p && str_eq(copy.columns[1].name, STR("v")) && copy.columns[1].type_modifier == 36);
    m = decode(&d, messages[7].bytes, &a);
    const pgoutput_tuple *t = &m.u.change.new;
    assert_true(m.u.change.relation_oid == 0x4001 && !m.u.change.old.values && t->count == 3);
    assert_true(t->values[0].kind == PGOUTPUT_NULL && t->values[1].kind == PGOUTPUT_TEXT && str_eq(t->values[1].bytes, STR("ab")));
    assert_true(t->values[2].kind == PGOUTPUT_BINARY && t->values[2].bytes.n == 0 && t->values[2].bytes.p);
    assert_true(pgoutput_tuple_check(&m.u.change.old, &copy, &e));
    assert_false(pgoutput_tuple_check(t, &copy, &e));
    assert_true(e.code == ERR_SOURCE_LOG_CORRUPT && strstr(e.text, "public.t has 3 values where its description has 2"));
    m = decode(&d, messages[10].bytes, &a);
    assert_true(m.u.change.old_is_key && m.u.change.old.count == 2 && m.u.change.new.values[1].kind == PGOUTPUT_UNCHANGED);
    m = decode(&d, messages[11].bytes, &a);
    assert_true(!m.u.change.old_is_key && m.u.change.old.count == 1);
    m = decode(&d, messages[12].bytes, &a);
    assert_true(!m.u.change.old_is_key && m.u.change.old.count == 1 && !m.u.change.new.values);
    m = decode(&d, messages[14].bytes, &a);
    assert_true(m.u.truncate.cascade && m.u.truncate.restart_identity && m.u.truncate.count == 2 && m.u.truncate.relation_oids[1] == 0x4002);
    arena_finish(&a);
}

static void test_stream_state(void **state)
{
    (void)state;
    arena a = {0};
    pgoutput_decoder d;
    pgoutput_decoder_init(&d, 4);
    pgoutput_message m = decode(&d, STR("S" "\0\0\0\xa" "\1"), &a);
    assert_true(m.u.stream_start.xid == 10 && m.u.stream_start.first && d.in_stream && d.stream_xid == 10 && m.xid == 0);
    m = decode(&d, STR("I" "\0\0\0\xb" "\0\0\x40\1" "N" "\0\1" "n"), &a);
    assert_true(m.xid == 11 && m.u.change.relation_oid == 0x4001 && m.u.change.new.count == 1);
    m = decode(&d, STR("R" "\0\0\0\xb" "\0\0\x40\1" "\0" "t\0" "f" "\0\0"), &a);
    assert_true(m.xid == 11 && str_eq(m.u.relation.schema, STR("pg_catalog")) && m.u.relation.identity == PGOUTPUT_IDENTITY_FULL && m.u.relation.column_count == 0);
    m = decode(&d, STR("E"), &a);
    assert_true(!d.in_stream);
    m = decode(&d, STR("I" "\0\0\x40\1" "N" "\0\1" "n"), &a);
    assert_true(m.xid == 0 && m.u.change.relation_oid == 0x4001);
    m = decode(&d, STR("A" "\0\0\0\xa" "\0\0\0\xb"), &a);
    assert_true(m.u.stream_abort.xid == 10 && m.u.stream_abort.sub_xid == 11 && !m.u.stream_abort.has_place);
    m = decode(&d, STR("A" "\0\0\0\xa" "\0\0\0\xb" LSN TIME), &a);
    assert_true(m.u.stream_abort.has_place && m.u.stream_abort.abort_lsn == 0x16b374d848 && m.u.stream_abort.abort_us == EPOCH + 5);
    m = decode(&d, STR("c" "\0\0\0\xa" "\0" LSN END TIME), &a);
    assert_true(m.u.commit.xid == 10 && m.u.commit.end_lsn == 0x16b374d850);
    m = decode(&d, STR("r" "\0" LSN END TIME "\0\0\0\0\0\0\0\6" "\0\0\0\xa" "gid\0"), &a);
    assert_true(m.u.rollback_prepared.prepare_end_lsn == 0x16b374d848 && m.u.rollback_prepared.rollback_us == EPOCH + 6 && str_eq(m.u.rollback_prepared.gid, STR("gid")));
    arena_finish(&a);
    refuse(3, false, STR("A" "\0\0\0\xa" "\0\0\0\xb" LSN TIME), ERR_SOURCE_LOG_CORRUPT, "left over");
}

static void test_refused(void **state)
{
    (void)state;
    enum err_code unknown = ERR_SOURCE_LOG_UNKNOWN_EVENT, corrupt = ERR_SOURCE_LOG_CORRUPT;
    refuse(1, false, STR("C\1" LSN END TIME), unknown, "flags");
    refuse(1, false, STR("T" "\0\0\0\1" "\4" "\0\0\x40\1"), unknown, "flags");
    refuse(1, false, STR("T" "\0\0\0\0" "\0"), corrupt, "Truncate");
    refuse(1, false, STR("T" "\xff\xff\xff\xff" "\0" "\0\0\x40\1"), corrupt, "Truncate");
    refuse(1, false, STR("M" "\2" LSN "p\0" "\0\0\0\0"), unknown, "flags");
    refuse(1, false, STR("R" "\0\0\x40\1" "s\0" "t\0" "x" "\0\0"), unknown, "replica identity");
    refuse(1, false, STR("R" "\0\0\x40\1" "s\0" "t\0" "d" "\0\1" "\2id\0\0\0\0\x17\xff\xff\xff\xff"), unknown, "flags");
    refuse(1, false, STR("R" "\0\0\x40\1" "s\0" "t\0" "d" "\xff\xff"), corrupt, "number of columns");
    refuse(1, false, STR("I" "\0\0\x40\1" "N" "\0\1" "z"), unknown, "a value of the row");
    refuse(1, false, STR("I" "\0\0\x40\1" "K" "\0\1" "n"), corrupt, "mark of a row");
    refuse(1, false, STR("U" "\0\0\x40\1" "K" "\0\1" "n" "K" "\0\1" "n"), corrupt, "mark of a row");
    refuse(1, false, STR("D" "\0\0\x40\1" "N" "\0\1" "n"), corrupt, "mark of a row");
    refuse(1, false, STR("I" "\0\0\x40\1" "N" "\0\1" "t\xff\xff\xff\xff"), corrupt, "new row");
    refuse(1, false, STR("B" LSN "\x7f\xff\xff\xff\xff\xff\xff\xff" "\0\0\2\xe5"), corrupt, "Begin");
    refuse(2, false, STR("S" "\0\0\0\0" "\1"), corrupt, "Stream Start");
    refuse(2, false, STR("S" "\0\0\0\1" "\2"), unknown, "flags");
    refuse(3, false, STR("b" LSN END TIME "\0\0\0\xa" "\0"), corrupt, "prepared transaction");
}

/* A tuple of as many columns as allowed, and of one more; a gid likewise. */
static void test_limits(void **state)
{
    (void)state;
    for (unsigned extra = 0; extra < 2; extra++) {
        char row[8 + PGOUTPUT_MAX_COLUMNS + 1] = "I" "\0\0\x40\1" "N", gid[29 + PGOUTPUT_MAX_GID_BYTES + 2] = "b" LSN END TIME "\0\0\0\xa";
        row[6] = (char)((PGOUTPUT_MAX_COLUMNS + extra) >> 8);
        row[7] = (char)(uint8_t)((PGOUTPUT_MAX_COLUMNS + extra) & 0xff);
        memset(row + 8, 'n', PGOUTPUT_MAX_COLUMNS + extra);
        memset(gid + 29, 'g', PGOUTPUT_MAX_GID_BYTES + extra);
        str row_bytes = {row, 8 + PGOUTPUT_MAX_COLUMNS + extra}, gid_bytes = {gid, 29 + PGOUTPUT_MAX_GID_BYTES + extra + 1};
        if (extra) {
            refuse(3, false, row_bytes, ERR_SOURCE_LOG_CORRUPT, "number of columns");
            refuse(3, false, gid_bytes, ERR_SOURCE_LOG_CORRUPT, "prepared transaction");
            continue;
        }
        arena a = {0};
        pgoutput_decoder d;
        pgoutput_decoder_init(&d, 3);
        assert_int_equal(decode(&d, row_bytes, &a).u.change.new.count, PGOUTPUT_MAX_COLUMNS);
        assert_int_equal(decode(&d, gid_bytes, &a).u.prepare.gid.n, PGOUTPUT_MAX_GID_BYTES);
        arena_finish(&a);
    }
    pgoutput_decoder d;
    pgoutput_decoder_init(&d, 1);
    arena tight;
    arena_init(&tight, 64, 64);
    pgoutput_message m;
    err e = ERR_INIT;
    assert_false(pgoutput_decode(&d, STR("I" "\0\0\x40\1" "N" "\0\4" "nnnn"), &tight, &m, &e));
    assert_int_equal(e.code, ERR_NO_MEMORY);
    arena_finish(&tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),         cmocka_unit_test(test_protocols_and_places), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_stream_state), cmocka_unit_test(test_refused),              cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
