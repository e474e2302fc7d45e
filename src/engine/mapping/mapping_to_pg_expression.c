/* Expressions of MySQL (DEFAULT, generated columns, CHECK, indexes, views) as PostgreSQL's, where both servers give the same result for every row; all else is refused
 * and told. What makes them differ and is refused therefore: comparisons of texts (collations), case mapping, division of decimals (digits of the result),
 * implicit conversions, everything with JSON, and functions that are not listed. Integers are computed as bigint, as MySQL does.
 * Source: MySQL 8.4 manual "Expression Syntax", "Operator Precedence"; each form measured on MySQL 9.7, MariaDB 10.11 and PostgreSQL 15 (tests/e2e). */
#include "engine/mapping/mapping_to_pg.h"

#include <string.h>

#define DEPTH_MOST 100

enum kind { K_NULL, K_BOOL, K_INT, K_DECIMAL, K_REAL, K_TEXT, K_DATE, K_DATETIME, K_MOMENT /* with zone */, K_UUID, K_BYTES, K_JSON };

/* A part of the expression: sql.p == NULL is one that was refused. */
typedef struct part {
    enum kind kind;
    str sql;
    bool number; /* a literal integer, not negative */
    str text;    /* a literal text; p == NULL for all else */
    bool exact;  /* a text of a view that the source compares by its letters */
    bool positive; /* of a view: UNSIGNED, whose sums and differences are errors at the source where they fall below 0 */
} part;

typedef struct parser {
    const pg_work *w;
    pg_expression_use use;
    const pg_scope *scope; /* PG_FOR_VIEW: its tables */
    uint32_t scope_count;
    ddl_lexer lexer;
    ddl_token now;
    unsigned depth;
} parser;

static const part refused = {0};
static bool is_refused(part p) { return !p.sql.p; }
static bool is_number(part p) { return p.kind == K_INT || p.kind == K_DECIMAL || p.kind == K_REAL; }

static void advance(parser *p) { p->now = ddl_next(&p->lexer); }
static bool take_word(parser *p, const char *w) { return ddl_is_word(p->now, w) ? advance(p), true : false; }
static bool take_punct(parser *p, char c) { return ddl_is_punct(p->now, c) ? advance(p), true : false; }

static part made(enum kind kind, str sql) { return (part){.kind = kind, .sql = sql}; }
static part binary(parser *p, enum kind kind, part a, const char *op, part b)
{
    return made(kind, arena_printf(p->w->m->a, "(%.*s %s %.*s)", STR_ARG(a.sql), op, STR_ARG(b.sql)));
}
static part call1(parser *p, enum kind kind, const char *before, part a, const char *after)
{
    return made(kind, arena_printf(p->w->m->a, "%s%.*s%s", before, STR_ARG(a.sql), after));
}

static part parse_or(parser *p);

/* MySQL takes a number for true when it is not 0. */
static part as_bool(parser *p, part a)
{
    if (is_refused(a) || a.kind == K_BOOL || a.kind == K_NULL) return a;
    return is_number(a) ? call1(p, K_BOOL, "(", a, " <> 0)") : refused;
}

/* ... and true for 1. */
static part as_value(parser *p, part a) { return a.kind == K_BOOL && !is_refused(a) ? call1(p, K_INT, "", a, "::integer::bigint") : a; }

/* The kind of two numbers together; K_NULL when they are none. */
static enum kind wider(part a, part b)
{
    if (!is_number(a) || !is_number(b)) return K_NULL;
    return a.kind > b.kind ? a.kind : b.kind;
}

/* ---- operands ---- */

static part literal(parser *p, enum kind kind, str text)
{
    BUF_AUTO sql = BUF_INIT;
    pg_add_literal(&sql, text);
    if (kind == K_TEXT && p->use != PG_FOR_DEFAULT) buf_add_c(&sql, "::text");
    part made_of = made(kind, sql.failed ? STR_NULL : arena_copy(p->w->m->a, buf_str(&sql)));
    if (kind == K_TEXT) made_of.text = text;
    return made_of;
}

static part day_of(parser *p, str text) { return made(K_DATE, arena_printf(p->w->m->a, "'%.*s'::date", STR_ARG(text))); }

static part string_part(parser *p)
{
    str text = ddl_unquote_string(p->w->m->a, p->now.text);
    advance(p);
    if (!text.p || !str_is_utf8(text) || str_find_byte(text, 0, 0) != SIZE_MAX) return refused;
    return literal(p, K_TEXT, text);
}

static bool is_digits(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

/* 12, 1.5, 1e3: a word, and behind a point another that touches it. */
static part number_part(parser *p)
{
    size_t start = p->now.start, end = p->now.end;
    str whole = p->now.text;
    bool plain = is_digits(whole);
    advance(p);
    if (plain && ddl_is_punct(p->now, '.') && p->now.start == end) {
        end = p->now.end;
        advance(p);
        if (p->now.kind == DDL_WORD && p->now.start == end) {
            if (!is_digits(p->now.text)) return refused; /* 1.5e3 */
            end = p->now.end;
            advance(p);
        }
        return made(K_DECIMAL, str_sub(p->lexer.text, start, end - start));
    }
    uint64_t value;
    if (!plain || !str_to_u64(whole, &value) || value > INT64_MAX) return refused;
    part n = call1(p, K_INT, "", made(K_INT, whole), p->use == PG_FOR_DEFAULT ? "" : "::bigint");
    n.number = true;
    return n;
}

/* `table`.`column` or `database`.`table`.`column` of a view. */
static const pg_scope *find_scope(const parser *p, const str *names, uint32_t n)
{
    for (uint32_t i = 0; i < p->scope_count; i++) {
        const pg_scope *s = &p->scope[i];
        if (n == 2 ? str_eq(s->alias, names[0]) : !s->aliased && str_eq(s->w.s->schema, names[0]) && str_eq(s->w.s->name, names[1])) return s;
    }
    return NULL;
}

/* The name in PostgreSQL's SQL, and whose column it is; {NULL,0}: none that may stand here. */
static str take_column(parser *p, const pg_work **ret, uint32_t *ret_index)
{
    str names[3];
    uint32_t n = 0;
    const pg_scope *scope = NULL;
    *ret = p->w;
    do {
        if (n == 3 || p->now.kind != DDL_NAME || !(names[n++] = ddl_unquote_name(p->w->m->a, p->now)).p) return STR_NULL;
        advance(p);
    } while (p->scope && take_punct(p, '.'));
    if (p->scope && (n < 2 || !(scope = find_scope(p, names, n)))) return STR_NULL;
    if (scope) *ret = &scope->w;
    *ret_index = table_find_column((*ret)->s, names[n - 1]);
    if (*ret_index == UINT32_MAX || !(*ret)->s->columns[*ret_index].selected || (!scope && (*ret)->s->columns[*ret_index].generated)) return STR_NULL;
    BUF_AUTO sql = BUF_INIT;
    if (scope) pg_add_name(&sql, scope->alias);
    if (scope) buf_add_byte(&sql, '.');
    pg_add_name(&sql, (*ret)->t->columns[*ret_index].name);
    return sql.failed ? STR_NULL : arena_copy(p->w->m->a, buf_str(&sql));
}

/* By bytes, blanks at the end included, as PostgreSQL's; and the target's values are the source's. */
static bool is_exact(const pg_work *w, uint32_t column)
{
    const pg_column_detail *d = w->p->columns[column].detail;
    str collation = w->s->columns[column].collation;
    return d && d->bad_bytes == PG_BAD_ERROR && d->nul == PG_NUL_ERROR && (str_ends_with(collation, STR("_nopad_bin")) || str_ends_with(collation, STR("_0900_bin")));
}

static bool keeps_days(const pg_work *w, uint32_t column)
{
    const pg_column_detail *d = w->p->columns[column].detail;
    return !d || d->no_day == PG_NO_DAY_ERROR;
}

static part typed_column(parser *p, const pg_work *w, uint32_t i, part name);

static part column_part(parser *p)
{
    const pg_work *w;
    uint32_t i;
    part name = made(K_NULL, take_column(p, &w, &i));
    if (is_refused(name) || p->use == PG_FOR_DEFAULT) return refused;
    part c = typed_column(p, w, i, name);
    if (p->use != PG_FOR_VIEW || is_refused(c)) return c;
    c.positive = w->s->columns[i].is_unsigned;
    c.exact = c.kind == K_TEXT && is_exact(w, i);
    return (c.kind == K_DATE || c.kind == K_DATETIME) && !keeps_days(w, i) ? refused : c;
}

static part typed_column(parser *p, const pg_work *w, uint32_t i, part name)
{
    const column_def *s = &w->s->columns[i], *t = &w->t->columns[i];
    switch (t->type) {
    case COL_SMALLINT:
    case COL_INT:
    case COL_BIGINT: return call1(p, K_INT, "", name, "::bigint");
    case COL_DECIMAL: return made(K_DECIMAL, name.sql);
    case COL_FLOAT:
    case COL_DOUBLE: return call1(p, K_REAL, "", name, "::double precision");
    case COL_CHAR: return refused; /* its blanks go when it becomes a text */
    case COL_VARCHAR:
    case COL_TEXT:
        if (s->type != COL_CHAR && s->type != COL_VARCHAR && s->type != COL_TEXT) return refused;
        return call1(p, K_TEXT, "", name, "::text");
    case COL_DATE: return made(K_DATE, name.sql);
    case COL_DATETIME: return made(K_DATETIME, name.sql);
    default: return refused;
    }
}

/* ---- functions ---- */

enum { ARGS_MOST = 16 };

typedef struct args {
    part list[ARGS_MOST];
    uint32_t n;
} args;

static bool all_of(const args *a, enum kind kind)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (a->list[i].kind != kind) return false;
    return a->n > 0;
}

static str join(parser *p, const args *a, const char *glue)
{
    BUF_AUTO sql = BUF_INIT;
    for (uint32_t i = 0; i < a->n; i++) {
        if (i) buf_add_c(&sql, glue);
        buf_add(&sql, a->list[i].sql);
    }
    return sql.failed ? STR_NULL : arena_copy(p->w->m->a, str_or_empty(buf_str(&sql)));
}

/* All arguments of one kind, numbers made alike. */
static part coalesce(parser *p, args *a)
{
    enum kind kind = a->list[0].kind;
    if (a->n < 2) return refused;
    for (uint32_t i = 1; i < a->n; i++) {
        enum kind both = wider(made(kind, STR("")), a->list[i]);
        if (both == K_NULL && a->list[i].kind != kind) return refused;
        if (both != K_NULL) kind = both;
    }
    if (kind == K_BOOL || kind == K_NULL || kind == K_REAL) return refused;
    return call1(p, kind, "coalesce(", made(kind, join(p, a, ", ")), ")");
}

static part concat(parser *p, args *a)
{
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->list[i].kind == K_INT) a->list[i] = call1(p, K_TEXT, "(", a->list[i], ")::text");
        if (a->list[i].kind != K_TEXT) return refused;
    }
    return a->n ? call1(p, K_TEXT, "(", made(K_TEXT, join(p, a, " || ")), ")") : refused;
}

/* "(3)" behind a word of time: digits of the second. */
static part moment(parser *p, const args *a, const char *word, enum kind kind)
{
    if (p->use != PG_FOR_DEFAULT || a->n > 1 || (a->n && !a->list[0].number)) return refused;
    return made(kind, arena_printf(p->w->m->a, "%s(%.*s)", word, STR_ARG(a->n ? a->list[0].sql : STR("0"))));
}

static part round_part(parser *p, const args *a)
{
    bool digits = a->n == 2 && a->list[1].number;
    if ((a->n != 1 && !digits) || (a->list[0].kind != K_DECIMAL && a->list[0].kind != K_INT)) return refused;
    if (a->list[0].kind == K_INT) return a->list[0];
    return digits ? made(K_DECIMAL, arena_printf(p->w->m->a, "round(%.*s, (%.*s)::integer)", STR_ARG(a->list[0].sql), STR_ARG(a->list[1].sql)))
                  : call1(p, K_DECIMAL, "round(", a->list[0], ")");
}

static part cut_text(parser *p, str name, const args *a)
{
    bool side = str_eq_nocase(name, STR("left")) || str_eq_nocase(name, STR("right"));
    if (a->n < 2 || a->n > (side ? 2u : 3u) || a->list[0].kind != K_TEXT) return refused;
    for (uint32_t i = 1; i < a->n; i++)
        if (!a->list[i].number || (!side && i == 1 && str_starts_with(a->list[i].sql, STR("0")))) return refused;
    str count = a->n == 3 ? arena_printf(p->w->m->a, ", (%.*s)::integer", STR_ARG(a->list[2].sql)) : STR("");
    return made(K_TEXT, arena_printf(p->w->m->a, "%s(%.*s, (%.*s)::integer%.*s)", !side ? "substr" : str_eq_nocase(name, STR("left")) ? "left" : "right",
                                     STR_ARG(a->list[0].sql), STR_ARG(a->list[1].sql), STR_ARG(count)));
}

static part field_of_date(parser *p, const char *field, const args *a)
{
    if (a->n != 1 || (a->list[0].kind != K_DATE && a->list[0].kind != K_DATETIME)) return refused;
    return made(K_INT, arena_printf(p->w->m->a, "extract(%s FROM %.*s)::bigint", field, STR_ARG(a->list[0].sql)));
}

/* Functions of a DEFAULT: each call may have another result anyway. */
static part default_function(parser *p, str f, const args *a)
{
    if (p->use != PG_FOR_DEFAULT) return refused;
    if (str_eq_nocase(f, STR("now")) || str_eq_nocase(f, STR("current_timestamp")) || str_eq_nocase(f, STR("localtimestamp")) || str_eq_nocase(f, STR("localtime")) ||
        str_eq_nocase(f, STR("sysdate")))
        return moment(p, a, "CURRENT_TIMESTAMP", K_MOMENT);
    if (a->n) {
        bool binary_uuid = str_eq_nocase(f, STR("uuid_to_bin")) && a->n == 1 && a->list[0].kind == K_UUID;
        return binary_uuid ? made(K_BYTES, STR("decode(replace(gen_random_uuid()::text, '-', ''), 'hex')")) : refused;
    }
    if (str_eq_nocase(f, STR("curdate")) || str_eq_nocase(f, STR("current_date"))) return made(K_DATE, STR("CURRENT_DATE"));
    if (str_eq_nocase(f, STR("utc_timestamp"))) return made(K_DATETIME, STR("(CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')"));
    if (str_eq_nocase(f, STR("uuid"))) return made(K_UUID, STR("gen_random_uuid()"));
    if (str_eq_nocase(f, STR("rand"))) return made(K_REAL, STR("random()"));
    if (str_eq_nocase(f, STR("unix_timestamp"))) return made(K_INT, STR("floor(extract(epoch FROM CURRENT_TIMESTAMP))::bigint"));
    if (str_eq_nocase(f, STR("json_array"))) return made(K_JSON, STR("'[]'"));
    if (str_eq_nocase(f, STR("json_object"))) return made(K_JSON, STR("'{}'"));
    return refused;
}

static part function(parser *p, str f, args *a)
{
    part first = a->n ? a->list[0] : refused;
    bool wide = str_eq_nocase(f, STR("ceiling")) || str_eq_nocase(f, STR("ceil")), deep = str_eq_nocase(f, STR("floor"));
    if (str_eq_nocase(f, STR("concat"))) return concat(p, a);
    if ((str_eq_nocase(f, STR("coalesce")) || str_eq_nocase(f, STR("ifnull"))) && a->n) return coalesce(p, a);
    if (str_eq_nocase(f, STR("abs")) && a->n == 1 && is_number(first)) return call1(p, first.kind, "abs(", first, ")");
    if ((wide || deep) && a->n == 1 && (first.kind == K_INT || first.kind == K_DECIMAL)) return call1(p, first.kind, wide ? "ceil(" : "floor(", first, first.kind == K_INT ? ")::bigint" : ")");
    if (str_eq_nocase(f, STR("round"))) return round_part(p, a);
    if ((str_eq_nocase(f, STR("char_length")) || str_eq_nocase(f, STR("character_length"))) && a->n == 1 && first.kind == K_TEXT)
        return call1(p, K_INT, "char_length(", first, ")::bigint");
    if (str_eq_nocase(f, STR("left")) || str_eq_nocase(f, STR("right")) || str_eq_nocase(f, STR("substr")) || str_eq_nocase(f, STR("substring"))) return cut_text(p, f, a);
    if (str_eq_nocase(f, STR("year"))) return field_of_date(p, "year", a);
    if (str_eq_nocase(f, STR("month"))) return field_of_date(p, "month", a);
    if (str_eq_nocase(f, STR("day")) || str_eq_nocase(f, STR("dayofmonth"))) return field_of_date(p, "day", a);
    if (str_eq_nocase(f, STR("date")) && a->n == 1 && (first.kind == K_DATETIME || first.kind == K_DATE)) return call1(p, K_DATE, "(", first, ")::date");
    if (str_eq_nocase(f, STR("mod")) && a->n == 2 && all_of(a, K_INT)) return made(K_INT, arena_printf(p->w->m->a, "(%.*s %% NULLIF(%.*s, 0))", STR_ARG(first.sql), STR_ARG(a->list[1].sql)));
    /* Other letters than those of the source may become equal: good enough for finding rows, not for values or uniqueness. */
    bool lower = str_eq_nocase(f, STR("lower")) || str_eq_nocase(f, STR("lcase")), upper = str_eq_nocase(f, STR("upper")) || str_eq_nocase(f, STR("ucase"));
    if ((lower || upper) && a->n == 1 && first.kind == K_TEXT && p->use == PG_FOR_INDEX) return call1(p, K_TEXT, lower ? "lower(" : "upper(", first, ")");
    return default_function(p, f, a);
}

static part if_part(parser *p, const args *a)
{
    args branches = {.list = {a->list[1], a->list[2]}, .n = 2};
    part condition = as_bool(p, a->list[0]), same = coalesce(p, &branches);
    if (a->n != 3 || is_refused(condition) || is_refused(same)) return refused;
    return made(same.kind, arena_printf(p->w->m->a, "CASE WHEN %.*s THEN %.*s ELSE %.*s END", STR_ARG(condition.sql), STR_ARG(a->list[1].sql), STR_ARG(a->list[2].sql)));
}

static bool parse_args(parser *p, args *ret)
{
    bool good = true;
    *ret = (args){0};
    if (take_punct(p, ')')) return true;
    do {
        if (ret->n == ARGS_MOST) return false;
        part a = parse_or(p);
        if (is_refused(a)) return false;
        good = good && !is_refused(a);
        ret->list[ret->n++] = a;
    } while (take_punct(p, ','));
    return take_punct(p, ')') && good;
}

static part word_part(parser *p)
{
    str word = p->now.text;
    args a;
    if (word.p[0] >= '0' && word.p[0] <= '9') return number_part(p);
    advance(p);
    if (word.p[0] == '_' && p->now.kind == DDL_STRING) { /* an introducer: SHOW CREATE writes the text in UTF-8 */
        bool utf8 = str_starts_with_nocase(word, STR("_utf8"));
        part text = string_part(p);
        for (size_t i = 0; !is_refused(text) && !utf8 && i < text.sql.n; i++)
            if ((uint8_t)text.sql.p[i] > 127) return refused;
        return text;
    }
    if (str_eq_nocase(word, STR("date")) && p->now.kind == DDL_STRING && p->use != PG_FOR_DEFAULT) {
        part text = string_part(p);
        return !is_refused(text) && text.text.n == 10 && pg_is_day(text.text) ? day_of(p, text.text) : refused;
    }
    if (str_eq_nocase(word, STR("null"))) return made(K_NULL, STR("NULL"));
    if (str_eq_nocase(word, STR("true"))) return made(K_BOOL, STR("true"));
    if (str_eq_nocase(word, STR("false"))) return made(K_BOOL, STR("false"));
    if (!take_punct(p, '(')) {
        args none = {0};
        bool bare = str_eq_nocase(word, STR("current_timestamp")) || str_eq_nocase(word, STR("localtimestamp")) || str_eq_nocase(word, STR("current_date"));
        return bare ? default_function(p, word, &none) : refused;
    }
    if (!parse_args(p, &a)) return refused;
    for (uint32_t i = str_eq_nocase(word, STR("if")) ? 1 : 0; i < a.n; i++) a.list[i] = as_value(p, a.list[i]);
    return str_eq_nocase(word, STR("if")) ? if_part(p, &a) : function(p, word, &a);
}

static part parse_primary(parser *p);

static part primary(parser *p)
{
    switch (p->now.kind) {
    case DDL_NAME: return column_part(p);
    case DDL_STRING: return string_part(p);
    case DDL_WORD: return word_part(p);
    case DDL_PUNCT:
        if (take_punct(p, '(')) {
            part inside = parse_or(p);
            return take_punct(p, ')') ? inside : refused;
        }
        if (take_punct(p, '!')) {
            part a = as_bool(p, parse_primary(p));
            return is_refused(a) ? refused : call1(p, K_BOOL, "(NOT ", a, ")");
        }
        if (take_punct(p, '-')) {
            part a = parse_primary(p);
            return !is_refused(a) && is_number(a) && !a.positive ? call1(p, a.kind, "(- ", a, ")") : refused;
        }
        return refused;
    case DDL_END:
    case DDL_BAD: return refused;
    }
    return refused;
}

/* Everything that nests comes through here or through parse_not. */
static part parse_primary(parser *p)
{
    if (p->depth == DEPTH_MOST) return refused;
    p->depth++;
    part a = primary(p);
    p->depth--;
    return a;
}

/* ---- operators ---- */

static part divide_or_rest(parser *p, part a, bool rest, part b)
{
    if (is_refused(a) || is_refused(b) || a.positive || b.positive || a.kind != K_INT || b.kind != K_INT) return refused;
    return made(K_INT, arena_printf(p->w->m->a, "(%.*s %s NULLIF(%.*s, 0))", STR_ARG(a.sql), rest ? "%" : "/", STR_ARG(b.sql)));
}

static part parse_factor(parser *p)
{
    part a = parse_primary(p);
    for (;;) {
        if (take_punct(p, '*')) {
            part x = as_value(p, a), y = as_value(p, parse_primary(p));
            a = is_refused(x) || is_refused(y) || x.positive || y.positive || wider(x, y) == K_NULL ? refused : binary(p, wider(x, y), x, "*", y);
        } else if (take_punct(p, '/')) {
            part x = as_value(p, a), y = as_value(p, parse_primary(p));
            bool real = !is_refused(x) && !is_refused(y) && wider(x, y) == K_REAL;
            a = !real ? refused
                      : made(K_REAL, arena_printf(p->w->m->a, "(%.*s / NULLIF((%.*s)::double precision, 0))", STR_ARG(x.sql), STR_ARG(y.sql)));
        } else if (take_punct(p, '%') || take_word(p, "mod")) {
            a = divide_or_rest(p, a, true, parse_primary(p));
        } else if (take_word(p, "div")) {
            a = divide_or_rest(p, a, false, parse_primary(p));
        } else {
            return a;
        }
    }
}

static part parse_sum(parser *p)
{
    part a = parse_factor(p);
    for (;;) {
        bool plus = take_punct(p, '+');
        if (!plus && !take_punct(p, '-')) return a;
        part x = as_value(p, a), y = as_value(p, parse_factor(p));
        a = is_refused(x) || is_refused(y) || x.positive || y.positive || wider(x, y) == K_NULL ? refused : binary(p, wider(x, y), x, plus ? "+" : "-", y);
    }
}

static bool is_day_kind(part p) { return p.kind == K_DATE || p.kind == K_DATETIME; }
static bool is_exact_or_literal(part p) { return p.kind == K_TEXT && (p.exact || p.text.p); }

/* A real against another number: MySQL compares as doubles, PostgreSQL too. Texts only for equality, and where neither server's collation has a say. */
static bool comparable(part a, part b, bool equality)
{
    if (is_refused(a) || is_refused(b)) return false;
    if (equality && (a.exact || b.exact)) return is_exact_or_literal(a) && is_exact_or_literal(b);
    return wider(a, b) != K_NULL || (is_day_kind(a) && is_day_kind(b));
}

/* A day as a text, where it is compared with one. */
static part as_day(parser *p, part a, part other)
{
    bool day = p->use == PG_FOR_VIEW && is_day_kind(other) && a.kind == K_TEXT && a.text.n == 10 && pg_is_day(a.text);
    return day ? day_of(p, a.text) : a;
}

static const char *take_comparison(parser *p)
{
    if (take_punct(p, '=')) return "=";
    if (take_punct(p, '!')) return take_punct(p, '=') ? "<>" : NULL;
    if (take_punct(p, '>')) return take_punct(p, '=') ? ">=" : ">";
    if (!take_punct(p, '<')) return NULL;
    if (take_punct(p, '>')) return "<>";
    if (!take_punct(p, '=')) return "<";
    return take_punct(p, '>') ? "IS NOT DISTINCT FROM" : "<=";
}

static part parse_in(parser *p, part a, bool negated)
{
    args list;
    if (!take_punct(p, '(') || !parse_args(p, &list) || !list.n) return refused;
    for (uint32_t i = 0; i < list.n; i++)
        if (!comparable(a, list.list[i] = as_day(p, list.list[i], a), true)) return refused;
    if (a.kind == K_TEXT && !a.exact) return refused;
    return made(K_BOOL, arena_printf(p->w->m->a, "(%.*s %sIN (%.*s))", STR_ARG(a.sql), negated ? "NOT " : "", STR_ARG(join(p, &list, ", "))));
}

static part parse_between(parser *p, part a, bool negated)
{
    part low = as_day(p, parse_sum(p), a);
    part high = as_day(p, take_word(p, "and") ? parse_sum(p) : refused, a);
    if (!comparable(a, low, false) || !comparable(a, high, false)) return refused;
    return made(K_BOOL, arena_printf(p->w->m->a, "(%.*s %sBETWEEN %.*s AND %.*s)", STR_ARG(a.sql), negated ? "NOT " : "", STR_ARG(low.sql), STR_ARG(high.sql)));
}

static part parse_comparison(parser *p)
{
    part a = parse_sum(p);
    for (;;) {
        if (take_word(p, "is")) {
            bool negated = take_word(p, "not");
            if (!take_word(p, "null") || is_refused(a)) return refused;
            a = call1(p, K_BOOL, "(", a, negated ? " IS NOT NULL)" : " IS NULL)");
            continue;
        }
        bool negated = take_word(p, "not");
        if (take_word(p, "in")) {
            a = parse_in(p, as_value(p, a), negated);
        } else if (take_word(p, "between")) {
            a = parse_between(p, as_value(p, a), negated);
        } else if (negated) {
            return refused;
        } else {
            const char *op = take_comparison(p);
            if (!op) return a;
            part x = as_value(p, a), y = as_day(p, as_value(p, parse_sum(p)), x);
            x = as_day(p, x, y);
            a = comparable(x, y, strchr("=I", op[0]) || strcmp(op, "<>") == 0) ? binary(p, K_BOOL, x, op, y) : refused;
        }
    }
}

static part parse_not(parser *p)
{
    if (!take_word(p, "not")) return parse_comparison(p);
    if (p->depth == DEPTH_MOST) return refused;
    p->depth++;
    part a = as_bool(p, parse_not(p));
    p->depth--;
    return is_refused(a) ? refused : call1(p, K_BOOL, "(NOT ", a, ")");
}

static part parse_and(parser *p)
{
    part a = parse_not(p);
    for (;;) {
        if (!take_word(p, "and")) {
            if (!ddl_is_punct(p->now, '&')) return a;
            advance(p);
            if (!take_punct(p, '&')) return refused;
        }
        part x = as_bool(p, a), y = as_bool(p, parse_not(p));
        a = is_refused(x) || is_refused(y) ? refused : binary(p, K_BOOL, x, "AND", y);
    }
}

static part parse_or(parser *p)
{
    part a = parse_and(p);
    for (;;) {
        if (!take_word(p, "or")) return a; /* "||" is written as or by SHOW CREATE */
        part x = as_bool(p, a), y = as_bool(p, parse_and(p));
        a = is_refused(x) || is_refused(y) ? refused : binary(p, K_BOOL, x, "OR", y);
    }
}

/* ---- results ---- */

/* The result as a value of the column, when storing it is the same in both servers. */
static part for_column(parser *p, part a, const column_def *t)
{
    bool to_integer = t->type == COL_SMALLINT || t->type == COL_INT || t->type == COL_BIGINT, to_text = t->type == COL_TEXT || t->type == COL_VARCHAR;
    if (is_refused(a)) return a;
    a = as_value(p, a);
    switch (a.kind) {
    case K_NULL: return a;
    case K_INT:
    case K_DECIMAL: return to_integer || t->type == COL_DECIMAL || t->type == COL_DOUBLE ? a : refused;
    case K_REAL: return t->type == COL_DOUBLE || t->type == COL_FLOAT ? a : refused;
    case K_TEXT: return to_text ? a : refused;
    case K_DATE: return t->type == COL_DATE || t->type == COL_DATETIME ? a : refused;
    case K_DATETIME: return t->type == COL_DATETIME ? a : refused;
    case K_MOMENT: return t->type == COL_DATETIME || t->type == COL_TIMESTAMP || t->type == COL_DATE ? a : to_text ? call1(p, K_TEXT, "", a, "::text") : refused;
    case K_UUID: return t->type == COL_UUID ? a : to_text ? call1(p, K_TEXT, "", a, "::text") : refused;
    case K_BYTES: return t->type == COL_BLOB ? a : refused;
    case K_JSON: return t->type == COL_JSON || to_text ? a : refused;
    case K_BOOL: break;
    }
    return refused;
}

bool pg_translate(const pg_work *w, str sql, pg_expression_use use, const column_def *column, str *ret)
{
    parser p = {.w = w, .use = use, .lexer = {.text = sql}};
    advance(&p);
    part all = parse_or(&p);
    if (p.now.kind != DDL_END) return false;
    if (column) all = for_column(&p, all, column);
    else if (use == PG_FOR_CHECK) all = as_bool(&p, all);
    *ret = all.sql;
    return !is_refused(all);
}

bool pg_translate_in_view(const pg_scope *scope, uint32_t count, ddl_lexer *l, bool condition, str *ret)
{
    parser p = {.w = &scope[0].w, .use = PG_FOR_VIEW, .scope = scope, .scope_count = count, .lexer = *l};
    advance(&p);
    part all = condition ? as_bool(&p, parse_or(&p)) : as_value(&p, parse_or(&p));
    l->at = p.now.start;
    bool number = all.kind == K_INT || all.kind == K_DECIMAL, day = all.kind == K_DATE || all.kind == K_DATETIME;
    *ret = all.sql;
    return !is_refused(all) && (condition ? all.kind == K_BOOL : number || day || all.kind == K_TEXT);
}

bool pg_take_view_column(const pg_scope *scope, uint32_t count, ddl_lexer *l, str *ret)
{
    parser p = {.w = &scope[0].w, .use = PG_FOR_VIEW, .scope = scope, .scope_count = count, .lexer = *l};
    const pg_work *w;
    uint32_t column;
    advance(&p);
    *ret = take_column(&p, &w, &column);
    l->at = p.now.start;
    return ret->p != NULL;
}
