/* A place in the binary log of one server and its durable text.
 * Text: {"server":"…","file":"binlog.000001","pos":1234,"created":1700000000,"gtid":"…","xa":"…"}, members in this order, no white space, no escapes.
 *   server   MySQL: server_uuid. MariaDB has no such thing: "mariadb:" and server_id, which alone proves nothing, hence:
 *   created  header timestamp of the file's FORMAT_DESCRIPTION event (seconds, 0 = not known): it survives restarts, is sent unchanged also when a
 *            dump begins in the middle of the file (measured on MariaDB 10.11.19 and MySQL 9.7.4), and differs after RESET and on a rebuilt server
 *   gtid     MySQL: the set executed up to here; MariaDB: the last GTID of each domain; empty = not known
 *   xa       prepared XA branches that changed no selected table, see stream_xa.h; left out when there are none
 * Reading always goes by file and pos; gtid and created prove that it is still the same log. */
#ifndef ENGINE_MYSQL_BINLOG_POSITION_H
#define ENGINE_MYSQL_BINLOG_POSITION_H

#include "engine/mysql/mysql.h"

typedef struct binlog_place {
    str server, file, gtid;
    uint64_t pos;
    uint32_t created;
    str xa;
} binlog_place;

/* Strict; the slices borrow from the text. ERR_SOURCE_POSITION when it is not well formed. Safe on hostile input. */
ERR_MUST_USE bool binlog_place_parse(str text, binlog_place *ret, err *e);
/* The text in the arena. White space in gtid is dropped. ERR_SOURCE_CONFIG for a file name with quotes, backslashes or control bytes. */
ERR_MUST_USE bool binlog_place_format(const binlog_place *p, int64_t commit_us, arena *a, position *ret, err *e);
/* As binlog_position_compare, on parsed places. */
ERR_MUST_USE bool binlog_place_compare(const binlog_place *a, const binlog_place *b, int *ret, err *e);
/* The name of the server in positions, see above. */
ERR_MUST_USE bool binlog_server_name(conn *c, arena *a, str *ret, err *e);
/* The end of the log as the server reports it, without `created`. *ret_on false: the binary log is off. The gtid belongs to the place when nothing is
 * committing at the moment (under a global read lock); else it may lack transactions that are in flight. */
ERR_MUST_USE bool binlog_end(conn *c, arena *a, binlog_place *ret, bool *ret_on, err *e);
/* Fills p->created through a connection of its own; stays 0 without the REPLICATION SLAVE right. Remembers the newest file. */
ERR_MUST_USE bool binlog_fill_created(source *s, binlog_place *p, err *e);

#endif
