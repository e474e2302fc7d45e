/* Tokens of MySQL and MariaDB statement text. */
#include "codec/sql_token.h"

#include "codec/binlog_event.h"

void sql_lexer_init(sql_lexer *l, str text, const sql_dialect *d) { *l = (sql_lexer){.dialect = d, .text = text}; }

static unsigned byte_at(const sql_lexer *l, size_t at) { return at < l->text.n ? (unsigned char)l->text.p[at] : 0; }
static bool two_at(const sql_lexer *l, size_t at, char a, char b) { return at + 1 < l->text.n && l->text.p[at] == a && l->text.p[at + 1] == b; }
static bool is_digit(unsigned c) { return c >= '0' && c <= '9'; }
static bool is_space(unsigned c) { return c == ' ' || (c >= 9 && c <= 13); }
bool sql_is_word_byte(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c == '_' || c == '$' || c >= 0x80 || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool is_word(unsigned c) { return sql_is_word_byte((char)c); }

/* Bytes of the character: in some character sets the second byte may look like a quote or a backslash. */
static size_t char_bytes(const sql_lexer *l, size_t at)
{
    unsigned c = byte_at(l, at);
    if (c < 0x81 || at + 1 >= l->text.n) return 1;
    switch (l->dialect->charset) {
    case 1: case 84:             /* big5 */
    case 28: case 87:            /* gbk */
    case 248: case 249: case 250:/* gb18030: its four bytes are two such pairs */
        return c <= 0xfe ? 2 : 1;
    case 13: case 88:            /* sjis */
    case 95: case 96:            /* cp932 */
        return (c <= 0x9f || (c >= 0xe0 && c <= 0xfc)) ? 2 : 1;
    default: return 1;
    }
}

/* Past the comment that begins at l->at, with one nested comment if there is one. False without an end. */
static bool skip_comment(sql_lexer *l)
{
    unsigned depth = 0;
    while (l->at < l->text.n) {
        if (two_at(l, l->at, '/', '*') && depth < 2) {
            depth++;
            l->at += 2;
        } else if (two_at(l, l->at, '*', '/')) {
            l->at += 2;
            if (--depth == 0) return true;
        } else {
            l->at++;
        }
    }
    return false;
}

static bool skip_plain_comment(sql_lexer *l)
{
    for (l->at += 2; l->at < l->text.n; l->at++) {
        if (!two_at(l, l->at, '*', '/')) continue;
        l->at += 2;
        return true;
    }
    return false;
}

/* An executable comment: entered when the server runs its text, else passed over. No digits: every server; five or six digits: from that version on.
 * MariaDB leaves out those of MySQL 5.7 and later. */
static bool executable_comment(sql_lexer *l, size_t prefix)
{
    size_t at = l->at + prefix, digits = 0;
    uint32_t version = 0;
    while (digits < 6 && is_digit(byte_at(l, at + digits))) version = version * 10 + (byte_at(l, at + digits++) - '0');
    if (digits && digits < 5) return false;
    if (is_digit(byte_at(l, at + digits))) return false;
    if (l->in_comment) return false;
    bool maria_only = prefix == 4;
    bool runs = version <= l->dialect->server_number;
    if (l->dialect->mariadb && !maria_only && version >= 50700 && version <= 99999) runs = false;
    if (!runs) return skip_comment(l);
    l->in_comment = true;
    l->at = at + digits;
    return true;
}

/* Spaces and comments. False: an end is missing. */
static bool skip_blank(sql_lexer *l)
{
    while (l->at < l->text.n) {
        unsigned c = byte_at(l, l->at), next = byte_at(l, l->at + 1);
        if (is_space(c)) {
            l->at++;
        } else if (c == '#' || (c == '-' && next == '-' && (l->at + 2 >= l->text.n || is_space(byte_at(l, l->at + 2)) || byte_at(l, l->at + 2) < 32))) {
            while (l->at < l->text.n && byte_at(l, l->at) != '\n') l->at++;
        } else if (c == '/' && next == '*') {
            bool own = byte_at(l, l->at + 2) == '!', maria = l->dialect->mariadb && byte_at(l, l->at + 2) == 'M' && byte_at(l, l->at + 3) == '!';
            bool ok = own ? executable_comment(l, 3) : maria ? executable_comment(l, 4) : skip_plain_comment(l);
            if (!ok) return false;
        } else if (c == '*' && next == '/' && l->in_comment) {
            l->in_comment = false;
            l->at += 2;
        } else {
            return true;
        }
    }
    return !l->in_comment;
}

static sql_token bad(sql_lexer *l)
{
    l->at = l->text.n;
    l->in_comment = true; /* every later call is bad too */
    return (sql_token){.kind = SQL_TOKEN_BAD};
}

static sql_token quoted(sql_lexer *l, char quote)
{
    sql_token t = {.kind = quote == '`' || (quote == '"' && l->dialect->sql_mode & BINLOG_SQL_MODE_ANSI_QUOTES) ? SQL_TOKEN_NAME : SQL_TOKEN_STRING,
                   .quote = quote};
    bool escapes = t.kind == SQL_TOKEN_STRING && !(l->dialect->sql_mode & BINLOG_SQL_MODE_NO_BACKSLASH_ESCAPES);
    size_t from = ++l->at;
    while (l->at < l->text.n) {
        char c = l->text.p[l->at];
        if (c == quote && byte_at(l, l->at + 1) == (unsigned char)quote) {
            t.doubled = true;
            l->at += 2;
        } else if (c == quote) {
            t.text = str_sub(l->text, from, l->at - from);
            l->at++;
            return t;
        } else if (c == '\\' && escapes) {
            l->at++;
            l->at += char_bytes(l, l->at);
        } else {
            l->at += char_bytes(l, l->at);
        }
    }
    return bad(l);
}

sql_token sql_lexer_next(sql_lexer *l)
{
    if (!skip_blank(l)) return bad(l);
    if (l->at >= l->text.n) return l->in_comment ? bad(l) : (sql_token){.kind = SQL_TOKEN_END};
    unsigned c = byte_at(l, l->at);
    if (c == '`' || c == '\'' || c == '"') return quoted(l, (char)c);
    size_t from = l->at;
    if (!is_word(c)) {
        l->at++;
        return (sql_token){.kind = SQL_TOKEN_SYMBOL, .text = str_sub(l->text, from, 1)};
    }
    while (l->at < l->text.n && is_word(byte_at(l, l->at))) l->at += char_bytes(l, l->at);
    return (sql_token){.kind = SQL_TOKEN_WORD, .text = str_sub(l->text, from, l->at - from)};
}

bool sql_token_is(const sql_token *t, const char *word) { return t->kind == SQL_TOKEN_WORD && str_eq_nocase(t->text, str_from_c(word)); }
bool sql_token_is_symbol(const sql_token *t, char c) { return t->kind == SQL_TOKEN_SYMBOL && t->text.p[0] == c; }
