/* The grammar of the row condition: OR below AND below NOT below comparisons, as in MySQL. */
#include <string.h>

#include "model/filter_priv.h"

/* Where the parser stands. `now` is the token not yet consumed. */
typedef struct parser {
    lexer l;
    token now;
    unsigned depth;
} parser;

/* An expression that is a condition already, or still a bare operand. */
typedef struct term {
    node *condition; /* NULL: the operand */
    operand operand;
} term;

static bool parse_or(parser *p, term *ret);

static bool advance(parser *p) { return filter_next_token(&p->l, &p->now); }
static bool is_word(const parser *p, str word) { return p->now.kind == TOKEN_WORD && str_eq_nocase(p->now.value, word); }
static bool no_memory(const parser *p) { return err_no_memory(p->l.e, "a filter"); }

static bool refuse_here(const parser *p, const char *reason)
{
    str shown = p->now.kind == TOKEN_END ? STR("end of the filter") : p->now.source;
    return filter_refuse(&p->l, ERR_NOT_SUPPORTED, shown, "%s", reason);
}

static bool enter(parser *p)
{
    if (++p->depth <= FILTER_MAX_DEPTH) return true;
    return filter_refuse(&p->l, ERR_LIMIT, p->now.source, "nested deeper than %d levels", FILTER_MAX_DEPTH);
}

static node *make_node(parser *p, node_kind kind, uint32_t operands)
{
    node *n = arena_alloc(p->l.a, sizeof *n);
    if (!n || !(n->operands = arena_array(p->l.a, operands, sizeof *n->operands))) return NULL;
    n->kind = kind;
    n->count = operands;
    return n;
}

static bool finish_node(parser *p, node *n, term *ret)
{
    *ret = (term){.condition = n};
    return filter_check_node(&p->l, n);
}

/* A bare operand becomes the condition "is not zero". */
static bool make_condition(parser *p, term *t)
{
    if (t->condition) return true;
    node *n = make_node(p, NODE_TRUTH, 1);
    if (!n) return no_memory(p);
    n->operands[0] = t->operand;
    return finish_node(p, n, t);
}

static bool require_operand(parser *p, const term *t)
{
    return !t->condition || refuse_here(p, "the result of a condition is compared or tested; write the test on a column");
}

static bool parse_number(parser *p, str sign, operand *ret)
{
    str text = p->now.source, whole = text;
    if (sign.n) {
        whole = (str){sign.p, (size_t)(text.p + text.n - sign.p)};
        text = arena_printf(p->l.a, "%.*s%.*s", STR_ARG(sign), STR_ARG(text));
        if (!text.p) return no_memory(p);
    }
    *ret = (operand){.kind = OPERAND_NUMBER, .source = whole};
    if (!dec_parse(text, &ret->number)) return refuse_here(p, "not a number");
    return advance(p);
}

/* A name that is not in backticks. */
static const char *const reserved[] = {"AND", "OR", "NOT", "XOR", "IN", "IS", "LIKE", "BETWEEN", "REGEXP", "RLIKE", "DIV", "MOD", "CASE", "INTERVAL",
    "EXISTS", "BINARY", "COLLATE", "SELECT", "CAST", "CONVERT", "MATCH", "DEFAULT", "ESCAPE", "SOUNDS", "MEMBER", "UNKNOWN", "DATE", "TIME", "TIMESTAMP"};

static bool is_reserved(str word)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_eq_nocase(word, str_from_c(reserved[i]))) return true;
    return false;
}

static bool parse_column(parser *p, operand *ret)
{
    token name = p->now;
    if (!advance(p)) return false;
    if (p->now.kind == TOKEN_OPEN)
        return filter_refuse(&p->l, ERR_NOT_SUPPORTED, name.source, "a function; compare the column itself with a value");
    uint32_t at = table_find_column(p->l.table, name.value);
    if (at == UINT32_MAX) {
        if (name.kind == TOKEN_WORD && is_reserved(name.value)) return filter_refuse(&p->l, ERR_NOT_SUPPORTED, name.source, "not supported here");
        return filter_refuse(&p->l, ERR_BAD_INPUT, name.source, "the table has no such column");
    }
    const column_def *c = &p->l.table->columns[at];
    if (c->generated && !c->generated_stored)
        return filter_refuse(&p->l, ERR_NOT_SUPPORTED, name.source, "a virtual column is not in the log; use the columns it is computed from");
    if (name.kind == TOKEN_WORD && p->now.kind == TOKEN_STRING)
        return filter_refuse(&p->l, ERR_NOT_SUPPORTED, name.source, "a literal with a prefix; write a plain '...' literal");
    *ret = (operand){.kind = OPERAND_COLUMN, .column = at, .source = name.source};
    return true;
}

static bool parse_operand(parser *p, operand *ret)
{
    token t = p->now;
    switch (t.kind) {
    case TOKEN_PLUS:
    case TOKEN_MINUS:
        if (!advance(p)) return false;
        if (p->now.kind != TOKEN_NUMBER) return refuse_here(p, "a sign is for a number only; arithmetic is not supported");
        return parse_number(p, t.source, ret);
    case TOKEN_NUMBER: return parse_number(p, STR_NULL, ret);
    case TOKEN_STRING:
    case TOKEN_HEX:
        *ret = (operand){.kind = t.kind == TOKEN_HEX ? OPERAND_HEX : OPERAND_STRING, .source = t.source, .text = t.value};
        if (!advance(p)) return false;
        return p->now.kind != TOKEN_STRING || refuse_here(p, "two literals side by side; write one");
    case TOKEN_QUOTED_NAME: return parse_column(p, ret);
    case TOKEN_WORD:
        if (str_eq_nocase(t.value, STR("NULL"))) *ret = (operand){.kind = OPERAND_NULL, .source = t.source};
        else if (str_eq_nocase(t.value, STR("TRUE"))) *ret = (operand){.kind = OPERAND_NUMBER, .source = t.source, .number = {false, STR("1"), STR("")}};
        else if (str_eq_nocase(t.value, STR("FALSE"))) *ret = (operand){.kind = OPERAND_NUMBER, .source = t.source, .number = {false, STR(""), STR("")}};
        else return parse_column(p, ret);
        return advance(p);
    case TOKEN_END:
    case TOKEN_EQ:
    case TOKEN_NE:
    case TOKEN_LT:
    case TOKEN_LE:
    case TOKEN_GT:
    case TOKEN_GE:
    case TOKEN_NULL_SAFE_EQ:
    case TOKEN_OPEN:
    case TOKEN_CLOSE:
    case TOKEN_COMMA:
    case TOKEN_BANG:
    case TOKEN_AND_AND:
    case TOKEN_OTHER: break;
    }
    return refuse_here(p, "a column or a literal is expected");
}

/* A value in parentheses or bare, after an operator. */
static bool parse_value(parser *p, operand *ret)
{
    if (p->now.kind != TOKEN_OPEN) return parse_operand(p, ret);
    if (!enter(p) || !advance(p) || !parse_value(p, ret)) return false;
    if (p->now.kind != TOKEN_CLOSE) return refuse_here(p, "only a column or a literal is compared; a closing parenthesis is expected");
    p->depth--;
    return advance(p);
}

/* ! binds tighter than every comparison. */
static bool parse_primary(parser *p, term *ret)
{
    if (p->now.kind == TOKEN_BANG) {
        node *n = make_node(p, NODE_NOT, 0);
        if (!n) return no_memory(p);
        if (!enter(p) || !advance(p) || !parse_primary(p, ret) || !make_condition(p, ret)) return false;
        p->depth--;
        n->child = ret->condition;
        *ret = (term){.condition = n};
        return true;
    }
    if (p->now.kind != TOKEN_OPEN) {
        *ret = (term){0};
        return parse_operand(p, &ret->operand);
    }
    if (!enter(p) || !advance(p) || !parse_or(p, ret)) return false;
    if (p->now.kind != TOKEN_CLOSE) return refuse_here(p, "not supported here; a closing parenthesis is expected");
    p->depth--;
    return advance(p);
}

static bool parse_is_null(parser *p, term *t)
{
    node *n = make_node(p, NODE_IS_NULL, 1);
    if (!n) return no_memory(p);
    n->operands[0] = t->operand;
    if (!advance(p)) return false;
    if (is_word(p, STR("NOT"))) {
        n->negated = true;
        if (!advance(p)) return false;
    }
    if (!is_word(p, STR("NULL"))) return refuse_here(p, "IS is for NULL and NOT NULL only");
    return advance(p) && finish_node(p, n, t);
}

static bool parse_between(parser *p, bool negated, term *t)
{
    node *n = make_node(p, NODE_BETWEEN, 3);
    if (!n) return no_memory(p);
    n->negated = negated;
    n->operands[0] = t->operand;
    if (!advance(p) || !parse_value(p, &n->operands[1])) return false;
    if (!is_word(p, STR("AND"))) return refuse_here(p, "BETWEEN needs AND and a second value");
    return advance(p) && parse_value(p, &n->operands[2]) && finish_node(p, n, t);
}

static bool parse_in(parser *p, bool negated, term *t)
{
    node *n = make_node(p, NODE_IN, 0);
    if (!n) return no_memory(p);
    n->negated = negated;
    if (!advance(p)) return false;
    if (p->now.kind != TOKEN_OPEN) return refuse_here(p, "IN needs a list in parentheses");
    uint32_t cap = 8;
    operand *list = arena_array(p->l.a, cap, sizeof *list);
    if (!list) return no_memory(p);
    list[n->count++] = t->operand;
    do {
        if (n->count == cap) { /* the abandoned half lives as long as the filter: at most once its size */
            operand *more = arena_array(p->l.a, (size_t)cap * 2, sizeof *more);
            if (!more) return no_memory(p);
            memcpy(more, list, cap * sizeof *list);
            list = more;
            cap *= 2;
        }
        if (!advance(p) || !parse_value(p, &list[n->count])) return false;
        n->count++;
    } while (p->now.kind == TOKEN_COMMA);
    if (p->now.kind != TOKEN_CLOSE) return refuse_here(p, "a comma or a closing parenthesis is expected");
    n->operands = list;
    return advance(p) && finish_node(p, n, t);
}

static bool parse_like(parser *p, bool negated, term *t)
{
    node *n = make_node(p, NODE_LIKE, 2);
    if (!n) return no_memory(p);
    n->negated = negated;
    n->operands[0] = t->operand;
    if (!advance(p) || !parse_value(p, &n->operands[1])) return false;
    if (is_word(p, STR("ESCAPE"))) return refuse_here(p, "the escape character is \\ only");
    return finish_node(p, n, t);
}

/* One more comparison or test after t; *ret_more is false when none follows. */
static bool parse_suffix(parser *p, term *t, bool *ret_more)
{
    token_kind op = p->now.kind;
    bool negated = is_word(p, STR("NOT"));
    *ret_more = true;
    if (op >= TOKEN_EQ && op <= TOKEN_NULL_SAFE_EQ) {
        node *n = make_node(p, NODE_COMPARE, 2);
        if (!n) return no_memory(p);
        if (!require_operand(p, t)) return false;
        n->op = op;
        n->operands[0] = t->operand;
        return advance(p) && parse_value(p, &n->operands[1]) && finish_node(p, n, t);
    }
    if (is_word(p, STR("IS"))) return require_operand(p, t) && parse_is_null(p, t);
    if (negated && (!require_operand(p, t) || !advance(p))) return false;
    if (is_word(p, STR("BETWEEN"))) return require_operand(p, t) && parse_between(p, negated, t);
    if (is_word(p, STR("IN"))) return require_operand(p, t) && parse_in(p, negated, t);
    if (is_word(p, STR("LIKE"))) return require_operand(p, t) && parse_like(p, negated, t);
    *ret_more = false;
    return !negated || refuse_here(p, "after NOT comes IN, BETWEEN or LIKE");
}

static bool parse_comparison(parser *p, term *ret)
{
    if (!parse_primary(p, ret)) return false;
    for (bool more = true; more;)
        if (!parse_suffix(p, ret, &more)) return false;
    return true;
}

static bool parse_not(parser *p, term *ret)
{
    if (!is_word(p, STR("NOT"))) return parse_comparison(p, ret);
    node *n = make_node(p, NODE_NOT, 0);
    if (!n) return no_memory(p);
    if (!enter(p) || !advance(p) || !parse_not(p, ret) || !make_condition(p, ret)) return false;
    p->depth--;
    n->child = ret->condition;
    *ret = (term){.condition = n};
    return true;
}

static bool at_operator(const parser *p, node_kind kind)
{
    return kind == NODE_OR ? is_word(p, STR("OR")) : is_word(p, STR("AND")) || p->now.kind == TOKEN_AND_AND;
}

/* A chain of ANDs or ORs as one node, so that a long one does not recurse. */
static bool parse_chain(parser *p, node_kind kind, bool (*parse_part)(parser *, term *), term *ret)
{
    if (!parse_part(p, ret)) return false;
    if (!at_operator(p, kind)) return true;
    node *n = make_node(p, kind, 0);
    if (!n) return no_memory(p);
    if (!make_condition(p, ret)) return false;
    node **tail = &n->child;
    *tail = ret->condition;
    while (at_operator(p, kind)) {
        term part;
        if (!advance(p) || !parse_part(p, &part) || !make_condition(p, &part)) return false;
        tail = &(*tail)->next;
        *tail = part.condition;
    }
    *ret = (term){.condition = n};
    return true;
}

static bool parse_and(parser *p, term *ret) { return parse_chain(p, NODE_AND, parse_not, ret); }
static bool parse_or(parser *p, term *ret) { return parse_chain(p, NODE_OR, parse_and, ret); }

bool filter_compile(const table_def *t, arena *a, filter **ret, err *e)
{
    parser p = {.l = {.table = t, .text = t->filter_sql, .a = a, .e = e}};
    if (t->filter_sql.n > FILTER_MAX_BYTES)
        return err_set(e, ERR_LIMIT, "the filter of %.*s.%.*s has %zu bytes, at most %d are allowed", STR_ARG(t->schema), STR_ARG(t->name), t->filter_sql.n,
                       FILTER_MAX_BYTES);
    if (!str_is_utf8(t->filter_sql)) return filter_refuse(&p.l, ERR_BAD_INPUT, STR_NULL, "the text is not UTF-8");
    term all;
    if (!advance(&p) || !parse_or(&p, &all) || !make_condition(&p, &all)) return false;
    if (p.now.kind != TOKEN_END)
        return refuse_here(&p, "not supported here; a filter is made of columns, literals, comparisons, IN, BETWEEN, LIKE, IS NULL, AND, OR, NOT");
    filter *f = arena_alloc(a, sizeof *f);
    if (!f) return no_memory(&p);
    *f = (filter){t, all.condition};
    *ret = f;
    return true;
}
