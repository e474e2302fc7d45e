/* Removing what a job made at the source. The slot goes first: it alone can fill the source's disk. */
#include <stdio.h>

#include "engine/postgresql/pg_ddl_capture.h"
#include "engine/postgresql/pg_end_sessions.h"
#include "engine/postgresql/pg_slot.h"

/* label NULL: it was gone already. */
static bool removed(source *s, const char *kind, const char *label, const char *name, buf *lines, err *e)
{
    const ledger *l = s->env->ledger;
    if (label) buf_printf(lines, "%s %s\n", label, name);
    return l->settle(l->ctx, "src", kind, str_from_c(name), LEDGER_REMOVED, STR(""), e);
}

static bool drop_failed(source *s, const char *name, err *e)
{
    char sql[500];
    PGresult *r;
    err ignored = ERR_INIT;
    if (s->conn->broken) return false;
    snprintf(sql, sizeof sql, "SELECT " PG_SLOT_HELD_SQL " FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = '%s'",
             name);
    if (!pg_conn_query(s->conn, str_from_c(sql), &r, &ignored)) return false;
    if (PQntuples(r)) err_context(e, "the replication slot %s holds %s of the log", name, PQgetvalue(r, 0, 0));
    PQclear(r);
    return false;
}

static bool remove_slot(source *s, const char *name, buf *lines, err *e)
{
    bool there, ours;
    if (!pg_slot_is_ours(s, "slot", name, &ours, e) || !ours) return !ours && e->code == ERR_NONE;
    if (!pg_slot_exists(s->conn, "pg_replication_slots", "slot_name", name, &there, e)) return false;
    /* Whoever reads it, is not ended for it. */
    if (there && !pg_slot_check_idle(s, name, e)) return false;
    if (there && !pg_conn_execf(s->conn, e,
                                "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
                                "pg_catalog.pg_replication_slots WHERE slot_name = '%s'",
                                name))
        return drop_failed(s, name, e);
    return removed(s, "slot", there ? "replication slot" : NULL, name, lines, e);
}

static bool remove_publication(source *s, const char *name, buf *lines, err *e)
{
    bool there, ours;
    if (!pg_slot_is_ours(s, "publication", name, &ours, e) || !ours) return !ours && e->code == ERR_NONE;
    if (!pg_slot_exists(s->conn, "pg_publication", "pubname", name, &there, e)) return false;
    if (there && !pg_conn_execf(s->conn, e, "DROP PUBLICATION IF EXISTS \"%s\"", name)) return false;
    return removed(s, "publication", there ? "publication" : NULL, name, lines, e);
}

bool pg_slot_remove(source *s, str job_id, arena *a, str *ret_removed, err *e)
{
    char name[PG_SLOT_NAME_BYTES];
    BUF_AUTO lines = BUF_INIT;
    pg_slot_name(job_id, name);
    if (!pg_end_sessions(s->conn, e) || !remove_slot(s, name, &lines, e) || !remove_publication(s, name, &lines, e) || !pg_ddl_capture_remove(s, job_id, &lines, e))
        return false;
    *ret_removed = arena_copy(a, buf_str(&lines));
    return (ret_removed->p && !lines.failed) || err_no_memory(e, "a receipt");
}
