/* The replication connection: asks a server for its binlog and hands out one event after the other.
 * Works as the vendors' replicas do, without their client API: COM_BINLOG_DUMP (18) by file and offset. Never a semi-synchronous replica: our answer must
 * not decide over a commit at the source.
 * Sources: MySQL source "rpl_binlog_sender.cc" and mariadb.com/kb "Replication Protocol"; behaviour measured on MariaDB 10.11 and MySQL 9.7. */
#ifndef ENGINE_MYSQL_BINLOG_DUMP_H
#define ENGINE_MYSQL_BINLOG_DUMP_H

#include "engine/mysql/conn.h"

typedef struct binlog_dump binlog_dump;

/* Connects and starts the dump at a file and offset (4 .. 2^32-1). heartbeat_ms: the idle server sends a HEARTBEAT event that often (1 .. 60 000).
 * ep and env are borrowed until binlog_dump_close. Errors: those of conn_open, ERR_SOURCE_POSITION for an offset beyond 4 GiB; what the server thinks of
 * the place comes with the first binlog_dump_next. */
ERR_MUST_USE bool binlog_dump_open(const endpoint *ep, const engine_env *env, str file, uint64_t offset, uint32_t heartbeat_ms, binlog_dump **ret, err *e);
/* Ends the connection; NULL is fine. */
void binlog_dump_close(binlog_dump *d);
/* The bytes of the next event, borrowed until the next call. Waits for it; a cancelled env or a source that is silent for 30 s (heartbeats included) ends
 * the wait. Errors: ERR_CANCELLED, ERR_SOURCE_CONNECT with RETRY_RECONNECT, and what the server answers, see binlog_dump_server_error. */
ERR_MUST_USE bool binlog_dump_next(binlog_dump *d, str *ret_event, err *e);
bool binlog_dump_is_mariadb(const binlog_dump *d);
/* Fills e from an answer of the server to a dump: error 1236 (and 1789, 1790 ...) says what is wrong only in its text, which is mapped to our codes. Returns false. */
bool binlog_dump_server_error(unsigned number, const char *text, err *e);

#endif
