/* One consistent state for all lanes. A temporary logical slot exports it together with the exact place in the log: what committed before its consistent point
 * is visible, everything else will be in the log behind it. The slot is gone as soon as the lanes have the snapshot. */
#include "engine/postgresql/pg_snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "engine/postgresql/pg_position.h"
#include "engine/postgresql/pg_slot.h"
#include "engine/postgresql/pg_watch.h"

static bool export_snapshot(source *s, pg_conn *c, arena *a, pg_lsn *ret_at, str *ret_name, err *e)
{
    char job[PG_SLOT_NAME_BYTES], sql[256];
    uint64_t number = 0;
    PGresult *r;
    random_bytes(&number, sizeof number);
    pg_slot_name(s->env->job_id, job);
    /* The words before PostgreSQL 15 were others. */
    snprintf(sql, sizeof sql, "CREATE_REPLICATION_SLOT %.40s_%012llx TEMPORARY LOGICAL pgoutput %s", job, (unsigned long long)(number & 0xffffffffffff),
             c->version >= 150000 ? "(SNAPSHOT 'export')" : "EXPORT_SNAPSHOT");
    c->statement_timeout_s = pg_slot_wait_s(c);
    if (!pg_conn_query(c, str_from_c(sql), &r, e)) return err_context(e, "exporting a snapshot");
    *ret_name = arena_copy(a, pg_field(r, 0, 2));
    bool ok = pg_lsn_parse(pg_field(r, 0, 1), ret_at, e) && (ret_name->p || err_no_memory(e, "a snapshot"));
    PQclear(r);
    return ok;
}

static bool import_snapshot(snapshot *n, uint32_t lane, str name, err *e)
{
    source *s = n->src;
    return pg_conn_open(s->ep, s->env, PG_SOURCE, false, &n->lanes[lane], e) &&
           pg_conn_exec(n->lanes[lane], STR("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), NULL, e) &&
           pg_conn_execf(n->lanes[lane], e, "SET TRANSACTION SNAPSHOT '%.*s'", STR_ARG(name));
}

static bool begin(snapshot *n, uint32_t lanes, err *e)
{
    pg_conn *holder = NULL;
    pg_place p;
    str name = STR_NULL;
    n->lanes = arena_array(&n->mem, lanes, sizeof(pg_conn *));
    if (!n->lanes) return err_no_memory(e, "a snapshot");
    n->count = lanes;
    bool ok = pg_place_read(n->src->conn, &n->mem, &p, e) && pg_conn_open(n->src->ep, n->src->env, PG_SOURCE, true, &holder, e) &&
              export_snapshot(n->src, holder, &n->mem, &p.lsn, &name, e);
    for (uint32_t i = 0; ok && i < lanes; i++) ok = import_snapshot(n, i, name, e); /* the holder runs nothing meanwhile: that would end the export */
    pg_conn_close(holder);
    char seen[PG_SEEN_BYTES];
    ok = ok && pg_watch_first(n->src, n->lanes[0], seen, e);
    if (ok) p.seen = str_from_c(seen);
    return ok && pg_place_format(&p, 0, &n->mem, &n->at, e);
}

bool pg_snapshot_begin(source *s, uint32_t lanes, snapshot **ret, err *e)
{
    snapshot *n = calloc(1, sizeof *n);
    if (!n) return err_no_memory(e, "a snapshot");
    n->src = s;
    arena_init(&n->mem, 4096, 0);
    if (!begin(n, lanes, e)) {
        pg_snapshot_end(n);
        return false;
    }
    *ret = n;
    return true;
}

void pg_snapshot_end(snapshot *n)
{
    if (!n) return;
    for (uint32_t i = 0; n->lanes && i < n->count; i++) pg_conn_close(n->lanes[i]);
    arena_finish(&n->mem);
    free(n);
}

position pg_snapshot_at(const snapshot *n, uint32_t lane)
{
    (void)lane;
    return n->at;
}
