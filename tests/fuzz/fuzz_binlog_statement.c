/* Fuzz target: statement texts. Input: dialect 1, then the text. */
#include <stdlib.h>

#include "codec/sql_statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t charsets[] = {45, 28, 8, 95};
    if (size < 1) return 0;
    sql_dialect d = {.mariadb = data[0] & 1, .server_number = data[0] & 1 ? 101119 : 80040, .charset = charsets[data[0] >> 1 & 3],
                     .sql_mode = (data[0] & 8 ? BINLOG_SQL_MODE_ANSI_QUOTES : 0) | (data[0] & 16 ? BINLOG_SQL_MODE_NO_BACKSLASH_ESCAPES : 0)};
    arena a;
    arena_init(&a, 4096, 16 << 20);
    sql_statement st;
    err e = ERR_INIT;
    if (!sql_statement_classify((str){(const char *)data + 1, size - 1}, &d, STR("d"), &a, &st, &e)) abort();
    if (st.kind >= SQL_STATEMENT_KIND_COUNT || (st.kind == SQL_STATEMENT_UNKNOWN && st.name_count)) abort();
    if (sql_statement_is_ddl(st.kind) != (st.name_count > 0)) abort();
    for (uint32_t i = 0; i < st.name_count; i++) {
        if (st.names[i].schema.n == 0) abort();
        for (size_t k = 0; k < st.names[i].name.n; k++) sink += (unsigned char)st.names[i].name.p[k];
    }
    bool named = st.kind == SQL_STATEMENT_SAVEPOINT || st.kind == SQL_STATEMENT_RELEASE || st.kind == SQL_STATEMENT_ROLLBACK_TO;
    if (named != (st.savepoint.n > 0)) abort();
    if (sql_statement_mentions((str){(const char *)data + 1, size - 1}, STR("d"))) sink++;
    arena_finish(&a);
    return 0;
}
