/* Messages of PostgreSQL's output plugin pgoutput, protocol versions 1 to 4. All integers big endian, all strings end with a NUL.
 *
 *   Begin             'B'  final LSN 8, commit time 8, xid 4
 *   Commit            'C'  flags 1 (0), commit LSN 8, end LSN 8, commit time 8
 *   Origin            'O'  commit LSN at the origin 8, name
 *   Relation          'R'  [xid 4] oid 4, schema, name, replica identity 1, columns 2: flags 1 (1 = key), name, type oid 4, type modifier 4
 *   Type              'Y'  [xid 4] oid 4, schema, name
 *   Insert            'I'  [xid 4] relation oid 4, 'N' tuple
 *   Update            'U'  [xid 4] relation oid 4, ['K' tuple | 'O' tuple], 'N' tuple
 *   Delete            'D'  [xid 4] relation oid 4, 'K' tuple | 'O' tuple
 *   Truncate          'T'  [xid 4] relations 4, options 1 (1 = CASCADE, 2 = RESTART IDENTITY), relation oids 4 each
 *   Message           'M'  [xid 4] flags 1 (1 = transactional), LSN 8, prefix, length 4, content
 *   Stream Start      'S'  xid 4, first segment 1                                            since version 2
 *   Stream Stop       'E'                                                                    2
 *   Stream Commit     'c'  xid 4, flags 1 (0), commit LSN 8, end LSN 8, commit time 8        2
 *   Stream Abort      'A'  xid 4, sub xid 4 [, abort LSN 8, abort time 8: version 4 with streaming 'parallel']   2
 *   Begin Prepare     'b'  prepare LSN 8, end LSN 8, prepare time 8, xid 4, gid               3
 *   Prepare           'P'  flags 1 (0), then as Begin Prepare                                3
 *   Commit Prepared   'K'  flags 1 (0), commit LSN 8, end LSN 8, commit time 8, xid 4, gid    3
 *   Rollback Prepared 'r'  flags 1 (0), prepare end LSN 8, rollback end LSN 8, prepare time 8, rollback time 8, xid 4, gid   3
 *   Stream Prepare    'p'  as Prepare                                                        3
 *   tuple                  columns 2, each 'n' (NULL) | 'u' (unchanged, not sent) | 't' length 4, text | 'b' length 4, bytes of the type's send function
 *
 * [xid 4] is there between Stream Start and Stream Stop only. Sources: PostgreSQL manual "Logical Replication Message Formats",
 * src/backend/replication/logical/proto.c, bytes of real servers (tests/golden/pgoutput).
 *
 * Pure. Every str in a result is borrowed from the input, arrays lie in the arena. Times are Unix microseconds.
 * Errors: ERR_SOURCE_LOG_CORRUPT (layout, order), ERR_SOURCE_LOG_UNKNOWN_EVENT (a kind or a flag that this codec does not know: never passed over). */
#ifndef CODEC_PGOUTPUT_H
#define CODEC_PGOUTPUT_H

#include "base/arena.h"
#include "codec/pg_lsn.h"

#define PGOUTPUT_PROTOCOL_NEWEST 4
/* Columns of one tuple: PostgreSQL's own bound of a row (MaxTupleAttributeNumber; a table has at most 1600). */
#define PGOUTPUT_MAX_COLUMNS 1664
/* Bytes of a prepared transaction's name (PostgreSQL's GIDSIZE without the NUL). */
#define PGOUTPUT_MAX_GID_BYTES 199

typedef enum pgoutput_kind {
    PGOUTPUT_BEGIN = 'B', PGOUTPUT_COMMIT = 'C', PGOUTPUT_ORIGIN = 'O', PGOUTPUT_RELATION = 'R', PGOUTPUT_TYPE = 'Y',
    PGOUTPUT_INSERT = 'I', PGOUTPUT_UPDATE = 'U', PGOUTPUT_DELETE = 'D', PGOUTPUT_TRUNCATE = 'T', PGOUTPUT_MESSAGE = 'M',
    PGOUTPUT_STREAM_START = 'S', PGOUTPUT_STREAM_STOP = 'E', PGOUTPUT_STREAM_COMMIT = 'c', PGOUTPUT_STREAM_ABORT = 'A',
    PGOUTPUT_BEGIN_PREPARE = 'b', PGOUTPUT_PREPARE = 'P', PGOUTPUT_COMMIT_PREPARED = 'K', PGOUTPUT_ROLLBACK_PREPARED = 'r',
    PGOUTPUT_STREAM_PREPARE = 'p',
} pgoutput_kind;

typedef enum pgoutput_value_kind {
    PGOUTPUT_NULL = 'n',
    PGOUTPUT_UNCHANGED = 'u', /* a TOASTed value that the update left as it was: keep it; an old tuple of replica identity FULL has it */
    PGOUTPUT_TEXT = 't',      /* output of the type, by the settings of the replication session */
    PGOUTPUT_BINARY = 'b',    /* output of the type's send function (option binary) */
} pgoutput_value_kind;

typedef struct pgoutput_value {
    pgoutput_value_kind kind;
    str bytes; /* TEXT, BINARY; else empty */
} pgoutput_value;

typedef struct pgoutput_tuple {
    uint32_t count;
    const pgoutput_value *values; /* by the columns of the last Relation message of the table; NULL = there is no such tuple */
} pgoutput_tuple;

typedef struct pgoutput_begin {
    pg_lsn final_lsn; /* of the commit record */
    int64_t commit_us;
    uint32_t xid;
} pgoutput_begin;

typedef struct pgoutput_commit { /* Commit, Stream Commit */
    uint32_t xid;                /* Stream Commit; 0 in Commit */
    pg_lsn commit_lsn, end_lsn;  /* end_lsn: what may be confirmed when the transaction is durable in the target */
    int64_t commit_us;
} pgoutput_commit;

typedef struct pgoutput_origin {
    pg_lsn commit_lsn; /* at the origin */
    str name;
} pgoutput_origin;

#define PGOUTPUT_IDENTITY_DEFAULT 'd'
#define PGOUTPUT_IDENTITY_NOTHING 'n'
#define PGOUTPUT_IDENTITY_FULL 'f'
#define PGOUTPUT_IDENTITY_INDEX 'i'

typedef struct pgoutput_column {
    str name;
    uint32_t type_oid;
    int32_t type_modifier; /* pg_attribute.atttypmod, -1 = none */
    bool key;              /* part of the replica identity (all columns with FULL) */
} pgoutput_column;

typedef struct pgoutput_relation {
    uint32_t oid;
    str schema, name;
    char identity; /* PGOUTPUT_IDENTITY_* */
    uint32_t column_count;
    const pgoutput_column *columns; /* the published ones, in the order of the tuples; without stored generated columns before 18 */
} pgoutput_relation;

typedef struct pgoutput_type {
    uint32_t oid;
    str schema, name;
} pgoutput_type;

typedef struct pgoutput_change { /* Insert, Update, Delete */
    uint32_t relation_oid;
    bool old_is_key;    /* `old` holds the key columns only: NULL in the others is padding */
    pgoutput_tuple old; /* Delete always; Update when the key changed or with FULL: without it the key is that of `new` */
    pgoutput_tuple new; /* Insert, Update */
} pgoutput_change;

typedef struct pgoutput_truncate {
    bool cascade, restart_identity;
    uint32_t count;
    const uint32_t *relation_oids;
} pgoutput_truncate;

typedef struct pgoutput_logical_message {
    bool transactional; /* false: stands for itself, outside of Begin and Commit */
    pg_lsn lsn;
    str prefix, content;
} pgoutput_logical_message;

typedef struct pgoutput_stream_start {
    uint32_t xid; /* of the top-level transaction */
    bool first;   /* first segment of this transaction */
} pgoutput_stream_start;

typedef struct pgoutput_stream_abort {
    uint32_t xid, sub_xid; /* equal: the whole transaction */
    bool has_place;        /* abort_lsn and abort_us are told */
    pg_lsn abort_lsn;
    int64_t abort_us;
} pgoutput_stream_abort;

typedef struct pgoutput_prepare { /* Begin Prepare, Prepare, Stream Prepare, Commit Prepared */
    pg_lsn lsn, end_lsn;          /* of the PREPARE or COMMIT PREPARED record and its end */
    int64_t at_us;
    uint32_t xid;
    str gid;
} pgoutput_prepare;

typedef struct pgoutput_rollback_prepared {
    pg_lsn prepare_end_lsn, rollback_end_lsn;
    int64_t prepare_us, rollback_us;
    uint32_t xid;
    str gid;
} pgoutput_rollback_prepared;

typedef struct pgoutput_message {
    pgoutput_kind kind;
    uint32_t xid; /* inside a stream: the transaction or subtransaction that the message belongs to; else 0 */
    union {
        pgoutput_begin begin;
        pgoutput_commit commit; /* Commit, Stream Commit */
        pgoutput_origin origin;
        pgoutput_relation relation;
        pgoutput_type type;
        pgoutput_change change; /* Insert, Update, Delete */
        pgoutput_truncate truncate;
        pgoutput_logical_message message;
        pgoutput_stream_start stream_start;
        pgoutput_stream_abort stream_abort;
        pgoutput_prepare prepare; /* Begin Prepare, Prepare, Stream Prepare, Commit Prepared */
        pgoutput_rollback_prepared rollback_prepared;
    } u;
} pgoutput_message;

/* What must be known of the messages before: the caller's storage, one per START_REPLICATION. */
typedef struct pgoutput_decoder {
    unsigned protocol; /* 1..PGOUTPUT_PROTOCOL_NEWEST, as asked for */
    bool in_stream;
    uint32_t stream_xid; /* with in_stream */
} pgoutput_decoder;

void pgoutput_decoder_init(pgoutput_decoder *d, unsigned protocol);
/* Decodes the payload of one XLogData message. On failure neither the decoder nor *ret changes. */
ERR_MUST_USE bool pgoutput_decode(pgoutput_decoder *d, str payload, arena *a, pgoutput_message *ret, err *e);
/* "Stream Abort"; "unknown" for a byte that is no kind. */
const char *pgoutput_kind_name(unsigned kind);
/* A copy that lives in the arena with all its strings. False without memory. */
ERR_MUST_USE bool pgoutput_relation_copy(const pgoutput_relation *r, arena *a, pgoutput_relation *ret, err *e);
/* The tuple has as many values as the relation has columns. An absent tuple fits. Error: ERR_SOURCE_LOG_CORRUPT naming the table. */
ERR_MUST_USE bool pgoutput_tuple_check(const pgoutput_tuple *t, const pgoutput_relation *r, err *e);

#endif
