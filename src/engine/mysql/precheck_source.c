/* Prechecks of a MySQL or MariaDB source: settings, privileges, objects. */
#include "engine/mysql/catalog.h"
#include "engine/mysql/grants.h"
#include "engine/precheck_report.h"

typedef struct checking {
    conn *c;
    const precheck_request *r;
    const catalog_def *catalog;
    const precheck_sink *sink;
    arena *a;
    grants grants;
} checking;

/* A variable's value; empty when the server has none of this name. */
static bool variable(checking *k, const char *name, str *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    buf_printf(&sql, "SHOW GLOBAL VARIABLES LIKE '%s'", name);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(k->c, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    str value = row && row[1] ? arena_copy(k->a, (str){row[1], mysql_fetch_lengths(res)[1]}) : STR("");
    mysql_free_result(res);
    *ret = value;
    return value.p || err_no_memory(e, "a variable");
}

static bool check_version(checking *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_SRC");
    uint32_t least = k->c->is_mariadb ? 100300 : 50700;
    if (k->c->version < least)
        precheck_report_addf(&p, PRECHECK_FAILED, "upgrade the source, or replicate it to a newer server first", "the source is %s %u.%u; the oldest supported is %s",
                             k->c->is_mariadb ? "MariaDB" : "MySQL", k->c->version / 10000, k->c->version / 100 % 100,
                             k->c->is_mariadb ? "10.3" : "5.7");
    return precheck_report_emit(&p, k->sink, e);
}

/* ---- privileges ---- */

static void missing(checking *k, precheck_report *p, const char *privilege, str schema)
{
    BUF_AUTO repair = BUF_INIT;
    buf_printf(&repair, "GRANT %s ON ", privilege);
    if (schema.p) {
        conn_quote_name(&repair, schema);
        buf_add_c(&repair, ".*");
    } else {
        buf_add_c(&repair, "*.*");
    }
    buf_printf(&repair, " TO %.*s;", STR_ARG(k->grants.account));
    precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "the source account %.*s lacks %s on %.*s", STR_ARG(k->grants.account), privilege,
                         STR_ARG(schema.p ? schema : STR("*.*")));
}

static void check_select(checking *k, precheck_report *p)
{
    const str *names;
    uint32_t count = dblist_databases(k->r->objects, &names);
    for (uint32_t i = 0; i < count; i++) {
        bool whole = grants_have(&k->grants, "SELECT", names[i], STR_NULL);
        const str *tables;
        uint32_t listed = dblist_whole_database(k->r->objects, names[i]) ? 0 : dblist_tables(k->r->objects, names[i], &tables);
        bool every = listed > 0;
        for (uint32_t n = 0; n < listed; n++) every = every && grants_have(&k->grants, "SELECT", names[i], tables[n]);
        if (!whole && !every) missing(k, p, "SELECT", names[i]);
    }
}

/* Views are listed from information_schema: without SHOW VIEW the catalog could not be read. */
static bool check_show_view(checking *k, precheck_report *p, err *e)
{
    const str *names;
    uint32_t count = dblist_databases(k->r->objects, &names);
    for (uint32_t i = 0; i < count; i++) {
        BUF_AUTO sql = BUF_INIT;
        MYSQL_RES *res;
        bool lacks = false;
        buf_add_c(&sql, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'VIEW' AND TABLE_SCHEMA = ");
        conn_quote_literal(&sql, names[i], STR("utf8mb4"));
        if (sql.failed) return err_no_memory(e, "a statement");
        if (!conn_query(k->c, buf_str(&sql), &res, e)) return false;
        for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
            str view = {row[0], mysql_fetch_lengths(res)[0]};
            lacks = lacks || (dblist_match_view(k->r->objects, names[i], view).selected && !grants_have(&k->grants, "SHOW VIEW", names[i], view));
        }
        mysql_free_result(res);
        if (lacks) missing(k, p, "SHOW VIEW", names[i]);
    }
    return true;
}

static bool check_privileges(checking *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_PRIVILEGE_SRC");
    check_select(k, &p);
    if (k->r->incremental || k->r->full) {
        bool monitor = grants_have(&k->grants, "REPLICATION CLIENT", STR_NULL, STR_NULL) || grants_have(&k->grants, "BINLOG MONITOR", STR_NULL, STR_NULL) ||
                       grants_have(&k->grants, "SUPER", STR_NULL, STR_NULL);
        if (!monitor) missing(k, &p, k->c->is_mariadb && k->c->version >= 100500 ? "BINLOG MONITOR" : "REPLICATION CLIENT", STR_NULL);
    }
    if (k->r->incremental && !grants_have(&k->grants, "REPLICATION SLAVE", STR_NULL, STR_NULL)) missing(k, &p, "REPLICATION SLAVE", STR_NULL);
    /* MariaDB tells the position of each consistent snapshot; MySQL needs the global read lock for a moment. */
    if (k->r->full && !k->c->is_mariadb && !grants_have(&k->grants, "RELOAD", STR_NULL, STR_NULL)) missing(k, &p, "RELOAD", STR_NULL);
    bool ok = check_show_view(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* ---- objects ---- */

/* A selected database that is not there would otherwise be carried as nothing. */
static void check_databases(checking *k, precheck_report *p)
{
    const str *names;
    uint32_t count = dblist_databases(k->r->objects, &names);
    for (uint32_t i = 0; i < count; i++) {
        bool exists = false;
        for (uint32_t n = 0; n < k->catalog->database_count; n++) exists = exists || str_eq(k->catalog->databases[n].name, names[i]);
        if (!exists)
            precheck_report_addf(p, PRECHECK_FAILED, "correct the name in DbList, or grant SELECT on it", "database %.*s does not exist at the source or is not visible to the account",
                                 STR_ARG(names[i]));
    }
}

/* Counts rows of a query whose last condition is the schema; a finding when there are any. */
static bool warn_of(checking *k, precheck_report *p, const char *what, const char *from, str schema, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t n = 0;
    buf_printf(&sql, "SELECT COUNT(*) FROM information_schema.%s = ", from);
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query_u64(k->c, buf_c(&sql), &n, e)) return false;
    if (n)
        precheck_report_addf(p, PRECHECK_WARNING, "create them in the destination after the switch, for example with mysqldump --no-data --routines --events --triggers",
                             "database %.*s: %llu %s are not carried", STR_ARG(schema), (unsigned long long)n, what);
    return true;
}

/* What a database has besides tables and views. */
static bool check_others(checking *k, precheck_report *p, err *e)
{
    for (uint32_t i = 0; i < k->catalog->database_count; i++) {
        str schema = k->catalog->databases[i].name;
        if (!dblist_whole_database(k->r->objects, schema)) continue;
        if (!warn_of(k, p, "routines", "ROUTINES WHERE ROUTINE_SCHEMA", schema, e) || !warn_of(k, p, "triggers", "TRIGGERS WHERE TRIGGER_SCHEMA", schema, e) ||
            !warn_of(k, p, "events", "EVENTS WHERE EVENT_SCHEMA", schema, e) ||
            (k->c->is_mariadb && !warn_of(k, p, "sequences", "TABLES WHERE TABLE_TYPE = 'SEQUENCE' AND TABLE_SCHEMA", schema, e)))
            return false;
    }
    return true;
}

/* Findings that hold for any target. */
static bool check_definitions(checking *k, precheck_report *p, err *e)
{
    for (uint32_t i = 0; i < k->catalog->table_count; i++) {
        const table_def *t = k->catalog->tables[i];
        ddl_table d;
        if (!ddl_parse_table(t->create_sql, k->a, &d, e)) return false;
        if (d.versioned)
            precheck_report_addf(p, PRECHECK_FAILED, "ALTER TABLE ... DROP SYSTEM VERSIONING, or take the table out of the list", "table %.*s.%.*s is system versioned",
                                 STR_ARG(t->schema), STR_ARG(t->name));
    }
    return true;
}

static bool check_objects(checking *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    check_databases(k, &p);
    bool ok = check_others(k, &p, e) && check_definitions(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* Rows of these engines are no part of a consistent snapshot; some have no rows of their own. */
static bool check_engines(checking *k, err *e)
{
    static const char *const foreign[] = {"FEDERATED", "MRG_MYISAM", "MRG_MyISAM", "BLACKHOLE", "CONNECT", "SPIDER", "OQGRAPH", "SPHINX", "S3"};
    precheck_report p;
    precheck_report_init(&p, "CHECK_STORAGE_ENGINE");
    for (uint32_t i = 0; i < k->catalog->table_count; i++) {
        const table_def *t = k->catalog->tables[i];
        if (str_eq_nocase(t->storage_engine, STR("InnoDB")) || str_eq_nocase(t->storage_engine, STR("ROCKSDB"))) continue;
        bool bad = false;
        for (size_t n = 0; n < sizeof foreign / sizeof foreign[0]; n++) bad = bad || str_eq_nocase(t->storage_engine, str_from_c(foreign[n]));
        BUF_AUTO repair = BUF_INIT;
        buf_add_c(&repair, "ALTER TABLE ");
        conn_quote_table(&repair, t->schema, t->name);
        buf_add_c(&repair, " ENGINE=InnoDB;");
        precheck_report_addf(&p, bad ? PRECHECK_FAILED : PRECHECK_WARNING, buf_c(&repair), "table %.*s.%.*s has the storage engine %.*s: %s", STR_ARG(t->schema),
                             STR_ARG(t->name), STR_ARG(t->storage_engine),
                             bad ? "it does not log its rows" : "it is not transactional, a write during the full load can be missed; it becomes InnoDB");
    }
    return precheck_report_emit(&p, k->sink, e);
}

/* ---- the binary log ---- */

static bool check_setting(checking *k, const char *item, const char *name, const char *const *good, const char *repair, err *e)
{
    precheck_report p;
    str value;
    bool fine = false;
    if (!variable(k, name, &value, e)) return false;
    precheck_report_init(&p, item);
    for (const char *const *g = good; *g; g++) fine = fine || str_eq_nocase(value, str_from_c(*g));
    if (!fine) precheck_report_addf(&p, PRECHECK_FAILED, repair, "%s is %.*s at the source, it must be %s", name, STR_ARG(value), good[0]);
    return precheck_report_emit(&p, k->sink, e);
}

/* binlog_do_db and binlog_ignore_db leave changes out of the log without a trace. */
static bool check_log_filters(checking *k, precheck_report *p, err *e)
{
    bool renamed = !k->c->is_mariadb && k->c->version >= 80200;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    if (!conn_query(k->c, renamed ? STR("SHOW BINARY LOG STATUS") : STR("SHOW MASTER STATUS"), &res, &refused)) {
        if (!k->c->broken) return true; /* the missing privilege is a finding of its own */
        *e = refused;
        return false;
    }
    MYSQL_ROW row = mysql_fetch_row(res);
    if (row && ((row[2] && row[2][0]) || (row[3] && row[3][0])))
        precheck_report_addf(p, PRECHECK_FAILED, "remove binlog_do_db and binlog_ignore_db from the source's configuration file and restart it",
                             "the source logs only some databases (binlog_do_db='%s', binlog_ignore_db='%s')", row[2] ? row[2] : "", row[3] ? row[3] : "");
    mysql_free_result(res);
    return true;
}

static bool check_log_bin(checking *k, bool *ret_on, err *e)
{
    precheck_report p;
    str value;
    if (!variable(k, "log_bin", &value, e)) return false;
    precheck_report_init(&p, "CHECK_LOG_BIN");
    *ret_on = str_eq_nocase(value, STR("ON"));
    if (!*ret_on)
        precheck_report_addf(&p, PRECHECK_FAILED, "put log_bin=binlog and binlog_format=ROW under [mysqld] in the source's configuration file and restart it",
                             "the source writes no binary log (log_bin is %.*s)", STR_ARG(value));
    bool ok = !*ret_on || check_log_filters(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

static bool check_log_files(checking *k, err *e)
{
    precheck_report p;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    precheck_report_init(&p, "CHECK_BINLOG_FILES");
    if (conn_query(k->c, STR("SHOW BINARY LOGS"), &res, &refused)) {
        if (!mysql_num_rows(res)) precheck_report_addf(&p, PRECHECK_FAILED, "FLUSH BINARY LOGS;", "the source lists no binary log file");
        for (MYSQL_ROW row; (row = mysql_fetch_row(res));)
            if (row[1] && str_eq(str_from_c(row[1]), STR("0")))
                precheck_report_addf(&p, PRECHECK_FAILED, "PURGE BINARY LOGS TO the file after the missing one;", "the binary log file %s is missing on the source's disk",
                                     row[0]);
        mysql_free_result(res);
    } else if (k->c->broken) {
        *e = refused;
        return false;
    } else {
        precheck_report_addf(&p, PRECHECK_FAILED, "grant what CHECK_PRIVILEGE_SRC shows", "the binary log files cannot be listed: %s", refused.text);
    }
    return precheck_report_emit(&p, k->sink, e);
}

static bool check_server_id(checking *k, uint32_t replica_id, err *e)
{
    precheck_report p;
    uint64_t id = 0;
    if (!conn_query_u64(k->c, "SELECT @@GLOBAL.server_id", &id, e)) return false;
    precheck_report_init(&p, "CHECK_SERVER_ID");
    if (id == 0 || (replica_id && id == replica_id))
        precheck_report_addf(&p, PRECHECK_FAILED, "SET GLOBAL server_id = 1001;", "server_id of the source is %llu, %s", (unsigned long long)id,
                             id ? "which the service uses for itself" : "it must be set");
    return precheck_report_emit(&p, k->sink, e);
}

static bool check_log(checking *k, uint32_t replica_id, err *e)
{
    static const char *const row_format[] = {"ROW", "", NULL}; /* a server without the variable knows only rows */
    static const char *const full_image[] = {"FULL", "FULL_NODUP", "", NULL};
    bool on;
    if (!k->r->incremental) return true;
    return check_log_bin(k, &on, e) && check_setting(k, "CHECK_BINLOG_FORMAT", "binlog_format", row_format, "SET GLOBAL binlog_format = 'ROW';", e) &&
           check_setting(k, "CHECK_BINLOG_ROW_IMAGE", "binlog_row_image", full_image, "SET GLOBAL binlog_row_image = 'FULL';", e) &&
           (!on || check_log_files(k, e)) && check_server_id(k, replica_id, e);
}

bool precheck_source(source *s, const precheck_request *r, const precheck_sink *sink, err *e)
{
    arena a;
    arena_init(&a, 64 * 1024, 0);
    checking k = {.c = s->conn, .r = r, .catalog = r->catalog, .sink = sink, .a = &a};
    bool ok = grants_read(k.c, &a, &k.grants, e) && check_version(&k, e) && check_privileges(&k, e) &&
              (!k.catalog || (check_objects(&k, e) && check_engines(&k, e))) && check_log(&k, s->env->replica_id, e);
    arena_finish(&a);
    return ok;
}
