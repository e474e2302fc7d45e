/* QUERY events: group borders, savepoints, XA, and the statements that a stream of rows cannot carry. */
#include "codec/sql_statement.h"
#include "engine/mysql/stream.h"

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
        if (sql_statement_mentions(q->text, names[i])) {
            *ret_database = names[i];
            return true;
        }
    for (uint32_t i = 0; i < m->r->catalog->database_count; i++)
        if (sql_statement_mentions(q->text, m->r->catalog->databases[i].name)) {
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

static bool check_tables(stream *m, const binlog_query *q, const sql_statement *s, err *e)
{
    if (s->temporary) return true;
    for (uint32_t i = 0; i < s->name_count; i++)
        if (is_selected_table(m, s->names[i].schema, s->names[i].name)) return stop_at_ddl(q, s->names[i].schema, s->names[i].name, e);
    return true;
}

/* The only statement on a table that is a change of rows: its group holds nothing else. */
static bool truncate_table(stream *m, const binlog_query *q, const sql_statement *s, err *e)
{
    const table_def *t = s->temporary || s->name_count != 1 ? NULL : stream_tables_find(&m->tables, s->names[0].schema, s->names[0].name);
    if (!t) return check_tables(m, q, s, e);
    txn *group;
    if (!stream_group_txn(m, &group, e)) return false;
    change *c = txn_add_change(group);
    if (!c) return err_no_memory(e, "a transaction");
    *c = (change){.table = t, .kind = CHANGE_TRUNCATE};
    return true;
}

static bool check_database(stream *m, const binlog_query *q, const sql_statement *s, err *e)
{
    str name = s->names[0].schema;
    if (s->if_not_exists) return true; /* changes nothing where the database exists */
    return is_selected_database(m, name) ? stop_at_ddl(q, name, STR(""), e) : true;
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

static bool end_branch(stream *m, const binlog_event *ev, const sql_statement *s, bool commits, err *e)
{
    if (s->one_phase) return stream_group_commit(m, ev, e); /* its rows stand in this group */
    bool known = stream_xa_ended(&m->xa, s->xid);
    if (commits && !known)
        return err_set(e, ERR_NOT_SUPPORTED,
                       "XA COMMIT %.*s of a transaction that was prepared before the stream began: whether it changed selected tables is not known; "
                       "do not use XA across the job's start, and reset the job",
                       STR_ARG(str_sub(s->xid, 0, SHOWN_BYTES)));
    return stream_group_commit(m, ev, e);
}

/* In a transaction the statement is a part; else it is the whole group. */
static bool after_statement(stream *m, const binlog_event *ev, err *e) { return m->group.transaction || stream_group_commit(m, ev, e); }

static bool on_statement(stream *m, const binlog_event *ev, const binlog_query *q, const sql_statement *s, err *e)
{
    switch (s->kind) {
    case SQL_STATEMENT_BEGIN: m->group.transaction = true; return true;
    case SQL_STATEMENT_COMMIT: return stream_group_commit(m, ev, e);
    case SQL_STATEMENT_ROLLBACK: return stream_group_rollback(m, ev, e);
    case SQL_STATEMENT_SAVEPOINT: return stream_group_savepoint(m, s->savepoint, e);
    case SQL_STATEMENT_ROLLBACK_TO: return stream_group_rollback_to(m, s->savepoint, e);
    case SQL_STATEMENT_XA_START:
    case SQL_STATEMENT_XA_END:
    case SQL_STATEMENT_XA_PREPARE: m->group.transaction = true; return true;
    case SQL_STATEMENT_XA_COMMIT: return end_branch(m, ev, s, true, e);
    case SQL_STATEMENT_XA_ROLLBACK: return end_branch(m, ev, s, false, e);
    case SQL_STATEMENT_CREATE_TABLE:
    case SQL_STATEMENT_ALTER_TABLE:
    case SQL_STATEMENT_DROP_TABLE:
    case SQL_STATEMENT_RENAME_TABLE:
    case SQL_STATEMENT_CREATE_INDEX:
    case SQL_STATEMENT_DROP_INDEX: return check_tables(m, q, s, e) && after_statement(m, ev, e);
    case SQL_STATEMENT_TRUNCATE_TABLE: return truncate_table(m, q, s, e) && after_statement(m, ev, e);
    case SQL_STATEMENT_CREATE_DATABASE:
    case SQL_STATEMENT_ALTER_DATABASE:
    case SQL_STATEMENT_DROP_DATABASE: return check_database(m, q, s, e) && after_statement(m, ev, e);
    case SQL_STATEMENT_DML: return check_dml(m, q, e) && after_statement(m, ev, e);
    case SQL_STATEMENT_UNKNOWN: return check_unknown(m, q, e) && after_statement(m, ev, e);
    case SQL_STATEMENT_CREATE_SEQUENCE: /* none of these is a part of row images */
    case SQL_STATEMENT_ALTER_SEQUENCE:
    case SQL_STATEMENT_DROP_SEQUENCE:
    case SQL_STATEMENT_CREATE_VIEW:
    case SQL_STATEMENT_ALTER_VIEW:
    case SQL_STATEMENT_DROP_VIEW:
    case SQL_STATEMENT_CREATE_TRIGGER:
    case SQL_STATEMENT_DROP_TRIGGER:
    case SQL_STATEMENT_ROUTINE:
    case SQL_STATEMENT_EMPTY:
    case SQL_STATEMENT_RELEASE:
    case SQL_STATEMENT_HARMLESS:
    case SQL_STATEMENT_KIND_COUNT: break;
    }
    return after_statement(m, ev, e);
}

static bool is_border(sql_statement_kind kind)
{
    return kind == SQL_STATEMENT_COMMIT || kind == SQL_STATEMENT_ROLLBACK || kind == SQL_STATEMENT_ROLLBACK_TO;
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
    sql_statement s;
    sql_dialect d = sql_dialect_of(&q, &m->format);
    arena_init(&a, 1024, 0);
    bool ok = sql_statement_classify(q.text, &d, q.database, &a, &s, e);
    if (ok && !m->group.open && is_border(s.kind) && !m->started)
        ok = err_set(e, ERR_SOURCE_POSITION, "the stored position is not the start of a transaction");
    if (ok && !m->group.open) ok = stream_group_begin(m, ev, e);
    if (ok) ok = on_statement(m, ev, &q, &s, e);
    arena_finish(&a);
    return ok;
}
