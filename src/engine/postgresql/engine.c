/* The table of operations. */
#include <stdlib.h>

#include "engine/postgresql/pg_repair.h"
#include "engine/postgresql/pg_shape.h"
#include "engine/postgresql/postgresql.h"

bool pg_source_open(const endpoint *ep, const engine_env *env, source **ret, err *e)
{
    source *s = calloc(1, sizeof *s);
    if (!s) return err_no_memory(e, "a source");
    *s = (source){.ep = ep, .env = env};
    if (!pg_conn_open(ep, env, PG_SOURCE, false, &s->conn, e)) {
        free(s);
        return false;
    }
    *ret = s;
    return true;
}

void pg_source_close(source *s)
{
    if (!s) return;
    pg_conn_close(s->conn);
    for (int i = 0; i < 2; i++) buf_finish(&s->partitioned[i]);
    free(s);
}

static bool source_server(source *s, arena *a, server_info *ret, err *e) { return pg_server_read(s->conn, a, ret, e); }

static const source_ops pg_source_ops = {
    .open = pg_source_open,
    .close = pg_source_close,
    .server = source_server,
    .precheck = pg_precheck_source,
    .read_catalog = pg_catalog_read,
    .keep_log = pg_slot_keep,
    .current_position = pg_position_now,
    .check_position = pg_position_check,
    .compare = pg_position_compare,
    .snapshot_open = pg_snapshot_begin,
    .snapshot_close = pg_snapshot_end,
    .snapshot_position = pg_snapshot_at,
    .plan_chunks = pg_chunk_plan,
    .read_chunk = pg_chunk_read,
    .stream = pg_stream_run,
    .shape = pg_shape_text,
    .restore_shape = pg_shape_restore,
    .read_sequences = pg_sequences_read,
    .remove_job = pg_slot_remove,
};

extern const engine engine_postgresql;
const engine engine_postgresql = {.name = "postgresql", .default_port = 5432, .sql = SQL_POSTGRESQL, .source = &pg_source_ops, .target = &pg_target_ops, .repair = &pg_repair_ops};
