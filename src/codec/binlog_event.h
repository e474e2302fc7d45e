/* MySQL and MariaDB binlog events: header, checksum, and every event kind that is not a row image.
 *
 * An event is 19 bytes of header (timestamp 4, type 1, server id 4, size 4, end position 4, flags 2; little endian), a post-header whose length the
 * format description event tells per type, a body, and with checksums on a CRC-32 of all before it. Sources: MySQL internals manual "Binlog Event",
 * mariadb.com/kb "Replication Protocol", and bytes of MariaDB 10.11 and MySQL 9.7 (tests/golden/binlog).
 *
 * Pure functions. Every str in a result is borrowed from the event bytes given to binlog_event_parse().
 * Errors: ERR_SOURCE_LOG_CORRUPT (layout, checksum), ERR_SOURCE_LOG_FORMAT (a version that is too old). */
#ifndef CODEC_BINLOG_EVENT_H
#define CODEC_BINLOG_EVENT_H

#include "base/arena.h"
#include "base/err.h"

#define BINLOG_HEADER_BYTES 19
#define BINLOG_MAGIC "\xfe" "bin"
#define BINLOG_MAGIC_BYTES 4

enum binlog_event_type {
    BINLOG_QUERY = 2, BINLOG_STOP = 3, BINLOG_ROTATE = 4, BINLOG_INTVAR = 5, BINLOG_LOAD = 6, BINLOG_SLAVE = 7, BINLOG_CREATE_FILE = 8,
    BINLOG_APPEND_BLOCK = 9, BINLOG_EXEC_LOAD = 10, BINLOG_DELETE_FILE = 11, BINLOG_NEW_LOAD = 12, BINLOG_RAND = 13, BINLOG_USER_VAR = 14,
    BINLOG_FORMAT_DESCRIPTION = 15, BINLOG_XID = 16, BINLOG_BEGIN_LOAD_QUERY = 17, BINLOG_EXECUTE_LOAD_QUERY = 18, BINLOG_TABLE_MAP = 19,
    BINLOG_WRITE_ROWS_V0 = 20, BINLOG_UPDATE_ROWS_V0 = 21, BINLOG_DELETE_ROWS_V0 = 22,
    BINLOG_WRITE_ROWS_V1 = 23, BINLOG_UPDATE_ROWS_V1 = 24, BINLOG_DELETE_ROWS_V1 = 25,
    BINLOG_INCIDENT = 26, BINLOG_HEARTBEAT = 27, BINLOG_IGNORABLE = 28, BINLOG_ROWS_QUERY = 29,
    BINLOG_WRITE_ROWS = 30, BINLOG_UPDATE_ROWS = 31, BINLOG_DELETE_ROWS = 32,
    BINLOG_GTID = 33, BINLOG_ANONYMOUS_GTID = 34, BINLOG_PREVIOUS_GTIDS = 35, BINLOG_TRANSACTION_CONTEXT = 36, BINLOG_VIEW_CHANGE = 37,
    BINLOG_XA_PREPARE = 38, BINLOG_PARTIAL_UPDATE_ROWS = 39, BINLOG_TRANSACTION_PAYLOAD = 40, BINLOG_HEARTBEAT_V2 = 41, BINLOG_GTID_TAGGED = 42,
    /* MariaDB */
    BINLOG_ANNOTATE_ROWS = 160, BINLOG_CHECKPOINT = 161, BINLOG_MARIADB_GTID = 162, BINLOG_GTID_LIST = 163, BINLOG_START_ENCRYPTION = 164,
    BINLOG_QUERY_COMPRESSED = 165, BINLOG_WRITE_ROWS_COMPRESSED_V1 = 166, BINLOG_UPDATE_ROWS_COMPRESSED_V1 = 167,
    BINLOG_DELETE_ROWS_COMPRESSED_V1 = 168, BINLOG_WRITE_ROWS_COMPRESSED = 169, BINLOG_UPDATE_ROWS_COMPRESSED = 170,
    BINLOG_DELETE_ROWS_COMPRESSED = 171,
};

/* Header flags. */
#define BINLOG_FLAG_IN_USE 0x01
#define BINLOG_FLAG_ARTIFICIAL 0x20 /* made by the server for this stream: its position is not one */
#define BINLOG_FLAG_IGNORABLE 0x80  /* may be skipped by who does not know the type */

/* What the last format description event said; all events after it are read by it. */
typedef struct binlog_format {
    bool known;    /* a format description was read */
    bool checksum; /* events end with a CRC-32 */
    bool mariadb;  /* written by MariaDB (it lists more than 160 event types) */
    uint16_t version;
    char server_version[51]; /* NUL-terminated */
    uint32_t server_number;  /* major*10000 + minor*100 + patch */
    uint32_t created;        /* Unix seconds, 0 when not the first event after a server start */
    uint16_t type_count;
    uint8_t post_header[256]; /* by event type, 0 for types the server does not know */
} binlog_format;

typedef struct binlog_event {
    uint32_t timestamp; /* Unix seconds at the source, when the statement began; 0 for artificial events */
    uint32_t server_id;
    uint32_t size;    /* with header and checksum */
    uint32_t log_pos; /* end of the event in its file modulo 2^32; 0 for events that have no place in the file */
    uint16_t flags;
    uint8_t type;     /* binlog_event_type, or a number unknown to us */
    str body;         /* after the header, without checksum */
    str bytes;        /* the whole event */
} binlog_event;

/* Static name such as "TABLE_MAP"; "UNKNOWN" for a type that this codec does not know. */
const char *binlog_event_name(uint8_t type);
/* The type is in the table of this codec. An unknown type may be passed over only when its IGNORABLE flag is set. */
bool binlog_event_is_known(uint8_t type);
/* A kind that carries row changes or a statement in a form that this codec names but does not read: compressed events and payloads, partial JSON
 * updates, row events of format 0, LOAD DATA files. The stream must stop before it. */
bool binlog_event_is_unreadable(uint8_t type);
bool binlog_event_is_rows(uint8_t type);

/* Forgets the format: at the start of a connection or file. */
void binlog_format_init(binlog_format *f);
/* Reads the header, checks size and CRC-32, cuts both off. `bytes` is one whole event. A FORMAT_DESCRIPTION event brings its own checksum rule (its IN_USE
 * flag is left out of the sum); before the first one, a right CRC-32 at the end is recognised and cut. */
ERR_MUST_USE bool binlog_event_parse(str bytes, const binlog_format *f, binlog_event *ret, err *e);
/* Size of the event that starts at `bytes` (19 bytes or more are enough); 0 when there are fewer or the size is less than a header. */
uint32_t binlog_event_peek_size(str bytes);

ERR_MUST_USE bool binlog_format_parse(const binlog_event *ev, binlog_format *ret, err *e);

typedef struct binlog_rotate {
    uint64_t position;
    str file;
} binlog_rotate;
ERR_MUST_USE bool binlog_rotate_parse(const binlog_event *ev, binlog_rotate *ret, err *e);

/* sql_mode bits that change how statement text is read (the same in both servers). */
#define BINLOG_SQL_MODE_PIPES_AS_CONCAT 0x2u
#define BINLOG_SQL_MODE_ANSI_QUOTES 0x4u
#define BINLOG_SQL_MODE_NO_BACKSLASH_ESCAPES 0x100000u

typedef struct binlog_query {
    uint32_t thread_id, exec_seconds;
    uint16_t error_code;
    str database; /* default database of the session, may be empty */
    str text;     /* in the character set `charset_client` */
    bool has_sql_mode, has_charset, has_microseconds, has_ddl_xid;
    bool vars_cut; /* a status variable of an unknown code ended the reading of the rest */
    uint64_t sql_mode;
    uint16_t charset_client, collation_connection, collation_server; /* collation ids */
    uint16_t charset_database;                                       /* collation id, 0 = not told */
    str time_zone;                                                   /* empty = not told */
    uint32_t microseconds;                                           /* fraction of the timestamp */
    uint64_t ddl_xid;                                                /* MySQL: the DDL is atomic under this XID */
    str invoker_user, invoker_host;
} binlog_query;
ERR_MUST_USE bool binlog_query_parse(const binlog_event *ev, const binlog_format *f, binlog_query *ret, err *e);

ERR_MUST_USE bool binlog_xid_parse(const binlog_event *ev, uint64_t *ret_xid, err *e);

/* GTID (33), ANONYMOUS_GTID (34) and GTID_TAGGED (42) of MySQL. */
typedef struct binlog_gtid {
    bool anonymous; /* no GTID: gtid_mode is off */
    bool may_have_statements; /* flag 1 is clear: nothing but row events is promised */
    uint8_t uuid[16];
    char tag[33]; /* NUL-terminated, lower case, empty = none */
    uint64_t gno; /* 1 .. 2^63-2; 0 when anonymous */
    int64_t last_committed, sequence_number;
    uint64_t immediate_commit_us, original_commit_us; /* Unix microseconds, 0 = not told; original equals immediate on the first server */
    uint64_t transaction_bytes;                       /* with this event, 0 = not told */
    uint32_t original_server_version;                 /* 90704; 0 = not told */
} binlog_gtid;
ERR_MUST_USE bool binlog_gtid_parse(const binlog_event *ev, binlog_gtid *ret, err *e);

#define BINLOG_MARIADB_GTID_STANDALONE 0x01 /* one statement follows and no commit event: a DDL */
#define BINLOG_MARIADB_GTID_GROUP_COMMIT 0x02
#define BINLOG_MARIADB_GTID_TRANSACTIONAL 0x04
#define BINLOG_MARIADB_GTID_ALLOW_PARALLEL 0x08
#define BINLOG_MARIADB_GTID_WAITED 0x10
#define BINLOG_MARIADB_GTID_DDL 0x20
#define BINLOG_MARIADB_GTID_PREPARED_XA 0x40
#define BINLOG_MARIADB_GTID_COMPLETED_XA 0x80

typedef struct binlog_xa_id {
    uint32_t format_id;
    str gtrid, bqual;
} binlog_xa_id;

typedef struct binlog_mariadb_gtid {
    uint32_t domain, server_id;
    uint64_t sequence;
    uint8_t flags;
    uint64_t commit_id; /* with GROUP_COMMIT */
    binlog_xa_id xa;    /* with PREPARED_XA or COMPLETED_XA */
} binlog_mariadb_gtid;
ERR_MUST_USE bool binlog_mariadb_gtid_parse(const binlog_event *ev, binlog_mariadb_gtid *ret, err *e);

typedef struct binlog_gtid_list_entry {
    uint32_t domain, server_id;
    uint64_t sequence;
} binlog_gtid_list_entry;
typedef struct binlog_gtid_list {
    uint32_t flags; /* the top four bits of the count */
    uint32_t count;
    const binlog_gtid_list_entry *entries; /* in the arena */
} binlog_gtid_list;
ERR_MUST_USE bool binlog_gtid_list_parse(const binlog_event *ev, arena *a, binlog_gtid_list *ret, err *e);

/* HEARTBEAT (27) and HEARTBEAT_V2 (41). */
typedef struct binlog_heartbeat {
    str file;
    uint64_t position;
} binlog_heartbeat;
ERR_MUST_USE bool binlog_heartbeat_parse(const binlog_event *ev, binlog_heartbeat *ret, err *e);

typedef struct binlog_incident {
    uint16_t number;
    str message;
} binlog_incident;
ERR_MUST_USE bool binlog_incident_parse(const binlog_event *ev, binlog_incident *ret, err *e);

typedef struct binlog_xa_prepare {
    bool one_phase; /* XA COMMIT ... ONE PHASE: this event commits */
    binlog_xa_id xa;
} binlog_xa_prepare;
ERR_MUST_USE bool binlog_xa_prepare_parse(const binlog_event *ev, binlog_xa_prepare *ret, err *e);

/* Text of ROWS_QUERY (29) and ANNOTATE_ROWS (160). */
ERR_MUST_USE bool binlog_rows_query_parse(const binlog_event *ev, str *ret_text, err *e);

#endif
