/* A connection to MySQL or MariaDB: dial with policy, run statements, classify errors. The only file that knows how libmariadb is set up. */
#ifndef ENGINE_MYSQL_CONN_H
#define ENGINE_MYSQL_CONN_H

#include <mysql.h>

#include "base/buf.h"
#include "engine/engine.h"

typedef enum conn_end { CONN_SOURCE, CONN_TARGET } conn_end; /* decides which error codes failures get */

typedef struct conn {
    MYSQL *my;
    conn_end end;
    bool is_mariadb;
    uint32_t version;        /* 101119, 90704 */
    unsigned long thread_id;
    bool broken;             /* the connection is lost: only conn_close is allowed */
    bool running;            /* a statement was sent and its answer was not read: conn_close kills it at the server */
    uint32_t statement_timeout_s; /* until the first byte of an answer; set to the io timeout by conn_open, 0 = none */
    const endpoint *ep;      /* borrowed until conn_close */
    const engine_env *env;   /* borrowed until conn_close */
} conn;

/* sql_mode of our sessions; the strict one is a target's. */
#define CONN_SQL_MODE "ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
#define CONN_SQL_MODE_STRICT "STRICT_ALL_TABLES,STRICT_TRANS_TABLES," CONN_SQL_MODE

/* Connects, checks TLS, pins the session: SET NAMES binary, time_zone '+00:00', sql_mode NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES off, strict for
 * targets, wait and net timeouts, autocommit on. LOCAL INFILE stays off unless local_infile. Error codes SOURCE_ or TARGET_ CONNECT/AUTH. */
ERR_MUST_USE bool conn_open(const endpoint *ep, const engine_env *env, conn_end end, bool local_infile, conn **ret, err *e);
void conn_close(conn *c); /* NULL is fine */
/* Of conn_open: dials and logs in, without a default database (every statement names its own, and the destination's may not be there yet), by TLS as ep->tls
 * says. *ret_refused: TLS is wanted and the server offers none; nothing of the login was sent. Other failures: mysql_error(my). */
ERR_MUST_USE bool conn_connect(MYSQL *my, const char *host, const char *user, const endpoint *ep, uint32_t timeout_s, bool *ret_refused);
/* Sends a statement and waits for its answer, watching env->cancel and the statement timeout; both leave the connection broken.
 * The caller reads the result with mysql_store_result or mysql_use_result. */
ERR_MUST_USE bool conn_send(conn *c, str sql, err *e);
/* A statement without rows. ret_affected may be NULL. */
ERR_MUST_USE bool conn_exec(conn *c, str sql, uint64_t *ret_affected, err *e);
ERR_MUST_USE bool conn_execf(conn *c, err *e, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A statement whose whole result fits in memory; free with mysql_free_result. */
ERR_MUST_USE bool conn_query(conn *c, str sql, MYSQL_RES **ret, err *e);
/* The first column of the first row, copied; p == NULL for NULL or no row. */
ERR_MUST_USE bool conn_query_value(conn *c, const char *sql, arena *a, str *ret, err *e);
/* The same as an unsigned number; 0 when NULL or no row. */
ERR_MUST_USE bool conn_query_u64(conn *c, const char *sql, uint64_t *ret, err *e);
/* Fills e from the connection's last error: code by end and number, retry class by number (1213, 1205: TXN; 2006, 2013, ...: RECONNECT;
 * 1040, 1290, 1836, 1021, 3, 28...: LATER); marks the connection broken when it is. `what` names the operation. Returns false. */
bool conn_error(conn *c, err *e, const char *what);
/* After a failed read: was a packet beyond the limit that was set (env->row_limit_bytes), or was there no memory for it? */
bool conn_packet_too_large(const conn *c);
/* Fills e from number and text of a server's or the client library's error, as conn_error does. */
bool conn_error_set(conn_end end, const char *where, unsigned number, const char *text, const char *what, err *e);
/* The connection is lost after this error number. */
bool conn_error_is_lost(unsigned number);
/* Appends `name` quoted as identifier. */
void conn_quote_name(buf *out, str name);
/* Appends schema.table quoted. */
void conn_quote_table(buf *out, str schema, str table);
/* Appends a string literal that is right under any charset and sql_mode: '' when plain printable ASCII without quotes and backslashes, else x'hex' ;
 * with a charset (not empty) the introducer _charset is put in front. */
void conn_quote_literal(buf *out, str bytes, str charset);

#endif
