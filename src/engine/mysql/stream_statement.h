/* What a statement of the log is and which objects it names: just enough to tell what ends a transaction, what changes rows or definitions of selected
 * objects, and what may be passed. Pure; safe on hostile text. Anything not understood is STATEMENT_UNKNOWN, never "harmless". */
#ifndef ENGINE_MYSQL_STREAM_STATEMENT_H
#define ENGINE_MYSQL_STREAM_STATEMENT_H

#include "base/arena.h"
#include "base/err.h"

/* Names that one statement may have. */
#define STATEMENT_MAX_NAMES 4096

typedef enum statement_kind {
    STATEMENT_NOTHING,     /* empty, or only a comment */
    STATEMENT_BEGIN, STATEMENT_COMMIT, STATEMENT_ROLLBACK,
    STATEMENT_SAVEPOINT, STATEMENT_ROLLBACK_TO, STATEMENT_RELEASE, /* names[0].table: the savepoint */
    STATEMENT_XA_BEGIN,    /* XA START, END, PREPARE: parts of a group */
    STATEMENT_XA_COMMIT, STATEMENT_XA_ROLLBACK, /* `rest` identifies the branch */
    STATEMENT_DML,         /* changes rows: logged as a statement */
    STATEMENT_TABLE_DDL,   /* names: every table it creates, alters, renames, truncates or drops */
    STATEMENT_DATABASE_DDL,/* names[0].database */
    STATEMENT_HARMLESS,    /* touches neither rows nor definitions of tables: users, routines, triggers, views, maintenance */
    STATEMENT_UNKNOWN,
} statement_kind;

typedef struct statement_name {
    str database; /* p == NULL: the session's default database */
    str table;
} statement_name;

typedef struct statement {
    statement_kind kind;
    bool temporary;     /* only temporary tables */
    bool if_not_exists;
    bool unsure;        /* a name could not be read: take any */
    statement_name *names; /* in the arena */
    uint32_t count;
    str rest;           /* XA: text after the verb */
} statement;

/* sql_mode: bits of binlog_event.h. Errors: ERR_NO_MEMORY, ERR_LIMIT. */
ERR_MUST_USE bool statement_read(str text, uint64_t sql_mode, arena *a, statement *ret, err *e);
/* Does the text hold the word (quoted or not, case ignored)? For statements that were not understood or read: which databases may be meant. */
bool statement_mentions(str text, str word);

#endif
