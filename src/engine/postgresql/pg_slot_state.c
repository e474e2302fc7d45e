/* What became of the slot: there, given up by the server, replaced, moved, read by somebody else. */
#include <stdio.h>
#include <string.h>

#include "engine/postgresql/pg_slot.h"

/* Columns of pg_replication_slots.invalidation_reason (17; idle_timeout: 18) and what decides about each. Before 17 nothing but the size of the log
 * invalidates a slot of a primary. Source: PostgreSQL 18 manual, pg_replication_slots. */
static const struct {
    const char *reason, *setting, *why, *fix;
} reasons[] = {
    {"wal_removed", "max_slot_wal_keep_size", "it held back more of the log than allowed", "raise max_slot_wal_keep_size, then reset the job"},
    {"idle_timeout", "idle_replication_slot_timeout", "it was not read for longer than allowed", "set idle_replication_slot_timeout = 0, then reset the job"},
    {"rows_removed", "hot_standby_feedback", "rows of the catalog that it needs were removed", "set hot_standby_feedback = on at standbys, then reset the job"},
    {"wal_level_insufficient", "wal_level", "the log no longer had what it needs", "set wal_level = logical, then reset the job"},
};

static bool invalidated(source *s, const char *name, str reason, err *e)
{
    char sql[128];
    PGresult *r;
    size_t i = 0;
    while (i + 1 < sizeof reasons / sizeof reasons[0] && !str_eq(reason, str_from_c(reasons[i].reason))) i++;
    bool known = str_eq(reason, str_from_c(reasons[i].reason));
    if (!known)
        return err_set(e, ERR_SOURCE_LOG_PURGED, "the source has invalidated the replication slot %s (%.*s); reset the job", name, STR_ARG(reason));
    snprintf(sql, sizeof sql, "SELECT pg_catalog.current_setting('%s', true)", reasons[i].setting);
    if (!pg_conn_query(s->conn, str_from_c(sql), &r, e)) return false;
    err_set(e, ERR_SOURCE_LOG_PURGED, "the source has invalidated the replication slot %s (%s): %s (%s is %s now); %s", name, reasons[i].reason, reasons[i].why,
            reasons[i].setting, PQntuples(r) ? PQgetvalue(r, 0, 0) : "", reasons[i].fix);
    PQclear(r);
    return false;
}

bool pg_slot_read(source *s, const char *name, bool *ret_there, pg_lsn *ret_confirmed, err *e)
{
    char sql[700];
    PGresult *r;
    uint32_t version = s->conn->version;
    snprintf(sql, sizeof sql,
             "SELECT slot_type = 'logical' AND plugin = 'pgoutput' AND database = pg_catalog.current_database() AND NOT temporary, "
             "pg_catalog.concat_ws(' ', CASE WHEN temporary THEN 'temporary' END, slot_type, 'plugin ' || plugin, 'database ' || database), "
             "confirmed_flush_lsn, wal_status = 'lost', %s FROM pg_catalog.pg_replication_slots WHERE slot_name = '%s'",
             version >= 170000 ? "coalesce(invalidation_reason, 'wal_removed')" : version >= 160000 ? "CASE WHEN conflicting THEN 'rows_removed' ELSE 'wal_removed' END" : "'wal_removed'",
             name);
    if (!pg_conn_query(s->conn, str_from_c(sql), &r, e)) return false;
    bool there = PQntuples(r) == 1, ok = true;
    str confirmed = pg_field(r, 0, 2);
    if (there && !str_eq(pg_field(r, 0, 0), STR("t")))
        ok = err_set(e, ERR_SOURCE_CONFIG, "the replication slot %s at the source is not the job's but another one of that name (%s); drop it, then reset the job", name, PQgetvalue(r, 0, 1));
    else if (there && (!confirmed.p || str_eq(pg_field(r, 0, 3), STR("t")))) ok = invalidated(s, name, pg_field(r, 0, 4), e);
    else if (there) ok = pg_lsn_parse(confirmed, ret_confirmed, e);
    PQclear(r);
    if (ok) *ret_there = there;
    return ok;
}

bool pg_slot_check(source *s, pg_lsn lsn, err *e)
{
    char name[PG_SLOT_NAME_BYTES], have[PG_LSN_TEXT_BYTES], want[PG_LSN_TEXT_BYTES];
    bool there;
    pg_lsn confirmed = PG_LSN_NONE;
    pg_slot_name(s->env->job_id, name);
    if (!pg_slot_read(s, name, &there, &confirmed, e)) {
        if (e->code == ERR_SOURCE_CONFIG) e->code = ERR_SOURCE_LOG_PURGED; /* the job's own was there */
        return false;
    }
    if (!there)
        return err_set(e, ERR_SOURCE_LOG_PURGED, "the replication slot %s is gone from the source, and with it the log of what changed since; somebody dropped it: reset the job", name);
    /* The server would pass over what lies between without a word (measured on 15). A slot that was dropped and made anew begins where the log ended then. */
    if (confirmed > lsn)
        return err_set(e, ERR_SOURCE_LOG_PURGED,
                       "the replication slot %s begins at %s, the job stands at %s: somebody else has read it, moved it, or dropped it and made it anew, and what changed between "
                       "is lost to the job; reset the job",
                       name, pg_lsn_format(confirmed, have), pg_lsn_format(lsn, want));
    return true;
}

bool pg_slot_check_idle(source *s, const char *name, err *e)
{
    char sql[900];
    PGresult *r;
    snprintf(sql, sizeof sql,
             "SELECT s.active_pid, coalesce(a.application_name, ''), coalesce(a.usename, 'unknown'), coalesce(pg_catalog.host(a.client_addr), 'a local socket'), " PG_SLOT_HELD_SQL ", "
             "coalesce(a.application_name = pg_catalog.current_setting('application_name'), false) FROM pg_catalog.pg_replication_slots s "
             "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid WHERE s.slot_name = '%s' AND s.active_pid IS NOT NULL",
             name);
    if (!pg_conn_query(s->conn, str_from_c(sql), &r, e)) return false;
    bool ok = PQntuples(r) == 0;
    if (!ok && str_eq(pg_field(r, 0, 5), STR("t")))
        err_set_native(e, ERR_SOURCE_QUERY, RETRY_LATER, 0, "the replication slot %s is still held by pid %s, an earlier connection of the job, which the source ends within wal_sender_timeout",
                       name, PQgetvalue(r, 0, 0));
    else if (!ok)
        err_set_native(e, ERR_SOURCE_QUERY, RETRY_LATER, 0,
                       "the replication slot %s is in use by pid %s (%s as user %s from %s), which is not the task's; it holds %s of the log; end that reader or leave the slot to it",
                       name, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2), PQgetvalue(r, 0, 3), PQgetvalue(r, 0, 4));
    PQclear(r);
    return ok;
}
