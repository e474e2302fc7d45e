/* A connection to PostgreSQL: dial, run statements, move COPY data, classify errors. The only files that know how libpq is driven: always without blocking,
 * so that every wait ends at cancel or timeout. */
#ifndef ENGINE_POSTGRESQL_PG_CONN_H
#define ENGINE_POSTGRESQL_PG_CONN_H

#include <libpq-fe.h>

#include "base/buf.h"
#include "engine/engine.h"

typedef enum pg_end { PG_SOURCE, PG_TARGET } pg_end; /* decides which error codes failures get */

typedef struct pg_conn {
    PGconn *pg;
    pg_end end;
    uint32_t version;        /* 150020, as PQserverVersion */
    bool broken;             /* the connection is lost: only pg_conn_close is allowed */
    bool running;            /* a statement was sent and its answer was not read: pg_conn_close cancels it at the server */
    uint32_t statement_timeout_s; /* until the answer; set to the io timeout by pg_conn_open, 0 = none */
    char context[256];       /* CONTEXT of the last refused statement, cut; may hold values of a row: never for a message as it is */
    const endpoint *ep;      /* borrowed until pg_conn_close */
    const engine_env *env;   /* borrowed until pg_conn_close */
} pg_conn;

/* SQLSTATE as err.native: five characters of six bits, as PostgreSQL's own MAKE_SQLSTATE (src/include/utils/elog.h). */
#define PG_STATE(a, b, c, d, e) \
    ((((a) - '0') & 0x3F) + ((((b) - '0') & 0x3F) << 6) + ((((c) - '0') & 0x3F) << 12) + ((((d) - '0') & 0x3F) << 18) + ((((e) - '0') & 0x3F) << 24))

/* Connects to ep->database (required) and pins what decides the texts of values: ISO dates, UTC, UTF8, exact floats, hex bytea, standard strings, an empty
 * search_path (every name is written with its schema), row_security off (a filtered read is an error, not fewer rows). replication: a walsender connection
 * of the database, whose only statements are those of the replication protocol and plain SQL. Error codes SOURCE_ or TARGET_ CONNECT/AUTH. */
ERR_MUST_USE bool pg_conn_open(const endpoint *ep, const engine_env *env, pg_end end, bool replication, pg_conn **ret, err *e);
void pg_conn_close(pg_conn *c); /* NULL is fine */

/* Runs one statement; the result is PGRES_TUPLES_OK or PGRES_COMMAND_OK, free with PQclear. Texts in and out are UTF-8. Cancel and timeout leave the
 * connection broken. */
ERR_MUST_USE bool pg_conn_query(pg_conn *c, str sql, PGresult **ret, err *e);
/* The same with text parameters $1..$n; values[i].p == NULL is NULL. */
ERR_MUST_USE bool pg_conn_query_params(pg_conn *c, str sql, const str *values, uint32_t n, PGresult **ret, err *e);
/* Rows are thrown away. ret_affected (may be NULL): rows that the command touched. Several statements separated by ; are one transaction. */
ERR_MUST_USE bool pg_conn_exec(pg_conn *c, str sql, uint64_t *ret_affected, err *e);
ERR_MUST_USE bool pg_conn_execf(pg_conn *c, err *e, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The first column of the first row, copied; p == NULL for NULL or no row. */
ERR_MUST_USE bool pg_conn_query_value(pg_conn *c, const char *sql, arena *a, str *ret, err *e);
/* The same as an unsigned number; 0 when NULL or no row. */
ERR_MUST_USE bool pg_conn_query_u64(pg_conn *c, const char *sql, uint64_t *ret, err *e);
/* Several statements at once: pg_conn_send, then pg_conn_next until *ret is NULL, one result for each statement (free with PQclear). A result whose status is
 * an error is the last one of the batch: pg_conn_error tells what it means. The timeout counts anew for each result. */
ERR_MUST_USE bool pg_conn_send(pg_conn *c, str sql, err *e);
ERR_MUST_USE bool pg_conn_next(pg_conn *c, PGresult **ret, err *e);
/* A field of a result, borrowed from it; p == NULL for NULL. */
str pg_field(const PGresult *r, int row, int column);

/* COPY ... FROM STDIN: begin, put any number of times, end with the count of rows. pg_copy_in_abort takes back what was put: the statement fails at the
 * server with our text. */
ERR_MUST_USE bool pg_copy_in_begin(pg_conn *c, str sql, err *e);
ERR_MUST_USE bool pg_copy_in_put(pg_conn *c, str bytes, err *e);
ERR_MUST_USE bool pg_copy_in_end(pg_conn *c, uint64_t *ret_rows, err *e);
void pg_copy_in_abort(pg_conn *c, const char *why);
/* COPY ... TO STDOUT and START_REPLICATION: begin, then one message (a line, a packet) at a time, borrowed until the next call; p == NULL at the end.
 * timeout_ms: ret is empty (n == 0, p != NULL) when nothing came within it; -1 waits for the connection's statement timeout and fails then. */
ERR_MUST_USE bool pg_copy_out_begin(pg_conn *c, str sql, bool both, err *e);
ERR_MUST_USE bool pg_copy_out_next(pg_conn *c, char **held, int timeout_ms, str *ret, err *e);

/* Fills e from the result (NULL: from the connection): code by end and SQLSTATE, retry class; marks the connection broken when it is. `what` names the
 * operation. The text has the server's message and its detail, never a whole row nor the statement. Returns false. */
bool pg_conn_error(pg_conn *c, const PGresult *r, err *e, const char *what);
/* "source HOST:PORT/DATABASE as user 'U'" */
void pg_conn_where(const pg_conn *c, char *out, size_t n);

/* Appends a name, a qualified name and a string literal, quoted for standard_conforming_strings. */
void pg_quote_name(buf *out, str name);
void pg_quote_table(buf *out, str schema, str table);
void pg_quote_literal(buf *out, str text);

#endif
