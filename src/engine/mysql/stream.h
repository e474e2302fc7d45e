/* The state of one reading of the binlog, shared by stream.c (events and positions), stream_group.c (transactions) and stream_query.c (statements). */
#ifndef ENGINE_MYSQL_STREAM_H
#define ENGINE_MYSQL_STREAM_H

#include "codec/gtid_position.h"
#include "codec/gtid_set.h"
#include "engine/mysql/binlog_dump.h"
#include "engine/mysql/binlog_position.h"
#include "engine/mysql/stream_table.h"
#include "engine/mysql/stream_xa.h"

#define STREAM_MAX_FILE_BYTES 512

/* What a group is, from its first event to its end. */
typedef struct stream_group {
    bool open;            /* a group was begun and has not ended */
    bool transaction;     /* ends with XID, COMMIT, ROLLBACK or XA_PREPARE; else with its only statement */
    bool prepared_xa;     /* MariaDB: rows of a prepared XA branch */
    int64_t commit_us;    /* from the GTID event, 0 = not told */
    bool has_gtid;
    binlog_gtid mysql;
    gtid_mariadb mariadb;
    txn *changes;         /* NULL until a selected table is changed; owned */
    bool in_parts;        /* a part was pushed */
    uint64_t pushed;      /* changes in parts that were pushed and remain */
    uint64_t keep;        /* for the next part: of them */
    uint64_t other_end;   /* among the pushed, the last change of a table that does not roll back, plus 1 */
    const table_def *other;
    const table_def *first; /* table of the first change that was pushed */
    map savepoints;       /* name → number of changes + 1; keys in savepoint_mem */
    arena savepoint_mem;
} stream_group;

typedef struct stream {
    source *s;
    const stream_request *r;
    const txn_sink *sink;
    binlog_dump *dump;
    binlog_format format;
    stream_tables tables;
    stream_group group;

    char file[STREAM_MAX_FILE_BYTES];
    binlog_place place;   /* the last boundary: server and file point into this struct or mem, gtid into gtid_text */
    bool started;         /* an event that is not artificial was seen */
    bool artificial;      /* the event under way has no place in the file */
    uint64_t skip_to;     /* not 0: events up to this end in the first file lie before the start */
    uint64_t wrapped;     /* log_pos has 32 bits: what must be added in this file */
    uint32_t last_log_pos;
    bool track_gtid;      /* the start position had a GTID state */
    bool gtid_changed;    /* gtid_text is older than the state */
    gtid_set set;
    gtid_position domains;
    buf gtid_text;
    int64_t commit_us;    /* of the last transaction */

    bool has_until;
    binlog_place until;
    int64_t pushed_at_us; /* monotonic time of the last push */
    bool moved;           /* the boundary lies after the last pushed position */
    stream_xa xa;         /* prepared branches without selected rows */
    arena mem;
} stream;

/* stream.c: the boundary as text in an arena. */
ERR_MUST_USE bool stream_place(stream *m, arena *a, position *ret, err *e);
/* Puts "binlog.000001:1234: " in front of the text. Returns false. */
bool stream_at(stream *m, const binlog_event *ev, err *e);

/* stream_group.c */
ERR_MUST_USE bool stream_group_begin(stream *m, const binlog_event *ev, err *e);
/* The group's transaction, made when first asked for. */
ERR_MUST_USE bool stream_group_txn(stream *m, txn **ret, err *e);
/* The group needs more memory than it may have: what is there goes on its way as a part. */
ERR_MUST_USE bool stream_group_push_part(stream *m, err *e);
/* The group ends with this event: moves the boundary behind it and delivers the changes. */
ERR_MUST_USE bool stream_group_commit(stream *m, const binlog_event *ev, err *e);
/* The same for a group that was rolled back: changes of transactional tables never happened; others stop the stream. */
ERR_MUST_USE bool stream_group_rollback(stream *m, const binlog_event *ev, err *e);
/* The log file ended inside the group: the source crashed and rolled it back. Moves nothing. */
ERR_MUST_USE bool stream_group_cut_off(stream *m, err *e);
ERR_MUST_USE bool stream_group_savepoint(stream *m, str name, err *e);
ERR_MUST_USE bool stream_group_rollback_to(stream *m, str name, err *e);
ERR_MUST_USE bool stream_group_xa_prepare(stream *m, const binlog_event *ev, err *e);
void stream_group_finish(stream *m);
/* An empty transaction with the newest boundary. */
ERR_MUST_USE bool stream_push_heartbeat(stream *m, err *e);

/* stream_query.c: a QUERY event. */
ERR_MUST_USE bool stream_query(stream *m, const binlog_event *ev, err *e);

#endif
