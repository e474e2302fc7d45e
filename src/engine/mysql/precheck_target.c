/* Prechecks of a MySQL or MariaDB target: privileges, what is there already, what it cannot hold. */
#include "engine/mysql/checkpoint_tables.h"
#include "engine/mysql/grants.h"
#include "engine/mysql/schema_text.h"
#include "engine/precheck_report.h"

typedef struct checking {
    target *t;
    conn *c;
    const precheck_request *r;
    const precheck_sink *sink;
    arena *a;
    grants grants;
    map present; /* "`schema`.`name`" of what the target has in the mapped schemas */
    map own;     /* the same, made by this job */
    map collations;
} checking;

static bool check_version(checking *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_SRC");
    uint32_t least = k->c->is_mariadb ? 100300 : 80000;
    if (k->c->version < least)
        precheck_report_addf(&p, PRECHECK_FAILED, "upgrade the destination", "the destination is %s %u.%u; the oldest supported is %s",
                             k->c->is_mariadb ? "MariaDB" : "MySQL", k->c->version / 10000, k->c->version / 100 % 100, k->c->is_mariadb ? "10.3" : "8.0");
    return precheck_report_emit(&p, k->sink, e);
}

static void need(checking *k, precheck_report *p, const char *const *privileges, str schema)
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

static bool check_privileges(checking *k, err *e)
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

static bool read_map(checking *k, str sql, map *into, err *e)
{
    MYSQL_RES *res;
    if (!conn_query(k->c, sql, &res, e)) return false;
    bool ok = true;
    unsigned columns = mysql_num_fields(res);
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        const unsigned long *n = mysql_fetch_lengths(res);
        BUF_AUTO name = BUF_INIT;
        if (columns == 2)
            conn_quote_table(&name, (str){row[0], n[0]}, (str){row[1], n[1]});
        else
            buf_add(&name, (str){row[0], n[0]});
        str key = name.failed ? STR_NULL : arena_copy(k->a, buf_str(&name));
        ok = key.p && map_put(into, key, k);
    }
    mysql_free_result(res);
    return ok || err_no_memory(e, "names of the destination");
}

static bool read_present(checking *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    checkpoint_objects ours;
    for (uint32_t i = 0; i < c->database_count; i++) {
        BUF_AUTO sql = BUF_INIT;
        buf_add_c(&sql, "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
        conn_quote_literal(&sql, c->databases[i].target_name, STR("utf8mb4"));
        if (sql.failed) return err_no_memory(e, "a statement");
        if (!read_map(k, buf_str(&sql), &k->present, e)) return false;
    }
    if (!checkpoint_tables_find(k->c, &ours, e)) return false;
    if (ours.object != CHECKPOINT_OURS) return true;
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT name FROM sluice.object WHERE job_id = ");
    conn_quote_literal(&sql, k->t->env->job_id, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    err refused = ERR_INIT;
    if (read_map(k, buf_str(&sql), &k->own, &refused)) return true;
    if (k->c->broken) *e = refused;
    return !k->c->broken; /* the missing privilege is a finding of its own */
}

static bool is_present(checking *k, str schema, str name, bool *ret_own)
{
    BUF_AUTO key = BUF_INIT;
    conn_quote_table(&key, schema, name);
    *ret_own = map_get(&k->own, buf_str(&key)) != NULL;
    return map_get(&k->present, buf_str(&key)) != NULL;
}

static void exists(precheck_report *p, const char *kind, str schema, str name)
{
    BUF_AUTO repair = BUF_INIT;
    buf_printf(&repair, "DROP %s ", kind);
    conn_quote_table(&repair, schema, name);
    buf_add_c(&repair, "; -- or rename it, or map the object to another name");
    precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "%s %.*s.%.*s exists in the destination", kind, STR_ARG(schema), STR_ARG(name));
}

static bool check_same_objects(checking *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    precheck_report p;
    bool own;
    precheck_report_init(&p, "CHECK_SAME_OBJ");
    if (k->r->schema && !k->r->ignore_existing) {
        for (uint32_t i = 0; i < c->table_count; i++)
            if (is_present(k, c->tables[i]->target_schema, c->tables[i]->target_name, &own) && !own)
                exists(&p, "TABLE", c->tables[i]->target_schema, c->tables[i]->target_name);
        for (uint32_t i = 0; i < c->view_count; i++)
            if (is_present(k, c->views[i].target_schema, c->views[i].target_name, &own) && !own)
                exists(&p, "VIEW", c->views[i].target_schema, c->views[i].target_name);
    }
    return precheck_report_emit(&p, k->sink, e);
}

static bool check_empty(checking *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    precheck_report p;
    bool own;
    precheck_report_init(&p, "CHECK_DEST_TABLE_EMPTY");
    for (uint32_t i = 0; k->r->full && i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        if (!is_present(k, t->target_schema, t->target_name, &own) || own) continue;
        BUF_AUTO table = BUF_INIT;
        BUF_AUTO sql = BUF_INIT;
        uint64_t some = 0;
        err refused = ERR_INIT;
        conn_quote_table(&table, t->target_schema, t->target_name);
        buf_printf(&sql, "SELECT EXISTS(SELECT 1 FROM %s)", buf_c(&table));
        bool read = conn_query_u64(k->c, buf_c(&sql), &some, &refused);
        if (k->c->broken) {
            *e = refused;
            break;
        }
        buf_reset(&sql);
        buf_printf(&sql, "TRUNCATE TABLE %s;", buf_c(&table));
        if (!read) precheck_report_addf(&p, PRECHECK_FAILED, "grant what CHECK_SUPER_AUTH_DEST shows", "%s", refused.text);
        if (some) precheck_report_addf(&p, k->r->ignore_existing ? PRECHECK_WARNING : PRECHECK_FAILED, buf_c(&sql), "table %s of the destination has rows", buf_c(&table));
    }
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, k->c->broken ? &ignored : e) && !k->c->broken;
}

/* ---- what it cannot hold ---- */

static void add_finding(void *ctx, bool failed, str what, str repair) { precheck_report_add(ctx, failed ? PRECHECK_FAILED : PRECHECK_WARNING, what, repair); }

static bool check_tables(checking *k, precheck_report *p, err *e)
{
    schema_pair pair = {.source_mariadb = k->r->source ? str_eq(k->r->source->product, STR("MariaDB")) : k->c->is_mariadb, .target_mariadb = k->c->is_mariadb,
                        .target_version = k->c->version, .collations = &k->collations};
    schema_findings findings = {add_finding, p};
    const catalog_def *c = k->r->catalog;
    for (uint32_t i = 0; i < c->table_count; i++) {
        ddl_table d;
        bool own;
        const table_def *t = c->tables[i];
        if (!k->r->schema) {
            if (!is_present(k, t->target_schema, t->target_name, &own))
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

static bool check_objects(checking *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    bool ok = collation_read_known(k->c, k->a, &k->collations, e) && check_tables(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

static bool check_catalog(checking *k, err *e)
{
    return !k->r->catalog || (read_present(k, e) && check_objects(k, e) && check_same_objects(k, e) && check_empty(k, e));
}

bool precheck_target(target *t, const precheck_request *r, const precheck_sink *sink, err *e)
{
    arena a;
    arena_init(&a, 64 * 1024, 0);
    checking k = {.t = t, .c = t->conn, .r = r, .sink = sink, .a = &a, .present = MAP_INIT, .own = MAP_INIT, .collations = MAP_INIT};
    bool ok = grants_read(k.c, &a, &k.grants, e) && check_version(&k, e) && check_privileges(&k, e) && check_catalog(&k, e);
    map_finish(&k.present);
    map_finish(&k.own);
    map_finish(&k.collations);
    arena_finish(&a);
    return ok;
}
