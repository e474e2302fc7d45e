/* QUERY events: group borders, savepoints, XA, and the statements that a stream of rows cannot carry. */
#include "codec/binlog_collation.h"
#include "engine/mysql/stream.h"
#include "engine/mysql/stream_statement.h"

#define SHOWN_BYTES 300 /* of a statement in a message */

static bool is_selected_database(const stream *m, str database)
{
    if (m->r->objects && dblist_has_database(m->r->objects, database)) return true;
    for (uint32_t i = 0; i < m->r->catalog->database_count; i++) {
        str name = m->r->catalog->databases[i].name;
        if (m->tables.fold_case ? str_eq_nocase(name, database) : str_eq(name, database)) return true;
    }
    return false;
}

static bool is_selected_table(stream *m, str database, str table)
{
    if (stream_tables_find(&m->tables, database, table)) return true;
    if (m->tables.fold_case && is_selected_database(m, database)) /* the list is matched by exact names: judge by the database alone */
        return !m->r->objects || !dblist_has_database(m->r->objects, database) || dblist_whole_database(m->r->objects, database);
    return m->r->objects ? dblist_match_table(m->r->objects, database, table).selected : is_selected_database(m, database);
}

/* A database that is selected is the default one, or is named somewhere in the text. */
static bool may_touch_selection(stream *m, const binlog_query *q, str *ret_database)
{
    if (q->database.n && is_selected_database(m, q->database)) {
        *ret_database = q->database;
        return true;
    }
    const str *names = NULL;
    uint32_t count = m->r->objects ? dblist_databases(m->r->objects, &names) : 0;
    for (uint32_t i = 0; i < count; i++)
        if (statement_mentions(q->text, names[i])) {
            *ret_database = names[i];
            return true;
        }
    for (uint32_t i = 0; i < m->r->catalog->database_count; i++)
        if (statement_mentions(q->text, m->r->catalog->databases[i].name)) {
            *ret_database = m->r->catalog->databases[i].name;
            return true;
        }
    return false;
}

static bool stop_at_ddl(const binlog_query *q, str database, str table, err *e)
{
    return err_set(e, ERR_SOURCE_DDL, "the source ran a statement on %.*s%s%.*s, which belongs to the job: %.*s%s (default database '%.*s')", STR_ARG(database),
                   table.n ? "." : "", STR_ARG(table), STR_ARG(str_sub(q->text, 0, SHOWN_BYTES)), q->text.n > SHOWN_BYTES ? "..." : "", STR_ARG(q->database));
}

/* Names are compared as UTF-8: one in another character set could pass unseen. */
static bool is_readable_name(const binlog_query *q, str name)
{
    bool ascii = true;
    for (size_t i = 0; i < name.n; i++) ascii = ascii && (uint8_t)name.p[i] < 0x80;
    if (ascii) return true;
    str charset = q->has_charset ? binlog_collation_charset(q->charset_client) : STR("utf8mb4");
    return str_starts_with_nocase(charset, STR("utf8")) && str_is_utf8(name);
}

static bool check_table_ddl(stream *m, const binlog_query *q, const statement *s, err *e)
{
    str meant;
    bool unsure = s->unsure;
    if (s->temporary) return true;
    for (uint32_t i = 0; i < s->count; i++) {
        str database = s->names[i].database.p ? s->names[i].database : q->database, table = s->names[i].table;
        if (!is_readable_name(q, database) || !is_readable_name(q, table)) unsure = true;
        if (is_selected_table(m, database, table)) return stop_at_ddl(q, database, table, e);
    }
    if (unsure && may_touch_selection(m, q, &meant)) return stop_at_ddl(q, meant, STR(""), e);
    return true;
}

static bool check_database_ddl(stream *m, const binlog_query *q, const statement *s, err *e)
{
    str meant;
    if (s->count == 0 || !is_readable_name(q, s->names[0].database))
        return may_touch_selection(m, q, &meant) ? stop_at_ddl(q, meant, STR(""), e) : true;
    if (s->if_not_exists) return true; /* changes nothing where the database exists */
    return is_selected_database(m, s->names[0].database) ? stop_at_ddl(q, s->names[0].database, STR(""), e) : true;
}

static bool check_dml(stream *m, const binlog_query *q, err *e)
{
    str meant;
    if (!may_touch_selection(m, q, &meant)) return true;
    return err_set(e, ERR_SOURCE_STATEMENT_FORMAT,
                   "a change that may touch the selected database %.*s was logged as a statement: %.*s; set binlog_format=ROW for all sessions and reset the job",
                   STR_ARG(meant), STR_ARG(str_sub(q->text, 0, SHOWN_BYTES)));
}

static bool check_unknown(stream *m, const binlog_query *q, err *e)
{
    str meant;
    if (!may_touch_selection(m, q, &meant)) return true;
    return err_set(e, ERR_SOURCE_DDL, "a statement that is not understood may touch the selected database %.*s: %.*s", STR_ARG(meant),
                   STR_ARG(str_sub(q->text, 0, SHOWN_BYTES)));
}

/* "COMMIT X'61',X'62',1" as it stands in the log: what follows the verb is the key under which the prepared branch was noted. */
static str branch_key(str rest, char *out, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < rest.n && k < n; i++) {
        char c = rest.p[i];
        if (c == ' ') continue;
        out[k++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (str){out, k};
}

static bool end_branch(stream *m, const binlog_event *ev, const statement *s, bool commits, err *e)
{
    char text[600];
    bool known = map_remove(&m->prepared, branch_key(s->rest, text, sizeof text)) != NULL;
    if (commits && !known)
        return err_set(e, ERR_NOT_SUPPORTED,
                       "XA COMMIT %.*s of a transaction that was prepared before the stream began: whether it changed selected tables is not known; "
                       "do not use XA across the job's start, and reset the job",
                       STR_ARG(str_sub(s->rest, 0, SHOWN_BYTES)));
    return stream_group_commit(m, ev, e);
}

/* In a transaction the statement is a part; else it is the whole group. */
static bool after_statement(stream *m, const binlog_event *ev, err *e) { return m->group.transaction || stream_group_commit(m, ev, e); }

static bool on_statement(stream *m, const binlog_event *ev, const binlog_query *q, const statement *s, err *e)
{
    switch (s->kind) {
    case STATEMENT_BEGIN: m->group.transaction = true; return true;
    case STATEMENT_COMMIT: return stream_group_commit(m, ev, e);
    case STATEMENT_ROLLBACK: return stream_group_rollback(m, ev, e);
    case STATEMENT_SAVEPOINT: return stream_group_savepoint(m, s->names[0].table, e);
    case STATEMENT_ROLLBACK_TO: return stream_group_rollback_to(m, s->names[0].table, e);
    case STATEMENT_XA_BEGIN: m->group.transaction = true; return true;
    case STATEMENT_XA_COMMIT: return end_branch(m, ev, s, true, e);
    case STATEMENT_XA_ROLLBACK: return end_branch(m, ev, s, false, e);
    case STATEMENT_TABLE_DDL: return check_table_ddl(m, q, s, e) && after_statement(m, ev, e);
    case STATEMENT_DATABASE_DDL: return check_database_ddl(m, q, s, e) && after_statement(m, ev, e);
    case STATEMENT_DML: return check_dml(m, q, e) && after_statement(m, ev, e);
    case STATEMENT_UNKNOWN: return check_unknown(m, q, e) && after_statement(m, ev, e);
    case STATEMENT_NOTHING:
    case STATEMENT_RELEASE:
    case STATEMENT_HARMLESS: break;
    }
    return after_statement(m, ev, e);
}

bool stream_query(stream *m, const binlog_event *ev, err *e)
{
    binlog_query q;
    if (!binlog_query_parse(ev, &m->format, &q, e)) return false;
    if (m->group.open && str_eq(q.text, STR("BEGIN"))) { /* nearly all of them */
        m->group.transaction = true;
        return true;
    }
    arena a;
    statement s;
    arena_init(&a, 1024, 0);
    bool ok = statement_read(q.text, q.has_sql_mode ? q.sql_mode : 0, &a, &s, e);
    bool border = ok && (s.kind == STATEMENT_COMMIT || s.kind == STATEMENT_ROLLBACK || s.kind == STATEMENT_ROLLBACK_TO);
    if (ok && !m->group.open && border && !m->started)
        ok = err_set(e, ERR_SOURCE_POSITION, "the stored position is not the start of a transaction");
    if (ok && !m->group.open) ok = stream_group_begin(m, ev, e);
    if (ok) ok = on_statement(m, ev, &q, &s, e);
    arena_finish(&a);
    return ok;
}
