/* Folding of names. */
#include "engine/mysql/name_fold.h"

static bool is_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 127) return false;
    return true;
}

bool name_fold(conn *c, str name, arena *a, str *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    if (is_ascii(name)) {
        char *p = arena_copy_c(a, name);
        for (size_t i = 0; p && i < name.n; i++)
            if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
        if (!p) return err_no_memory(e, "a name");
        *ret = (str){p, name.n};
        return true;
    }
    buf_add_c(&sql, "SELECT CONVERT(LOWER(");
    conn_quote_literal(&sql, name, STR("utf8mb4"));
    buf_add_c(&sql, ") USING utf8mb4)");
    return sql.failed ? err_no_memory(e, "a statement") : conn_query_value(c, buf_c(&sql), a, ret, e);
}
