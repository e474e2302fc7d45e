/* The PostgreSQL target: opening and closing it, its table of operations. */
#include <stdlib.h>

#include "engine/postgresql/pg_loader.h"
#include "engine/postgresql/pg_session.h"
#include "engine/postgresql/postgresql.h"

bool pg_target_open(const endpoint *ep, const engine_env *env, target **ret, err *e)
{
    target *t = calloc(1, sizeof *t);
    if (!t) return err_no_memory(e, "a target");
    *t = (target){.ep = ep, .env = env};
    if (!pg_conn_open(ep, env, PG_TARGET, false, &t->conn, e) || !pg_session_begin(t->conn, &t->may_replicate, e)) {
        pg_target_close(t);
        return false;
    }
    *ret = t;
    return true;
}

void pg_target_close(target *t)
{
    if (!t) return;
    pg_applier_free(t->applier);
    pg_conn_close(t->conn);
    free(t);
}

static bool server(target *t, arena *a, server_info *ret, err *e) { return pg_server_read(t->conn, a, ret, e); }

const target_ops pg_target_ops = {
    .open = pg_target_open,
    .close = pg_target_close,
    .server = server,
    .precheck = pg_precheck_target,
    .apply_schema = pg_schema_apply,
    .read_chunks = pg_checkpoint_read_chunks,
    .store_chunks = pg_checkpoint_store_chunks,
    .takes_binary = pg_loader_takes_binary,
    .loader_open = pg_loader_open,
    .loader_close = pg_loader_close,
    .load_chunk = pg_loader_load,
    .unload_chunk = pg_checkpoint_unload_chunk,
    .claim = pg_checkpoint_claim,
    .read_checkpoint = pg_checkpoint_read,
    .save_checkpoint = pg_checkpoint_save,
    .apply_begin = pg_applier_begin,
    .apply = pg_applier_apply,
    .apply_large = pg_applier_apply_large,
    .read_shapes = pg_alter_read_shapes,
    .keep_shapes = pg_alter_keep_shapes,
    .alter_table = pg_alter_table,
    .ddl_intend = pg_ddl_intend,
    .ddl_pending = pg_ddl_pending,
    .ddl_finish = pg_ddl_finish,
    .set_sequences = pg_sequences_set,
    .remove_job = pg_checkpoint_remove_job,
};
