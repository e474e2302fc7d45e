/* Table maps against definitions; images of updates, deletes and MINIMAL sessions, made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/binlog_row.h"

#define TEXT(s) {s, sizeof(s) - 1}

static column_def good_columns[] = {
    {.name = TEXT("id"), .type = COL_INT, .is_unsigned = true, .selected = true},
    {.name = TEXT("v"), .type = COL_VARCHAR, .length = 10, .charset = TEXT("utf8mb4"), .selected = true},
    {.name = TEXT("d"), .type = COL_DECIMAL, .length = 5, .scale = 2, .selected = true},
    {.name = TEXT("e"), .type = COL_ENUM, .labels = (str[]){TEXT("a"), TEXT("b")}, .label_count = 2, .selected = true},
};
static binlog_column map_columns[] = {
    {.type = BINLOG_COL_LONG, .is_unsigned = true, .name = TEXT("id")},
    {.type = BINLOG_COL_VARCHAR, .size = 40, .collation = 255, .name = TEXT("v")},
    {.type = BINLOG_COL_NEWDECIMAL, .size = 5, .scale = 2, .name = TEXT("d")},
    {.type = BINLOG_COL_ENUM, .size = 1, .collation = 45, .labels = (str[]){TEXT("a"), TEXT("b")}, .label_count = 2, .name = TEXT("e")},
};

typedef struct fixture {
    column_def columns[4];
    binlog_column map[4];
    table_def t;
    binlog_table_map m;
} fixture;

static void reset(fixture *f)
{
    memcpy(f->columns, good_columns, sizeof good_columns);
    memcpy(f->map, map_columns, sizeof map_columns);
    f->t = (table_def){.schema = TEXT("s"), .name = TEXT("t"), .columns = f->columns, .column_count = 4};
    f->m = (binlog_table_map){.id = 7, .schema = TEXT("s"), .table = TEXT("t"), .columns = f->map, .column_count = 4, .has_signedness = true};
}

static void refused(fixture *f, err_code code, const char *word)
{
    err e = ERR_INIT;
    assert_false(binlog_table_map_check(&f->m, &f->t, &e));
    assert_int_equal(e.code, code);
    if (str_find(str_from_c(e.text), str_from_c(word)) == SIZE_MAX) fail_msg("no \"%s\" in: %s", word, e.text);
    reset(f);
}

static void test_check(void **state)
{
    (void)state;
    fixture f;
    err e = ERR_INIT;
    reset(&f);
    if (!binlog_table_map_check(&f.m, &f.t, &e)) fail_msg("%s", e.text);
    f.m.column_count = 3;
    refused(&f, ERR_SOURCE_SCHEMA, "3 columns");
    f.map[0].type = BINLOG_COL_LONGLONG;
    refused(&f, ERR_SOURCE_SCHEMA, "BIGINT");
    f.map[0].is_unsigned = false;
    refused(&f, ERR_SOURCE_SCHEMA, "sign");
    f.map[1].name = (str)TEXT("w");
    refused(&f, ERR_SOURCE_SCHEMA, "\"w\"");
    f.map[1].collation = 8;
    refused(&f, ERR_SOURCE_SCHEMA, "latin1");
    f.map[1].size = 9;
    refused(&f, ERR_SOURCE_SCHEMA, "size");
    f.map[1].type = BINLOG_COL_VARCHAR_COMPRESSED;
    refused(&f, ERR_NOT_SUPPORTED, "COMPRESSED");
    f.map[2].scale = 3;
    refused(&f, ERR_SOURCE_SCHEMA, "column d");
    f.map[3].labels = (str[]){TEXT("b"), TEXT("a")};
    refused(&f, ERR_SOURCE_SCHEMA, "labels");
    /* without metadata neither sign, name nor character set is told: nothing to object to */
    f.m.has_signedness = false;
    f.map[0].is_unsigned = false;
    for (int i = 0; i < 4; i++) {
        f.map[i].name = STR_NULL;
        f.map[i].collation = 0;
        f.map[i].labels = NULL;
    }
    if (!binlog_table_map_check(&f.m, &f.t, &e)) fail_msg("%s", e.text);
}

/* UPDATE with a MINIMAL image: before has only id, after only v. */
static const uint8_t minimal_update[] = {7, 0, 0, 0, 0, 0, 1, 0, 2, 0, /* table 7, STMT_END, no extra data */
                                         4, 0x01, 0x02,                /* 4 columns; bits before, after */
                                         0, 0xff, 0xff, 0xff, 0xff,    /* id = 2^32-1 */
                                         0, 2, 'h', 'i',               /* v */
                                         0, 1, 0, 0, 0, 1};            /* second row: id 1; v NULL */

static void test_minimal(void **state)
{
    (void)state;
    fixture f;
    reset(&f);
    arena a = {0};
    err e = ERR_INIT;
    binlog_format format;
    binlog_format_init(&format);
    binlog_event ev = {.type = BINLOG_UPDATE_ROWS, .body = {(const char *)minimal_update, sizeof minimal_update}};
    binlog_rows rows;
    binlog_plan plan;
    binlog_reader reader = {0};
    const val *before, *after;
    bool more;
    assert_true(binlog_rows_parse(&ev, &format, &rows, &e) && binlog_plan_build(&f.m, &f.t, false, &a, &plan, &e));
    assert_int_equal(rows.kind, CHANGE_UPDATE);
    assert_int_equal(rows.flags, BINLOG_ROWS_STMT_END);
    assert_false(binlog_rows_full_images(&rows));
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && more);
    assert_true(before[0].kind == VAL_UINT && before[0].u.u == UINT32_MAX);
    assert_int_equal(before[1].kind, VAL_ABSENT);
    assert_int_equal(after[0].kind, VAL_ABSENT);
    assert_true(after[1].kind == VAL_TEXT && str_eq(val_bytes(&after[1]), STR("hi")));
    assert_true(after[1].u.p >= ev.body.p && after[1].u.p < ev.body.p + ev.body.n); /* text points into the event */
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && more);
    assert_true(before[0].u.u == 1 && after[1].kind == VAL_NULL && after[2].kind == VAL_ABSENT);
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && !more);
    /* columns that are not selected or generated are read over */
    f.columns[1].selected = false;
    assert_true(binlog_rows_parse(&ev, &format, &rows, &e) && binlog_plan_build(&f.m, &f.t, false, &a, &plan, &e));
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && more);
    assert_int_equal(after[1].kind, VAL_ABSENT);
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && more);
    assert_int_equal(after[1].kind, VAL_ABSENT);
    /* the log's column count must be the map's */
    f.m.column_count = 3;
    assert_true(binlog_rows_parse(&ev, &format, &rows, &e) && binlog_plan_build(&f.m, NULL, true, &a, &plan, &e));
    assert_false(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e));
    assert_int_equal(e.code, ERR_SOURCE_LOG_CORRUPT);
    binlog_reader_finish(&reader);
    arena_finish(&a);
}

/* A DELETE of two rows in format 1, all columns. DECIMAL(5,2) 123.45 is 80 7b 2d; -0.01 is its bits turned. */
static const uint8_t full_delete[] = {7, 0, 0, 0, 0, 0, 0, 0, 4, 0x0f, 0x00, 5, 0, 0, 0, 1, 'x', 0x80, 0x7b, 0x2d, 2, 0x0a, 6, 0, 0, 0, 0x7f, 0xff, 0xfe};

static void test_delete(void **state)
{
    (void)state;
    fixture f;
    reset(&f);
    arena a = {0};
    err e = ERR_INIT;
    binlog_format format;
    binlog_format_init(&format);
    binlog_event ev = {.type = BINLOG_DELETE_ROWS_V1, .body = {(const char *)full_delete, sizeof full_delete}};
    binlog_rows rows;
    binlog_plan plan;
    binlog_reader reader = {0};
    const val *before, *after;
    bool more;
    assert_true(binlog_rows_parse(&ev, &format, &rows, &e) && binlog_plan_build(&f.m, &f.t, false, &a, &plan, &e));
    assert_true(binlog_rows_full_images(&rows));
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && more);
    assert_null(after);
    assert_true(str_eq(val_bytes(&before[2]), STR("123.45")) && before[3].u.u == 2);
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && more);
    assert_true(before[1].kind == VAL_NULL && before[3].kind == VAL_NULL && str_eq(val_bytes(&before[2]), STR("-0.01")));
    assert_true(binlog_rows_next(&rows, &plan, &reader, &a, &before, &after, &more, &e) && !more);
    binlog_reader_finish(&reader);
    arena_finish(&a);
}

static void test_unreadable(void **state)
{
    (void)state;
    static const uint8_t unreadable[] = {20, 21, 22, 39, 40, 165, 166, 167, 168, 169, 170, 171, 17, 18};
    for (size_t i = 0; i < sizeof unreadable; i++) {
        assert_true(binlog_event_is_known(unreadable[i]) && binlog_event_is_unreadable(unreadable[i]));
        assert_false(binlog_event_is_rows(unreadable[i]));
    }
    assert_false(binlog_event_is_known(100));
    assert_false(binlog_event_is_known(172));
    assert_string_equal(binlog_event_name(39), "PARTIAL_UPDATE_ROWS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_check), cmocka_unit_test(test_minimal), cmocka_unit_test(test_delete), cmocka_unit_test(test_unreadable)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
