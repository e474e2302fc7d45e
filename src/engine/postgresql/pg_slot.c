/* Making, checking and removing publication and slot. */
#include "engine/postgresql/pg_slot.h"

#include <stdio.h>
#include <string.h>

#include "engine/postgresql/pg_position.h"

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

/* --- the publication --- */

/* An UPDATE or DELETE of such a table would fail at the source as soon as it is published (measured on 15, 17, 18). */
static bool check_identities(const catalog_def *c, err *e)
{
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        bool primary = t->key_count && t->keys[0].primary;
        if (t->replica_identity == 'n' || (t->replica_identity == 'd' && !primary))
            return err_set(e, ERR_SOURCE_CONFIG,
                           "table %.*s.%.*s has no primary key and no replica identity: the log could not name its rows, and publishing it would make the source refuse "
                           "UPDATE and DELETE; run at the source: ALTER TABLE \"%.*s\".\"%.*s\" REPLICA IDENTITY FULL",
                           STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(t->schema), STR_ARG(t->name));
    }
    return true;
}

static void create_publication_sql(buf *sql, const char *name, const catalog_def *c)
{
    buf_add_c(sql, "CREATE PUBLICATION ");
    pg_quote_name(sql, str_from_c(name));
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        buf_add_c(sql, i ? ", " : " FOR TABLE ");
        if (str_starts_with(t->storage_engine, STR("r"))) buf_add_c(sql, "ONLY ");
        pg_quote_table(sql, t->schema, t->name);
        if (!t->filter_sql.p) continue;
        buf_add_c(sql, " WHERE (");
        buf_add(sql, t->filter_sql);
        buf_add_c(sql, ")");
    }
    buf_add_c(sql, " WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)");
}

static bool intend(source *s, const char *kind, const char *name, const char *undo, uint64_t *ret_id, err *e)
{
    const ledger *l = s->env->ledger;
    if (!l) return err_set(e, ERR_INTERNAL, "the %s %s is missing at the source and may not be made here", kind, name);
    return l->intend(l->ctx, "src", kind, str_from_c(name), str_from_c(undo), false, ret_id, e);
}

static bool exists(pg_conn *c, const char *from, const char *column, const char *name, bool *ret, err *e)
{
    char sql[256];
    uint64_t n = 0;
    snprintf(sql, sizeof sql, "SELECT pg_catalog.count(*) FROM pg_catalog.%s WHERE %s = '%s'", from, column, name);
    if (!pg_conn_query_u64(c, sql, &n, e)) return false;
    *ret = n != 0;
    return true;
}

static bool make_publication(source *s, const char *name, const catalog_def *c, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    char undo[160];
    bool there;
    uint64_t id;
    if (!check_identities(c, e) || !exists(s->conn, "pg_publication", "pubname", name, &there, e)) return false;
    if (there) return true; /* this job's own: its objects never change while it has one */
    snprintf(undo, sizeof undo, "DROP PUBLICATION IF EXISTS \"%s\"", name);
    create_publication_sql(&sql, name, c);
    if (sql.failed) return err_no_memory(e, "a statement");
    return intend(s, "publication", name, undo, &id, e) && pg_conn_exec(s->conn, buf_str(&sql), NULL, e) && s->env->ledger->created(s->env->ledger->ctx, id, e);
}

/* --- the slot --- */

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
    snprintf(sql, sizeof sql, "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot('%s', 'pgoutput')", name);
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

static bool read_slot(source *s, const char *name, bool *ret_exists, pg_lsn *ret_confirmed, bool *ret_lost, err *e)
{
    char sql[400];
    PGresult *r;
    snprintf(sql, sizeof sql,
             "SELECT confirmed_flush_lsn, wal_status FROM pg_catalog.pg_replication_slots WHERE slot_name = '%s' AND slot_type = 'logical' "
             "AND plugin = 'pgoutput' AND database = pg_catalog.current_database()",
             name);
    if (!pg_conn_query(s->conn, str_from_c(sql), &r, e)) return false;
    *ret_exists = PQntuples(r) == 1;
    str confirmed = pg_field(r, 0, 0);
    *ret_lost = *ret_exists && (str_eq(pg_field(r, 0, 1), STR("lost")) || !confirmed.p);
    bool ok = !confirmed.p || pg_lsn_parse(confirmed, ret_confirmed, e);
    PQclear(r);
    return ok;
}

bool pg_slot_check(source *s, pg_lsn lsn, err *e)
{
    char name[PG_SLOT_NAME_BYTES], have[PG_LSN_TEXT_BYTES], want[PG_LSN_TEXT_BYTES];
    bool there, lost;
    pg_lsn confirmed = PG_LSN_NONE;
    pg_slot_name(s->env->job_id, name);
    if (!read_slot(s, name, &there, &confirmed, &lost, e)) return false;
    if (!there) return err_set(e, ERR_SOURCE_LOG_PURGED, "the replication slot %s is gone from the source: changes since are lost to it; reset the job", name);
    if (lost)
        return err_set(e, ERR_SOURCE_LOG_PURGED, "the source has invalidated the replication slot %s (max_slot_wal_keep_size or idle timeout); reset the job", name);
    /* The server would pass over what lies between without a word (measured on 15). */
    if (confirmed > lsn)
        return err_set(e, ERR_SOURCE_LOG_PURGED, "the replication slot %s was moved to %s by somebody else, the job stands at %s; reset the job", name,
                       pg_lsn_format(confirmed, have), pg_lsn_format(lsn, want));
    return true;
}

static bool make_slot(source *s, const char *name, pg_lsn *ret, err *e)
{
    char undo[160];
    bool there, lost;
    uint64_t id;
    if (!read_slot(s, name, &there, ret, &lost, e)) return false;
    if (there && lost)
        return err_set(e, ERR_SOURCE_LOG_PURGED, "the source has invalidated the replication slot %s (max_slot_wal_keep_size or idle timeout); reset the job", name);
    if (there) return true;
    snprintf(undo, sizeof undo, "SELECT pg_drop_replication_slot('%s')", name);
    return intend(s, "slot", name, undo, &id, e) && create_slot(s, name, ret, e) && s->env->ledger->created(s->env->ledger->ctx, id, e);
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
    return pg_place_read(s->conn, a, &p, e) && make_publication(s, name, c, e) && make_slot(s, name, &p.lsn, e) && pg_place_format(&p, 0, a, ret, e);
}

/* --- removing --- */

static bool remove_slot(source *s, const char *name, buf *removed, err *e)
{
    bool there;
    if (!exists(s->conn, "pg_replication_slots", "slot_name", name, &there, e) || !there) return !there && e->code == ERR_NONE;
    /* A worker that was killed may still hold it through its dead connection. */
    bool ok = pg_conn_execf(s->conn, e, "SELECT pg_catalog.pg_terminate_backend(active_pid, 10000) FROM pg_catalog.pg_replication_slots WHERE slot_name = '%s' AND active", name) &&
              pg_conn_execf(s->conn, e, "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = '%s'", name);
    if (ok) buf_printf(removed, "replication slot %s\n", name);
    return ok;
}

static bool remove_publication(source *s, const char *name, buf *removed, err *e)
{
    bool there;
    if (!exists(s->conn, "pg_publication", "pubname", name, &there, e) || !there) return !there && e->code == ERR_NONE;
    if (!pg_conn_execf(s->conn, e, "DROP PUBLICATION IF EXISTS \"%s\"", name)) return false;
    buf_printf(removed, "publication %s\n", name);
    return true;
}

bool pg_slot_remove(source *s, str job_id, arena *a, str *ret_removed, err *e)
{
    char name[PG_SLOT_NAME_BYTES];
    BUF_AUTO removed = BUF_INIT;
    pg_slot_name(job_id, name);
    if (!remove_slot(s, name, &removed, e) || !remove_publication(s, name, &removed, e)) return false;
    *ret_removed = arena_copy(a, buf_str(&removed));
    return (ret_removed->p && !removed.failed) || err_no_memory(e, "a receipt");
}
