/* Words, names, literals and operators of the row condition, as MySQL and MariaDB read them under the default sql_mode. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "model/filter_priv.h"

bool filter_refuse(const lexer *l, err_code code, str source, const char *format, ...)
{
    char reason[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(reason, sizeof reason, format, ap);
    va_end(ap);
    str shown = str_sub(source, 0, 80);
    return err_set(l->e, code, "filter of %.*s.%.*s, at '%.*s': %s", STR_ARG(l->table->schema), STR_ARG(l->table->name), STR_ARG(shown), reason);
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || (uint8_t)c >= 0x80;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char peek(const lexer *l, size_t ahead) { return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : 0; }

static bool finish(lexer *l, token_kind kind, size_t start, str value, token *ret)
{
    *ret = (token){kind, str_sub(l->text, start, l->at - start), value};
    return true;
}

/* Index of the quote that closes the one at l->at, SIZE_MAX without one. A doubled quote does not close, nor one after a backslash. */
static size_t closing_quote(const lexer *l, bool backslash)
{
    char quote = l->text.p[l->at];
    for (size_t i = l->at + 1; i < l->text.n; i++) {
        if (backslash && l->text.p[i] == '\\') i++;
        else if (l->text.p[i] == quote && (i + 1 == l->text.n || l->text.p[i + 1] != quote)) return i;
        else if (l->text.p[i] == quote) i++;
    }
    return SIZE_MAX;
}

static bool lex_quoted_name(lexer *l, token *ret)
{
    size_t start = l->at, n = 0, end = closing_quote(l, false);
    if (end == SIZE_MAX) return filter_refuse(l, ERR_BAD_INPUT, str_sub(l->text, start, SIZE_MAX), "the closing ` is missing");
    char *name = arena_bytes(l->a, end - start);
    if (!name) return err_no_memory(l->e, "a filter");
    for (size_t i = start + 1; i < end; i++) {
        if (l->text.p[i] == '`') i++;
        name[n++] = l->text.p[i];
    }
    l->at = end + 1;
    if (peek(l, 0) == '.')
        return filter_refuse(l, ERR_NOT_SUPPORTED, str_sub(l->text, start, SIZE_MAX), "a qualified name; write the column's name alone");
    return finish(l, TOKEN_QUOTED_NAME, start, (str){name, n}, ret);
}

/* The byte that \c stands for; 0x100 | c for \% and \_, which keep their backslash. (MySQL 8.0 manual, "String Literals", table of escapes) */
static unsigned escaped(char c)
{
    switch (c) {
    case '0': return 0;
    case 'b': return '\b';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'Z': return 26;
    case '%':
    case '_': return 0x100U | (uint8_t)c;
    default: return (uint8_t)c;
    }
}

static bool lex_string(lexer *l, token *ret)
{
    size_t start = l->at, n = 0, end = closing_quote(l, true);
    if (end == SIZE_MAX) return filter_refuse(l, ERR_BAD_INPUT, str_sub(l->text, start, SIZE_MAX), "the closing ' is missing");
    char *text = arena_bytes(l->a, end - start);
    if (!text) return err_no_memory(l->e, "a filter");
    for (size_t i = start + 1; i < end; i++) {
        char c = l->text.p[i];
        if (c == '\\') {
            unsigned byte = escaped(l->text.p[++i]);
            if (byte & 0x100U) text[n++] = '\\';
            c = (char)(byte & 0xffU);
        } else if (c == '\'') {
            i++;
        }
        text[n++] = c;
    }
    l->at = end + 1;
    return finish(l, TOKEN_STRING, start, (str){text, n}, ret);
}

static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/* x'4142' or 0x4142. */
static bool lex_hex(lexer *l, bool quoted, token *ret)
{
    size_t start = l->at;
    l->at += 2;
    size_t first = l->at;
    while (l->at < l->text.n && is_hex(l->text.p[l->at])) l->at++;
    str digits = str_sub(l->text, first, l->at - first), shown = str_sub(l->text, start, l->at - start);
    if (quoted && (digits.n % 2 || peek(l, 0) != '\'')) return filter_refuse(l, ERR_BAD_INPUT, shown, "not a hexadecimal literal");
    if (quoted) l->at++;
    else if (digits.n == 0 || is_word_byte(peek(l, 0))) return filter_refuse(l, ERR_BAD_INPUT, shown, "not a hexadecimal literal");
    str even = digits.n % 2 ? arena_printf(l->a, "0%.*s", STR_ARG(digits)) : digits;
    str bytes = even.p ? decode_hex(l->a, even) : STR_NULL;
    if (!bytes.p) return err_no_memory(l->e, "a filter");
    return finish(l, TOKEN_HEX, start, bytes, ret);
}

static bool lex_number(lexer *l, token *ret)
{
    size_t start = l->at;
    while (is_digit(peek(l, 0))) l->at++;
    if (peek(l, 0) == '.') l->at++;
    while (is_digit(peek(l, 0))) l->at++;
    str text = str_sub(l->text, start, l->at - start);
    if (peek(l, 0) == 'e' || peek(l, 0) == 'E')
        return filter_refuse(l, ERR_NOT_SUPPORTED, text, "a number with an exponent is compared inexactly; write its digits");
    if (is_word_byte(peek(l, 0)) || peek(l, 0) == '.') return filter_refuse(l, ERR_BAD_INPUT, text, "not a number; quote a name with backticks");
    return finish(l, TOKEN_NUMBER, start, text, ret);
}

static bool lex_word(lexer *l, token *ret)
{
    size_t start = l->at;
    while (l->at < l->text.n && is_word_byte(l->text.p[l->at])) l->at++;
    str word = str_sub(l->text, start, l->at - start);
    if (peek(l, 0) == '\'') return filter_refuse(l, ERR_NOT_SUPPORTED, word, "a literal with a prefix; write a plain '...' literal");
    if (peek(l, 0) == '.') return filter_refuse(l, ERR_NOT_SUPPORTED, word, "a qualified name; write the column's name alone");
    return finish(l, TOKEN_WORD, start, word, ret);
}

static const struct {
    char text[4];
    token_kind kind;
} operators[] = {
    {"<=>", TOKEN_NULL_SAFE_EQ}, {"<=", TOKEN_LE}, {">=", TOKEN_GE}, {"<>", TOKEN_NE},    {"!=", TOKEN_NE},    {"&&", TOKEN_AND_AND}, {"||", TOKEN_OTHER},
    {"<<", TOKEN_OTHER},         {">>", TOKEN_OTHER}, {":=", TOKEN_OTHER}, {"->", TOKEN_OTHER}, {"=", TOKEN_EQ},   {"<", TOKEN_LT},       {">", TOKEN_GT},
    {"!", TOKEN_BANG},           {"(", TOKEN_OPEN}, {")", TOKEN_CLOSE}, {",", TOKEN_COMMA}, {"+", TOKEN_PLUS},  {"-", TOKEN_MINUS},
};

static bool lex_operator(lexer *l, token *ret)
{
    size_t start = l->at;
    str rest = str_sub(l->text, start, SIZE_MAX);
    if (str_starts_with(rest, STR("--")) || str_starts_with(rest, STR("/*")) || rest.p[0] == '#')
        return filter_refuse(l, ERR_NOT_SUPPORTED, rest, "a comment; remove it");
    if (rest.p[0] == '"') return filter_refuse(l, ERR_NOT_SUPPORTED, rest, "double quotes mean a name or a text, by sql_mode; write '...' or `...`");
    if (str_starts_with(rest, STR("||"))) return filter_refuse(l, ERR_NOT_SUPPORTED, rest, "|| means OR or concatenation, by sql_mode; write OR");
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        str text = str_from_c(operators[i].text);
        if (!str_starts_with(rest, text)) continue;
        l->at += text.n;
        return finish(l, operators[i].kind, start, STR_NULL, ret);
    }
    l->at++;
    return finish(l, TOKEN_OTHER, start, STR_NULL, ret);
}

bool filter_next_token(lexer *l, token *ret)
{
    while (l->at < l->text.n && (l->text.p[l->at] == ' ' || (l->text.p[l->at] >= '\t' && l->text.p[l->at] <= '\r'))) l->at++;
    if (l->at >= l->text.n) return finish(l, TOKEN_END, l->at, STR_NULL, ret);
    char c = peek(l, 0);
    if (c == '`') return lex_quoted_name(l, ret);
    if (c == '\'') return lex_string(l, ret);
    if ((c == 'x' || c == 'X') && peek(l, 1) == '\'') return lex_hex(l, true, ret);
    if (c == '0' && peek(l, 1) == 'x') return lex_hex(l, false, ret);
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) return lex_number(l, ret);
    if (is_word_byte(c)) return lex_word(l, ret);
    return lex_operator(l, ret);
}
