/* The text of SHOW CREATE TABLE taken apart, and SQL texts scanned by token. No I/O.
 * Source of the text form: sql/sql_show.cc of MariaDB 10.11, sql/sql_show.cc of MySQL 9.7, measured on both. */
#ifndef ENGINE_MYSQL_DDL_H
#define ENGINE_MYSQL_DDL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Longest text that is taken apart. */
#define DDL_MAX_BYTES (16u * 1024 * 1024)

typedef enum ddl_token_kind {
    DDL_END,
    DDL_NAME,   /* `quoted` */
    DDL_STRING, /* 'quoted' */
    DDL_WORD,   /* letters, digits, _, $, bytes above 127; numbers too */
    DDL_PUNCT,  /* one other byte */
    DDL_BAD,    /* a quote without its end */
} ddl_token_kind;

typedef struct ddl_token {
    ddl_token_kind kind;
    str text;           /* as written, with quotes; borrowed from the lexer's text */
    size_t start, end;  /* offsets in the lexer's text */
} ddl_token;

/* White space, comments and the markers of versioned comments are passed over; what stands in a versioned comment is read. */
typedef struct ddl_lexer {
    str text;
    size_t at;
} ddl_lexer;

ddl_token ddl_next(ddl_lexer *l);
bool ddl_is_word(ddl_token t, const char *word);
bool ddl_is_punct(ddl_token t, char c);
/* A name without its quotes; the text itself for words. {NULL,0} without memory. */
str ddl_unquote_name(arena *a, ddl_token t);
/* The value of a string literal (backslash escapes on). {NULL,0} without memory. */
str ddl_unquote_string(arena *a, str literal);

typedef enum ddl_key_kind { DDL_PRIMARY, DDL_UNIQUE, DDL_PLAIN, DDL_FULLTEXT, DDL_SPATIAL, DDL_VECTOR } ddl_key_kind;

typedef struct ddl_column {
    str name;
    str type;           /* "int(10) unsigned" */
    str type_word;      /* "int" */
    str type_group;     /* what stands in the parentheses, p == NULL without */
    str charset, collation;
    str default_sql, on_update_sql, generation_sql /* with parentheses */, check_sql /* with parentheses */, comment_sql, srid;
    bool generated, stored, not_null, null, is_unsigned, zerofill, invisible, auto_increment, compressed;
    str unknown;        /* first word of an attribute that is not known; p == NULL: none */
} ddl_column;

typedef struct ddl_part {
    str column;         /* p == NULL for an expression */
    str expression;     /* with parentheses */
    uint32_t prefix;    /* 0: the whole column */
    bool descending;
} ddl_part;

typedef struct ddl_key {
    ddl_key_kind kind;
    str name;
    ddl_part *parts;
    uint32_t count;
    bool hash;          /* USING HASH */
    bool invisible;     /* INVISIBLE of MySQL, IGNORED of MariaDB */
    str comment_sql, parser, unknown;
    str text;           /* the whole definition as written */
} ddl_key;

typedef struct ddl_foreign_key {
    str name, parent_schema /* p == NULL: the table's own */, parent_table;
    str *columns, *parent_columns;
    uint32_t count;
    str on_delete, on_update; /* "RESTRICT" when not written */
} ddl_foreign_key;

typedef struct ddl_check {
    str name;           /* p == NULL without */
    str expression;     /* with parentheses */
    bool not_enforced;
} ddl_check;

typedef struct ddl_table {
    ddl_column *columns;
    ddl_key *keys;
    ddl_foreign_key *foreign_keys;
    ddl_check *checks;
    uint32_t column_count, key_count, foreign_key_count, check_count;
    str engine, charset, collation, auto_increment, comment_sql, row_format, key_block_size;
    str partition;      /* from the word PARTITION on, p == NULL without */
    bool versioned;
    str physical;       /* first option that says how data is kept (encryption, compression, tablespace) and is not carried */
    str unknown;        /* first element that is not known */
} ddl_table;

/* Takes the text apart; slices are borrowed from it or live in the arena. ERR_NOT_SUPPORTED when it is not a CREATE TABLE of the known form. */
ERR_MUST_USE bool ddl_parse_table(str create_sql, arena *a, ddl_table *ret, err *e);

/* Copies an expression with quoted column names replaced: rename gives the new name, or p == NULL to keep it. */
void ddl_rename_names(str sql, str (*rename)(void *ctx, str name), void *ctx, arena *a, buf *out);

#endif
