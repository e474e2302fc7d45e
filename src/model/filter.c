/* The row condition evaluated on a row image, in three-valued logic. */
#include "model/filter.h"

#include <stdlib.h>
#include <string.h>

#include "model/filter_priv.h"

/* An operand's value in the domain of its comparison. */
typedef struct value {
    bool is_null;
    dec number;
    double real;
    moment time;
    str text;
    char digits[DEC_INT_BYTES]; /* what number points into */
} value;

static filter_result of_bool(bool fact) { return fact ? FILTER_TRUE : FILTER_FALSE; }

static filter_result negate(filter_result r) { return r == FILTER_UNKNOWN ? r : of_bool(r == FILTER_FALSE); }

static bool bad_value(const filter *f, const column_def *c, err *e)
{
    return err_set(e, ERR_CORRUPT, "the row image of %.*s.%.*s holds a value in column %.*s that its type does not have", STR_ARG(f->table->schema),
                   STR_ARG(f->table->name), STR_ARG(c->name));
}

static bool missing_value(const filter *f, const column_def *c, err *e)
{
    return err_set(e, ERR_SOURCE_LOG_FORMAT, "the row image of %.*s.%.*s lacks the column %.*s that the filter needs: set binlog_row_image=FULL for every session",
                   STR_ARG(f->table->schema), STR_ARG(f->table->name), STR_ARG(c->name));
}

static bool get_number(const val *v, value *ret)
{
    switch (v->kind) {
    case VAL_INT:
    case VAL_YEAR: ret->number = dec_from_i64(v->u.i, ret->digits); return true;
    case VAL_UINT: ret->number = dec_from_u64(v->u.u, ret->digits); return true;
    case VAL_NUMBER: return dec_parse(val_bytes(v), &ret->number);
    case VAL_BIT: {
        uint64_t bits = 0;
        if (v->n > 8) return false;
        for (uint32_t i = 0; i < v->n; i++) bits = bits << 8 | (uint8_t)v->u.p[i];
        ret->number = dec_from_u64(bits, ret->digits);
        return true;
    }
    default: return false;
    }
}

static bool get_real(const column_def *c, const val *v, value *ret)
{
    if (v->kind == VAL_F32 || v->kind == VAL_F64) {
        ret->real = v->u.f;
        return true;
    }
    char text[512], *end;
    if (v->kind != VAL_NUMBER || v->n == 0 || v->n >= sizeof text) return false;
    memcpy(text, v->u.p, v->n);
    text[v->n] = 0;
    ret->real = c->type == COL_FLOAT ? (double)strtof(text, &end) : strtod(text, &end);
    return end == text + v->n;
}

static bool get_column(const filter *f, const node *n, const operand *o, const val *row, value *ret, err *e)
{
    const column_def *c = &f->table->columns[o->column];
    const val *v = &row[o->column];
    if (v->kind == VAL_ABSENT || v->kind == VAL_UNCHANGED) return missing_value(f, c, e);
    ret->is_null = v->kind == VAL_NULL;
    if (ret->is_null) return true;
    bool ok = false;
    switch (n->domain) {
    case DOMAIN_EXACT: ok = get_number(v, ret); break;
    case DOMAIN_REAL: ok = get_real(c, v, ret); break;
    case DOMAIN_TIME:
        ok = (v->kind == VAL_DATE || v->kind == VAL_DATETIME || v->kind == VAL_TIMESTAMP) && moment_parse(val_bytes(v), false, &ret->time);
        break;
    case DOMAIN_TEXT:
        ok = v->kind == VAL_TEXT || v->kind == VAL_BYTES;
        ret->text = val_bytes(v);
        break;
    }
    return ok || bad_value(f, c, e);
}

static bool get_value(const filter *f, const node *n, const operand *o, const val *row, value *ret, err *e)
{
    ret->is_null = o->kind == OPERAND_NULL;
    if (o->kind == OPERAND_COLUMN) return get_column(f, n, o, row, ret, e);
    ret->number = o->number;
    ret->real = o->real;
    ret->time = o->time;
    ret->text = o->text;
    return true;
}

static str without_trailing_spaces(str s)
{
    while (s.n && s.p[s.n - 1] == ' ') s.n--;
    return s;
}

/* <0, 0, >0; for texts only equality means anything. Neither is NULL. */
static int compare_values(const node *n, const value *a, const value *b)
{
    switch (n->domain) {
    case DOMAIN_EXACT: return dec_compare(&a->number, &b->number);
    case DOMAIN_REAL: return (a->real > b->real) - (a->real < b->real);
    case DOMAIN_TIME: return memcmp(a->time.text, b->time.text, MOMENT_BYTES);
    case DOMAIN_TEXT: break;
    }
    return n->pad_space ? str_cmp(without_trailing_spaces(a->text), without_trailing_spaces(b->text)) : str_cmp(a->text, b->text);
}

static bool holds(token_kind op, int order)
{
    switch (op) {
    case TOKEN_NE: return order != 0;
    case TOKEN_LT: return order < 0;
    case TOKEN_LE: return order <= 0;
    case TOKEN_GT: return order > 0;
    case TOKEN_GE: return order >= 0;
    default: return order == 0;
    }
}

static filter_result compare_as(const node *n, token_kind op, const value *a, const value *b)
{
    if (op == TOKEN_NULL_SAFE_EQ && (a->is_null || b->is_null)) return of_bool(a->is_null && b->is_null);
    if (a->is_null || b->is_null) return FILTER_UNKNOWN;
    return of_bool(holds(op, compare_values(n, a, b)));
}

static filter_result and_results(filter_result a, filter_result b)
{
    if (a == FILTER_FALSE || b == FILTER_FALSE) return FILTER_FALSE;
    return a == FILTER_UNKNOWN || b == FILTER_UNKNOWN ? FILTER_UNKNOWN : FILTER_TRUE;
}

/* COMPARE, BETWEEN, IN, LIKE: the first operand against the others. */
static bool eval_comparison(const filter *f, const node *n, const val *row, filter_result *ret, err *e)
{
    value left, right;
    if (!get_value(f, n, &n->operands[0], row, &left, e)) return false;
    filter_result r = n->kind == NODE_BETWEEN ? FILTER_TRUE : FILTER_FALSE;
    for (uint32_t i = 1; i < n->count; i++) {
        if (!get_value(f, n, &n->operands[i], row, &right, e)) return false;
        if (n->kind == NODE_COMPARE) {
            r = compare_as(n, n->op, &left, &right);
        } else if (n->kind == NODE_BETWEEN) {
            r = and_results(r, compare_as(n, i == 1 ? TOKEN_GE : TOKEN_LE, &left, &right));
        } else if (n->kind == NODE_LIKE) {
            r = left.is_null || right.is_null ? FILTER_UNKNOWN : of_bool(filter_like(left.text, right.text, n->utf8));
        } else {
            filter_result one = compare_as(n, TOKEN_EQ, &left, &right);
            if (one == FILTER_TRUE) r = one;
            if (one == FILTER_UNKNOWN && r == FILTER_FALSE) r = one;
            if (r == FILTER_TRUE) break;
        }
    }
    *ret = n->negated ? negate(r) : r;
    return true;
}

static bool eval_truth(const filter *f, const node *n, const val *row, filter_result *ret, err *e)
{
    value v;
    if (!get_value(f, n, &n->operands[0], row, &v, e)) return false;
    *ret = v.is_null ? FILTER_UNKNOWN : of_bool(v.number.whole.n || v.number.fraction.n);
    return true;
}

static bool eval_is_null(const filter *f, const node *n, const val *row, filter_result *ret, err *e)
{
    const operand *o = &n->operands[0];
    bool is_null = o->kind == OPERAND_NULL;
    if (o->kind == OPERAND_COLUMN) {
        const val *v = &row[o->column];
        if (v->kind == VAL_ABSENT || v->kind == VAL_UNCHANGED) return missing_value(f, &f->table->columns[o->column], e);
        is_null = v->kind == VAL_NULL;
    }
    *ret = of_bool(is_null != n->negated);
    return true;
}

static bool eval_node(const filter *f, const node *n, const val *row, filter_result *ret, err *e);

static bool eval_chain(const filter *f, const node *n, const val *row, filter_result *ret, err *e)
{
    filter_result stop = n->kind == NODE_AND ? FILTER_FALSE : FILTER_TRUE, r = of_bool(n->kind == NODE_AND);
    for (const node *c = n->child; c && r != stop; c = c->next) {
        filter_result one;
        if (!eval_node(f, c, row, &one, e)) return false;
        if (one == stop || one == FILTER_UNKNOWN) r = one;
    }
    *ret = r;
    return true;
}

/* Recursion is bounded: the parser accepts FILTER_MAX_DEPTH levels of parentheses and negations. */
static bool eval_node(const filter *f, const node *n, const val *row, filter_result *ret, err *e)
{
    switch (n->kind) {
    case NODE_AND:
    case NODE_OR: return eval_chain(f, n, row, ret, e);
    case NODE_NOT:
        if (!eval_node(f, n->child, row, ret, e)) return false;
        *ret = negate(*ret);
        return true;
    case NODE_TRUTH: return eval_truth(f, n, row, ret, e);
    case NODE_IS_NULL: return eval_is_null(f, n, row, ret, e);
    case NODE_COMPARE:
    case NODE_BETWEEN:
    case NODE_IN:
    case NODE_LIKE: break;
    }
    return eval_comparison(f, n, row, ret, e);
}

bool filter_eval(const filter *f, const val *row, filter_result *ret, err *e)
{
    filter_result r;
    if (!eval_node(f, f->root, row, &r, e)) return false;
    *ret = r;
    return true;
}
