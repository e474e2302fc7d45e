/* The MySQL and MariaDB engine: its table of operations, opening and closing its ends. */
#include <stdlib.h>

#include "engine/mysql/mysql.h"
#include "engine/mysql/repair.h"

bool mysql_engine_source_open(const endpoint *ep, const engine_env *env, source **ret, err *e)
{
    source *s = calloc(1, sizeof *s);
    if (!s) return err_no_memory(e, "a source");
    *s = (source){.ep = ep, .env = env};
    if (!conn_open(ep, env, CONN_SOURCE, false, &s->conn, e)) {
        free(s);
        return false;
    }
    *ret = s;
    return true;
}

void mysql_engine_source_close(source *s)
{
    if (!s) return;
    conn_close(s->conn);
    free(s);
}

bool mysql_engine_target_open(const endpoint *ep, const engine_env *env, target **ret, err *e)
{
    target *t = calloc(1, sizeof *t);
    if (!t) return err_no_memory(e, "a target");
    *t = (target){.ep = ep, .env = env};
    if (!conn_open(ep, env, CONN_TARGET, false, &t->conn, e)) {
        free(t);
        return false;
    }
    *ret = t;
    return true;
}

void mysql_engine_target_close(target *t)
{
    if (!t) return;
    applier_free(t->applier);
    conn_close(t->conn);
    free(t);
}

static bool source_server(source *s, arena *a, server_info *ret, err *e) { return server_read(s->conn, a, ret, e); }
static bool target_server(target *t, arena *a, server_info *ret, err *e) { return server_read(t->conn, a, ret, e); }

static const source_ops source_table = {
    .open = mysql_engine_source_open,
    .close = mysql_engine_source_close,
    .server = source_server,
    .current_position = binlog_position_now,
    .check_position = binlog_position_check,
    .compare = binlog_position_compare,
    .stream = stream_run,
    .precheck = precheck_source,
    .read_catalog = catalog_read,
    .snapshot_open = snapshot_begin,
    .snapshot_close = snapshot_end,
    .snapshot_position = snapshot_at,
    .plan_chunks = chunk_plan,
    .read_chunk = chunk_read,
    .read_sequences = auto_increment_read,
};

static const target_ops target_table = {
    .open = mysql_engine_target_open,
    .close = mysql_engine_target_close,
    .server = target_server,
    .precheck = precheck_target,
    .apply_schema = schema_apply,
    .read_chunks = checkpoint_read_chunks,
    .store_chunks = checkpoint_store_chunks,
    .loader_open = loader_open_lane,
    .loader_close = loader_close_lane,
    .load_chunk = loader_load,
    .unload_chunk = unload_chunk,
    .claim = checkpoint_claim,
    .read_checkpoint = checkpoint_read,
    .save_checkpoint = checkpoint_save,
    .apply_begin = applier_begin,
    .apply = applier_apply,
    .apply_large = applier_apply_large,
    .set_sequences = auto_increment_set,
    .rows_move_sequences = true,
    .read_shapes = alter_read_shapes,
    .keep_shapes = alter_keep_shapes,
    .alter_table = alter_table,
    .remove_job = checkpoint_remove_job,
};

extern const engine engine_mysql;
const engine engine_mysql = {.name = "mysql", .default_port = 3306, .source = &source_table, .target = &target_table, .repair = &repair_table};
