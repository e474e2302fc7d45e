/* Operations of the MySQL engine by file; engine.c gathers them in its table. See engine/engine.h for the contracts. */
#ifndef ENGINE_MYSQL_MYSQL_H
#define ENGINE_MYSQL_MYSQL_H

#include "engine/mysql/conn.h"

struct source {
    const endpoint *ep;      /* borrowed */
    const engine_env *env;   /* borrowed */
    conn *conn;              /* for metadata; owned */
    char newest_log[256];    /* name of the newest binlog file whose creation was looked up, and that time; see binlog_position.h */
    uint32_t newest_log_created;
};

struct target {
    const endpoint *ep;      /* borrowed */
    const engine_env *env;   /* borrowed */
    conn *conn;              /* owned; reconnected by the caller closing and opening the target */
    struct applier *applier; /* owned, made by apply_begin */
    bool foreign_keys_on;    /* apply with foreign_key_checks=1: the source does not log cascades */
};

/* engine.c */
bool mysql_engine_source_open(const endpoint *ep, const engine_env *env, source **ret, err *e);
void mysql_engine_source_close(source *s);
bool mysql_engine_target_open(const endpoint *ep, const engine_env *env, target **ret, err *e);
void mysql_engine_target_close(target *t);
/* server.c */
bool server_read(conn *c, arena *a, server_info *ret, err *e);
/* catalog.c */
bool catalog_read(source *s, const dblist *objects, arena *a, catalog_def *ret, err *e);
/* schema.c */
bool schema_apply(target *t, schema_phase phase, const catalog_def *c, const server_info *source, bool ignore_existing,
                  const schema_progress *p, err *e);
/* precheck_source.c, precheck_target.c */
bool precheck_source(source *s, const precheck_request *r, const precheck_sink *sink, err *e);
bool precheck_target(target *t, const precheck_request *r, const precheck_sink *sink, err *e);
/* snapshot.c, chunk.c */
bool snapshot_begin(source *s, uint32_t lanes, snapshot **ret, err *e);
void snapshot_end(snapshot *n);
position snapshot_at(const snapshot *n, uint32_t lane);
bool chunk_plan(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e);
bool chunk_read(snapshot *n, uint32_t lane, const table_def *t, const chunk *c, size_t batch_bytes, const row_sink *sink, err *e);
/* binlog_position.c: text form {"server":…,"file":…,"pos":…,"created":…,"gtid":…} */
bool binlog_position_now(source *s, arena *a, position *ret, err *e);
bool binlog_position_check(source *s, position p, err *e);
bool binlog_position_compare(position a, position b, int *ret, err *e);
/* stream.c */
bool stream_run(source *s, const stream_request *r, const txn_sink *sink, err *e);
/* checkpoint.c */
bool checkpoint_claim(target *t, uint64_t epoch, arena *a, checkpoint *ret, err *e);
bool checkpoint_read(target *t, arena *a, checkpoint *ret, err *e);
bool checkpoint_save(target *t, uint64_t epoch, const char *phase, position at, err *e);
bool checkpoint_read_chunks(target *t, const table_def *table, arena *a, chunk **ret, uint32_t *ret_count, err *e);
bool checkpoint_store_chunks(target *t, uint64_t epoch, const table_def *table, const chunk *chunks, uint32_t count, err *e);
/* Within the caller's transaction: adds to the totals, moves phase (NULL: stays) and position (none: stays). ERR_FENCED, ERR_CHECKPOINT_MISSING. */
bool checkpoint_advance(conn *c, str job_id, uint64_t epoch, const char *phase, position at, uint64_t txns, uint64_t rows, err *e);
/* Within the caller's transaction: the job's row is shared-locked and has this epoch, so that a fenced worker cannot commit. */
bool checkpoint_guard(conn *c, str job_id, uint64_t epoch, err *e);
/* Within the caller's transaction: marks a chunk done. False with ERR_CHECKPOINT_MISSING when its row is gone. */
bool checkpoint_chunk_done(conn *c, str job_id, const table_def *table, const chunk *k, position at, uint64_t rows, err *e);
/* Within the caller's transaction: the chunk is to be loaded again. */
bool checkpoint_chunk_undone(conn *c, str job_id, const table_def *table, const chunk *k, err *e);
/* Locks the chunk's row in the caller's transaction. ret_done: it was loaded before, with ret_rows rows. */
bool checkpoint_lock_chunk(conn *c, str job_id, const table_def *table, const chunk *k, bool *ret_done, uint64_t *ret_rows, err *e);
bool checkpoint_remove_job(target *t, str job_id, arena *a, str *ret_removed, err *e);
/* alter.c */
bool alter_read_shapes(target *t, uint64_t epoch, const catalog_def *c, arena *a, str *ret, err *e);
bool alter_keep_shapes(target *t, uint64_t epoch, const catalog_def *c, const str *shapes, err *e);
bool alter_table(target *t, uint64_t epoch, const table_alter *x, err *e);
/* loader.c */
bool loader_open_lane(target *t, uint64_t epoch, bool ignore_existing, loader **ret, err *e);
void loader_close_lane(loader *l);
bool loader_load(loader *l, const table_def *t, const chunk *c, position at, const row_feed *feed, uint64_t *ret_rows, err *e);
/* auto_increment.c */
bool auto_increment_read(source *s, const catalog_def *c, arena *a, sequence_state **ret, uint32_t *ret_count, err *e);
bool auto_increment_set(target *t, const catalog_def *c, const sequence_state *list, uint32_t count, uint64_t margin, arena *a, sequence_result *ret, err *e);
/* unload.c */
bool unload_chunk(target *t, uint64_t epoch, const table_def *table, const chunk *k, err *e);
/* apply.c */
bool applier_begin(target *t, uint64_t epoch, catalog_def *c, const server_info *source, err *e);
bool applier_apply(target *t, const apply_window *w, err *e);
bool applier_apply_large(target *t, const window_feed *feed, const apply_window *last, err *e);
void applier_free(struct applier *a);

#endif
