/* Prechecks of a MySQL or MariaDB source: settings, privileges, objects. */
#include "engine/mysql/catalog.h"
#include "engine/mysql/precheck_priv.h"

bool precheck_variable(source_check *k, const char *name, str *ret, err *e)
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

static bool check_version(source_check *k, err *e)
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

/* schema.p == NULL: everywhere; table.p == NULL: the whole schema. */
static void missing_as(source_check *k, precheck_report *p, precheck_state state, const char *privilege, str schema, str table)
{
    BUF_AUTO where = BUF_INIT;
    BUF_AUTO repair = BUF_INIT;
    if (schema.p) conn_quote_name(&where, schema);
    else buf_add_byte(&where, '*');
    buf_add_byte(&where, '.');
    if (table.p) conn_quote_name(&where, table);
    else buf_add_byte(&where, '*');
    buf_printf(&repair, "GRANT %s ON %s TO %.*s;", privilege, buf_c(&where), STR_ARG(k->grants.account));
    precheck_report_addf(p, state, buf_c(&repair), "the source account %.*s lacks %s on %s", STR_ARG(k->grants.account), privilege, buf_c(&where));
}

static void missing(source_check *k, precheck_report *p, const char *privilege, str schema, str table) { missing_as(k, p, PRECHECK_FAILED, privilege, schema, table); }

/* Of databases selected in part, the listed tables are enough. */
static void check_select(source_check *k, precheck_report *p)
{
    const str *names;
    uint32_t count = dblist_databases(k->r->objects, &names);
    for (uint32_t i = 0; i < count; i++) {
        const str *tables;
        uint32_t listed = dblist_whole_database(k->r->objects, names[i]) ? 0 : dblist_tables(k->r->objects, names[i], &tables);
        if (grants_have(&k->grants, "SELECT", names[i], STR_NULL)) continue;
        if (dblist_whole_database(k->r->objects, names[i])) missing(k, p, "SELECT", names[i], STR_NULL);
        for (uint32_t n = 0; n < listed; n++)
            if (!grants_have(&k->grants, "SELECT", names[i], tables[n])) missing(k, p, "SELECT", names[i], tables[n]);
    }
}

/* Views of a whole database: without SHOW VIEW the catalog could not be read. */
static bool check_views_in(source_check *k, precheck_report *p, str schema, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    bool lacks = false;
    buf_add_c(&sql, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'VIEW' AND TABLE_SCHEMA = ");
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(k->c, buf_str(&sql), &res, e)) return false;
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
        str view = {row[0], mysql_fetch_lengths(res)[0]};
        lacks = lacks || !grants_have(&k->grants, "SHOW VIEW", schema, view);
    }
    mysql_free_result(res);
    if (lacks) missing(k, p, "SHOW VIEW", schema, STR_NULL);
    return true;
}

/* A listed view may be invisible for want of the very privilege: it is asked for whether the view is there or not. */
static bool check_views(source_check *k, precheck_report *p, err *e)
{
    static const char *const needed[] = {"SELECT", "SHOW VIEW"};
    const str *names, *views;
    uint32_t count = dblist_databases(k->r->objects, &names);
    for (uint32_t i = 0; i < count; i++) {
        if (dblist_whole_database(k->r->objects, names[i]) && !check_views_in(k, p, names[i], e)) return false;
        uint32_t listed = dblist_views(k->r->objects, names[i], &views);
        for (uint32_t n = 0; n < listed; n++)
            for (size_t w = 0; w < 2; w++)
                if (!grants_have(&k->grants, needed[w], names[i], views[n])) missing(k, p, needed[w], names[i], views[n]);
    }
    return true;
}

static bool check_privileges(source_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_PRIVILEGE_SRC");
    check_select(k, &p);
    if (k->r->incremental || k->r->full) {
        bool monitor = grants_have(&k->grants, "REPLICATION CLIENT", STR_NULL, STR_NULL) || grants_have(&k->grants, "BINLOG MONITOR", STR_NULL, STR_NULL) ||
                       grants_have(&k->grants, "SUPER", STR_NULL, STR_NULL);
        if (!monitor) missing(k, &p, k->c->is_mariadb && k->c->version >= 100500 ? "BINLOG MONITOR" : "REPLICATION CLIENT", STR_NULL, STR_NULL);
    }
    /* MariaDB tells the position of each consistent snapshot; MySQL needs the global read lock for a moment. A load of one position reads the log only when it
     * was interrupted. */
    bool reload = grants_have(&k->grants, "RELOAD", STR_NULL, STR_NULL), always = k->r->incremental || !reload;
    if ((k->r->incremental || k->r->full) && !grants_have(&k->grants, "REPLICATION SLAVE", STR_NULL, STR_NULL))
        missing_as(k, &p, always ? PRECHECK_FAILED : PRECHECK_WARNING, "REPLICATION SLAVE", STR_NULL, STR_NULL);
    if (k->r->full && !k->c->is_mariadb && !reload) missing(k, &p, "RELOAD", STR_NULL, STR_NULL);
    bool ok = check_views(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* ---- objects ---- */

/* A selected database that is not there would otherwise be carried as nothing. */
static void check_databases(source_check *k, precheck_report *p)
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

/* The text of SHOW CREATE, in the arena; empty where the account may not see it. */
static bool source_text(source_check *k, str kind, str schema, str name, str *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    *ret = STR("");
    buf_printf(&sql, "SHOW CREATE %.*s ", STR_ARG(kind));
    conn_quote_name(&sql, schema);
    buf_add_byte(&sql, '.');
    conn_quote_name(&sql, name);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(k->c, buf_str(&sql), &res, &refused)) {
        if (refused.retry == RETRY_NEVER) return true;
        *e = refused;
        return false;
    }
    MYSQL_ROW row = mysql_fetch_row(res);
    const MYSQL_FIELD *fields = mysql_fetch_fields(res);
    const unsigned long *lengths = mysql_fetch_lengths(res);
    for (unsigned i = 0; row && i < mysql_num_fields(res); i++) {
        str column = str_from_c(fields[i].name);
        if (row[i] && (str_eq(column, STR("SQL Original Statement")) || str_starts_with(column, STR("Create ")))) *ret = arena_copy(k->a, (str){row[i], lengths[i]});
    }
    mysql_free_result(res);
    return ret->p || err_no_memory(e, "a definition");
}

/* A finding for each of a schema's objects of a kind. columns: of the kind and the name. */
static bool warn_of(source_check *k, precheck_report *p, const char *columns, const char *from, str schema, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    bool ok = true;
    buf_printf(&sql, "SELECT %s FROM information_schema.%s = ", columns, from);
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    buf_add_c(&sql, " ORDER BY 1, 2");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(k->c, buf_str(&sql), &res, e)) return false;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        precheck_finding f = {.state = PRECHECK_WARNING, .effect = EFFECT_OMISSION, .schema = schema, .kind = arena_copy(k->a, str_from_c(row[0])), .object = arena_copy(k->a, str_from_c(row[1]))};
        f.text = f.kind.p && f.object.p ? arena_printf(k->a, "%.*s %.*s.%.*s is not carried", STR_ARG(f.kind), STR_ARG(schema), STR_ARG(f.object)) : STR_NULL;
        ok = (f.text.p || err_no_memory(e, "a finding")) && source_text(k, f.kind, schema, f.object, &f.source_text, e);
        if (ok) precheck_report_find(p, &f, STR("create them in the destination after the switch, for example with mysqldump --no-data --routines --events --triggers"));
    }
    mysql_free_result(res);
    return ok;
}

/* What a database has besides tables and views. */
static bool check_others(source_check *k, precheck_report *p, err *e)
{
    for (uint32_t i = 0; i < k->catalog->database_count; i++) {
        str schema = k->catalog->databases[i].name;
        if (!dblist_whole_database(k->r->objects, schema)) continue;
        if (!warn_of(k, p, "LOWER(ROUTINE_TYPE), ROUTINE_NAME", "ROUTINES WHERE ROUTINE_SCHEMA", schema, e) ||
            !warn_of(k, p, "'trigger', TRIGGER_NAME", "TRIGGERS WHERE TRIGGER_SCHEMA", schema, e) || !warn_of(k, p, "'event', EVENT_NAME", "EVENTS WHERE EVENT_SCHEMA", schema, e) ||
            (k->c->is_mariadb && !warn_of(k, p, "'sequence', TABLE_NAME", "TABLES WHERE TABLE_TYPE = 'SEQUENCE' AND TABLE_SCHEMA", schema, e)))
            return false;
    }
    return true;
}

/* Findings that hold for any target. */
static bool check_definitions(source_check *k, precheck_report *p, err *e)
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

static bool check_objects(source_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    check_databases(k, &p);
    bool ok = check_others(k, &p, e) && check_definitions(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* Engines that keep no rows of their own, or do not log them. */
static bool keeps_no_rows(str storage_engine)
{
    static const char *const foreign[] = {"FEDERATED", "MRG_MYISAM", "BLACKHOLE", "CONNECT", "SPIDER", "OQGRAPH", "SPHINX", "S3"};
    bool bad = false;
    for (size_t n = 0; n < sizeof foreign / sizeof foreign[0]; n++) bad = bad || str_eq_nocase(storage_engine, str_from_c(foreign[n]));
    return bad;
}

static void tell_engine(precheck_report *p, const table_def *t, bool bad)
{
    BUF_AUTO repair = BUF_INIT;
    if (bad) buf_add_c(&repair, "-- take the table out of DbList, or make it one with rows of its own:\n");
    buf_add_c(&repair, "ALTER TABLE ");
    conn_quote_table(&repair, t->schema, t->name);
    buf_add_c(&repair, " ENGINE=InnoDB;");
    precheck_report_addf(p, bad ? PRECHECK_FAILED : PRECHECK_WARNING, buf_c(&repair), "table %.*s.%.*s has the storage engine %.*s: %s", STR_ARG(t->schema), STR_ARG(t->name),
                         STR_ARG(t->storage_engine),
                         bad ? "it does not log its rows" : "it is not transactional, a write during the full load can be missed; it becomes InnoDB");
}

/* Rows of these engines are no part of a consistent snapshot. First the tables that lean on others, so that the repairs run in their order. */
static bool check_engines(source_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_STORAGE_ENGINE");
    for (int bad = 1; bad >= 0; bad--)
        for (uint32_t i = 0; i < k->catalog->table_count; i++) {
            const table_def *t = k->catalog->tables[i];
            if (str_eq_nocase(t->storage_engine, STR("InnoDB")) || str_eq_nocase(t->storage_engine, STR("ROCKSDB"))) continue;
            if (keeps_no_rows(t->storage_engine) == (bad == 1)) tell_engine(&p, t, bad == 1);
        }
    return precheck_report_emit(&p, k->sink, e);
}

/* ---- filters ---- */

/* Does the server take the condition? It is asked in the session form of the load (snapshot.c). */
static bool explain_filter(source_check *k, precheck_report *p, const table_def *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    buf_add_c(&sql, "EXPLAIN SELECT 1 FROM ");
    conn_quote_table(&sql, t->schema, t->name);
    buf_add_c(&sql, " WHERE (");
    buf_add(&sql, t->filter_sql);
    buf_add_c(&sql, "\n)");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (conn_query(k->c, buf_str(&sql), &res, &refused)) mysql_free_result(res);
    else if (k->c->broken) *e = refused;
    else
        precheck_report_addf(p, PRECHECK_FAILED, "-- correct the filter in DbList", "the source refuses the filter of %.*s.%.*s: %s", STR_ARG(t->schema), STR_ARG(t->name), refused.text);
    return !k->c->broken;
}

/* A load alone takes every condition that the server takes; with a stream precheck_catalog.c is stricter. */
static bool check_filters(source_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_FILTERS");
    bool ok = conn_exec(k->c, STR("SET NAMES utf8mb4"), NULL, e);
    for (uint32_t i = 0; ok && i < k->catalog->table_count; i++)
        if (k->catalog->tables[i]->filter_sql.p && !k->r->incremental) ok = explain_filter(k, &p, k->catalog->tables[i], e);
    ok = ok && conn_exec(k->c, STR("SET NAMES binary"), NULL, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

bool precheck_source(source *s, const precheck_request *r, const precheck_sink *sink, err *e)
{
    arena a;
    arena_init(&a, 64 * 1024, 0);
    source_check k = {.c = s->conn, .r = r, .catalog = r->catalog, .sink = sink, .a = &a, .replica_id = s->env->replica_id};
    bool ok = grants_read(k.c, &a, &k.grants, e) && check_version(&k, e) && check_privileges(&k, e) &&
              (!k.catalog || (check_objects(&k, e) && check_engines(&k, e) && check_filters(&k, e))) && precheck_log(&k, e);
    arena_finish(&a);
    return ok;
}
