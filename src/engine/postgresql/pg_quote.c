/* Names and literals in SQL texts for PostgreSQL. */
#include "engine/postgresql/pg_conn.h"

static void quote(buf *out, str s, char mark)
{
    buf_add_byte(out, mark);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == mark) buf_add_byte(out, mark);
        buf_add_byte(out, s.p[i]);
    }
    buf_add_byte(out, mark);
}

void pg_quote_name(buf *out, str name) { quote(out, name, '"'); }

void pg_quote_table(buf *out, str schema, str table)
{
    pg_quote_name(out, schema);
    buf_add_byte(out, '.');
    pg_quote_name(out, table);
}

void pg_quote_literal(buf *out, str text) { quote(out, text, '\''); }
