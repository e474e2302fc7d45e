/* Making the slot; its publication comes first. */
#include "engine/postgresql/pg_slot.h"

#include <stdio.h>
#include <string.h>

#include "engine/postgresql/pg_ddl_capture.h"
#include "engine/postgresql/pg_position.h"
#include "engine/postgresql/pg_publication.h"
#include "engine/postgresql/pg_watch.h"

uint32_t pg_slot_wait_s(const pg_conn *c) { return 2 * c->statement_timeout_s; }

void pg_slot_name(str job_id, char out[PG_SLOT_NAME_BYTES])
{
    size_t n = (size_t)snprintf(out, PG_SLOT_NAME_BYTES, "sluice_%.*s", STR_ARG(job_id));
    if (n >= PG_SLOT_NAME_BYTES) n = PG_SLOT_NAME_BYTES - 1;
    for (size_t i = 0; i < n; i++) {
        char c = out[i];
        if (c >= 'A' && c <= 'Z') out[i] = (char)(c + 32);
        else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) out[i] = '_';
    }
}

/* --- the ledger --- */

bool pg_slot_intend(source *s, const char *kind, const char *name, const char *undo, uint64_t *ret_id, err *e)
{
    const ledger *l = s->env->ledger;
    if (!l) return err_set(e, ERR_INTERNAL, "the %s %s is missing at the source and may not be made here", kind, name);
    return l->intend(l->ctx, "src", kind, str_from_c(name), str_from_c(undo), false, ret_id, e);
}

bool pg_slot_is_ours(source *s, const char *kind, const char *name, bool *ret, err *e)
{
    const ledger *l = s->env->ledger;
    ledger_state state = LEDGER_NONE;
    if (!l) return err_set(e, ERR_INTERNAL, "whose the %s %s is cannot be told without a ledger", kind, name);
    if (!l->find(l->ctx, "src", kind, str_from_c(name), &state, e)) return false;
    *ret = state == LEDGER_MADE;
    return true;
}

bool pg_slot_adopt(source *s, const char *kind, const char *name, err *e)
{
    const ledger *l = s->env->ledger;
    return l->settle(l->ctx, "src", kind, str_from_c(name), LEDGER_KEPT, STR("it was there before the task"), e);
}

/* --- the slot --- */

bool pg_slot_exists(pg_conn *c, const char *from, const char *column, const char *name, bool *ret, err *e)
{
    char sql[256];
    uint64_t n = 0;
    snprintf(sql, sizeof sql, "SELECT pg_catalog.count(*) FROM pg_catalog.%s WHERE %s = '%s'", from, column, name);
    if (!pg_conn_query_u64(c, sql, &n, e)) return false;
    *ret = n != 0;
    return true;
}

/* "pid 123 (user u, since 2026-…), …": transactions that a new slot has to wait for. */
static void blockers(source *s, char *out, size_t n)
{
    pg_conn *c;
    PGresult *r;
    err ignored = ERR_INIT;
    size_t at = 0;
    out[0] = 0;
    if (!pg_conn_open(s->ep, s->env, PG_SOURCE, false, &c, &ignored)) return;
    if (pg_conn_query(c,
                      STR("SELECT pid, usename, pg_catalog.date_trunc('second', xact_start) FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL "
                          "AND pid <> pg_catalog.pg_backend_pid() ORDER BY xact_start LIMIT 5"),
                      &r, &ignored)) {
        for (int i = 0; i < PQntuples(r) && at < n; i++)
            at += (size_t)snprintf(out + at, n - at, "%spid %s (user %s, since %s)", i ? ", " : "", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2));
        PQclear(r);
    }
    pg_conn_close(c);
}

static bool create_slot(source *s, const char *name, pg_lsn *ret, err *e)
{
    char sql[256];
    PGresult *r;
    uint32_t before = s->conn->statement_timeout_s;
    /* From 17 on standbys that synchronize slots have it too (failover), so that the job outlives a switch; without such standbys that costs nothing. */
    snprintf(sql, sizeof sql, "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot('%s', 'pgoutput'%s)", name,
             s->conn->version >= 170000 ? ", false, false, true" : "");
    s->conn->statement_timeout_s = pg_slot_wait_s(s->conn);
    bool ok = pg_conn_query(s->conn, str_from_c(sql), &r, e);
    s->conn->statement_timeout_s = before;
    if (!ok && s->conn->broken && e->code == ERR_SOURCE_CONNECT) {
        char who[600];
        blockers(s, who, sizeof who);
        if (who[0])
            return err_set_native(e, ERR_SOURCE_CONNECT, RETRY_LATER, 0, "the replication slot %s waits for transactions that are open at the source: %s; end them", name, who);
    }
    if (!ok) return false;
    ok = pg_lsn_parse(pg_field(r, 0, 0), ret, e);
    PQclear(r);
    return ok;
}

static bool make_slot(source *s, const char *name, pg_lsn *ret, err *e)
{
    char undo[300];
    bool there, ours;
    uint64_t id;
    if (!pg_slot_read(s, name, &there, ret, e)) return false;
    if (there) return pg_slot_is_ours(s, "slot", name, &ours, e) && (ours || pg_slot_adopt(s, "slot", name, e));
    snprintf(undo, sizeof undo,
             "SELECT pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS held, "
             "pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '%s'",
             name);
    return pg_slot_intend(s, "slot", name, undo, &id, e) && create_slot(s, name, ret, e) &&
           s->env->ledger->created(s->env->ledger->ctx, id, e);
}

bool pg_slot_keep(source *s, const catalog_def *c, arena *a, position *ret, err *e)
{
    char name[PG_SLOT_NAME_BYTES];
    str level = STR_NULL;
    pg_place p;
    pg_slot_name(s->env->job_id, name);
    if (!pg_conn_query_value(s->conn, "SHOW wal_level", a, &level, e)) return false;
    if (!str_eq(level, STR("logical")))
        return err_set(e, ERR_SOURCE_CONFIG, "wal_level is %.*s at the source; set wal_level = logical in its configuration and restart it", STR_ARG(level));
    /* Publication first: the slot's log is read by what the catalog said at each of its positions. */
    if (!pg_ddl_capture_make(s, e) || !pg_place_read(s->conn, a, &p, e) || !pg_publication_make(s, name, c, e) || !make_slot(s, name, &p.lsn, e)) return false;
    char seen[PG_SEEN_BYTES];
    if (!pg_watch_select(s, c, e) || !pg_watch_first(s, s->conn, seen, e)) return false;
    p.seen = str_from_c(seen);
    return pg_place_format(&p, 0, a, ret, e);
}
