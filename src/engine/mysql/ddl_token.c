/* SQL text to tokens, quoted names and literals to their values. */
#include "engine/mysql/ddl.h"

static int peek(const ddl_lexer *l, size_t ahead) { return ahead < l->text.n - l->at ? (unsigned char)l->text.p[l->at + ahead] : -1; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static bool is_word_byte(int c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c > 127; }
static bool is_space(int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

static void pass_comment(ddl_lexer *l)
{
    size_t end = str_find(str_sub(l->text, l->at + 2, l->text.n), STR("*/"));
    l->at = end == SIZE_MAX ? l->text.n : l->at + 2 + end + 2;
}

/* Stands before a token or the end afterwards. */
static void pass_blank(ddl_lexer *l)
{
    for (;;) {
        int c = peek(l, 0);
        if (is_space(c)) {
            l->at++;
        } else if (c == '*' && peek(l, 1) == '/') {
            l->at += 2;
        } else if (c == '/' && peek(l, 1) == '*') {
            size_t marker = peek(l, 2) == '!' ? 3 : peek(l, 2) == 'M' && peek(l, 3) == '!' ? 4 : 0;
            if (!marker) {
                pass_comment(l);
                continue;
            }
            l->at += marker;
            while (is_digit(peek(l, 0))) l->at++;
        } else {
            return;
        }
    }
}

/* Length of a quoted piece at l->at, 0 when its end is missing. */
static size_t quoted_length(const ddl_lexer *l, int quote)
{
    for (size_t i = 1;; i++) {
        int c = peek(l, i);
        if (c < 0) return 0;
        if (c == '\\' && quote == '\'') {
            i++;
        } else if (c == quote) {
            if (peek(l, i + 1) != quote) return i + 1;
            i++;
        }
    }
}

ddl_token ddl_next(ddl_lexer *l)
{
    pass_blank(l);
    ddl_token t = {.kind = DDL_END, .start = l->at, .end = l->at};
    int c = peek(l, 0);
    if (c < 0) return t;
    size_t n = 1;
    if (c == '`' || c == '\'') {
        t.kind = c == '`' ? DDL_NAME : DDL_STRING;
        n = quoted_length(l, c);
        if (!n) {
            t.kind = DDL_BAD;
            n = l->text.n - l->at;
        }
    } else if (is_word_byte(c)) {
        t.kind = DDL_WORD;
        while (is_word_byte(peek(l, n))) n++;
    } else {
        t.kind = DDL_PUNCT;
    }
    t.text = str_sub(l->text, l->at, n);
    l->at += n;
    t.end = l->at;
    return t;
}

bool ddl_is_word(ddl_token t, const char *word) { return t.kind == DDL_WORD && str_eq_nocase(t.text, str_from_c(word)); }
bool ddl_is_punct(ddl_token t, char c) { return t.kind == DDL_PUNCT && t.text.p[0] == c; }

str ddl_unquote_name(arena *a, ddl_token t)
{
    if (t.kind != DDL_NAME) return arena_copy(a, t.text);
    char *p = arena_bytes(a, t.text.n);
    if (!p) return STR_NULL;
    size_t n = 0;
    for (size_t i = 1; i + 1 < t.text.n; i++) {
        p[n++] = t.text.p[i];
        if (t.text.p[i] == '`') i++;
    }
    return (str){p, n};
}

static char escaped(char c)
{
    switch (c) {
    case '0': return 0;
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'Z': return 26;
    default: return c;
    }
}

str ddl_unquote_string(arena *a, str literal)
{
    char *p = arena_bytes(a, literal.n ? literal.n : 1);
    if (!p) return STR_NULL;
    size_t n = 0;
    for (size_t i = 1; i + 1 < literal.n; i++) {
        char c = literal.p[i];
        if (c == '\\' && i + 2 < literal.n) {
            p[n++] = escaped(literal.p[++i]);
        } else {
            p[n++] = c;
            if (c == '\'') i++;
        }
    }
    return (str){p, n};
}

void ddl_rename_names(str sql, str (*rename)(void *ctx, str name), void *ctx, arena *a, buf *out)
{
    ddl_lexer l = {.text = sql};
    size_t copied = 0;
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l)) {
        if (t.kind != DDL_NAME) continue;
        str now = rename(ctx, ddl_unquote_name(a, t));
        if (!now.p) continue;
        buf_add(out, str_sub(sql, copied, t.start - copied));
        buf_add_byte(out, '`');
        for (size_t i = 0; i < now.n; i++) {
            if (now.p[i] == '`') buf_add_byte(out, '`');
            buf_add_byte(out, now.p[i]);
        }
        buf_add_byte(out, '`');
        copied = t.end;
    }
    buf_add(out, str_sub(sql, copied, sql.n));
}
