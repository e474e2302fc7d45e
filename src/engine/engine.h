/* What an engine (a kind of database) offers as source and as target. One folder and one line in engines.def add one.
 * All calls block, return false with a filled err on failure, and stop soon after env->cancel was asked (ERR_CANCELLED).
 * One source or target object belongs to one thread; snapshot lanes and loaders are objects of their own. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/buf.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "model/batch.h"
#include "model/dblist.h"
#include "model/endpoint.h"
#include "model/sequence.h"

/* The ownership ledger: every object made outside our process is written down durably before it is made.
 * kind: "schema", "table", "rows", "slot", ...; name: full name as a user would write it; undo: exact SQL. */
typedef enum ledger_state {
    LEDGER_NONE,    /* no entry */
    LEDGER_MADE,    /* the job makes or made it, or uses what its jobs share */
    LEDGER_REMOVED,
    LEDGER_KEPT     /* it stays: it was there before the job, or others need it */
} ledger_state;

typedef struct ledger {
    /* True once the intent is durable; ret_id identifies the entry. The same (end, kind, name) again returns the existing entry. */
    bool (*intend)(void *ctx, const char *end /* "src" or "dest" */, const char *kind, str name, str undo, bool shared, uint64_t *ret_id, err *e);
    bool (*created)(void *ctx, uint64_t id, err *e);
    /* Whose an object is. Only what is LEDGER_MADE may be removed. */
    bool (*find)(void *ctx, const char *end, const char *kind, str name, ledger_state *ret, err *e);
    /* What became of an object: LEDGER_REMOVED or LEDGER_KEPT, with the reason. An entry that is missing is written. */
    bool (*settle)(void *ctx, const char *end, const char *kind, str name, ledger_state state, str why, err *e);
    void *ctx;
} ledger;

/* What an engine object needs from its surroundings; borrowed for the object's life. */
typedef struct engine_env {
    const clk *clock;
    const cancel *cancel;
    const ledger *ledger;     /* NULL for a probe that neither creates nor removes */
    str job_id;
    uint32_t replica_id;      /* MySQL server_id of our binlog connection, unique per running worker */
    size_t budget_bytes;      /* memory for everything in flight */
    size_t row_limit_bytes;   /* largest row or log event that is taken from a server; 0: the protocol's limit */
    uint32_t lanes;           /* connections that one call may use side by side; 0 = 1 */
    uint32_t connect_timeout_s, io_timeout_s;
    bool ddl;                 /* the job carries changed definitions: the source may be made to tell them */
} engine_env;

typedef struct server_info {
    str product;              /* "MariaDB", "MySQL", "PostgreSQL" */
    str version;              /* as the server says it */
    uint32_t version_number;  /* 101119, 90704 */
    str identity;             /* what stays the same over restarts and differs between servers: server_uuid, system identifier, ... */
    bool cascades_logged;     /* row changes made by foreign key actions appear in the log (MySQL >= 9.6: true; MariaDB: false) */
    uint8_t name_case;        /* lower_case_table_names */
    uint64_t max_packet_bytes;
    str postgis_schema, pgvector_schema; /* PostgreSQL: where these extensions are, STR_NULL without */
} server_info;

/* A part of a table: rows with low < key <= high in key order; empty texts are open ends. Bounds are the engine's own text. */
typedef struct chunk {
    uint32_t table_id, number;
    str low, high;
    bool done;
    position at;              /* done: the source position whose state the chunk's rows have */
    uint64_t rows;            /* done: rows loaded; else estimate */
    bool overlap;             /* set by the pipeline for load_chunk: chunks of the table have different positions, so that rows of two chunks may share a value
                                 of a unique key other than the row key. Either row may then be dropped (REPLACE): the stream up to the table's highest chunk
                                 position restores it. Without overlap a duplicate is an error. */
    bool raw;                 /* set by the pipeline for read_chunk: the target is of the same engine, so that row_batch.raw may hold the rows */
    bool binary;              /* set by the pipeline for read_chunk and load_chunk: raw rows are in the engine's binary form, which takes_binary allowed */
} chunk;

/* Takes ownership of the batch, also on failure. */
typedef struct row_sink {
    bool (*push)(void *ctx, row_batch *b, err *e);
    void *ctx;
} row_sink;

/* Takes ownership of the transaction, also on failure. */
typedef struct txn_sink {
    bool (*push)(void *ctx, txn *t, err *e);
    void *ctx;
} txn_sink;

/* Gives the next batch, NULL at the end; the receiver frees it. */
typedef struct row_feed {
    bool (*next)(void *ctx, row_batch **ret, err *e);
    void *ctx;
} row_feed;

typedef enum precheck_state { PRECHECK_PASSED, PRECHECK_WARNING, PRECHECK_FAILED } precheck_state;

/* What a finding of the report means for what it is about. */
typedef enum precheck_effect {
    EFFECT_OBSTACLE, /* stops the job unless something is chosen or mended */
    EFFECT_RISK,     /* may stop it: rows that may have no form, or that could not be counted */
    EFFECT_CHANGE,   /* is carried as something else */
    EFFECT_OMISSION, /* is not carried */
} precheck_effect;

/* One finding of an item that is about rows and objects themselves (precheck_report_keeps). Empty texts where there is nothing to say. */
typedef struct precheck_finding {
    precheck_state state;
    precheck_effect effect;
    str text;                      /* all of it in one line */
    str kind, schema, table, column, object; /* "column", "view"; names at the source */
    str source_type, target_type;  /* of a column */
    str rule, options, choice;     /* of the mapping: "T15", its words, what holds for the job */
    bool counted, rough;           /* rows is known; some of them may be fine */
    uint64_t rows;
    str first_rows, rows_sql;      /* keys of the first ones; a statement that lists them all */
    str source_text;               /* SQL of what is not carried */
} precheck_finding;

/* item: a name of precheck.def. Texts are borrowed during the call. detail: what is wrong, naming objects; repair: the SQL or action. */
typedef struct precheck_sink {
    void (*item)(void *ctx, const char *item, precheck_state state, str detail, str repair);
    void *ctx;
    void (*finding)(void *ctx, const char *item, const precheck_finding *f); /* may be NULL */
} precheck_sink;

typedef struct repair_ops repair_ops; /* engine/repair.h */

typedef struct precheck_request {
    const dblist *objects;
    const catalog_def *catalog;   /* selected tables as read from the source, NULL when the source could not be read */
    const server_info *source, *target; /* NULL when not reached */
    bool schema, full, incremental;
    bool ignore_existing;         /* targetTableMode 2 */
    bool rights;                  /* owners and privileges are asked for (privilegeMigration) */
    bool ddl;                     /* as engine_env.ddl */
    const repair_ops *repair;     /* in the words of the source's engine */
} precheck_request;

typedef struct stream_request {
    position from;                /* a transaction boundary */
    position until;               /* stop with success after the transaction that reaches it; none = for ever */
    const catalog_def *catalog;   /* tables to decode; all others are passed over */
    const dblist *objects;        /* to recognise DDL on selected names that are not in the catalog */
    uint32_t heartbeat_ms;        /* push an empty txn with the newest position at least this often while idle or only foreign changes come */
    /* Appends the text of the newest position that is durable in the target, never an older one than before: all that may be confirmed to a source that
     * keeps its log for this job. Callable at any time during the call; false without memory. */
    bool (*durable)(void *ctx, buf *out);
    void *durable_ctx;
    size_t txn_limit_bytes;       /* memory of one transaction; a larger one is pushed in parts, or ends in ERR_LIMIT */
    bool parts;                   /* the sink takes parts (txn.part) */
    bool alters;                  /* the sink takes changes of columns (txn.alter); the call then ends in ERR_SOURCE_DDL */
    bool ddl;                     /* the sink takes other changes of definitions (txn.ddl) */
} stream_request;

typedef struct source source;
typedef struct snapshot snapshot;

typedef struct source_ops {
    bool (*open)(const endpoint *ep, const engine_env *env, source **ret, err *e);
    void (*close)(source *s); /* NULL is fine */
    bool (*server)(source *s, arena *a, server_info *ret, err *e);
    bool (*precheck)(source *s, const precheck_request *r, const precheck_sink *sink, err *e);
    /* Selected databases, tables (with keys, foreign keys, filter and mapping applied through dblist_apply_to_table) and views. */
    bool (*read_catalog)(source *s, const dblist *objects, arena *a, catalog_def *ret, err *e);
    /* Makes the source keep the log of the catalog's tables for this job from now on (ledger first, idempotent), before any row is read: publication, slot.
     * ret: where the stream may begin. NULL: the source keeps its log by itself, current_position is the beginning. */
    bool (*keep_log)(source *s, const catalog_def *c, arena *a, position *ret, err *e);
    /* The newest transaction boundary of the log. */
    bool (*current_position)(source *s, arena *a, position *ret, err *e);
    /* Checks that the log can be read from p on: same server, log present. The right code when not (SOURCE_LOG_PURGED, SOURCE_CHANGED, ...). */
    bool (*check_position)(source *s, position p, err *e);
    /* -1, 0, 1: order of two positions of one server. ERR_SOURCE_CHANGED when they cannot be compared. */
    bool (*compare)(position a, position b, int *ret, err *e);
    /* `lanes` reader connections, all at one consistent position where the rights allow it. */
    bool (*snapshot_open)(source *s, uint32_t lanes, snapshot **ret, err *e);
    void (*snapshot_close)(snapshot *n);
    position (*snapshot_position)(const snapshot *n, uint32_t lane);
    /* Splits a table by its row key into chunks of about chunk_rows; a table without a key is one chunk. Uses lane 0. */
    bool (*plan_chunks)(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e);
    /* Reads the rows of a chunk (filter applied) in batches of about batch_bytes. Callable from one thread per lane. */
    bool (*read_chunk)(snapshot *n, uint32_t lane, const table_def *t, const chunk *c, size_t batch_bytes, const row_sink *sink, err *e);
    /* Delivers transactions in commit order until cancelled, failed or `until` reached. */
    bool (*stream)(source *s, const stream_request *r, const txn_sink *sink, err *e);
    /* The columns of a table as the log names them, as the engine's own text; false without memory. NULL: its log does not show changes of columns. */
    bool (*shape)(const table_def *t, buf *out);
    /* Makes of a table as it is now what it was when its shape was the text. */
    bool (*restore_shape)(table_def *t, str shape, arena *a, err *e);
    /* Where the counters of the catalog's tables, and its sequences, stand now: not as of any position, but never behind rows that are in the log. One entry for
     * each column that takes numbers from one. NULL: it has none. */
    bool (*read_sequences)(source *s, const catalog_def *c, arena *a, sequence_state **ret, uint32_t *ret_count, err *e);
    /* Removes what the job made at the source, as env->ledger has it; env->job_id names it. As target_ops.remove_job; NULL: this engine makes nothing there. */
    bool (*remove_job)(source *s, str job_id, arena *a, str *ret_removed, err *e);
} source_ops;

/* The job's row in the target. */
typedef struct checkpoint {
    bool exists;
    uint64_t epoch;
    position at;                  /* everything up to here is applied */
    uint64_t txn_count, row_count;/* totals since the job began */
    str phase;                    /* the stage under way: empty or "schema", "full", "index", "stream"; the stages before it are finished and never done again */
} checkpoint;

/* The net effect of a window of whole source transactions on one mergeable table, keyed by row key: at most one entry per key. */
typedef struct table_changes {
    const table_def *table;
    const change **deletes; uint32_t delete_count; /* before images */
    const change **inserts; uint32_t insert_count; /* after images */
    const change **updates; uint32_t update_count; /* same key before and after */
    bool overlap;                 /* the window lies before the table's last chunk position: apply idempotently, last image wins */
} table_changes;

/* Applied in one target transaction: merged (deletes, updates, inserts per table, any table order), then ordered one by one, then the checkpoint. Foreign keys
 * are enforced, and their actions run, where the source does not log them: for families (model/family.h) always, for others once settled. */
typedef struct apply_window {
    table_changes *merged; uint32_t merged_count;
    const change **ordered; const bool *ordered_overlap; uint32_t ordered_count;
    position end;
    bool settled;                 /* every loaded table lies behind its overlap: rows of tables that refer to each other have the state of one position */
    uint64_t txn_count, row_count;/* of this window, added to the checkpoint's totals */
    const char *phase;
} apply_window;

/* The windows that a large transaction is cut into, in order. */
typedef struct window_feed {
    /* The next next() gives the first window again. */
    bool (*rewind)(void *ctx, err *e);
    /* *ret is borrowed until the next call; NULL at the end. Its end, counts and phase are not used. */
    bool (*next)(void *ctx, const apply_window **ret, err *e);
    void *ctx;
} window_feed;

typedef enum schema_phase { SCHEMA_TABLES /* databases, tables, primary and unique keys */, SCHEMA_AFTER_LOAD /* indexes, foreign keys, views */ } schema_phase;

typedef struct schema_progress {
    void (*object)(void *ctx, const char *kind, str name, uint32_t done, uint32_t total);
    void *ctx;
} schema_progress;

typedef struct target target;
typedef struct loader loader;

typedef struct target_ops {
    bool (*open)(const endpoint *ep, const engine_env *env, target **ret, err *e);
    void (*close)(target *t); /* NULL is fine */
    bool (*server)(target *t, arena *a, server_info *ret, err *e);
    bool (*precheck)(target *t, const precheck_request *r, const precheck_sink *sink, err *e);
    /* Creates sluice.checkpoint and sluice.chunk when missing (ledger first) and the job's row; sets the row's epoch to `epoch` when the stored one is not
     * higher, else ERR_FENCED. Waits for transactions that have the row locked: a COMMIT that was sent is done or will not be when this returns. */
    bool (*claim)(target *t, uint64_t epoch, arena *a, checkpoint *ret, err *e);
    /* Reads the row without claiming. */
    bool (*read_checkpoint)(target *t, arena *a, checkpoint *ret, err *e);
    /* Moves phase and position without rows (stage ends, heartbeats); fenced by epoch. */
    bool (*save_checkpoint)(target *t, uint64_t epoch, const char *phase, position at, err *e);
    /* Idempotent after a crash: objects this job had begun are finished, others that exist are ERR_TARGET_CONFLICT unless ignore_existing. */
    bool (*apply_schema)(target *t, schema_phase phase, const catalog_def *c, const server_info *source, bool ignore_existing,
                         const schema_progress *p, err *e);
    /* Stored chunk plan and progress of a table; count 0 when it was not planned yet. */
    bool (*read_chunks)(target *t, const table_def *table, arena *a, chunk **ret, uint32_t *ret_count, err *e);
    bool (*store_chunks)(target *t, uint64_t epoch, const table_def *table, const chunk *chunks, uint32_t count, err *e);
    /* May raw rows of the table come in the engine's binary form? It must mean the same on both servers. NULL: never. */
    bool (*takes_binary)(target *t, const table_def *table, bool *ret, err *e);
    /* A writer connection of its own for one lane. */
    bool (*loader_open)(target *t, uint64_t epoch, bool ignore_existing, loader **ret, err *e);
    void (*loader_close)(loader *l);
    /* Loads all rows of the feed and marks the chunk done at position `at` in one target transaction. A retry of a chunk that is done loads nothing. */
    bool (*load_chunk)(loader *l, const table_def *t, const chunk *c, position at, const row_feed *feed, uint64_t *ret_rows, err *e);
    /* Takes a done chunk back: its rows go and its mark goes, in one target transaction. ERR_TARGET_DIVERGED, and nothing done, when the range does not hold
     * exactly the rows that were loaded. A chunk that is not done is left as it is. */
    bool (*unload_chunk)(target *t, uint64_t epoch, const table_def *table, const chunk *c, err *e);
    /* Prepares for changes of the tables (inspects triggers, sets table->target_has_triggers, session settings by source). */
    bool (*apply_begin)(target *t, uint64_t epoch, catalog_def *c, const server_info *source, err *e);
    /* One target transaction. ERR_TARGET_DIVERGED names table and key. ERR_COMMIT_UNKNOWN: reconnect and read the checkpoint. */
    bool (*apply)(target *t, const apply_window *w, err *e);
    /* The same for a transaction in several windows: one target transaction all the same, with the checkpoint as `last` says once the feed has ended (which
     * may change its counts until then). NULL: the target takes no such transactions. */
    bool (*apply_large)(target *t, const window_feed *feed, const apply_window *last, err *e);
    /* Shapes of source tables that are kept with the job's row: by table id, p == NULL where none is. A change that an earlier worker left half done is finished
     * first. All three NULL: the target cannot change columns. */
    bool (*read_shapes)(target *t, uint64_t epoch, const catalog_def *c, arena *a, str *ret, err *e);
    /* Keeps those that are given and not yet kept. */
    bool (*keep_shapes)(target *t, uint64_t epoch, const catalog_def *c, const str *shapes, err *e);
    /* Changes columns and keeps the new shape, once however often it is called. */
    bool (*alter_table)(target *t, uint64_t epoch, const table_alter *x, err *e);
    /* Other changed definitions of the source's transaction that ends at `at`. ddl_intend: what it drops goes, what it makes is noted in place of an older note.
     * ddl_pending: `at` of the note, none without one. ddl_finish: makes what is noted, unless it is there, and takes the note away. c: as the target has it. All
     * three NULL: the target carries none. */
    bool (*ddl_intend)(target *t, uint64_t epoch, const catalog_def *c, const ddl_list *l, position at, err *e);
    bool (*ddl_pending)(target *t, arena *a, position *ret, err *e);
    bool (*ddl_finish)(target *t, uint64_t epoch, err *e);
    /* Sets counters as the source has them, plus `margin` numbers; ret: one result for each. One that was used here never goes back, unless it cycles. c: as the
     * target has it. Idempotent, and safe beside a worker. Fails only as a whole, when the target cannot answer. NULL: it has none. */
    bool (*set_sequences)(target *t, const catalog_def *c, const sequence_state *list, uint32_t count, uint64_t margin, arena *a, sequence_result *ret, err *e);
    bool rows_move_sequences;     /* a row that is written with its number moves the counter by itself */
    /* Removes what the job left: its rows, and tables and schema when no other job uses them; sessions that its worker left behind end first. Idempotent.
     * Settles entries of the ledger; those that it does not name are removed when it succeeds. ret_removed: one line per object, in the arena. ERR_TARGET_CONNECT... when unreachable. */
    bool (*remove_job)(target *t, str job_id, arena *a, str *ret_removed, err *e);
} target_ops;

typedef struct engine {
    const char *name;
    uint16_t default_port;
    sql_family sql;
    const source_ops *source;
    const target_ops *target;
    const repair_ops *repair;     /* NULL: findings come without SQL */
} engine;

/* By DTS EngineName or our name, any case: "MySQL", "mysql", "MARIADB" → mysql. NULL when unknown. */
const engine *engine_find(str name);
/* All engines, NULL-terminated. */
const engine *const *engine_all(void);

#endif
