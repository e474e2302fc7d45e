/* Operations of the PostgreSQL engine by file; engine.c gathers them in its table. See engine/engine.h for the contracts.
 *
 * Values: a PostgreSQL source gives integers, numerics and floats as VAL_NUMBER (NaN and Infinity included) and everything else as VAL_TEXT, both in
 * PostgreSQL's own text form under the pinned settings of pg_conn; a target takes these two, NULL, UNCHANGED and ABSENT alone. engine/mapping makes them. */
#ifndef ENGINE_POSTGRESQL_POSTGRESQL_H
#define ENGINE_POSTGRESQL_POSTGRESQL_H

#include "engine/postgresql/pg_conn.h"

struct source {
    const endpoint *ep;    /* borrowed */
    const engine_env *env; /* borrowed */
    pg_conn *conn;         /* for metadata; owned */
    buf partitioned[2];    /* pg_watch.h: schemas and names of selected tables with partitions, as array literals; owned */
};

struct target {
    const endpoint *ep;         /* borrowed */
    const engine_env *env;      /* borrowed */
    pg_conn *conn;              /* owned; its session is that of pg_session.h */
    struct pg_applier *applier; /* owned, made by apply_begin */
    bool may_replicate;         /* the role may set session_replication_role=replica */
};

/* engine.c */
bool pg_source_open(const endpoint *ep, const engine_env *env, source **ret, err *e);
void pg_source_close(source *s);
/* pg_target.c: opening and closing, and the target's table of operations */
extern const target_ops pg_target_ops;
bool pg_target_open(const endpoint *ep, const engine_env *env, target **ret, err *e);
void pg_target_close(target *t);
/* pg_server.c: identity is the system identifier, a colon and the database's oid. */
bool pg_server_read(pg_conn *c, arena *a, server_info *ret, err *e);
/* pg_catalog.c */
bool pg_catalog_read(source *s, const dblist *objects, arena *a, catalog_def *ret, err *e);
/* pg_schema.c */
bool pg_schema_apply(target *t, schema_phase phase, const catalog_def *c, const server_info *source, bool ignore_existing, const schema_progress *p, err *e);
/* pg_precheck_source.c, pg_precheck_target.c */
bool pg_precheck_source(source *s, const precheck_request *r, const precheck_sink *sink, err *e);
bool pg_precheck_target(target *t, const precheck_request *r, const precheck_sink *sink, err *e);
/* pg_slot.c: publication and slot "sluice_<job id>" */
bool pg_slot_keep(source *s, const catalog_def *c, arena *a, position *ret, err *e);
bool pg_slot_remove(source *s, str job_id, arena *a, str *ret_removed, err *e);
/* pg_position.c: text form {"system":"7301…","timeline":1,"lsn":"0/16B3748"} */
bool pg_position_now(source *s, arena *a, position *ret, err *e);
bool pg_position_check(source *s, position p, err *e);
bool pg_position_compare(position a, position b, int *ret, err *e);
/* pg_snapshot.c, pg_chunk.c, pg_chunk_read.c */
bool pg_snapshot_begin(source *s, uint32_t lanes, snapshot **ret, err *e);
void pg_snapshot_end(snapshot *n);
position pg_snapshot_at(const snapshot *n, uint32_t lane);
bool pg_chunk_plan(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e);
bool pg_chunk_read(snapshot *n, uint32_t lane, const table_def *t, const chunk *c, size_t batch_bytes, const row_sink *sink, err *e);
/* pg_stream.c */
bool pg_stream_run(source *s, const stream_request *r, const txn_sink *sink, err *e);
/* pg_checkpoint.c, pg_checkpoint_chunk.c, pg_checkpoint_tables.c */
bool pg_checkpoint_claim(target *t, uint64_t epoch, arena *a, checkpoint *ret, err *e);
bool pg_checkpoint_read(target *t, arena *a, checkpoint *ret, err *e);
bool pg_checkpoint_save(target *t, uint64_t epoch, const char *phase, position at, err *e);
bool pg_checkpoint_read_chunks(target *t, const table_def *table, arena *a, chunk **ret, uint32_t *ret_count, err *e);
bool pg_checkpoint_store_chunks(target *t, uint64_t epoch, const table_def *table, const chunk *chunks, uint32_t count, err *e);
bool pg_checkpoint_unload_chunk(target *t, uint64_t epoch, const table_def *table, const chunk *c, err *e);
bool pg_checkpoint_remove_job(target *t, str job_id, arena *a, str *ret_removed, err *e);
/* pg_sequence.c, pg_sequence_set.c */
bool pg_sequences_read(source *s, const catalog_def *c, arena *a, sequence_state **ret, uint32_t *ret_count, err *e);
bool pg_sequences_set(target *t, const catalog_def *c, const sequence_state *list, uint32_t count, uint64_t margin, arena *a, sequence_result *ret, err *e);
/* pg_alter.c */
bool pg_alter_read_shapes(target *t, uint64_t epoch, const catalog_def *c, arena *a, str *ret, err *e);
bool pg_alter_keep_shapes(target *t, uint64_t epoch, const catalog_def *c, const str *shapes, err *e);
bool pg_alter_table(target *t, uint64_t epoch, const table_alter *x, err *e);
/* pg_ddl.c */
bool pg_ddl_intend(target *t, uint64_t epoch, const catalog_def *c, const ddl_list *l, position at, err *e);
bool pg_ddl_pending(target *t, arena *a, position *ret, err *e);
bool pg_ddl_finish(target *t, uint64_t epoch, err *e);
/* pg_loader.c */
bool pg_loader_open(target *t, uint64_t epoch, bool ignore_existing, loader **ret, err *e);
void pg_loader_close(loader *l);
bool pg_loader_load(loader *l, const table_def *t, const chunk *c, position at, const row_feed *feed, uint64_t *ret_rows, err *e);
/* pg_apply.c */
bool pg_applier_begin(target *t, uint64_t epoch, catalog_def *c, const server_info *source, err *e);
bool pg_applier_apply(target *t, const apply_window *w, err *e);
bool pg_applier_apply_large(target *t, const window_feed *feed, const apply_window *last, err *e);
void pg_applier_free(struct pg_applier *a);

#endif
