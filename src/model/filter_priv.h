/* The compiled row condition: tokens, operands and nodes shared by filter_lex.c, filter_parse.c and filter.c. */
#ifndef MODEL_FILTER_PRIV_H
#define MODEL_FILTER_PRIV_H

#include "model/filter.h"

/* A decimal number of any length as digits: no leading zeros before, no trailing zeros after the point; zero is never negative. */
typedef struct dec {
    bool negative;
    str whole, fraction;
} dec;

/* [-+]digits[.digits], digits on at least one side. Borrowed from text. */
bool dec_parse(str text, dec *ret);
int dec_compare(const dec *a, const dec *b);
/* The double that equals the number, false when none does. */
bool dec_to_exact_double(const dec *d, double *ret);
/* Longest text dec_from_* needs. */
#define DEC_INT_BYTES 24
dec dec_from_i64(int64_t v, char out[DEC_INT_BYTES]);
dec dec_from_u64(uint64_t v, char out[DEC_INT_BYTES]);

/* A point in time as "YYYY-MM-DD HH:MM:SS.ffffff": order of bytes is order of time, zero parts included. */
#define MOMENT_BYTES 26
typedef struct moment {
    char text[MOMENT_BYTES];
} moment;
/* YYYY-MM-DD[ HH:MM:SS[.f]] of 1..6 fraction digits. strict: a date of the calendar in the years 1..9999. */
bool moment_parse(str text, bool strict, moment *ret);

typedef enum token_kind {
    TOKEN_END, TOKEN_WORD, TOKEN_QUOTED_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_HEX,
    TOKEN_EQ, TOKEN_NE, TOKEN_LT, TOKEN_LE, TOKEN_GT, TOKEN_GE, TOKEN_NULL_SAFE_EQ,
    TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA, TOKEN_BANG, TOKEN_AND_AND, TOKEN_PLUS, TOKEN_MINUS,
    TOKEN_OTHER, /* anything else: one that SQL knows and the filter refuses */
} token_kind;

typedef struct token {
    token_kind kind;
    str source; /* as written */
    str value;  /* decoded name or literal, in the arena or borrowed */
} token;

typedef struct lexer {
    const table_def *table;
    str text;
    size_t at;
    arena *a;
    err *e;
} lexer;

/* The next token; fails on text that no SQL lexer accepts or that depends on the session. */
ERR_MUST_USE bool filter_next_token(lexer *l, token *ret);
/* ERR_NOT_SUPPORTED with table, reason and the text as written. Returns false. */
bool filter_refuse(const lexer *l, err_code code, str source, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What a comparison compares. */
typedef enum domain { DOMAIN_EXACT, DOMAIN_REAL, DOMAIN_TIME, DOMAIN_TEXT } domain;

/* What a column can be compared with, by its type. docs/FILTERS.md is printed from the rules (tests/unit/model/test_filter.c). */
typedef enum column_class { CLASS_EXACT, CLASS_BIT, CLASS_YEAR, CLASS_REAL, CLASS_TIME, CLASS_TEXT, CLASS_BINARY, CLASS_OTHER } column_class;

typedef struct class_rule {
    const char *literals; /* "compared with ... only" */
    bool ordered;         /* < <= > >= and BETWEEN as well as equality */
    bool like;
    bool columns;         /* with other columns of the class */
    bool truth;           /* stands alone as a condition: not zero */
    const char *limits;   /* for people: what is refused beside that */
} class_rule;

extern const class_rule filter_class_rules[CLASS_OTHER + 1];
column_class filter_class_of(const column_def *c);

typedef enum operand_kind { OPERAND_COLUMN, OPERAND_NUMBER, OPERAND_STRING, OPERAND_HEX, OPERAND_NULL } operand_kind;

typedef struct operand {
    operand_kind kind;
    uint32_t column;
    str source;
    str text;      /* STRING, HEX */
    dec number;    /* NUMBER */
    double real;   /* NUMBER in DOMAIN_REAL */
    moment time;   /* STRING in DOMAIN_TIME */
} operand;

typedef enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_TRUTH, NODE_COMPARE, NODE_BETWEEN, NODE_IN, NODE_LIKE, NODE_IS_NULL } node_kind;

typedef struct node {
    node_kind kind;
    domain domain;
    token_kind op;      /* COMPARE */
    bool negated;       /* BETWEEN, IN, LIKE, IS_NULL: the NOT form */
    bool pad_space;     /* DOMAIN_TEXT: trailing spaces do not count */
    bool utf8;          /* LIKE: one character may be several bytes */
    operand *operands;  /* TRUTH, IS_NULL 1; COMPARE, LIKE 2; BETWEEN 3; IN 1 + list */
    uint32_t count;
    struct node *child; /* AND, OR: first of a list; NOT: the one */
    struct node *next;  /* in the parent's list */
} node;

struct filter {
    const table_def *table;
    node *root;
};

/* Sets domain, pad_space, utf8 and the literals' parsed forms of a node, or refuses it (filter_check.c). */
ERR_MUST_USE bool filter_check_node(const lexer *l, node *n);
/* Does the UTF-8 or byte text match a LIKE pattern with the escape character '\'? */
bool filter_like(str text, str pattern, bool utf8);

#endif
