/* Prechecks of a MySQL or MariaDB target: privileges, what is there already, what it cannot hold. */
#include <string.h>

#include "engine/mysql/checkpoint_tables.h"
#include "engine/mysql/name_fold.h"
#include "engine/mysql/precheck_priv.h"
#include "engine/mysql/schema_text.h"

static bool check_version(target_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_SRC");
    uint32_t least = k->c->is_mariadb ? 100300 : 80000;
    if (k->c->version < least)
        precheck_report_addf(&p, PRECHECK_FAILED, "upgrade the destination", "the destination is %s %u.%u; the oldest supported is %s",
                             k->c->is_mariadb ? "MariaDB" : "MySQL", k->c->version / 10000, k->c->version / 100 % 100, k->c->is_mariadb ? "10.3" : "8.0");
    else if (k->r->source && k->r->source->version_number / 100 > k->c->version / 100 && str_eq(k->r->source->product, k->c->is_mariadb ? STR("MariaDB") : STR("MySQL")))
        precheck_report_addf(&p, PRECHECK_WARNING, "upgrade the destination", "the destination %u.%u is older than the source %u.%u: it may lack what tables of the source use",
                             k->c->version / 10000, k->c->version / 100 % 100, k->r->source->version_number / 10000, k->r->source->version_number / 100 % 100);
    return precheck_report_emit(&p, k->sink, e);
}

static void need(target_check *k, precheck_report *p, const char *const *privileges, str schema)
{
    BUF_AUTO list = BUF_INIT;
    for (; *privileges; privileges++)
        if (!grants_have(&k->grants, *privileges, schema, STR_NULL)) buf_printf(&list, "%s%s", list.n ? ", " : "", *privileges);
    if (!list.n) return;
    BUF_AUTO repair = BUF_INIT;
    buf_printf(&repair, "GRANT %s ON ", buf_c(&list));
    conn_quote_name(&repair, schema);
    buf_printf(&repair, ".* TO %.*s;", STR_ARG(k->grants.account));
    precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "the destination account %.*s lacks %s on %.*s", STR_ARG(k->grants.account), buf_c(&list),
                         STR_ARG(schema));
}

static bool check_privileges(target_check *k, err *e)
{
    static const char *const rows[] = {"SELECT", "INSERT", "UPDATE", "DELETE", NULL};
    static const char *const schema[] = {"CREATE", "ALTER", "INDEX", "DROP", "REFERENCES", "SELECT", "INSERT", "UPDATE", "DELETE", NULL};
    static const char *const views[] = {"CREATE VIEW", "SHOW VIEW", NULL};
    static const char *const own[] = {"CREATE", "DROP", "SELECT", "INSERT", "UPDATE", "DELETE", NULL};
    const str *names;
    uint32_t count = dblist_databases(k->r->objects, &names);
    precheck_report p;
    precheck_report_init(&p, "CHECK_SUPER_AUTH_DEST");
    for (uint32_t i = 0; i < count; i++) {
        str target_schema = dblist_target_database(k->r->objects, names[i]);
        need(k, &p, k->r->schema ? schema : rows, target_schema);
        if (k->r->schema && k->r->catalog && k->r->catalog->view_count) need(k, &p, views, target_schema);
    }
    need(k, &p, own, STR("sluice"));
    return precheck_report_emit(&p, k->sink, e);
}

/* ---- what is there ---- */

bool target_check_key(target_check *k, str schema, str name, str *ret, err *e)
{
    BUF_AUTO key = BUF_INIT;
    bool fold = k->r->target && k->r->target->name_case != 0;
    if (fold && (!name_fold(k->c, schema, k->a, &schema, e) || !name_fold(k->c, name, k->a, &name, e))) return false;
    conn_quote_table(&key, schema, name);
    str copy = key.failed ? STR_NULL : arena_copy(k->a, buf_str(&key));
    if (!copy.p) return err_no_memory(e, "a name");
    *ret = copy;
    return true;
}

/* Rows of schema, name, kind. */
static bool read_present_in(target_check *k, str schema, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    buf_add_c(&sql, "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(k->c, buf_str(&sql), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        str key;
        bool view = strstr(row[1], "VIEW") != NULL;
        ok = target_check_key(k, schema, (str){row[0], mysql_fetch_lengths(res)[0]}, &key, e) &&
             (map_put(&k->present, key, (void *)(uintptr_t)(view ? "VIEW" : "TABLE")) || err_no_memory(e, "names of the destination"));
    }
    mysql_free_result(res);
    return ok;
}

/* sluice.object holds quoted names as the job was mapped, so that the case is the catalog's. */
static bool read_own(target_check *k, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    buf_add_c(&sql, "SELECT name FROM sluice.object WHERE job_id = ");
    conn_quote_literal(&sql, k->t->env->job_id, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(k->c, buf_str(&sql), &res, &refused)) {
        if (k->c->broken) *e = refused;
        return !k->c->broken; /* the missing privilege is a finding of its own */
    }
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        str name = arena_copy(k->a, (str){row[0], mysql_fetch_lengths(res)[0]}), key = name;
        if (name.p && k->r->target && k->r->target->name_case != 0 && !name_fold(k->c, name, k->a, &key, e)) ok = false;
        ok = ok && ((key.p && map_put(&k->own, key, k)) || err_no_memory(e, "names of the destination"));
    }
    mysql_free_result(res);
    return ok;
}

static bool read_present(target_check *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    checkpoint_objects ours;
    for (uint32_t i = 0; i < c->database_count; i++)
        if (!read_present_in(k, c->databases[i].target_name, e)) return false;
    if (!checkpoint_tables_find(k->c, &ours, e)) return false;
    return ours.object != CHECKPOINT_OURS || read_own(k, e);
}

bool target_check_find(target_check *k, str schema, str name, const char **ret_kind, bool *ret_own, err *e)
{
    str key;
    if (!target_check_key(k, schema, name, &key, e)) return false;
    *ret_own = map_get(&k->own, key) != NULL;
    *ret_kind = map_get(&k->present, key);
    return true;
}

static void exists(precheck_report *p, const char *kind, str schema, str name)
{
    BUF_AUTO repair = BUF_INIT;
    buf_printf(&repair, "DROP %s ", kind);
    conn_quote_table(&repair, schema, name);
    buf_add_c(&repair, "; -- or rename it, or map the object to another name");
    precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "%s %.*s.%.*s exists in the destination", kind, STR_ARG(schema), STR_ARG(name));
}

/* What is there may stay when the job ignores it and it is of the kind that would be made. */
static bool check_same(target_check *k, precheck_report *p, const char *wanted, str schema, str name, err *e)
{
    const char *kind;
    bool own;
    if (!target_check_find(k, schema, name, &kind, &own, e)) return false;
    if (kind && !own && !(k->r->ignore_existing && strcmp(kind, wanted) == 0)) exists(p, kind, schema, name);
    return true;
}

static bool check_same_objects(target_check *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    precheck_report p;
    bool ok = true, look = k->r->schema;
    precheck_report_init(&p, "CHECK_SAME_OBJ");
    for (uint32_t i = 0; ok && look && i < c->table_count; i++) ok = check_same(k, &p, "TABLE", c->tables[i]->target_schema, c->tables[i]->target_name, e);
    for (uint32_t i = 0; ok && look && i < c->view_count; i++) ok = check_same(k, &p, "VIEW", c->views[i].target_schema, c->views[i].target_name, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

static bool check_rows(target_check *k, precheck_report *p, const table_def *t, err *e)
{
    const char *kind;
    bool own;
    BUF_AUTO table = BUF_INIT;
    BUF_AUTO sql = BUF_INIT;
    uint64_t some = 0;
    err refused = ERR_INIT;
    if (!target_check_find(k, t->target_schema, t->target_name, &kind, &own, e)) return false;
    if (!kind || own || strcmp(kind, "TABLE") != 0) return true;
    conn_quote_table(&table, t->target_schema, t->target_name);
    buf_printf(&sql, "SELECT EXISTS(SELECT 1 FROM %s)", buf_c(&table));
    bool read = conn_query_u64(k->c, buf_c(&sql), &some, &refused);
    if (k->c->broken) *e = refused;
    buf_reset(&sql);
    buf_printf(&sql, "TRUNCATE TABLE %s;", buf_c(&table));
    if (!read) precheck_report_addf(p, PRECHECK_FAILED, "-- grant what CHECK_SUPER_AUTH_DEST shows", "%s", refused.text);
    if (some) precheck_report_addf(p, k->r->ignore_existing ? PRECHECK_WARNING : PRECHECK_FAILED, buf_c(&sql), "table %s of the destination has rows", buf_c(&table));
    return !k->c->broken;
}

static bool check_empty(target_check *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    precheck_report p;
    bool ok = true;
    precheck_report_init(&p, "CHECK_DEST_TABLE_EMPTY");
    for (uint32_t i = 0; ok && k->r->full && i < c->table_count; i++) ok = check_rows(k, &p, c->tables[i], e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* ---- what it cannot hold ---- */

static void add_finding(void *ctx, bool failed, str what, str repair) { precheck_report_add(ctx, failed ? PRECHECK_FAILED : PRECHECK_WARNING, what, repair); }

static bool check_tables(target_check *k, precheck_report *p, err *e)
{
    schema_pair pair = schema_pair_of(k->r->source ? k->r->source->product : STR_NULL, k->c->is_mariadb, k->c->version, &k->collations);
    schema_findings findings = {add_finding, p};
    const catalog_def *c = k->r->catalog;
    for (uint32_t i = 0; i < c->table_count; i++) {
        ddl_table d;
        const char *kind;
        bool own;
        const table_def *t = c->tables[i];
        if (!k->r->schema) {
            if (!target_check_find(k, t->target_schema, t->target_name, &kind, &own, e)) return false;
            if (kind && strcmp(kind, "TABLE") != 0)
                precheck_report_addf(p, PRECHECK_FAILED, "map the table to another name in DbList", "%.*s.%.*s is a view in the destination", STR_ARG(t->target_schema), STR_ARG(t->target_name));
            if (!kind)
                precheck_report_addf(p, PRECHECK_FAILED, "create it, or let the job create it (StructureInitialization=true)",
                                     "table %.*s.%.*s does not exist in the destination", STR_ARG(t->target_schema), STR_ARG(t->target_name));
            continue;
        }
        if (!ddl_parse_table(t->create_sql, k->a, &d, e) || !schema_inspect(&pair, t, &d, &findings, e)) return false;
    }
    for (uint32_t i = 0; k->r->schema && i < c->view_count; i++) {
        BUF_AUTO sql = BUF_INIT;
        err bad = ERR_INIT;
        if (!schema_create_view(c, &c->views[i], k->a, &sql, &bad)) precheck_report_addf(p, PRECHECK_FAILED, "", "%s", bad.text);
    }
    return true;
}

static bool check_objects(target_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    bool ok = collation_read_known(k->c, k->a, &k->collations, e) && check_tables(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

static bool check_catalog(target_check *k, err *e)
{
    return !k->r->catalog || (read_present(k, e) && check_objects(k, e) && check_same_objects(k, e) && check_empty(k, e) && precheck_names(k, e));
}

bool precheck_target(target *t, const precheck_request *r, const precheck_sink *sink, err *e)
{
    arena a;
    arena_init(&a, 64 * 1024, 0);
    target_check k = {.t = t, .c = t->conn, .r = r, .sink = sink, .a = &a, .present = MAP_INIT, .own = MAP_INIT, .collations = MAP_INIT};
    bool ok = grants_read(k.c, &a, &k.grants, e) && check_version(&k, e) && check_privileges(&k, e) && check_catalog(&k, e);
    map_finish(&k.present);
    map_finish(&k.own);
    map_finish(&k.collations);
    arena_finish(&a);
    return ok;
}
