/* A small reader of statement heads: tokens, then the verb, then the names that the verb's grammar has at fixed places.
 * Grammar: sql_yacc.yy of MySQL 9.7 and MariaDB 10.11. */
#include "engine/mysql/stream_statement.h"

#include <string.h>

#include "codec/binlog_event.h"

typedef enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NAME /* quoted */, TOKEN_TEXT, TOKEN_OTHER, TOKEN_BAD } token_kind;

typedef struct token {
    token_kind kind;
    str text;   /* a name without quotes */
    char other;
} token;

typedef struct reading {
    str text;
    size_t at;
    bool ansi_quotes, no_backslash;
    arena *mem;
    token now;
    statement *out;
    uint32_t cap;
    bool no_memory, too_many;
} reading;

static int peek(const reading *r, size_t ahead) { return r->at + ahead < r->text.n ? (unsigned char)r->text.p[r->at + ahead] : -1; }
static bool is_space(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_word(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80;
}

static void pass_line(reading *r)
{
    while (peek(r, 0) >= 0 && peek(r, 0) != '\n') r->at++;
}

/* White space and comments; what stands in a versioned comment is read as if it stood outside. */
static void pass_blank(reading *r)
{
    for (int c; (c = peek(r, 0)) >= 0;) {
        if (is_space(c)) {
            r->at++;
        } else if (c == '#' || (c == '-' && peek(r, 1) == '-' && (peek(r, 2) < 0 || is_space(peek(r, 2))))) {
            pass_line(r);
        } else if (c == '*' && peek(r, 1) == '/') {
            r->at += 2;
        } else if (c == '/' && peek(r, 1) == '*') {
            size_t versioned = peek(r, 2) == '!' ? 3 : peek(r, 2) == 'M' && peek(r, 3) == '!' ? 4 : 0;
            if (versioned) {
                r->at += versioned;
                while (peek(r, 0) >= '0' && peek(r, 0) <= '9') r->at++;
                continue;
            }
            size_t end = str_find(str_sub(r->text, r->at + 2, SIZE_MAX), STR("*/"));
            r->at = end == SIZE_MAX ? r->text.n : r->at + 2 + end + 2;
        } else {
            return;
        }
    }
}

/* From an opening quote to behind the closing one; doubled quotes stand for one. */
static token quoted(reading *r, char quote, bool name)
{
    bool escapes = !name && !r->no_backslash;
    char *out = arena_bytes(r->mem, r->text.n - r->at);
    size_t n = 0;
    if (!out) {
        r->no_memory = true;
        return (token){.kind = TOKEN_BAD};
    }
    for (r->at++; r->at < r->text.n; r->at++) {
        char c = r->text.p[r->at];
        if (escapes && c == '\\' && r->at + 1 < r->text.n) {
            out[n++] = r->text.p[++r->at];
        } else if (c == quote) {
            if (peek(r, 1) != quote) {
                r->at++;
                return (token){.kind = name ? TOKEN_NAME : TOKEN_TEXT, .text = {out, n}};
            }
            out[n++] = c;
            r->at++;
        } else {
            out[n++] = c;
        }
    }
    return (token){.kind = TOKEN_BAD};
}

static void next(reading *r)
{
    pass_blank(r);
    int c = peek(r, 0);
    if (c < 0) {
        r->now = (token){.kind = TOKEN_END};
    } else if (c == '`' || (c == '"' && r->ansi_quotes)) {
        r->now = quoted(r, (char)c, true);
    } else if (c == '\'' || c == '"') {
        r->now = quoted(r, (char)c, false);
    } else if (is_word(c)) {
        size_t from = r->at;
        while (is_word(peek(r, 0))) r->at++;
        r->now = (token){.kind = TOKEN_WORD, .text = str_sub(r->text, from, r->at - from)};
    } else {
        r->at++;
        r->now = (token){.kind = TOKEN_OTHER, .other = (char)c};
    }
}

static bool is(const reading *r, const char *word) { return r->now.kind == TOKEN_WORD && str_eq_nocase(r->now.text, str_from_c(word)); }
static bool is_other(const reading *r, char c) { return r->now.kind == TOKEN_OTHER && r->now.other == c; }

/* Passes the word when it stands here. */
static bool take(reading *r, const char *word)
{
    if (!is(r, word)) return false;
    next(r);
    return true;
}

static bool is_one_of(const reading *r, const char *const *words)
{
    for (; *words; words++)
        if (is(r, *words)) return true;
    return false;
}

static void add_name(reading *r, str database, str table)
{
    statement *s = r->out;
    if (s->count == r->cap) {
        uint32_t cap = r->cap ? r->cap * 2 : 8;
        statement_name *fresh = arena_array(r->mem, cap, sizeof *fresh);
        if (!fresh || s->count >= STATEMENT_MAX_NAMES) {
            r->no_memory = r->no_memory || !fresh;
            r->too_many = r->too_many || fresh;
            return;
        }
        if (s->count) memcpy(fresh, s->names, s->count * sizeof *fresh);
        s->names = fresh;
        r->cap = cap;
    }
    s->names[s->count++] = (statement_name){database, table};
}

static bool is_name(const reading *r) { return r->now.kind == TOKEN_NAME || r->now.kind == TOKEN_WORD; }

/* [database .] table; sets unsure when there is none. */
static bool table_name(reading *r)
{
    if (!is_name(r)) {
        r->out->unsure = true;
        return false;
    }
    str first = r->now.text;
    next(r);
    if (!is_other(r, '.')) {
        add_name(r, STR_NULL, first);
        return true;
    }
    next(r);
    if (!is_name(r)) {
        r->out->unsure = true;
        return false;
    }
    add_name(r, first, r->now.text);
    next(r);
    return true;
}

static void table_list(reading *r)
{
    while (table_name(r) && is_other(r, ',')) next(r);
}

static void if_exists(reading *r)
{
    if (!take(r, "IF")) return;
    if (take(r, "NOT")) r->out->if_not_exists = true;
    take(r, "EXISTS");
}

/* What follows the altered table's name: only RENAME and EXCHANGE name other tables. */
static void alter_rest(reading *r)
{
    while (r->now.kind != TOKEN_END && r->now.kind != TOKEN_BAD) {
        if (take(r, "RENAME")) {
            if (is(r, "COLUMN") || is(r, "INDEX") || is(r, "KEY")) continue;
            if (!take(r, "TO")) take(r, "AS");
            if (is_other(r, '=')) next(r);
            table_name(r);
        } else if (take(r, "EXCHANGE")) {
            while (r->now.kind != TOKEN_END && r->now.kind != TOKEN_BAD && !is(r, "TABLE")) next(r);
            if (take(r, "TABLE")) table_name(r);
        } else if (take(r, "CONVERT")) {
            if (take(r, "TABLE")) table_name(r); /* MariaDB: CONVERT TABLE t TO PARTITION */
            else if (take(r, "PARTITION"))
                while (r->now.kind != TOKEN_END && r->now.kind != TOKEN_BAD) {
                    if (take(r, "TABLE")) {
                        table_name(r);
                        break;
                    }
                    next(r);
                }
        } else {
            next(r);
        }
    }
    if (r->now.kind == TOKEN_BAD) r->out->unsure = true;
}

static statement_kind database_ddl(reading *r)
{
    if_exists(r);
    if (!is_name(r)) {
        r->out->unsure = true;
        return STATEMENT_DATABASE_DDL;
    }
    add_name(r, r->now.text, STR_NULL);
    return STATEMENT_DATABASE_DDL;
}

/* ... INDEX name [USING ...] ON table */
static statement_kind index_ddl(reading *r)
{
    while (r->now.kind != TOKEN_END && r->now.kind != TOKEN_BAD && !is(r, "ON")) next(r);
    if (take(r, "ON")) {
        table_name(r);
    } else {
        r->out->unsure = true;
    }
    return STATEMENT_TABLE_DDL;
}

/* Objects whose definitions are no part of row images, after CREATE, ALTER, DROP. */
static const char *const harmless_objects[] = {"USER", "ROLE", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "VIEW", "SERVER", "PACKAGE", "SEQUENCE",
                                              "TABLESPACE", "LOGFILE", "INSTANCE", "RESOURCE", "LIBRARY", "UNDO", NULL};
/* Words between CREATE, ALTER or DROP and the kind of the object. */
static const char *const modifiers[] = {"OR", "REPLACE", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE", "OFFLINE", "IGNORE", "AGGREGATE", "SQL", "SECURITY",
                                        "INVOKER", "UNDEFINED", "MERGE", "TEMPTABLE", "SPECIFICATION", "JSON", "RELATIONAL", "DUALITY", "MATERIALIZED", "EXTERNAL", NULL};

/* ALGORITHM = x, DEFINER = user@host before VIEW, FUNCTION, ... */
static void pass_attributes(reading *r)
{
    for (;;) {
        if (is_one_of(r, modifiers)) {
            next(r);
        } else if (take(r, "TEMPORARY")) {
            r->out->temporary = true;
        } else if (is(r, "ALGORITHM") || is(r, "DEFINER")) {
            next(r);
            if (!is_other(r, '=')) continue; /* SQL SECURITY DEFINER */
            next(r);
            next(r); /* name, quoted or not */
            if (is_other(r, '@')) {
                next(r);
                next(r);
                while (is_other(r, '.') || is_other(r, '-') || is_other(r, '%')) {
                    next(r);
                    if (is_name(r) && !is_one_of(r, harmless_objects) && !is(r, "SQL")) next(r);
                }
            } else if (is_other(r, '(')) {
                while (r->now.kind != TOKEN_END && !is_other(r, ')')) next(r);
                next(r);
            }
        } else {
            return;
        }
    }
}

static statement_kind object_ddl(reading *r, bool alter, bool drop)
{
    pass_attributes(r);
    if (take(r, "DATABASE") || take(r, "SCHEMA")) return database_ddl(r);
    if (take(r, "INDEX")) return index_ddl(r);
    if (is_one_of(r, harmless_objects)) return STATEMENT_HARMLESS;
    if (!take(r, "TABLE") && !take(r, "TABLES")) return STATEMENT_UNKNOWN;
    if_exists(r);
    if (drop) {
        table_list(r);
    } else if (table_name(r) && alter) {
        alter_rest(r);
    }
    return STATEMENT_TABLE_DDL;
}

static statement_kind rename_ddl(reading *r)
{
    if (take(r, "USER")) return STATEMENT_HARMLESS;
    if (!take(r, "TABLE") && !take(r, "TABLES")) return STATEMENT_UNKNOWN;
    if_exists(r);
    while (table_name(r)) {
        if (take(r, "WAIT") || is(r, "NOWAIT")) next(r);
        if (!take(r, "TO") || !table_name(r)) {
            r->out->unsure = true;
            break;
        }
        if (!is_other(r, ',')) break;
        next(r);
    }
    return STATEMENT_TABLE_DDL;
}

static statement_kind named(reading *r, statement_kind kind)
{
    if (!is_name(r)) return STATEMENT_UNKNOWN;
    add_name(r, STR_NULL, r->now.text);
    return kind;
}

static statement_kind rollback(reading *r)
{
    take(r, "WORK");
    if (!take(r, "TO")) return STATEMENT_ROLLBACK;
    take(r, "SAVEPOINT");
    return named(r, STATEMENT_ROLLBACK_TO);
}

static statement_kind xa(reading *r)
{
    size_t before = r->at;
    bool commit = is(r, "COMMIT"), undo = is(r, "ROLLBACK"), begin = is(r, "START") || is(r, "BEGIN") || is(r, "END") || is(r, "PREPARE");
    r->out->rest = str_trim(str_sub(r->text, before, SIZE_MAX));
    return commit ? STATEMENT_XA_COMMIT : undo ? STATEMENT_XA_ROLLBACK : begin ? STATEMENT_XA_BEGIN : STATEMENT_UNKNOWN;
}

static statement_kind read_statement(reading *r)
{
    static const char *const dml[] = {"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "CALL", "DO", "WITH", "SELECT", "HANDLER", "IMPORT", NULL};
    static const char *const harmless[] = {"GRANT", "REVOKE", "FLUSH", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK", "CHECKSUM", "SET", "USE", "INSTALL", "UNINSTALL",
                                           "RESET", "PURGE", "KILL", "SHUTDOWN", "LOCK", "UNLOCK", "CACHE", "BACKUP", "CLONE", "RESTART", NULL};
    if (r->now.kind == TOKEN_END) return STATEMENT_NOTHING;
    while (is_other(r, '(')) next(r);
    if (is_one_of(r, dml)) return STATEMENT_DML;
    if (is_one_of(r, harmless)) return STATEMENT_HARMLESS;
    if (take(r, "BEGIN")) return STATEMENT_BEGIN;
    if (take(r, "START")) return is(r, "TRANSACTION") ? STATEMENT_BEGIN : STATEMENT_UNKNOWN;
    if (take(r, "COMMIT")) return STATEMENT_COMMIT;
    if (take(r, "ROLLBACK")) return rollback(r);
    if (take(r, "SAVEPOINT")) return named(r, STATEMENT_SAVEPOINT);
    if (take(r, "RELEASE")) return take(r, "SAVEPOINT") ? named(r, STATEMENT_RELEASE) : STATEMENT_UNKNOWN;
    if (take(r, "XA")) return xa(r);
    if (take(r, "CREATE")) return object_ddl(r, false, false);
    if (take(r, "ALTER")) return object_ddl(r, true, false);
    if (take(r, "DROP")) return object_ddl(r, false, true);
    if (take(r, "RENAME")) return rename_ddl(r);
    if (take(r, "TRUNCATE")) {
        take(r, "TABLE");
        table_name(r);
        return STATEMENT_TABLE_DDL;
    }
    return STATEMENT_UNKNOWN;
}

bool statement_read(str text, uint64_t sql_mode, arena *a, statement *ret, err *e)
{
    statement s = {0};
    reading r = {.text = text, .mem = a, .out = &s, .ansi_quotes = sql_mode & BINLOG_SQL_MODE_ANSI_QUOTES, .no_backslash = sql_mode & BINLOG_SQL_MODE_NO_BACKSLASH_ESCAPES};
    next(&r);
    s.kind = read_statement(&r);
    if (r.no_memory) return err_no_memory(e, "a statement of the log");
    if (r.too_many) return err_set(e, ERR_LIMIT, "a statement of the log names more than %d tables", STATEMENT_MAX_NAMES);
    *ret = s;
    return true;
}

bool statement_mentions(str text, str word)
{
    for (size_t i = 0; word.n && i + word.n <= text.n; i++) {
        if (!str_eq_nocase(str_sub(text, i, word.n), word)) continue;
        bool left = i == 0 || !is_word((unsigned char)text.p[i - 1]);
        bool right = i + word.n == text.n || !is_word((unsigned char)text.p[i + word.n]);
        if (left && right) return true;
    }
    return false;
}
