/* A look at one place of the source's binary log: which file is it really, and does a transaction start there? */
#ifndef ENGINE_MYSQL_BINLOG_PROBE_H
#define ENGINE_MYSQL_BINLOG_PROBE_H

#include "engine/mysql/mysql.h"

typedef struct binlog_probe {
    uint32_t created; /* header timestamp of the file's FORMAT_DESCRIPTION event; 0: the account may not read the log */
    bool boundary;    /* the event at the place may begin a transaction, or it is the end of the log */
} binlog_probe;

/* Opens a connection of its own and asks for a dump that ends at the end of the log (COM_BINLOG_DUMP with BINLOG_DUMP_NON_BLOCK and server_id 0, as
 * mysqlbinlog does); reads up to the first event and hangs up. A place in the middle of an event is not an error but no boundary. */
ERR_MUST_USE bool binlog_probe_at(source *s, str file, uint64_t pos, binlog_probe *ret, err *e);

#endif
