/* PostgreSQL log positions, times and the framing of the replication stream. Bytes of real servers: test_pgoutput_golden.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/pg_replication.h"
#include "codec/pg_time.h"
#include "codec/pg_timeline.h"

static void test_lsn(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        pg_lsn lsn;
        const char *printed; /* NULL: as text */
    } good[] = {
        {"0/0", 0, NULL},
        {"16/B374D848", 0x16b374d848, NULL},
        {"FFFFFFFF/FFFFFFFF", UINT64_MAX, NULL},
        {"0/1", 1, NULL},
        {"a/bcdef", 0xa000bcdef, "A/BCDEF"},
        {"00000016/0374D848", 0x160374d848, "16/374D848"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        err e = ERR_INIT;
        pg_lsn lsn = 7;
        char out[PG_LSN_TEXT_BYTES];
        if (!pg_lsn_parse(str_from_c(good[i].text), &lsn, &e)) fail_msg("%s: %s", good[i].text, e.text);
        assert_true(lsn == good[i].lsn);
        assert_string_equal(pg_lsn_format(lsn, out), good[i].printed ? good[i].printed : good[i].text);
    }
    static const char *const bad[] = {"", "/", "0/", "/0", "0", "0/0/0", "0/ 0", " 0/0", "0/0 ", "-1/0", "0/g", "123456789/0", "0/000000000", "0x1/0", "0//0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err e = ERR_INIT;
        pg_lsn lsn = 7;
        if (pg_lsn_parse(str_from_c(bad[i]), &lsn, &e)) fail_msg("%s was taken", bad[i]);
        assert_true(e.code == ERR_CORRUPT && lsn == 7 && strstr(e.text, bad[i]));
    }
    assert_true(pg_lsn_compare(1, 2) < 0 && pg_lsn_compare(2, 1) > 0 && pg_lsn_compare(2, 2) == 0);
    assert_true(pg_lsn_compare(UINT64_MAX, 0) > 0);
}

static int64_t read_time(uint64_t wire, bool *ret_failed)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (char)(uint8_t)(wire >> (56 - 8 * i));
    cursor c = cursor_of((str){bytes, 8});
    int64_t us = pg_time_read(&c);
    *ret_failed = c.failed;
    return us;
}

static void test_time(void **state)
{
    (void)state;
    bool failed;
    assert_true(read_time(0, &failed) == 946684800000000 && !failed);
    assert_true(read_time((uint64_t)-946684800000000, &failed) == 0 && !failed);
    assert_true(read_time((uint64_t)INT64_MIN, &failed) == INT64_MIN + PG_TIME_EPOCH_US && !failed);
    assert_true(read_time((uint64_t)(INT64_MAX - PG_TIME_EPOCH_US), &failed) == INT64_MAX && !failed);
    assert_true(read_time((uint64_t)(INT64_MAX - PG_TIME_EPOCH_US + 1), &failed) == 0 && failed);
    assert_true(pg_time_from_unix_us(0) == -946684800000000);
    assert_true(pg_time_from_unix_us(INT64_MAX) == INT64_MAX - PG_TIME_EPOCH_US);
    assert_true(pg_time_from_unix_us(INT64_MIN) == INT64_MIN);
}

#define DATA "w" "\0\0\0\x16\xb3\x74\xd8\x48" "\0\0\0\x16\xb3\x74\xd8\x50" "\0\0\0\0\0\0\0\1"
#define KEEPALIVE "k" "\0\0\0\x16\xb3\x74\xd8\x50" "\xff\xff\xff\xff\xff\xff\xff\xff" "\1"

static void test_frames(void **state)
{
    (void)state;
    err e = ERR_INIT;
    pg_replication_message m;
    assert_true(pg_replication_parse(STR(DATA "abc"), &m, &e));
    assert_true(m.kind == PG_REPLICATION_DATA && m.start == 0x16b374d848 && m.wal_end == 0x16b374d850 && m.sent_us == PG_TIME_EPOCH_US + 1);
    assert_true(str_eq(m.payload, STR("abc")) && !m.reply_requested);
    assert_true(pg_replication_parse(STR(DATA), &m, &e) && m.payload.n == 0);
    assert_true(pg_replication_parse(STR(KEEPALIVE), &m, &e));
    assert_true(m.kind == PG_REPLICATION_KEEPALIVE && m.start == 0 && m.wal_end == 0x16b374d850 && m.sent_us == PG_TIME_EPOCH_US - 1 && m.reply_requested);
    static const str bad[] = {{"", 0}, {"x", 1}, {KEEPALIVE "\0", sizeof KEEPALIVE}, {DATA, 8}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = ERR_INIT;
        assert_false(pg_replication_parse(bad[i], &m, &e));
        assert_int_equal(e.code, ERR_PROTOCOL);
    }
    for (size_t keep = 0; keep < sizeof KEEPALIVE - 1; keep++) assert_false(pg_replication_parse((str){KEEPALIVE, keep}, &m, &e));
    for (size_t keep = 0; keep < sizeof DATA - 1; keep++) assert_false(pg_replication_parse((str){DATA, keep}, &m, &e));
}

static void test_status(void **state)
{
    (void)state;
    pg_replication_status s = {.written = 0x16b374d848, .flushed = 2, .applied = UINT64_MAX, .sent_us = PG_TIME_EPOCH_US + 258, .reply_requested = true};
    char out[PG_REPLICATION_STATUS_BYTES];
    pg_replication_status_build(&s, out);
    const char want[] = "r" "\0\0\0\x16\xb3\x74\xd8\x48" "\0\0\0\0\0\0\0\2" "\xff\xff\xff\xff\xff\xff\xff\xff" "\0\0\0\0\0\0\1\2" "\1";
    assert_int_equal(sizeof want - 1, sizeof out);
    assert_memory_equal(out, want, sizeof out);
}

/* The file that PostgreSQL 17 wrote at its second promotion. */
#define HISTORY "1\t0/3000148\tno recovery target specified\n\n2\t1/5000060\tno recovery target specified\n"

static void test_timeline(void **state)
{
    (void)state;
    static const struct {
        const char *history;
        uint32_t timeline;
        pg_lsn end;
    } good[] = {
        {HISTORY, 1, 0x3000148}, {HISTORY, 2, 0x105000060}, {HISTORY, 3, PG_LSN_NONE}, {"", 1, PG_LSN_NONE}, {"# by hand\n\n  \n3\tA/B", 3, 0xa0000000b}, {"3\tA/B", 1, PG_LSN_NONE},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        err e = ERR_INIT;
        pg_lsn end = 7;
        if (!pg_timeline_end(str_from_c(good[i].history), good[i].timeline, &end, &e) || end != good[i].end) fail_msg("%zu: %llx %s", i, (unsigned long long)end, e.text);
    }
    static const char *const bad[] = {"1", "1\t", "1 0/1\t", "x\t0/1", "1\t0-1", "0\t0/1", "1\t0/1\n1\t0/2", "2\t0/1\n1\t0/2", "4294967296\t0/1", "\t0/1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err e = ERR_INIT;
        pg_lsn end = 7;
        if (pg_timeline_end(str_from_c(bad[i]), 1, &end, &e)) fail_msg("%s was taken", bad[i]);
        assert_true(e.code == ERR_CORRUPT && end == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lsn), cmocka_unit_test(test_time), cmocka_unit_test(test_frames), cmocka_unit_test(test_status), cmocka_unit_test(test_timeline)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
