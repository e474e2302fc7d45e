/* Names and literals in SQL texts for PostgreSQL. */
#include "engine/postgresql/pg_conn.h"

void pg_quote_name(buf *out, str name) { buf_add_quoted(out, name, '"'); }

void pg_quote_table(buf *out, str schema, str table)
{
    pg_quote_name(out, schema);
    buf_add_byte(out, '.');
    pg_quote_name(out, table);
}

void pg_quote_literal(buf *out, str text) { buf_add_quoted(out, text, '\''); }
