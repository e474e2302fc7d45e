/* Quoting of names and literals for statements. */
#include "engine/mysql/conn.h"

void conn_quote_name(buf *out, str name) { buf_add_quoted(out, name, '`'); }

void conn_quote_table(buf *out, str schema, str table)
{
    conn_quote_name(out, schema);
    buf_add_byte(out, '.');
    conn_quote_name(out, table);
}

static bool is_plain(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch < 0x20 || ch > 0x7e || ch == '\'' || ch == '\\' || ch == '"') return false;
    }
    return true;
}

void conn_quote_literal(buf *out, str bytes, str charset)
{
    if (charset.n) {
        buf_add_byte(out, '_');
        buf_add(out, charset);
    }
    /* Plain text after an introducer of a wide charset would be padded: hex is exact there. */
    if (is_plain(bytes) && (!charset.n || !str_starts_with_nocase(charset, STR("u")) || str_starts_with_nocase(charset, STR("utf8")))) {
        buf_add_byte(out, '\'');
        buf_add(out, bytes);
        buf_add_byte(out, '\'');
        return;
    }
    buf_add_c(out, charset.n ? " x'" : "x'");
    buf_add_hex(out, bytes);
    buf_add_byte(out, '\'');
}
