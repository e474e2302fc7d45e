/* Prechecks of a PostgreSQL source: version, log, slots, privileges, what identifies rows, what the log does not hold. */
#include "engine/postgresql/pg_catalog.h"
#include "engine/precheck_report.h"

#define OLDEST 130000 /* publish_via_partition_root */
#define ROW_FILTERS 150000
#define OLD_TRANSACTION "10 minutes"

typedef struct check {
    pg_conn *c;
    const precheck_request *r;
    const precheck_sink *sink;
    arena *a;
} check;

static bool check_version(check *k, err *e)
{
    precheck_report p;
    str standby = STR_NULL;
    if (!pg_conn_query_value(k->c, "SELECT pg_catalog.pg_is_in_recovery()", k->a, &standby, e)) return false;
    precheck_report_init(&p, "CHECK_SRC");
    if (k->c->version < OLDEST)
        precheck_report_addf(&p, PRECHECK_FAILED, "-- upgrade the source", "the source is PostgreSQL %u; the oldest supported is 13", k->c->version / 10000);
    if (str_eq(standby, STR("t")))
        precheck_report_addf(&p, PRECHECK_FAILED, "-- name the primary: ModifyDtsJobEndpoint", "the source is a standby in recovery, which cannot hold the job's publication");
    return precheck_report_emit(&p, k->sink, e);
}

static bool check_wal_level(check *k, err *e)
{
    precheck_report p;
    str level = STR_NULL;
    if (!pg_conn_query_value(k->c, "SHOW wal_level", k->a, &level, e)) return false;
    precheck_report_init(&p, "CHECK_WAL_LEVEL");
    if (!str_eq(level, STR("logical")))
        precheck_report_addf(&p, PRECHECK_FAILED, "ALTER SYSTEM SET wal_level = 'logical'; -- then restart the source", "wal_level is %.*s: the log does not hold row changes",
                             STR_ARG(level));
    return precheck_report_emit(&p, k->sink, e);
}

/* The job's own slot and, while it loads, a temporary one; each is read by a walsender. */
static bool check_slots(check *k, err *e)
{
    precheck_report p;
    uint64_t slots, used, senders, busy;
    if (!pg_conn_query_u64(k->c, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_replication_slots'", &slots, e) ||
        !pg_conn_query_u64(k->c, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots", &used, e) ||
        !pg_conn_query_u64(k->c, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_wal_senders'", &senders, e) ||
        !pg_conn_query_u64(k->c, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication", &busy, e))
        return false;
    precheck_report_init(&p, "CHECK_REPLICATION_SLOTS");
    if (slots < used + 2)
        precheck_report_addf(&p, PRECHECK_FAILED, "ALTER SYSTEM SET max_replication_slots = 20; -- then restart the source, or drop slots that nobody needs",
                             "%llu of %llu replication slots are in use; the job needs two", (unsigned long long)used, (unsigned long long)slots);
    if (senders < busy + 2)
        precheck_report_addf(&p, PRECHECK_FAILED, "ALTER SYSTEM SET max_wal_senders = 20; -- then restart the source", "%llu of %llu walsenders are in use; the job needs two",
                             (unsigned long long)busy, (unsigned long long)senders);
    return precheck_report_emit(&p, k->sink, e);
}

static bool check_transactions(check *k, err *e)
{
    precheck_report p;
    PGresult *r;
    if (!pg_conn_query(k->c,
                       STR("SELECT pid, usename, pg_catalog.date_trunc('second', xact_start) FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL AND "
                           "xact_start < pg_catalog.now() - interval '" OLD_TRANSACTION "' UNION ALL SELECT NULL, gid, prepared FROM pg_catalog.pg_prepared_xacts"),
                       &r, e))
        return false;
    precheck_report_init(&p, "CHECK_LONG_TRANSACTIONS");
    for (int i = 0; i < PQntuples(r); i++) {
        BUF_AUTO repair = BUF_INIT;
        str pid = pg_field(r, i, 0), who = pg_field(r, i, 1);
        if (pid.p) {
            buf_printf(&repair, "SELECT pg_terminate_backend(%.*s);", STR_ARG(pid));
        } else {
            buf_add_c(&repair, "COMMIT PREPARED ");
            pg_quote_literal(&repair, who);
            buf_add_c(&repair, "; -- or ROLLBACK PREPARED");
        }
        precheck_report_addf(&p, PRECHECK_WARNING, buf_c(&repair), "%s %.*s is open since %s: a new replication slot waits for it", pid.p ? "a transaction of user" : "the prepared transaction",
                             STR_ARG(who), PQgetvalue(r, i, 2));
    }
    PQclear(r);
    return precheck_report_emit(&p, k->sink, e);
}

/* --- privileges --- */

static bool yes(check *k, const char *sql, str value, bool *ret, err *e)
{
    PGresult *r;
    if (!pg_conn_query_params(k->c, str_from_c(sql), &value, 1, &r, e)) return false;
    *ret = str_eq(pg_field(r, 0, 0), STR("t"));
    PQclear(r);
    return true;
}

static bool check_table_rights(check *k, precheck_report *p, const table_def *t, err *e)
{
    BUF_AUTO name = BUF_INIT;
    BUF_AUTO repair = BUF_INIT;
    bool may_read, owns, hidden;
    pg_quote_table(&name, t->schema, t->name);
    if (name.failed) return err_no_memory(e, "a name");
    if (!yes(k, "SELECT pg_catalog.has_table_privilege($1, 'SELECT')", buf_str(&name), &may_read, e) ||
        !yes(k, "SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = $1::pg_catalog.regclass", buf_str(&name), &owns, e) ||
        !yes(k, "SELECT pg_catalog.row_security_active($1::pg_catalog.regclass)", buf_str(&name), &hidden, e))
        return false;
    if (!may_read) {
        buf_printf(&repair, "GRANT SELECT ON %s TO \"%.*s\";", buf_c(&name), STR_ARG(k->c->ep->user));
        precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "the source account lacks SELECT on %s", buf_c(&name));
    }
    buf_reset(&repair);
    buf_printf(&repair, "GRANT \"%.*s\" TO CURRENT_USER; -- as the owner's member: GRANT owner TO \"%.*s\"", STR_ARG(k->c->ep->user), STR_ARG(k->c->ep->user));
    if (!owns) precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "the source account does not own %s: it cannot be published", buf_c(&name));
    buf_reset(&repair);
    buf_printf(&repair, "ALTER ROLE \"%.*s\" BYPASSRLS;", STR_ARG(k->c->ep->user));
    if (hidden) precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "row level security hides rows of %s from the source account", buf_c(&name));
    return true;
}

static bool check_privileges(check *k, err *e)
{
    precheck_report p;
    BUF_AUTO repair = BUF_INIT;
    str replication = STR_NULL, create = STR_NULL;
    bool ok = pg_conn_query_value(k->c, "SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER", k->a, &replication, e) &&
              pg_conn_query_value(k->c, "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')", k->a, &create, e);
    if (!ok) return false;
    precheck_report_init(&p, "CHECK_PRIVILEGE_SRC");
    buf_printf(&repair, "ALTER ROLE \"%.*s\" REPLICATION;", STR_ARG(k->c->ep->user));
    if (!str_eq(replication, STR("t"))) precheck_report_addf(&p, PRECHECK_FAILED, buf_c(&repair), "the source account %.*s lacks the attribute REPLICATION", STR_ARG(k->c->ep->user));
    buf_reset(&repair);
    buf_printf(&repair, "GRANT CREATE ON DATABASE \"%.*s\" TO \"%.*s\";", STR_ARG(k->c->ep->database), STR_ARG(k->c->ep->user));
    if (!str_eq(create, STR("t"))) precheck_report_addf(&p, PRECHECK_FAILED, buf_c(&repair), "the source account %.*s may not create a publication", STR_ARG(k->c->ep->user));
    for (uint32_t i = 0; ok && k->r->catalog && i < k->r->catalog->table_count; i++) ok = check_table_rights(k, &p, k->r->catalog->tables[i], e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* --- tables --- */

static bool check_identities(check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_REPLICA_IDENTITY");
    for (uint32_t i = 0; k->r->catalog && i < k->r->catalog->table_count; i++) {
        const table_def *t = k->r->catalog->tables[i];
        BUF_AUTO repair = BUF_INIT;
        bool primary = t->key_count && t->keys[0].primary;
        if (t->replica_identity != 'n' && (t->replica_identity != 'd' || primary)) continue;
        buf_add_c(&repair, "ALTER TABLE ");
        pg_quote_table(&repair, t->schema, t->name);
        buf_add_c(&repair, " REPLICA IDENTITY FULL;");
        precheck_report_addf(&p, PRECHECK_FAILED, buf_c(&repair),
                             "table %.*s.%.*s has no primary key and no replica identity: the source would refuse UPDATE and DELETE as soon as it is published", STR_ARG(t->schema),
                             STR_ARG(t->name));
    }
    return precheck_report_emit(&p, k->sink, e);
}

static bool check_tables(check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    for (uint32_t i = 0; k->r->catalog && i < k->r->catalog->table_count; i++) {
        const table_def *t = k->r->catalog->tables[i];
        BUF_AUTO repair = BUF_INIT;
        buf_add_c(&repair, "ALTER TABLE ");
        pg_quote_table(&repair, t->schema, t->name);
        buf_add_c(&repair, " SET LOGGED;");
        if (t->storage_engine.n == 2 && t->storage_engine.p[1] == 'u')
            precheck_report_addf(&p, k->r->incremental ? PRECHECK_FAILED : PRECHECK_WARNING, buf_c(&repair), "table %.*s.%.*s is unlogged: its changes are in no log", STR_ARG(t->schema),
                                 STR_ARG(t->name));
        if (t->filter_sql.p && k->c->version < ROW_FILTERS)
            precheck_report_addf(&p, PRECHECK_FAILED, "-- take the filter out of DbList", "the row filter of %.*s.%.*s needs PostgreSQL 15 at the source", STR_ARG(t->schema), STR_ARG(t->name));
    }
    return precheck_report_emit(&p, k->sink, e);
}

bool pg_precheck_source(source *s, const precheck_request *r, const precheck_sink *sink, err *e)
{
    arena a;
    arena_init(&a, 16 * 1024, 0);
    check k = {s->conn, r, sink, &a};
    bool ok = check_version(&k, e) && check_wal_level(&k, e) && check_slots(&k, e) && check_transactions(&k, e) && check_privileges(&k, e) && check_identities(&k, e) &&
              check_tables(&k, e);
    arena_finish(&a);
    return ok;
}
