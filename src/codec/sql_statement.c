/* What a QUERY event's text does. */
#include "codec/sql_statement.h"

#include <string.h>

#include "codec/binlog_collation.h"

static const char *const kind_names[SQL_STATEMENT_KIND_COUNT] = {
    "UNKNOWN", "EMPTY", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO", "XA START", "XA END", "XA PREPARE", "XA COMMIT", "XA ROLLBACK", "DML",
    "CREATE TABLE", "ALTER TABLE", "DROP TABLE", "RENAME TABLE", "TRUNCATE TABLE", "CREATE INDEX", "DROP INDEX", "CREATE SEQUENCE", "ALTER SEQUENCE",
    "DROP SEQUENCE", "CREATE DATABASE", "ALTER DATABASE", "DROP DATABASE", "CREATE VIEW", "ALTER VIEW", "DROP VIEW", "CREATE TRIGGER", "DROP TRIGGER",
    "ROUTINE", "HARMLESS",
};

const char *sql_statement_kind_name(sql_statement_kind kind) { return kind < SQL_STATEMENT_KIND_COUNT ? kind_names[kind] : "UNKNOWN"; }
bool sql_statement_is_ddl(sql_statement_kind kind) { return kind >= SQL_STATEMENT_CREATE_TABLE && kind < SQL_STATEMENT_HARMLESS; }

sql_dialect sql_dialect_of(const binlog_query *q, const binlog_format *f)
{
    return (sql_dialect){.mariadb = f->mariadb, .server_number = f->server_number, .sql_mode = q->sql_mode, .charset = q->charset_client};
}

/* A parser one token ahead. Every function that reads something returns false when the text does not fit: the statement is then UNKNOWN. */
typedef struct parser {
    sql_lexer lexer;
    sql_token token; /* the next one */
    size_t token_at; /* where the lexer stood before it */
    str default_database;
    bool utf8;
    arena *mem;
    sql_statement st;
    uint32_t cap;
    bool memory_out;
} parser;

static void next(parser *p)
{
    p->token_at = p->lexer.at;
    p->token = sql_lexer_next(&p->lexer);
}

static bool at(const parser *p, const char *word) { return sql_token_is(&p->token, word); }

static bool take(parser *p, const char *word)
{
    if (!at(p, word)) return false;
    next(p);
    return true;
}

static bool take_symbol(parser *p, char c)
{
    if (!sql_token_is_symbol(&p->token, c)) return false;
    next(p);
    return true;
}

/* Takes all words or, when only the first ones are there, fails. */
static bool take_two(parser *p, const char *a, const char *b) { return take(p, a) && take(p, b); }

/* The end, perhaps after one semicolon. */
static bool at_end(parser *p)
{
    (void)take_symbol(p, ';');
    return p->token.kind == SQL_TOKEN_END;
}

static bool set(parser *p, sql_statement_kind kind)
{
    p->st.kind = kind;
    return true;
}

/* [IF EXISTS] and [IF NOT EXISTS]; false when IF is followed by something else. */
static bool if_exists(parser *p) { return !take(p, "IF") || take(p, "EXISTS"); }
static bool if_not_exists(parser *p) { return !take(p, "IF") || take_two(p, "NOT", "EXISTS"); }

/* ---- names ---- */

static bool unquote(parser *p, const sql_token *t, str *ret)
{
    if (!t->doubled) {
        *ret = t->text;
        return true;
    }
    char *out = arena_bytes(p->mem, t->text.n);
    if (!out) {
        p->memory_out = true;
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < t->text.n; i++) {
        out[n++] = t->text.p[i];
        if (t->text.p[i] == t->quote) i++;
    }
    *ret = (str){out, n};
    return true;
}

static bool is_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > 0x7f) return false;
    return true;
}

/* One part of a name. */
static bool take_ident(parser *p, str *ret)
{
    if (p->token.kind != SQL_TOKEN_WORD && p->token.kind != SQL_TOKEN_NAME) return false;
    sql_token t = p->token;
    if (t.text.n == 0 || !unquote(p, &t, ret)) return false;
    if (p->utf8 ? !str_is_utf8(*ret) : !is_ascii(*ret)) return false;
    next(p);
    return true;
}

static bool add_name(parser *p, str schema, str name)
{
    sql_statement *st = &p->st;
    if (st->name_count >= SQL_STATEMENT_MAX_NAMES) return false;
    if (st->name_count == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 2;
        sql_name *more = arena_array(p->mem, cap, sizeof *more);
        if (!more) {
            p->memory_out = true;
            return false;
        }
        if (st->name_count) memcpy(more, st->names, st->name_count * sizeof *more);
        st->names = more;
        p->cap = cap;
    }
    st->names[st->name_count++] = (sql_name){schema, name};
    return true;
}

/* [schema .] name */
static bool take_name(parser *p)
{
    str first, second;
    if (!take_ident(p, &first)) return false;
    if (!take_symbol(p, '.')) return p->default_database.n > 0 && add_name(p, p->default_database, first);
    return take_ident(p, &second) && !sql_token_is_symbol(&p->token, '.') && add_name(p, first, second);
}

static bool take_names(parser *p)
{
    do {
        if (!take_name(p)) return false;
    } while (take_symbol(p, ','));
    return true;
}

/* [WAIT n | NOWAIT] of MariaDB. */
static bool wait_clause(parser *p)
{
    if (take(p, "NOWAIT")) return true;
    if (!take(p, "WAIT")) return true;
    if (p->token.kind != SQL_TOKEN_WORD) return false;
    next(p);
    return true;
}

/* What may follow a list of names that are dropped. */
static bool drop_end(parser *p)
{
    if (!wait_clause(p)) return false;
    (void)(take(p, "RESTRICT") || take(p, "CASCADE"));
    return at_end(p);
}

/* ---- DROP, RENAME, TRUNCATE ---- */

static bool drop_named(parser *p, sql_statement_kind kind, bool list)
{
    return if_exists(p) && (list ? take_names(p) : take_name(p)) && drop_end(p) && set(p, kind);
}

/* DROP INDEX name ON table ... */
static bool drop_index(parser *p)
{
    str ignored;
    return if_exists(p) && take_ident(p, &ignored) && take(p, "ON") && take_name(p) && set(p, SQL_STATEMENT_DROP_INDEX);
}

static bool database_named(parser *p, sql_statement_kind kind)
{
    str name;
    return take_ident(p, &name) && !sql_token_is_symbol(&p->token, '.') && add_name(p, name, STR("")) && set(p, kind);
}

static bool is_harmless_object(parser *p)
{
    static const char *const words[] = {"USER", "ROLE", "SERVER", "LOGFILE", "TABLESPACE", "UNDO", "RESOURCE", "SPATIAL", "INSTANCE", "PREPARE", "LIBRARY"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (at(p, words[i])) return true;
    return false;
}

static bool routine(parser *p, bool dropping)
{
    (void)take(p, "AGGREGATE");
    if (take(p, "PACKAGE"))
        (void)take(p, "BODY");
    else if (!take(p, "PROCEDURE") && !take(p, "FUNCTION") && !take(p, "EVENT"))
        return false;
    return (dropping ? if_exists(p) : if_not_exists(p)) && take_name(p) && set(p, SQL_STATEMENT_ROUTINE);
}

static bool drop(parser *p)
{
    p->st.temporary = take(p, "TEMPORARY");
    if (take(p, "TABLE") || take(p, "TABLES")) return drop_named(p, SQL_STATEMENT_DROP_TABLE, true);
    if (take(p, "SEQUENCE")) return drop_named(p, SQL_STATEMENT_DROP_SEQUENCE, true);
    if (p->st.temporary) return false;
    if (take(p, "VIEW")) return drop_named(p, SQL_STATEMENT_DROP_VIEW, true);
    if (take(p, "TRIGGER")) return drop_named(p, SQL_STATEMENT_DROP_TRIGGER, false);
    if (take(p, "INDEX") || take(p, "KEY")) return drop_index(p);
    if (take(p, "DATABASE") || take(p, "SCHEMA")) return if_exists(p) && database_named(p, SQL_STATEMENT_DROP_DATABASE) && at_end(p);
    if (is_harmless_object(p)) return set(p, SQL_STATEMENT_HARMLESS);
    return routine(p, true);
}

static bool rename_tables(parser *p)
{
    if (take(p, "USER")) return set(p, SQL_STATEMENT_HARMLESS);
    if (!take(p, "TABLE") && !take(p, "TABLES")) return false;
    if (!if_exists(p)) return false;
    do {
        if (!take_name(p) || !wait_clause(p) || !take(p, "TO") || !take_name(p)) return false;
    } while (take_symbol(p, ','));
    return at_end(p) && set(p, SQL_STATEMENT_RENAME_TABLE);
}

static bool truncate_table(parser *p)
{
    (void)take(p, "TABLE");
    if (!take_name(p) || !wait_clause(p)) return false;
    (void)(take(p, "DROP") || take(p, "REUSE")); /* [DROP | REUSE] STORAGE of MariaDB */
    (void)take(p, "STORAGE");
    return at_end(p) && set(p, SQL_STATEMENT_TRUNCATE_TABLE);
}

/* ---- CREATE ---- */

/* DEFINER = account: CURRENT_USER[()], CURRENT_ROLE[()], name[@host], with names and hosts quoted in any way. */
static bool definer(parser *p)
{
    if (!take_symbol(p, '=')) return false;
    if (p->token.kind != SQL_TOKEN_WORD && p->token.kind != SQL_TOKEN_NAME && p->token.kind != SQL_TOKEN_STRING) return false;
    next(p);
    if (take_symbol(p, '(')) return take_symbol(p, ')');
    if (!take_symbol(p, '@')) return true;
    if (p->token.kind == SQL_TOKEN_NAME || p->token.kind == SQL_TOKEN_STRING) {
        next(p);
        return true;
    }
    do { /* an unquoted host: words with dots, dashes and percent signs would need quotes, so only dots and words */
        if (p->token.kind != SQL_TOKEN_WORD) return false;
        next(p);
    } while (take_symbol(p, '.'));
    return true;
}

/* The words that may stand between CREATE or ALTER and the kind of a stored object, in any order. */
static bool object_options(parser *p)
{
    for (;;) {
        if (take(p, "ALGORITHM")) {
            if (!take_symbol(p, '=') || p->token.kind != SQL_TOKEN_WORD) return false;
            next(p);
        } else if (take(p, "DEFINER")) {
            if (!definer(p)) return false;
        } else if (take(p, "SQL")) {
            if (!take(p, "SECURITY") || p->token.kind != SQL_TOKEN_WORD) return false;
            next(p);
        } else {
            return true;
        }
    }
}

/* name {BEFORE|AFTER} event ON table */
static bool create_trigger(parser *p)
{
    if (!if_not_exists(p) || !take_name(p) || (!take(p, "BEFORE") && !take(p, "AFTER"))) return false;
    do { /* MariaDB 12: several events */
        if (!take(p, "INSERT") && !take(p, "UPDATE") && !take(p, "DELETE")) return false;
    } while (take(p, "OR"));
    return take(p, "ON") && take_name(p) && set(p, SQL_STATEMENT_CREATE_TRIGGER);
}

/* name [USING type] ON table */
static bool create_index(parser *p)
{
    str ignored;
    if (!if_not_exists(p) || !take_ident(p, &ignored)) return false;
    if (take(p, "USING") || take(p, "TYPE")) next(p);
    return take(p, "ON") && take_name(p) && set(p, SQL_STATEMENT_CREATE_INDEX);
}

static bool create(parser *p)
{
    bool replace = take(p, "OR");
    if (replace && !take(p, "REPLACE")) return false;
    p->st.temporary = take(p, "TEMPORARY");
    if (take(p, "TABLE")) return if_not_exists(p) && take_name(p) && set(p, SQL_STATEMENT_CREATE_TABLE);
    if (take(p, "SEQUENCE")) return if_not_exists(p) && take_name(p) && set(p, SQL_STATEMENT_CREATE_SEQUENCE);
    if (p->st.temporary) return false;
    if (take(p, "DATABASE") || take(p, "SCHEMA")) {
        p->st.if_not_exists = at(p, "IF");
        return if_not_exists(p) && database_named(p, SQL_STATEMENT_CREATE_DATABASE);
    }
    (void)(take(p, "ONLINE") || take(p, "OFFLINE"));
    if (take(p, "SPATIAL")) {
        if (take(p, "INDEX")) return create_index(p);
        return take_two(p, "REFERENCE", "SYSTEM") && set(p, SQL_STATEMENT_HARMLESS);
    }
    if (take(p, "UNIQUE") || take(p, "FULLTEXT") || take(p, "VECTOR")) return take(p, "INDEX") && create_index(p);
    if (take(p, "INDEX")) return create_index(p);
    if (is_harmless_object(p)) return set(p, SQL_STATEMENT_HARMLESS);
    if (!object_options(p)) return false;
    if (take(p, "VIEW")) return if_not_exists(p) && take_name(p) && set(p, SQL_STATEMENT_CREATE_VIEW);
    if (take(p, "TRIGGER")) return create_trigger(p);
    if (take(p, "ROLE")) return set(p, SQL_STATEMENT_HARMLESS);
    return routine(p, false);
}

/* ---- ALTER ---- */

/* The rest of ALTER TABLE: other tables that it renames to, exchanges or converts. RENAME, CONVERT and PARTITION are reserved words: unquoted they are no
 * column's name. */
static bool alter_table_rest(parser *p)
{
    unsigned depth = 0;
    while (p->token.kind != SQL_TOKEN_END) {
        if (p->token.kind == SQL_TOKEN_BAD) return false;
        if (sql_token_is_symbol(&p->token, '(')) depth++;
        if (sql_token_is_symbol(&p->token, ')') && depth-- == 0) return false;
        if (depth) {
            next(p);
        } else if (sql_token_is_symbol(&p->token, ';')) {
            return at_end(p);
        } else if (take(p, "RENAME")) {
            if (at(p, "COLUMN") || at(p, "INDEX") || at(p, "KEY") || at(p, "CONSTRAINT")) continue;
            (void)(take(p, "TO") || take(p, "AS") || take_symbol(p, '='));
            if (!take_name(p)) return false;
        } else if (take(p, "EXCHANGE")) {
            if (!take(p, "PARTITION")) continue;
            str ignored;
            if (!take_ident(p, &ignored) || !take_two(p, "WITH", "TABLE") || !take_name(p)) return false;
        } else if (take(p, "CONVERT")) {
            str ignored;
            if (take(p, "TABLE")) {
                if (!take_name(p)) return false;
            } else if (take(p, "PARTITION")) {
                if (!take_ident(p, &ignored) || !take_two(p, "TO", "TABLE") || !take_name(p)) return false;
            }
        } else {
            next(p);
        }
    }
    return depth == 0;
}

/* ALTER DATABASE [name] options. */
static bool alter_database(parser *p)
{
    if (at(p, "CHARACTER") || at(p, "COLLATE") || at(p, "DEFAULT") || at(p, "READ"))
        return p->default_database.n > 0 && add_name(p, p->default_database, STR("")) && set(p, SQL_STATEMENT_ALTER_DATABASE);
    if (at(p, "CHARSET") || at(p, "ENCRYPTION") || at(p, "COMMENT") || at(p, "UPGRADE")) return false; /* option or name */
    return database_named(p, SQL_STATEMENT_ALTER_DATABASE);
}

static bool alter(parser *p)
{
    while (take(p, "ONLINE") || take(p, "OFFLINE") || take(p, "IGNORE")) {
    }
    if (take(p, "TABLE")) return if_exists(p) && take_name(p) && alter_table_rest(p) && set(p, SQL_STATEMENT_ALTER_TABLE);
    if (take(p, "SEQUENCE")) return if_exists(p) && take_name(p) && set(p, SQL_STATEMENT_ALTER_SEQUENCE);
    if (take(p, "DATABASE") || take(p, "SCHEMA")) return alter_database(p);
    if (is_harmless_object(p)) return set(p, SQL_STATEMENT_HARMLESS);
    if (!object_options(p)) return false;
    if (take(p, "VIEW")) return take_name(p) && set(p, SQL_STATEMENT_ALTER_VIEW);
    return routine(p, false);
}

/* ---- transactions ---- */

/* [WORK] [AND [NO] CHAIN] [[NO] RELEASE] */
static bool commit_options(parser *p)
{
    (void)take(p, "WORK");
    if (take(p, "AND")) {
        (void)take(p, "NO");
        if (!take(p, "CHAIN")) return false;
    }
    (void)take(p, "NO");
    (void)take(p, "RELEASE");
    return at_end(p);
}

/* The name is only compared with others of its transaction: its character set does not matter. */
static bool savepoint(parser *p, sql_statement_kind kind)
{
    sql_token t = p->token;
    if ((t.kind != SQL_TOKEN_WORD && t.kind != SQL_TOKEN_NAME) || t.text.n == 0 || !unquote(p, &t, &p->st.savepoint)) return false;
    next(p);
    return at_end(p) && set(p, kind);
}

static bool rollback(parser *p)
{
    (void)take(p, "WORK");
    if (!take(p, "TO")) return commit_options(p) && set(p, SQL_STATEMENT_ROLLBACK);
    (void)take(p, "SAVEPOINT");
    return savepoint(p, SQL_STATEMENT_ROLLBACK_TO);
}

/* XA verb xid [options]; the id's text goes to the end or to the options. */
static bool xa(parser *p)
{
    static const struct {
        const char *word;
        sql_statement_kind kind;
    } verbs[] = {{"START", SQL_STATEMENT_XA_START}, {"BEGIN", SQL_STATEMENT_XA_START}, {"END", SQL_STATEMENT_XA_END},
                 {"PREPARE", SQL_STATEMENT_XA_PREPARE}, {"COMMIT", SQL_STATEMENT_XA_COMMIT}, {"ROLLBACK", SQL_STATEMENT_XA_ROLLBACK}};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!take(p, verbs[i].word)) continue;
        size_t from = p->token_at, to = p->lexer.at;
        while (p->token.kind != SQL_TOKEN_END && p->token.kind != SQL_TOKEN_BAD) {
            if (at(p, "ONE") || at(p, "JOIN") || at(p, "RESUME") || at(p, "SUSPEND") || sql_token_is_symbol(&p->token, ';')) break;
            to = p->lexer.at;
            next(p);
        }
        p->st.xid = str_trim(str_sub(p->lexer.text, from, to - from));
        if (take(p, "ONE")) {
            if (!take(p, "PHASE")) return false;
            p->st.one_phase = true;
        }
        if (take(p, "SUSPEND") && take(p, "FOR") && !take(p, "MIGRATE")) return false;
        (void)(take(p, "JOIN") || take(p, "RESUME"));
        return at_end(p) && p->st.xid.n > 0 && set(p, verbs[i].kind);
    }
    return false;
}

/* ---- the first word ---- */

static bool statement(parser *p, bool nested);

/* MariaDB: SET STATEMENT variable = value, ... FOR statement. */
static bool set_statement(parser *p, bool nested)
{
    if (take(p, "PASSWORD") || take(p, "ROLE")) return set(p, SQL_STATEMENT_HARMLESS);
    if (take(p, "DEFAULT")) return take(p, "ROLE") && set(p, SQL_STATEMENT_HARMLESS);
    if (nested || !take(p, "STATEMENT")) return false;
    unsigned depth = 0;
    while (p->token.kind != SQL_TOKEN_END && p->token.kind != SQL_TOKEN_BAD) {
        if (depth == 0 && take(p, "FOR")) return statement(p, true);
        if (sql_token_is_symbol(&p->token, '(')) depth++;
        if (sql_token_is_symbol(&p->token, ')') && depth-- == 0) return false;
        next(p);
    }
    return false;
}

static bool begin(parser *p)
{
    (void)take(p, "WORK");
    return at_end(p) && set(p, SQL_STATEMENT_BEGIN);
}

static bool is_one_of(parser *p, const char *const *words)
{
    for (; *words; words++)
        if (at(p, *words)) return true;
    return false;
}

static bool statement(parser *p, bool nested)
{
    static const char *const dml[] = {"INSERT", "UPDATE", "DELETE", "REPLACE", "CALL", "DO", "SELECT", "WITH", "VALUES", "HANDLER", "MERGE", "BINLOG", NULL};
    static const char *const analyze_tables[] = {"TABLE", "TABLES", "LOCAL", "NO_WRITE_TO_BINLOG", NULL}; /* else MariaDB runs the statement after it */
    static const char *const harmless[] = {"GRANT", "REVOKE", "FLUSH", "OPTIMIZE", "REPAIR", "CHECK", "CHECKSUM", "INSTALL", "UNINSTALL",
                                           "RESET", "CACHE", "SHOW", "USE", "KILL", "LOCK", "UNLOCK", "PURGE", NULL};
    if (p->token.kind == SQL_TOKEN_END) return !nested && set(p, SQL_STATEMENT_EMPTY);
    if (take(p, "BEGIN")) return begin(p);
    if (take(p, "START")) return take(p, "TRANSACTION") && set(p, SQL_STATEMENT_BEGIN);
    if (take(p, "COMMIT")) return commit_options(p) && set(p, SQL_STATEMENT_COMMIT);
    if (take(p, "ROLLBACK")) return rollback(p);
    if (take(p, "SAVEPOINT")) return savepoint(p, SQL_STATEMENT_SAVEPOINT);
    if (take(p, "RELEASE")) return take(p, "SAVEPOINT") && savepoint(p, SQL_STATEMENT_RELEASE);
    if (take(p, "XA")) return xa(p);
    if (take(p, "CREATE")) return create(p);
    if (take(p, "ALTER")) return alter(p);
    if (take(p, "DROP")) return drop(p);
    if (take(p, "RENAME")) return rename_tables(p);
    if (take(p, "TRUNCATE")) return truncate_table(p);
    if (take(p, "SET")) return set_statement(p, nested);
    if (take(p, "ANALYZE")) return set(p, is_one_of(p, analyze_tables) ? SQL_STATEMENT_HARMLESS : SQL_STATEMENT_DML);
    if (take(p, "LOAD")) return set(p, at(p, "INDEX") ? SQL_STATEMENT_HARMLESS : SQL_STATEMENT_DML);
    if (is_one_of(p, dml)) return set(p, SQL_STATEMENT_DML);
    if (is_one_of(p, harmless)) return set(p, SQL_STATEMENT_HARMLESS);
    return false;
}

bool sql_statement_mentions(str text, str word)
{
    for (size_t i = 0; word.n && i + word.n <= text.n; i++) {
        if (!str_eq_nocase(str_sub(text, i, word.n), word)) continue;
        bool left = i == 0 || !sql_is_word_byte(text.p[i - 1]), right = i + word.n == text.n || !sql_is_word_byte(text.p[i + word.n]);
        if (left && right) return true;
    }
    return false;
}

bool sql_statement_classify(str text, const sql_dialect *d, str default_database, arena *a, sql_statement *ret, err *e)
{
    parser p = {.default_database = default_database, .mem = a};
    str charset = binlog_collation_charset(d->charset);
    p.utf8 = d->charset == 0 || str_starts_with(charset, STR("utf8"));
    sql_lexer_init(&p.lexer, text, d);
    next(&p);
    bool ok = statement(&p, false) && p.token.kind != SQL_TOKEN_BAD;
    if (p.memory_out) return err_no_memory(e, "the names of a statement");
    *ret = ok ? p.st : (sql_statement){.kind = SQL_STATEMENT_UNKNOWN};
    return true;
}
