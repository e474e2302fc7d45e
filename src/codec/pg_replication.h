/* PostgreSQL's streaming replication protocol inside CopyData: what the server sends, and the status that it is answered with. All integers big endian.
 *
 *   XLogData   'w'  start LSN 8, end of WAL at the server 8, time 8, payload (one message of the output plugin)
 *   keepalive  'k'  end of WAL at the server 8, time 8, reply requested 1
 *   status     'r'  written LSN 8, flushed LSN 8, applied LSN 8, time 8, reply requested 1
 *
 * Source: PostgreSQL manual "Streaming Replication Protocol", bytes of PostgreSQL 15 (tests/golden/pgoutput). */
#ifndef CODEC_PG_REPLICATION_H
#define CODEC_PG_REPLICATION_H

#include "codec/pg_lsn.h"

typedef enum pg_replication_kind { PG_REPLICATION_DATA = 'w', PG_REPLICATION_KEEPALIVE = 'k' } pg_replication_kind;

typedef struct pg_replication_message {
    pg_replication_kind kind;
    pg_lsn start;         /* DATA: position of the payload's change; PG_LSN_NONE where the server has none to tell */
    pg_lsn wal_end;       /* DATA: what the server has sent up to; KEEPALIVE: what it has looked through up to */
    int64_t sent_us;      /* the server's clock, Unix microseconds */
    bool reply_requested; /* KEEPALIVE: a status at once, else the server may end the connection */
    str payload;          /* DATA: borrowed from the input */
} pg_replication_message;

/* Reads one CopyData message. Error: ERR_PROTOCOL. */
ERR_MUST_USE bool pg_replication_parse(str copy_data, pg_replication_message *ret, err *e);

typedef struct pg_replication_status {
    pg_lsn written, flushed, applied; /* each the end of what was received, is durable, is visible; the slot's confirmed position becomes `flushed` */
    int64_t sent_us;                  /* our clock, Unix microseconds */
    bool reply_requested;             /* the server shall answer with a keepalive */
} pg_replication_status;

#define PG_REPLICATION_STATUS_BYTES 34
/* The bytes of a status, ready for CopyData. */
void pg_replication_status_build(const pg_replication_status *s, char out[PG_REPLICATION_STATUS_BYTES]);

#endif
