/* Fuzz target: the row condition. Input: one byte that chooses the row, then the condition. What compiles must evaluate, and NOT (x) must be its negation. */
#include <stdlib.h>

#include "model/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define S(literal) {literal, sizeof(literal) - 1}
static column_def columns[] = {
    {.name = S("i"), .type = COL_INT, .nullable = true},
    {.name = S("u"), .type = COL_BIGINT, .is_unsigned = true},
    {.name = S("d"), .type = COL_DECIMAL, .nullable = true},
    {.name = S("f"), .type = COL_DOUBLE, .native_type = S("double")},
    {.name = S("t"), .type = COL_DATETIME, .nullable = true},
    {.name = S("v"), .type = COL_VARCHAR, .charset = S("utf8mb4"), .collation = S("utf8mb4_bin")},
    {.name = S("x"), .type = COL_VARBINARY},
    {.name = S("b"), .type = COL_BIT},
};
#define COLUMN_COUNT (sizeof columns / sizeof *columns)
#define BYTES(k, text) {.kind = (k), .u.p = (text), .n = sizeof(text) - 1}
static const val rows[2][COLUMN_COUNT] = {
    {{.kind = VAL_INT, .u.i = -1}, {.kind = VAL_UINT, .u.u = UINT64_MAX}, BYTES(VAL_NUMBER, "-0.5"), {.kind = VAL_F64, .u.f = 0.5},
     BYTES(VAL_DATETIME, "2024-02-29 00:00:00"), BYTES(VAL_TEXT, "a\xc3\xa9 "), BYTES(VAL_BYTES, "a\0%"), BYTES(VAL_BIT, "\x01")},
    {{.kind = VAL_NULL}, {.kind = VAL_UINT}, {.kind = VAL_NULL}, {.kind = VAL_F64}, {.kind = VAL_NULL}, BYTES(VAL_TEXT, ""), BYTES(VAL_BYTES, ""), BYTES(VAL_BIT, "\0")},
};

/* -1: not compiled; else the result. */
static int result_of(str sql, const val *row, err *e)
{
    arena a;
    arena_init(&a, 4096, 32 * 1024 * 1024);
    table_def t = {.schema = STR("d"), .name = STR("t"), .columns = columns, .column_count = COLUMN_COUNT, .filter_sql = sql};
    filter *f;
    filter_result r;
    int result = -1;
    if (filter_compile(&t, &a, &f, e)) {
        if (!filter_eval(f, row, &r, e)) abort();
        result = (int)r;
    } else if (e->code == ERR_NONE || !e->text[0]) {
        abort();
    }
    arena_finish(&a);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const val *row = rows[data[0] & 1];
    str sql = {(const char *)data + 1, size - 1};
    err e = ERR_INIT;
    int plain = result_of(sql, row, &e);
    if (plain < 0) return 0;
    arena a;
    arena_init(&a, 4096, 0);
    str negated = arena_printf(&a, "NOT (%.*s\n)", STR_ARG(sql));
    bool whole = negated.n == sql.n + 7; /* a NUL byte would cut it */
    int other = whole ? result_of(negated, row, &e) : -1;
    if (other >= 0 && other != (plain == FILTER_UNKNOWN ? FILTER_UNKNOWN : plain == FILTER_FALSE ? FILTER_TRUE : FILTER_FALSE)) abort();
    if (whole && other < 0 && e.code != ERR_LIMIT) abort();
    arena_finish(&a);
    return 0;
}
