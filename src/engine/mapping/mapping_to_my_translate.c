/* Expressions of PostgreSQL as pg_get_expr prints them (each operator in its own parentheses, each constant with its cast), as MySQL's and MariaDB's, where all
 * three give the same result for every row that PostgreSQL has taken; all else is refused and told. Refused therefore: order of texts (collations), case mapping,
 * patterns, division of decimals, implicit conversions, functions that are not listed. Texts are compared by their bytes, as PostgreSQL does for equality. */
#include "engine/mapping/mapping_to_my.h"

#include <string.h>

#define DEPTH_MOST 100
#define SCALE_MOST 30 /* digits behind the point of MySQL's and MariaDB 10.11's DECIMAL */

enum kind { K_NULL, K_BOOL, K_INT, K_DECIMAL, K_TEXT, K_DATE, K_DATETIME, K_MOMENT };

/* A part of the expression; sql.p == NULL: refused. */
typedef struct part {
    enum kind kind;
    str sql;
    uint32_t scale;  /* K_DECIMAL */
    bool literal;    /* text: the quoted constant itself */
} part;

enum token { END, BAD, WORD, NAME /* quoted */, STRING, NUMBER, SIGN };

typedef struct parser {
    const my_work *w;
    const my_scope *scope; /* of a view: its tables; else NULL */
    uint32_t scope_count;
    str sql;
    size_t at, start;      /* behind the token, of the token */
    enum token token;
    str text; /* of the token; names and strings without their quotes */
    unsigned depth;
} parser;

static const part refused = {0};
static bool is_refused(part p) { return !p.sql.p; }
static bool is_number(part p) { return p.kind == K_INT || p.kind == K_DECIMAL; }

/* ---- tokens ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (uint8_t)c > 127; }
static char look(const parser *p, size_t more) { return p->at + more < p->sql.n ? p->sql.p[p->at + more] : 0; }

/* "a""b" or 'a''b'; E'...' is refused: its backslashes are rare. */
static void take_quoted(parser *p, char mark)
{
    char *out = arena_bytes(p->w->m->a, p->sql.n - p->at);
    size_t n = 0;
    for (p->at++; out && p->at < p->sql.n; p->at++) {
        if (look(p, 0) == mark && look(p, 1) != mark) {
            p->at++;
            p->token = mark == '"' ? NAME : STRING;
            p->text = (str){out, n};
            return;
        }
        if (look(p, 0) == mark) p->at++;
        out[n++] = look(p, 0);
    }
    p->token = BAD;
}

static void advance(parser *p)
{
    while (look(p, 0) == ' ' || look(p, 0) == '\n') p->at++;
    size_t start = p->start = p->at;
    char c = look(p, 0);
    p->text = STR("");
    if (p->at >= p->sql.n) {
        p->token = END;
        return;
    }
    if (c == '"' || c == '\'') {
        take_quoted(p, c);
        return;
    }
    if (is_letter(c)) {
        while (is_letter(look(p, 0)) || is_digit(look(p, 0)) || look(p, 0) == '$') p->at++;
        p->token = look(p, 0) == '\'' ? BAD : WORD;
    } else if (is_digit(c)) {
        while (is_digit(look(p, 0)) || look(p, 0) == '.') p->at++;
        p->token = is_letter(look(p, 0)) ? BAD : NUMBER;
    } else if (strchr("()[],.", c)) {
        p->at++;
        p->token = SIGN;
    } else {
        while (look(p, 0) && strchr("+-*/<>=~!@#%^&|`?:", look(p, 0))) p->at++;
        p->token = p->at > start ? SIGN : BAD;
    }
    p->text = str_sub(p->sql, start, p->at - start);
}

static bool is_sign(const parser *p, const char *s) { return p->token == SIGN && str_eq(p->text, str_from_c(s)); }
static bool take_sign(parser *p, const char *s) { return is_sign(p, s) ? advance(p), true : false; }
static bool is_word(const parser *p, const char *s) { return p->token == WORD && str_eq(p->text, str_from_c(s)); }
static bool take_word(parser *p, const char *s) { return is_word(p, s) ? advance(p), true : false; }

/* ---- making parts ---- */

static part made(enum kind kind, str sql) { return (part){.kind = kind, .sql = sql}; }

static part binary(const parser *p, enum kind kind, part a, const char *op, part b)
{
    return made(kind, arena_printf(p->w->m->a, "(%.*s %s %.*s)", STR_ARG(a.sql), op, STR_ARG(b.sql)));
}

static part around(const parser *p, enum kind kind, const char *before, part a, const char *after)
{
    return made(kind, arena_printf(p->w->m->a, "%s%.*s%s", before, STR_ARG(a.sql), after));
}

static part parse_operand(parser *p);
static part parse_chain(parser *p);

/* ---- operands ---- */

static part text_literal(const parser *p, str text)
{
    BUF_AUTO sql = BUF_INIT;
    my_add_literal(&sql, text);
    part t = made(K_TEXT, sql.failed ? STR_NULL : arena_copy(p->w->m->a, buf_str(&sql)));
    t.literal = true;
    return t;
}

static part number(str text)
{
    size_t point = str_find_byte(text, '.', 0);
    part n = made(point == SIZE_MAX ? K_INT : K_DECIMAL, text);
    int64_t v;
    if (point == SIZE_MAX && !str_to_i64(text, &v)) n.kind = K_DECIMAL;
    if (point != SIZE_MAX) n.scale = (uint32_t)(text.n - point - 1);
    return text.n > 40 || n.scale > SCALE_MOST ? refused : n;
}

/* A name, and in a view the one behind its point: what has the column, and its index; NULL: there is none. */
static const my_work *find_column(parser *p, str name, str *ret_alias, uint32_t *ret)
{
    const my_work *w = p->scope ? NULL : p->w;
    *ret_alias = STR("");
    if (p->scope && take_sign(p, ".")) {
        for (uint32_t i = 0; i < p->scope_count; i++)
            if (str_eq(p->scope[i].alias, name)) w = &p->scope[i].w, *ret_alias = name;
        name = p->token == WORD || p->token == NAME ? p->text : STR("");
        advance(p);
    } else if (p->scope && p->scope_count == 1) {
        w = &p->scope[0].w;
        *ret_alias = p->scope[0].alias;
    }
    *ret = w ? table_find_column(w->s, name) : UINT32_MAX;
    return *ret == UINT32_MAX || !str_eq(w->s->columns[*ret].name, name) || !w->s->columns[*ret].selected || !w->t->columns[*ret].selected ? NULL : w;
}

static void add_column_name(str alias, const column_def *t, buf *sql)
{
    if (alias.n) my_add_name(sql, alias);
    if (alias.n) buf_add_byte(sql, '.');
    my_add_name(sql, t->name);
}

static part column_part(parser *p, str name)
{
    str alias;
    uint32_t i;
    const my_work *w = find_column(p, name, &alias, &i);
    if (!w || (!p->scope && (w->s->columns[i].generated || w->t->columns[i].auto_increment))) return refused;
    if (p->scope && w->details[i] && w->details[i]->no_value != MY_NO_VALUE_ERROR) return refused; /* some values are others */
    const column_def *s = &w->s->columns[i], *t = &w->t->columns[i];
    const type_def *type = my_base_type(s);
    BUF_AUTO sql = BUF_INIT;
    add_column_name(alias, t, &sql);
    part c = made(K_NULL, sql.failed ? STR_NULL : arena_copy(p->w->m->a, buf_str(&sql)));
    c.scale = t->scale;
    switch (type->type) {
    case COL_SMALLINT:
    case COL_INT:
    case COL_BIGINT: c.kind = K_INT; return t->type <= COL_BIGINT ? c : refused;
    case COL_DECIMAL: c.kind = K_DECIMAL; return t->type == COL_DECIMAL ? c : refused;
    case COL_TEXT:
    case COL_VARCHAR: c.kind = K_TEXT; return (t->type == COL_TEXT || t->type == COL_VARCHAR) && t->charset.n ? c : refused;
    case COL_DATE: c.kind = K_DATE; return t->type == COL_DATE ? c : refused;
    case COL_DATETIME: c.kind = K_DATETIME; return t->type == COL_DATETIME ? c : refused;
    case COL_TIMESTAMP: c.kind = K_MOMENT; return t->type == COL_DATETIME ? c : refused;
    default: break;
    }
    bool boolean = type->kind == 'b' && str_eq(type->schema, STR("pg_catalog")) && str_eq(type->name, STR("bool"));
    return boolean ? around(p, K_BOOL, "(", c, " <> 0)") : refused;
}

static part function(parser *p, str name)
{
    part list[8];
    uint32_t n = 0;
    if (!is_sign(p, ")"))
        do {
            if (n == 8) return refused;
            list[n] = parse_chain(p);
            if (is_refused(list[n++])) return refused;
        } while (take_sign(p, ","));
    if (!take_sign(p, ")")) return refused;
    bool length = str_eq(name, STR("char_length")) || str_eq(name, STR("character_length")) || str_eq(name, STR("length"));
    if (length && n == 1 && list[0].kind == K_TEXT) return around(p, K_INT, "char_length(", list[0], ")");
    if (str_eq(name, STR("abs")) && n == 1 && is_number(list[0])) {
        part r = around(p, list[0].kind, "abs(", list[0], ")");
        r.scale = list[0].scale;
        return r;
    }
    if (!str_eq(name, STR("COALESCE")) || n < 2 || list[0].kind == K_BOOL || list[0].kind == K_NULL) return refused;
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "coalesce(");
    part r = made(list[0].kind, STR(""));
    for (uint32_t i = 0; i < n; i++) {
        if (list[i].kind != r.kind && !(is_number(list[i]) && is_number(r))) return refused;
        if (list[i].kind == K_DECIMAL) r.kind = K_DECIMAL;
        if (list[i].scale > r.scale) r.scale = list[i].scale;
        if (i) buf_add_byte(&sql, ',');
        buf_add(&sql, list[i].sql);
    }
    buf_add_byte(&sql, ')');
    r.sql = sql.failed ? STR_NULL : arena_copy(p->w->m->a, buf_str(&sql));
    return r;
}

static part primary(parser *p)
{
    str text = p->text;
    if (take_sign(p, "(")) {
        part inside = parse_chain(p);
        return take_sign(p, ")") ? inside : refused;
    }
    if (take_sign(p, "-")) {
        part a = p->token == NUMBER ? number(p->text) : refused;
        advance(p);
        part n = around(p, a.kind, "(-", a, ")");
        n.scale = a.scale;
        return is_refused(a) ? refused : n;
    }
    enum token token = p->token;
    advance(p);
    if (token == STRING) return text_literal(p, text);
    if (token == NUMBER) return number(text);
    if (token == NAME) return is_sign(p, "(") ? refused : column_part(p, text);
    if (token != WORD) return refused;
    if (take_sign(p, "(")) return function(p, text);
    if (str_eq(text, STR("NULL"))) return made(K_NULL, text);
    if (str_eq(text, STR("true"))) return made(K_BOOL, STR("(1 = 1)"));
    if (str_eq(text, STR("false"))) return made(K_BOOL, STR("(1 = 0)"));
    return column_part(p, text);
}

/* ---- casts ---- */

/* The words of a type, "(10,2)" left out; empty: none that is known. */
static str take_type(parser *p)
{
    str first = p->text;
    if (p->token != WORD) return STR("");
    advance(p);
    if (str_eq(first, STR("character"))) (void)take_word(p, "varying");
    if (str_eq(first, STR("double"))) (void)take_word(p, "precision");
    if (is_sign(p, "(")) return STR(""); /* it rounds or cuts */
    if (str_eq(first, STR("timestamp")) && (take_word(p, "without") || take_word(p, "with"))) return STR("");
    return first;
}

/* A quoted number: '-1'::integer. */
static part number_of(const parser *p, part a)
{
    str inside = str_sub(a.sql, 1, a.sql.n - 2);
    bool minus = str_starts_with(inside, STR("-"));
    str digits = str_sub(inside, minus, SIZE_MAX);
    for (size_t i = 0; i < digits.n; i++)
        if (!is_digit(digits.p[i]) && digits.p[i] != '.') return refused;
    part n = digits.n && is_digit(digits.p[0]) ? number(digits) : refused, r = around(p, n.kind, minus ? "(-" : "(", n, ")");
    r.scale = n.scale;
    return is_refused(n) ? refused : r;
}

static part cast(const parser *p, part a, str type)
{
    bool integer = str_eq(type, STR("integer")) || str_eq(type, STR("bigint")) || str_eq(type, STR("smallint")), numeric = str_eq(type, STR("numeric"));
    bool text = str_eq(type, STR("text")) || str_eq(type, STR("character"));
    if (is_refused(a)) return a;
    if (a.kind == K_TEXT && a.literal && (integer || numeric)) {
        part n = number_of(p, a);
        if (numeric && !is_refused(n)) n.kind = K_DECIMAL;
        return n;
    }
    if (a.kind == K_TEXT && a.literal && str_eq(type, STR("date")) && a.sql.n == 12) return made(K_DATE, arena_printf(p->w->m->a, "DATE%.*s", STR_ARG(a.sql)));
    if (a.kind == K_TEXT && text) return a;
    if (a.kind == K_INT && integer) return a;
    if (is_number(a) && numeric) return a;
    return refused;
}

static part parse_operand(parser *p)
{
    if (p->depth == DEPTH_MOST) return refused;
    p->depth++;
    part a = primary(p);
    while (!is_refused(a) && take_sign(p, "::")) a = cast(p, a, take_type(p));
    p->depth--;
    return a;
}

/* ---- operators ---- */

static part exact(const parser *p, part a)
{
    const my_state *st = p->w->m->state;
    return a.literal ? a : made(K_TEXT, arena_printf(p->w->m->a, "(%.*s COLLATE %.*s)", STR_ARG(a.sql), STR_ARG(st->collation_bytes)));
}

static bool comparable(part a, part b) { return !is_refused(a) && !is_refused(b) && ((is_number(a) && is_number(b)) || (a.kind == b.kind && a.kind != K_NULL)); }

static part compare(const parser *p, part a, const char *op, part b)
{
    bool equality = strcmp(op, "=") == 0 || strcmp(op, "<>") == 0;
    if (!comparable(a, b) || ((a.kind == K_TEXT || a.kind == K_BOOL) && !equality)) return refused;
    if (a.kind == K_TEXT && a.literal && b.literal) return refused;
    return a.kind == K_TEXT ? binary(p, K_BOOL, exact(p, a), op, exact(p, b)) : binary(p, K_BOOL, a, op, b);
}

static part calculate(const parser *p, part a, const char *op, part b)
{
    bool times = strcmp(op, "*") == 0, rest = strcmp(op, "%") == 0, divide = strcmp(op, "/") == 0;
    if (is_refused(a) || is_refused(b) || !is_number(a) || !is_number(b)) return refused;
    bool integers = a.kind == K_INT && b.kind == K_INT;
    if ((rest || divide) && !integers) return refused;
    part r = binary(p, integers ? K_INT : K_DECIMAL, a, divide ? "DIV" : op, b);
    r.scale = times ? a.scale + b.scale : a.scale > b.scale ? a.scale : b.scale;
    return r.scale > SCALE_MOST ? refused : r;
}

static part concat(const parser *p, part a, part b)
{
    if (is_refused(a) || is_refused(b) || a.kind != K_TEXT || b.kind != K_TEXT) return refused;
    return made(K_TEXT, arena_printf(p->w->m->a, "concat(%.*s,%.*s)", STR_ARG(a.sql), STR_ARG(b.sql)));
}

/* "= ANY (ARRAY[1, 2])", "<> ALL (ARRAY['a'::text])", "= ANY ((ARRAY['a'::character varying])::text[])" behind the word. */
static part in_array(parser *p, part a, bool negated)
{
    unsigned open = 0;
    BUF_AUTO sql = BUF_INIT;
    while (take_sign(p, "(")) open++;
    if (is_refused(a) || !open || open > 2 || !take_word(p, "ARRAY") || !take_sign(p, "[") || is_sign(p, "]")) return refused;
    part left = a.kind == K_TEXT ? exact(p, a) : a;
    buf_printf(&sql, "(%.*s %s (", STR_ARG(left.sql), negated ? "NOT IN" : "IN");
    for (bool first = true; first || take_sign(p, ","); first = false) {
        part one = parse_operand(p);
        if (!comparable(a, one) || (one.kind == K_TEXT && !one.literal)) return refused;
        if (!first) buf_add_byte(&sql, ',');
        buf_add(&sql, one.sql);
    }
    buf_add_c(&sql, "))");
    if (!take_sign(p, "]")) return refused;
    for (; open; open--) {
        if (!take_sign(p, ")")) return refused;
        if (take_sign(p, "::") && (!take_type(p).n || !take_sign(p, "[") || !take_sign(p, "]"))) return refused;
    }
    return made(K_BOOL, sql.failed ? STR_NULL : arena_copy(p->w->m->a, buf_str(&sql)));
}

static part is_something(parser *p, part a)
{
    bool negated = take_word(p, "NOT");
    if (is_refused(a)) return a;
    if (take_word(p, "NULL")) return around(p, K_BOOL, "(", a, negated ? " IS NOT NULL)" : " IS NULL)");
    if (a.kind == K_BOOL && take_word(p, "TRUE")) return around(p, K_BOOL, "(", a, negated ? " IS NOT TRUE)" : " IS TRUE)");
    if (a.kind == K_BOOL && take_word(p, "FALSE")) return around(p, K_BOOL, "(", a, negated ? " IS NOT FALSE)" : " IS FALSE)");
    if (!take_word(p, "DISTINCT") || !take_word(p, "FROM")) return refused;
    part b = parse_operand(p);
    if (!comparable(a, b)) return refused;
    if (a.kind == K_TEXT) a = exact(p, a), b = exact(p, b);
    part same = binary(p, K_BOOL, a, "<=>", b);
    return negated ? same : around(p, K_BOOL, "(NOT ", same, ")");
}

static part with_sign(parser *p, part a)
{
    static const char *const comparisons[] = {"=", "<>", "<", "<=", ">", ">="}, *const sums[] = {"+", "-", "*", "/", "%"};
    str sign = p->text;
    advance(p);
    bool any = str_eq(sign, STR("=")) && take_word(p, "ANY"), all = !any && str_eq(sign, STR("<>")) && take_word(p, "ALL");
    if (any || all) return in_array(p, a, all);
    part b = parse_operand(p);
    if (str_eq(sign, STR("||"))) return concat(p, a, b);
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
        if (str_eq(sign, str_from_c(comparisons[i]))) return compare(p, a, comparisons[i], b);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        if (str_eq(sign, str_from_c(sums[i]))) return calculate(p, a, sums[i], b);
    return refused;
}

/* What stands between two parentheses. */
static part parse_chain(parser *p)
{
    if (p->depth == DEPTH_MOST) return refused;
    if (take_word(p, "NOT")) {
        part a = parse_operand(p);
        return a.kind == K_BOOL && !is_refused(a) ? around(p, K_BOOL, "(NOT ", a, ")") : refused;
    }
    part a = parse_operand(p);
    while (!is_refused(a)) {
        if (take_word(p, "IS")) {
            a = is_something(p, a);
        } else if (is_word(p, "AND") || is_word(p, "OR")) {
            const char *word = is_word(p, "AND") ? "AND" : "OR";
            advance(p);
            part b = parse_operand(p);
            a = a.kind == K_BOOL && b.kind == K_BOOL && !is_refused(b) ? binary(p, K_BOOL, a, word, b) : refused;
        } else if (p->token == SIGN && !is_sign(p, ")") && !is_sign(p, ",") && !is_sign(p, "]")) {
            a = with_sign(p, a);
        } else {
            break;
        }
    }
    return a;
}

bool my_translate(const my_work *w, str sql, const column_def *column, str *ret)
{
    parser p = {.w = w, .sql = sql};
    advance(&p);
    part all = parse_chain(&p);
    if (p.token != END || is_refused(all)) return false;
    bool fits = !column ? all.kind == K_BOOL
                        : (all.kind == K_INT && (column->type <= COL_BIGINT || column->type == COL_DECIMAL)) || (all.kind == K_DECIMAL && column->type == COL_DECIMAL) ||
                              (all.kind == K_TEXT && (column->type == COL_TEXT || column->type == COL_VARCHAR) && column->charset.n);
    *ret = all.sql;
    return fits;
}

/* ---- views ---- */

static parser at_text(const my_text *t)
{
    parser p = {.w = &t->scope[0].w, .scope = t->scope, .scope_count = t->count, .sql = t->sql, .at = t->at};
    advance(&p);
    return p;
}

bool my_at_end(my_text *t)
{
    const parser p = at_text(t);
    return p.token == END || (p.token == BAD && str_eq(str_sub(t->sql, p.start, SIZE_MAX), STR(";")));
}

bool my_take_word(my_text *t, const char *word)
{
    parser p = at_text(t);
    if (!take_word(&p, word)) return false;
    t->at = p.start;
    return true;
}

bool my_take_sign(my_text *t, const char *sign)
{
    parser p = at_text(t);
    if (!take_sign(&p, sign)) return false;
    t->at = p.start;
    return true;
}

/* Words in capitals are PostgreSQL's own. */
bool my_take_name(my_text *t, str *ret)
{
    parser p = at_text(t);
    bool capital = false;
    for (size_t i = 0; p.token == WORD && i < p.text.n; i++) capital = capital || (p.text.p[i] >= 'A' && p.text.p[i] <= 'Z');
    if ((p.token != WORD && p.token != NAME) || capital) return false;
    *ret = p.text;
    advance(&p);
    t->at = p.start;
    return true;
}

bool my_take_view_column(my_text *t, str *ret, str *ret_name)
{
    parser p = at_text(t);
    str alias, name = p.text;
    uint32_t i;
    BUF_AUTO sql = BUF_INIT;
    if (p.token != WORD && p.token != NAME) return false;
    advance(&p);
    const my_work *w = find_column(&p, name, &alias, &i);
    if (!w) return false;
    add_column_name(alias, &w->t->columns[i], &sql);
    *ret = sql.failed ? STR_NULL : arena_copy(w->m->a, buf_str(&sql));
    *ret_name = w->s->columns[i].name;
    t->at = p.start;
    return ret->p != NULL;
}

bool my_translate_in_view(my_text *t, bool condition, str *ret)
{
    parser p = at_text(t);
    part all = parse_chain(&p);
    t->at = p.start;
    *ret = all.sql;
    return !is_refused(all) && (condition ? all.kind == K_BOOL : all.kind != K_NULL && all.kind != K_MOMENT);
}
