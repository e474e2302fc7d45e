/* Prechecks of a source's log: that it holds rows, that a slot can be made and keeps what it must, that the walsender can be reached. */
#include "engine/postgresql/pg_ddl_capture.h"
#include "engine/postgresql/pg_precheck.h"
#include "engine/postgresql/pg_slot.h"

#define OLD_TRANSACTION "10 minutes"

static bool check_wal_level(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_WAL_LEVEL");
    const char *sql = "SELECT format('wal_level is %s at the source: the log does not hold row changes', s), 'ALTER SYSTEM SET wal_level = ''logical''; -- then restart the source' "
                      "FROM current_setting('wal_level') s WHERE s <> 'logical'";
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_FAILED, false, sql, e), e);
}

/* The job's own slot and, while it loads, a temporary one; each is read by a walsender. */
static bool check_slots(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_REPLICATION_SLOTS");
    const char *sql =
        "SELECT format('%s of %s replication slots are in use; the job needs two', used, most), "
        "format('ALTER SYSTEM SET max_replication_slots = %s; -- then restart the source, or drop slots that nobody needs', used + 10) "
        "FROM (SELECT count(*) AS used, current_setting('max_replication_slots')::int AS most FROM pg_catalog.pg_replication_slots) s WHERE most < used + 2 "
        "UNION ALL SELECT format('%s of %s walsenders are in use; the job needs two', used, most), format('ALTER SYSTEM SET max_wal_senders = %s; -- then restart the source', used + 10) "
        "FROM (SELECT count(*) AS used, current_setting('max_wal_senders')::int AS most FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walsender') s WHERE most < used + 2";
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_FAILED, false, sql, e), e);
}

static bool check_transactions(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_LONG_TRANSACTIONS");
    const char *sql =
        "SELECT format('a transaction of user %s is open since %s: a new replication slot waits for it; its last statement: %s', usename, date_trunc('second', xact_start), left(query, 100)), "
        "format('SELECT pg_terminate_backend(%s);', pid) FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL AND xact_start < now() - interval '" OLD_TRANSACTION "' "
        "UNION ALL SELECT format('the prepared transaction %s of user %s is open since %s: a new replication slot waits for it', gid, owner, date_trunc('second', prepared)), "
        "format('COMMIT PREPARED %L; -- or ROLLBACK PREPARED, in the database %s', gid, database) FROM pg_catalog.pg_prepared_xacts";
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_WARNING, false, sql, e), e);
}

/* What makes the server give up our slot or its reader. max_slot_wal_keep_size must hold what is written during a load: as much again as the tables, 1 GiB at
 * least. Without a limit the log grows while a job is paused, which the job's own status tells. */
static bool check_settings(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_WAL_SETTINGS");
#define RELOAD "E';\\nSELECT pg_reload_conf();'"
    const char *plain =
        "SELECT format('wal_sender_timeout is %s ms at the source: a reader that waits for the destination is cut off', setting), 'ALTER SYSTEM SET wal_sender_timeout = ''60s''' || " RELOAD
        " FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout' AND setting::bigint BETWEEN 1 AND 59999 "
        "UNION ALL SELECT format('logical_decoding_work_mem is %s kB at the source: transactions are written to its disk early', setting), "
        "'ALTER SYSTEM SET logical_decoding_work_mem = ''64MB''' || " RELOAD " FROM pg_catalog.pg_settings WHERE name = 'logical_decoding_work_mem' AND setting::bigint < 65536 "
        "UNION ALL SELECT format('idle_replication_slot_timeout is %s %s at the source: a job that is paused longer loses its place in the log', setting, unit), "
        "'ALTER SYSTEM SET idle_replication_slot_timeout = 0' || " RELOAD " FROM pg_catalog.pg_settings WHERE name = 'idle_replication_slot_timeout' AND setting::bigint > 0";
    const char *size =
        PG_SELECTED
        "SELECT format('max_slot_wal_keep_size is %s MB at the source: the log that is written during a load of %s MB may be given up', setting, need), "
        "format('ALTER SYSTEM SET max_slot_wal_keep_size = ''%sMB''', need) || " RELOAD " FROM pg_catalog.pg_settings, "
        "(SELECT greatest(1024, coalesce(sum(pg_total_relation_size(t.oid)), 0) / 1048576)::bigint AS need FROM t) s "
        "WHERE name = 'max_slot_wal_keep_size' AND setting::bigint >= 0 AND setting::bigint < need";
#undef RELOAD
    bool ok = pg_check_find(k, &p, PRECHECK_WARNING, false, plain, e) && pg_check_find(k, &p, PRECHECK_WARNING, true, size, e);
    return pg_check_emit(k, &p, ok, e);
}

/* A standby that takes over has the slot from 17 on, and nothing that the destination has but it lacks when the primary waited for it. Whether it copies slots can
 * only be seen there. */
static bool check_failover(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_FAILOVER");
#define STANDBYS(which)                                                                                                                                                    \
    "SELECT 'of slot ' || slot_name AS who, slot_name::text AS slot FROM pg_catalog.pg_replication_slots WHERE slot_type = 'physical' AND " which " UNION ALL "               \
    "SELECT coalesce(nullif(r.application_name, ''), 'without a name'), NULL FROM pg_catalog.pg_stat_replication r WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s " \
    "WHERE s.active_pid = r.pid) AND r.state = 'streaming' AND r.application_name NOT LIKE 'pg\\_%'"
    const char *before_17 =
        "SELECT format('the source has the standby %s: when it takes over, the job''s replication slot is not there and the job must be reset', string_agg(DISTINCT who, ', ')), "
        "'-- plan switches of the source for a moment when the job has ended, or reset the job after one' FROM (" STANDBYS("true") ") w HAVING count(*) > 0";
    const char *since_17 =
        "SELECT format('the source has the standby %s, and does not wait for it before it sends changes to the job: when it takes over, the job may have to be reset', "
        "string_agg(DISTINCT who, ', ')), format(E'ALTER SYSTEM SET synchronized_standby_slots = %L;\\nSELECT pg_reload_conf(); -- each standby must have a slot of its own "
        "(primary_slot_name), sync_replication_slots = on, hot_standby_feedback = on, and a dbname in primary_conninfo', concat_ws(', ', nullif(current_setting('synchronized_standby_slots'), ''), "
        "string_agg(DISTINCT slot, ', '))) FROM (" STANDBYS("NOT slot_name = ANY (regexp_split_to_array(replace(current_setting('synchronized_standby_slots'), '\"', ''), '\\s*,\\s*'))")
        ") w HAVING count(*) > 0";
#undef STANDBYS
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_WARNING, false, k->c->version >= 170000 ? since_17 : before_17, e), e);
}

/* Slots that are named like ours, belong to no running job and hold back the log. */
static bool check_leftovers(pg_check *k, err *e)
{
    precheck_report p;
    char own[PG_SLOT_NAME_BYTES];
    BUF_AUTO sql = BUF_INIT;
    pg_slot_name(k->env->job_id, own);
    precheck_report_init(&p, "CHECK_LEFTOVERS");
    buf_add_c(&sql, "SELECT format('the replication slot %s, which nobody reads, makes the source keep %s of log', slot_name, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))), "
                    "format('SELECT pg_drop_replication_slot(%L); -- only when no service has a paused job of this number', slot_name) FROM pg_catalog.pg_replication_slots "
                    "WHERE slot_name LIKE 'sluice\\_%' AND NOT active AND database = current_database() AND slot_name <> ");
    pg_quote_literal(&sql, str_from_c(own));
    bool ok = sql.failed ? err_no_memory(e, "a statement") : pg_check_find(k, &p, PRECHECK_WARNING, false, buf_c(&sql), e);
    return pg_check_emit(k, &p, ok, e);
}

/* A pooler hands out a number of its own in place of the server process's. */
static bool find_pooler(pg_check *k, bool *ret, err *e)
{
    uint64_t pid;
    if (!pg_conn_query_u64(k->c, "SELECT pg_catalog.pg_backend_pid()", &pid, e)) return false;
    *ret = pid != (uint64_t)PQbackendPID(k->c->pg);
    return true;
}

/* The connection that reads the log is tried, because what refuses it (the role, pg_hba.conf, a pooler) cannot all be asked. */
static bool check_connection(pg_check *k, err *e)
{
    precheck_report p;
    pg_conn *c = NULL;
    bool pooler = false;
    err refused = ERR_INIT;
    if (!find_pooler(k, &pooler, e)) return false;
    precheck_report_init(&p, "CHECK_REPLICATION_CONNECTION");
    bool fine = pg_conn_open(k->c->ep, k->env, PG_SOURCE, true, &c, &refused) && pg_conn_exec(c, STR("IDENTIFY_SYSTEM"), NULL, &refused);
    pg_conn_close(c);
    if (!fine && refused.code == ERR_CANCELLED) {
        *e = refused;
        return false;
    }
    const char *server = "-- name the server itself, not a pooler: ModifyDtsJobEndpoint";
    if (!fine)
        precheck_report_addf(&p, PRECHECK_FAILED, pooler ? server : "-- grant what CHECK_PRIVILEGE_SRC shows, raise what CHECK_REPLICATION_SLOTS shows, or let the account in by pg_hba.conf",
                             "the source refuses the replication connection%s: %s", pooler ? " through a pooler" : "", refused.text);
    else if (pooler) precheck_report_addf(&p, PRECHECK_WARNING, server, "the source is reached through a pooler, which may give statements of one session to several");
    return precheck_report_emit(&p, k->sink, e);
}

/* Making the event triggers is tried: providers give the right to roles that are no superusers. */
static bool check_ddl(pg_check *k, err *e)
{
    precheck_report p;
    str why = STR_NULL;
    BUF_AUTO repair = BUF_INIT;
    if (k->r->ddl && k->r->incremental && k->c->version >= PG_OLDEST && !pg_ddl_capture_try(k->c, k->a, &why, e)) return false;
    precheck_report_init(&p, "CHECK_EVENT_TRIGGERS");
    buf_add_c(&repair, "ALTER ROLE ");
    pg_quote_name(&repair, k->c->ep->user);
    buf_add_c(&repair, " SUPERUSER; -- or the provider's role of that kind; or change tables, but for their columns, at both ends");
    buf_add_byte(&repair, 0);
    if (repair.failed) return err_no_memory(e, "a repair");
    if (why.p)
        precheck_report_addf(&p, PRECHECK_WARNING, repair.p,
                             "new tables of whole schemas, indexes, constraints, defaults and the USING of ALTER COLUMN TYPE go unseen once the job has begun: the source does not let the account make event triggers: %.*s",
                             STR_ARG(why));
    return precheck_report_emit(&p, k->sink, e);
}

bool pg_check_log(pg_check *k, err *e)
{
    return check_wal_level(k, e) && check_slots(k, e) && check_transactions(k, e) && check_settings(k, e) && check_failover(k, e) && check_leftovers(k, e) && check_ddl(k, e) && check_connection(k, e);
}
