/* What a QUERY event's text does: transaction control, statement-format change, schema change of which objects, or nothing of interest.
 *
 * Only the head of a statement is read, and of ALTER TABLE all of it. Whatever does not follow the known grammar is UNKNOWN: never a guess. */
#ifndef CODEC_SQL_STATEMENT_H
#define CODEC_SQL_STATEMENT_H

#include "base/arena.h"
#include "base/err.h"
#include "codec/binlog_event.h"
#include "codec/sql_token.h"

/* Most objects that one statement may name. */
#define SQL_STATEMENT_MAX_NAMES 4096

typedef enum sql_statement_kind {
    SQL_STATEMENT_UNKNOWN, /* cannot be told: the stream must stop when it may concern a selected object */
    SQL_STATEMENT_EMPTY,   /* comments only; MariaDB sends "# Dummy event ..." for events that it thinks the reader does not know */
    SQL_STATEMENT_BEGIN, SQL_STATEMENT_COMMIT, SQL_STATEMENT_ROLLBACK,
    SQL_STATEMENT_SAVEPOINT, SQL_STATEMENT_RELEASE, /* savepoint: its name */
    SQL_STATEMENT_ROLLBACK_TO, /* ROLLBACK TO savepoint: rows after it in the group are undone by non-row means */
    SQL_STATEMENT_XA_START, SQL_STATEMENT_XA_END, SQL_STATEMENT_XA_PREPARE, SQL_STATEMENT_XA_COMMIT, SQL_STATEMENT_XA_ROLLBACK,
    SQL_STATEMENT_DML,     /* changes rows in statement format: INSERT, UPDATE, DELETE, REPLACE, LOAD, CALL, SELECT f(), ... */
    /* Schema changes. names: the tables (schema, name). */
    SQL_STATEMENT_CREATE_TABLE, SQL_STATEMENT_ALTER_TABLE, SQL_STATEMENT_DROP_TABLE,
    SQL_STATEMENT_RENAME_TABLE, /* names: from, to, from, to ... */
    SQL_STATEMENT_TRUNCATE_TABLE, SQL_STATEMENT_CREATE_INDEX, SQL_STATEMENT_DROP_INDEX,
    SQL_STATEMENT_CREATE_SEQUENCE, SQL_STATEMENT_ALTER_SEQUENCE, SQL_STATEMENT_DROP_SEQUENCE,
    /* names: one with the schema and an empty name. */
    SQL_STATEMENT_CREATE_DATABASE, SQL_STATEMENT_ALTER_DATABASE, SQL_STATEMENT_DROP_DATABASE,
    /* names: the views. */
    SQL_STATEMENT_CREATE_VIEW, SQL_STATEMENT_ALTER_VIEW, SQL_STATEMENT_DROP_VIEW,
    /* names: the trigger; for CREATE the table after it. */
    SQL_STATEMENT_CREATE_TRIGGER, SQL_STATEMENT_DROP_TRIGGER,
    SQL_STATEMENT_ROUTINE,  /* CREATE, ALTER, DROP of PROCEDURE, FUNCTION, EVENT, PACKAGE; names: it */
    SQL_STATEMENT_HARMLESS, /* accounts, privileges, servers, ANALYZE, FLUSH, ...: no table changes */
    SQL_STATEMENT_KIND_COUNT,
} sql_statement_kind;

typedef struct sql_name {
    str schema, name; /* unquoted, UTF-8, case as written */
} sql_name;

typedef struct sql_statement {
    sql_statement_kind kind;
    bool temporary; /* CREATE or DROP TEMPORARY: no lasting table is meant */
    bool if_not_exists; /* CREATE DATABASE */
    bool one_phase; /* XA COMMIT ... ONE PHASE */
    str savepoint;  /* name, in the statement's character set */
    str xid;        /* XA: text of the id */
    sql_name *names;/* borrowed from text, default_database or the arena */
    uint32_t name_count;
} sql_statement;

/* Static name such as "ALTER TABLE", "UNKNOWN". */
const char *sql_statement_kind_name(sql_statement_kind kind);
/* The statement changes tables, views, databases or other schema objects. */
bool sql_statement_is_ddl(sql_statement_kind kind);
/* The dialect of a QUERY event. */
sql_dialect sql_dialect_of(const binlog_query *q, const binlog_format *f);
/* Names without a schema are of default_database; without one the statement is UNKNOWN, as it is when an affected name has letters other than ASCII in a
 * character set other than UTF-8 or is not well-formed UTF-8. Error: ERR_NO_MEMORY only. */
ERR_MUST_USE bool sql_statement_classify(str text, const sql_dialect *d, str default_database, arena *a, sql_statement *ret, err *e);
/* Does the text hold the word (quoted or not, case ignored)? For statements that were not understood or read: which databases may be meant. */
bool sql_statement_mentions(str text, str word);

#endif
