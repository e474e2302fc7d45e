/* Tokens of MySQL and MariaDB statement text: words, quoted names, strings, symbols; comments are passed over, executable ones are entered.
 * Sources: MySQL manual "Comments", "Schema Object Names"; mariadb.com/kb "Comment Syntax"; statements of both servers in tests/unit/codec. */
#ifndef CODEC_SQL_TOKEN_H
#define CODEC_SQL_TOKEN_H

#include "base/str.h"

/* What the reading of a text depends on. */
typedef struct sql_dialect {
    bool mariadb;
    uint32_t server_number; /* major*10000 + minor*100 + patch: decides which executable comments the server ran */
    uint64_t sql_mode;      /* bits BINLOG_SQL_MODE_* */
    uint32_t charset;       /* collation id of the text, 0 = utf8 */
} sql_dialect;

typedef enum sql_token_kind {
    SQL_TOKEN_END,
    SQL_TOKEN_WORD,   /* keyword, unquoted name or number */
    SQL_TOKEN_NAME,   /* quoted name */
    SQL_TOKEN_STRING, /* quoted string */
    SQL_TOKEN_SYMBOL, /* one byte */
    SQL_TOKEN_BAD,    /* a quote or comment without end, or an executable comment of no clear version: nothing after it can be told */
} sql_token_kind;

typedef struct sql_token {
    sql_token_kind kind;
    str text;      /* without its quotes, still with doubled quotes and escapes; borrowed from the text */
    char quote;    /* of NAME and STRING */
    bool doubled;  /* NAME: holds a doubled quote */
} sql_token;

typedef struct sql_lexer {
    const sql_dialect *dialect;
    str text;
    size_t at;
    bool in_comment; /* inside an executable comment */
} sql_lexer;

void sql_lexer_init(sql_lexer *l, str text, const sql_dialect *d);
sql_token sql_lexer_next(sql_lexer *l);
/* The byte may be part of an unquoted name. */
bool sql_is_word_byte(char c);
/* The token is this unquoted word (ASCII case ignored). */
bool sql_token_is(const sql_token *t, const char *word);
bool sql_token_is_symbol(const sql_token *t, char c);

#endif
