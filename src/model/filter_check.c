/* Which comparisons of the row condition give in C what they give on the server; all others are refused with the fix. */
#include <string.h>

#include "model/filter_priv.h"

const class_rule filter_class_rules[CLASS_OTHER + 1] = {
    [CLASS_EXACT] = {"numbers without quotes", true, false, true, true,
                     "in IN and BETWEEN: no negative number for an unsigned column, none over 9223372036854775807 for a signed one, no mix of signed and unsigned columns"},
    [CLASS_BIT] = {"numbers without quotes", true, false, false, false, "whole numbers from 0"},
    [CLASS_YEAR] = {"numbers without quotes", true, false, false, false, "the numbers 1901 to 2155"},
    [CLASS_REAL] = {"numbers without quotes", true, false, false, false, "only numbers that a binary floating point number equals, like 0.5; no FLOAT(M,D), DOUBLE(M,D)"},
    [CLASS_TIME] = {"'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM:SS'", true, false, false, false,
                    "dates of the calendar; no finer fraction than the column's; a DATE with no time of day; a TIMESTAMP in UTC, from 1970-01-01 00:00:01 to 2038-01-19 03:14:07; "
                    "no IS NULL on a NOT NULL DATE or DATETIME"},
    [CLASS_TEXT] = {"texts in quotes", false, true, false, false,
                    "only columns with a _bin collation and the charset utf8mb4, utf8mb3, latin1 or ascii, the last two with ASCII texts; trailing spaces as the collation says"},
    [CLASS_BINARY] = {"texts in quotes", false, true, false, false, "hexadecimal literals as well, but for LIKE"},
    [CLASS_OTHER] = {"IS NULL and IS NOT NULL, for its type", false, false, false, false, ""},
};

column_class filter_class_of(const column_def *c)
{
    switch (c->type) {
    case COL_TINYINT:
    case COL_SMALLINT:
    case COL_MEDIUMINT:
    case COL_INT:
    case COL_BIGINT:
    case COL_DECIMAL: return CLASS_EXACT;
    case COL_BIT: return CLASS_BIT;
    case COL_YEAR: return CLASS_YEAR;
    case COL_FLOAT:
    case COL_DOUBLE: return CLASS_REAL;
    case COL_DATE:
    case COL_DATETIME:
    case COL_TIMESTAMP: return CLASS_TIME;
    case COL_CHAR:
    case COL_VARCHAR:
    case COL_TEXT: return str_eq_nocase(c->collation, STR("binary")) || str_eq_nocase(c->charset, STR("binary")) ? CLASS_BINARY : CLASS_TEXT;
    case COL_BINARY:
    case COL_VARBINARY:
    case COL_BLOB: return CLASS_BINARY;
    case COL_TIME:
    case COL_ENUM:
    case COL_SET:
    case COL_JSON:
    case COL_GEOMETRY:
    case COL_VECTOR:
    case COL_UUID:
    case COL_INET:
    case COL_OTHER: break;
    }
    return CLASS_OTHER;
}

/* Longest literal MySQL keeps whole: DECIMAL(65,30) (MySQL 8.0 manual, "DECIMAL Data Type Characteristics"). */
#define DECIMAL_DIGITS 65
#define DECIMAL_SCALE 30

static bool check_number(const lexer *l, const operand *o, column_class class)
{
    const dec *d = &o->number;
    if (d->fraction.n > DECIMAL_SCALE || d->whole.n + d->fraction.n > DECIMAL_DIGITS)
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "more digits than DECIMAL(65,30) holds; write fewer");
    if (class == CLASS_BIT && (d->negative || d->fraction.n))
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "a BIT column is compared with whole numbers from 0 only");
    if (class == CLASS_YEAR && (d->negative || d->fraction.n || d->whole.n != 4 || str_cmp(d->whole, STR("1901")) < 0 || str_cmp(d->whole, STR("2155")) > 0))
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "a YEAR column is compared with the numbers 1901 to 2155 only");
    return true;
}

static bool is_utf8_charset(str charset)
{
    return str_eq_nocase(charset, STR("utf8mb4")) || str_eq_nocase(charset, STR("utf8mb3")) || str_eq_nocase(charset, STR("utf8"));
}

static bool has_byte_from(str s, uint8_t low)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] >= low) return true;
    return false;
}

static bool check_text_column(const lexer *l, const column_def *c, const operand *column, node *n)
{
    if (filter_class_of(c) == CLASS_BINARY) return true;
    if (!str_ends_with(c->collation, STR("_bin")))
        return filter_refuse(l, ERR_NOT_SUPPORTED, column->source,
                             "the column's collation %.*s compares letters by rules; filter by a number or date, or by a column with a _bin collation",
                             STR_ARG(c->collation));
    n->utf8 = is_utf8_charset(c->charset);
    if (!n->utf8 && !str_eq_nocase(c->charset, STR("latin1")) && !str_eq_nocase(c->charset, STR("ascii")))
        return filter_refuse(l, ERR_NOT_SUPPORTED, column->source, "texts of the charset %.*s are not compared; use utf8mb4, latin1, ascii or another column",
                             STR_ARG(c->charset));
    /* PAD SPACE is what every _bin collation does but these: utf8mb4_0900_bin (MySQL 8.0 manual, "The utf8mb4 Character Set") and MariaDB's _nopad_bin. */
    n->pad_space = !str_ends_with(c->collation, STR("_0900_bin")) && !str_ends_with(c->collation, STR("_nopad_bin"));
    return true;
}

static bool check_text_literal(const lexer *l, const column_def *c, const operand *o, const node *n)
{
    if (filter_class_of(c) == CLASS_BINARY) return true;
    if (o->kind == OPERAND_HEX) return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "a hexadecimal literal is compared with binary columns only; write '...'");
    if (!n->utf8 && has_byte_from(o->text, 0x80))
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "only ASCII texts are compared with a column of charset %.*s", STR_ARG(c->charset));
    if (n->utf8 && !str_eq_nocase(c->charset, STR("utf8mb4")) && has_byte_from(o->text, 0xf0))
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "the column's charset %.*s has no such character", STR_ARG(c->charset));
    return true;
}

/* IN and BETWEEN mix signed and unsigned in ways that differ between versions (MySQL 9.7 finds 18446744073709551615 IN (-1) true between columns):
 * keep the literals within the column's own range of signs. */
static bool check_signs(const lexer *l, const column_def *c, const operand *o, const node *n)
{
    if (n->kind != NODE_IN && n->kind != NODE_BETWEEN) return true;
    bool is_unsigned = c->is_unsigned || c->type == COL_BIT;
    if (is_unsigned && o->number.negative)
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "a negative number in IN or BETWEEN of an unsigned column; write comparisons with AND or OR");
    dec largest = {.whole = STR("9223372036854775807"), .fraction = STR("")};
    if (!is_unsigned && c->type != COL_DECIMAL && dec_compare(&o->number, &largest) > 0)
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "a number over 9223372036854775807 in IN or BETWEEN of a signed column; write comparisons");
    return true;
}

/* A moment finer than the column: index look-ups round it, comparisons do not (measured on MariaDB 10.11). */
static bool check_precision(const lexer *l, const column_def *c, const operand *o)
{
    const char *rest = o->time.text + 10;
    if (c->type == COL_DATE && memcmp(rest, " 00:00:00.000000", 16) != 0)
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "a time of day is compared with a DATE; write 'YYYY-MM-DD'");
    size_t first = 20 + (size_t)(c->scale < 6 ? c->scale : 6); /* the first digit that the column does not have */
    for (size_t i = first; i < MOMENT_BYTES; i++)
        if (o->time.text[i] != '0') return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "more fraction digits than the column has; write fewer");
    return true;
}

/* Outside the type's range MySQL answers a comparison as a value otherwise than as a condition (measured on 9.7 with zero timestamps). */
static bool check_timestamp(const lexer *l, const column_def *c, const operand *o)
{
    if (c->type != COL_TIMESTAMP) return true;
    if (memcmp(o->time.text, "1970-01-01 00:00:01.000000", MOMENT_BYTES) >= 0 && memcmp(o->time.text, "2038-01-19 03:14:07.999999", MOMENT_BYTES) <= 0) return true;
    return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "outside the range of a TIMESTAMP, 1970-01-01 00:00:01 to 2038-01-19 03:14:07");
}

static bool wrong_literal(const lexer *l, const operand *o, const column_def *c)
{
    return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "the column %.*s is compared with %s only", STR_ARG(c->name), filter_class_rules[filter_class_of(c)].literals);
}

static bool check_literal(const lexer *l, const column_def *c, operand *o, const node *n)
{
    column_class class = filter_class_of(c);
    switch (class) {
    case CLASS_EXACT:
    case CLASS_BIT:
    case CLASS_YEAR:
        if (o->kind != OPERAND_NUMBER) return wrong_literal(l, o, c);
        return check_number(l, o, class) && check_signs(l, c, o, n);
    case CLASS_REAL:
        if (o->kind != OPERAND_NUMBER) return wrong_literal(l, o, c);
        if (!check_number(l, o, class)) return false;
        return dec_to_exact_double(&o->number, &o->real) ||
               filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "no binary floating point number equals it; use one like 0.5 or a DECIMAL column");
    case CLASS_TIME:
        if (o->kind == OPERAND_STRING && moment_parse(o->text, true, &o->time)) return check_precision(l, c, o) && check_timestamp(l, c, o);
        return wrong_literal(l, o, c);
    case CLASS_TEXT:
    case CLASS_BINARY:
        if (o->kind != OPERAND_STRING && o->kind != OPERAND_HEX) return wrong_literal(l, o, c);
        return check_text_literal(l, c, o, n);
    case CLASS_OTHER: break;
    }
    return wrong_literal(l, o, c);
}

/* The rules of the column's type for this kind of node, and the domain. */
static bool check_column(const lexer *l, const operand *o, node *n)
{
    const column_def *c = &l->table->columns[o->column];
    bool by_order = n->kind == NODE_BETWEEN || (n->kind == NODE_COMPARE && n->op != TOKEN_EQ && n->op != TOKEN_NE && n->op != TOKEN_NULL_SAFE_EQ);
    column_class class = filter_class_of(c);
    if (by_order && !filter_class_rules[class].ordered && class != CLASS_OTHER) /* the literals of the others are refused below */
        return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "texts and bytes are compared for equality only; use = <> <=> IN or LIKE");
    switch (class) {
    case CLASS_EXACT:
    case CLASS_BIT:
    case CLASS_YEAR: n->domain = DOMAIN_EXACT; break;
    case CLASS_REAL:
        n->domain = DOMAIN_REAL;
        if (str_find_byte(c->native_type, '(', 0) != SIZE_MAX) /* MySQL compares FLOAT(M,D) with a tolerance */
            return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "the type %.*s is compared with a tolerance; use another column", STR_ARG(c->native_type));
        break;
    case CLASS_TIME: n->domain = DOMAIN_TIME; break;
    case CLASS_TEXT:
    case CLASS_BINARY: n->domain = DOMAIN_TEXT; return check_text_column(l, c, o, n);
    case CLASS_OTHER: break; /* its literals are refused; NULL is fine */
    }
    return true;
}

static bool is_date(const column_def *c) { return c->type == COL_DATE || c->type == COL_DATETIME; }

/* A comparison with NULL on a NOT NULL DATE column finds '0000-00-00' (MySQL 8.0 manual, "Comparison Functions", IS NULL). */
static bool check_null_test(const lexer *l, const operand *o)
{
    const column_def *c = &l->table->columns[o->column];
    if (!is_date(c) || c->nullable) return true;
    return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "IS NULL on a NOT NULL date finds zero dates; remove the test");
}

/* All operands of a comparison: columns and literals that are compared with one another. */
static bool check_operands(const lexer *l, node *n)
{
    uint32_t columns = 0, first = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->operands[i].kind != OPERAND_COLUMN) continue;
        if (columns++ == 0) first = i;
        if (!check_column(l, &n->operands[i], n)) return false;
    }
    const column_def *only = columns ? &l->table->columns[n->operands[first].column] : NULL;
    for (uint32_t i = 0; i < n->count; i++) {
        operand *o = &n->operands[i];
        if (o->kind == OPERAND_NULL && n->kind == NODE_BETWEEN) /* MySQL 9.7 has two answers, by the types */
            return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "NULL in BETWEEN; write comparisons with AND");
        if (o->kind == OPERAND_NULL) continue;
        if (o->kind == OPERAND_COLUMN) {
            if (columns > 1 && n->kind != NODE_COMPARE && l->table->columns[o->column].is_unsigned != only->is_unsigned)
                return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "signed and unsigned columns in one IN or BETWEEN; write comparisons with AND or OR");
            if (columns > 1 && !filter_class_rules[filter_class_of(&l->table->columns[o->column])].columns)
                return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "only integer and DECIMAL columns are compared with one another");
        } else if (only) {
            if (!check_literal(l, only, o, n)) return false;
        } else if (o->kind != OPERAND_NUMBER) {
            return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "two texts are compared; name a column");
        } else if (!check_number(l, o, CLASS_EXACT)) {
            return false;
        }
    }
    return true;
}

static bool check_truth(const lexer *l, const node *n)
{
    const operand *o = &n->operands[0];
    if (o->kind == OPERAND_NULL) return true;
    if (o->kind == OPERAND_NUMBER) return check_number(l, o, CLASS_EXACT);
    if (o->kind == OPERAND_COLUMN && filter_class_rules[filter_class_of(&l->table->columns[o->column])].truth) return true;
    return filter_refuse(l, ERR_NOT_SUPPORTED, o->source, "not a condition; compare it with a value");
}

static bool check_like(const lexer *l, node *n)
{
    operand *left = &n->operands[0], *pattern = &n->operands[1];
    if (left->kind != OPERAND_COLUMN || !filter_class_rules[filter_class_of(&l->table->columns[left->column])].like)
        return filter_refuse(l, ERR_NOT_SUPPORTED, left->source, "LIKE is for text and binary columns");
    if (pattern->kind != OPERAND_STRING && pattern->kind != OPERAND_NULL)
        return filter_refuse(l, ERR_NOT_SUPPORTED, pattern->source, "the pattern of LIKE must be a '...' text");
    return true;
}

/* A comparison with NULL needs no value of the other side, whatever its type: <=> is IS NULL, the others are NULL. */
static void rewrite_null_comparison(node *n)
{
    if (n->kind != NODE_COMPARE) return;
    operand *left = &n->operands[0], *right = &n->operands[1];
    if (left->kind != OPERAND_NULL && right->kind != OPERAND_NULL) return;
    if (n->op == TOKEN_NULL_SAFE_EQ) {
        n->kind = NODE_IS_NULL;
        if (left->kind == OPERAND_NULL) *left = *right;
    } else {
        n->kind = NODE_TRUTH;
        *left = (operand){.kind = OPERAND_NULL, .source = left->source};
    }
    n->count = 1;
}

bool filter_check_node(const lexer *l, node *n)
{
    rewrite_null_comparison(n);
    switch (n->kind) {
    case NODE_TRUTH: return check_truth(l, n);
    case NODE_IS_NULL: return n->operands[0].kind != OPERAND_COLUMN || check_null_test(l, &n->operands[0]);
    case NODE_COMPARE:
    case NODE_BETWEEN:
    case NODE_IN: return check_operands(l, n);
    case NODE_LIKE: return check_operands(l, n) && check_like(l, n);
    case NODE_AND:
    case NODE_OR:
    case NODE_NOT: break;
    }
    return true;
}
