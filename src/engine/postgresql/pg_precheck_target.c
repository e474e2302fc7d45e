/* Prechecks of a PostgreSQL target: version, privileges, what is there already. */
#include "engine/postgresql/postgresql.h"
#include "engine/precheck_report.h"

#define OLDEST 130000

typedef struct check {
    pg_conn *c;
    const precheck_request *r;
    const precheck_sink *sink;
    str job_id;
} check;

static bool one_row(check *k, const char *sql, const str *values, uint32_t n, str *ret, arena *a, err *e)
{
    PGresult *r;
    if (!pg_conn_query_params(k->c, str_from_c(sql), values, n, &r, e)) return false;
    str value = pg_field(r, 0, 0);
    *ret = value.p ? arena_copy(a, value) : STR_NULL;
    bool ok = !value.p || ret->p;
    PQclear(r);
    return ok || err_no_memory(e, "a value");
}

static bool check_version(check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_SRC");
    if (k->c->version < OLDEST) precheck_report_addf(&p, PRECHECK_FAILED, "-- upgrade the destination", "the destination is PostgreSQL %u; the oldest supported is 13", k->c->version / 10000);
    else if (k->r->source && str_eq(k->r->source->product, STR("PostgreSQL")) && k->r->source->version_number / 10000 > k->c->version / 10000)
        precheck_report_addf(&p, PRECHECK_WARNING, "-- upgrade the destination", "the destination (PostgreSQL %u) is older than the source (%u): it may lack what tables of the source use",
                             k->c->version / 10000, k->r->source->version_number / 10000);
    return precheck_report_emit(&p, k->sink, e);
}

static bool check_schema_rights(check *k, precheck_report *p, str schema, arena *a, err *e)
{
    BUF_AUTO repair = BUF_INIT;
    str there, may;
    if (!one_row(k, "SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = $1", &schema, 1, &there, a, e) ||
        !one_row(k, "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')", NULL, 0, &may, a, e))
        return false;
    if (there.p ? str_eq(there, STR("t")) : str_eq(may, STR("t"))) return true;
    if (there.p) buf_printf(&repair, "GRANT CREATE, USAGE ON SCHEMA \"%.*s\" TO \"%.*s\";", STR_ARG(schema), STR_ARG(k->c->ep->user));
    else buf_printf(&repair, "GRANT CREATE ON DATABASE \"%.*s\" TO \"%.*s\";", STR_ARG(k->c->ep->database), STR_ARG(k->c->ep->user));
    precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "the destination account %.*s may not create %s%.*s", STR_ARG(k->c->ep->user), there.p ? "tables in the schema " : "the schema ",
                         STR_ARG(schema));
    return true;
}

static bool check_privileges(check *k, err *e)
{
    precheck_report p;
    arena a;
    arena_init(&a, 4096, 0);
    const str *names;
    uint32_t count = dblist_databases(k->r->objects, &names);
    precheck_report_init(&p, "CHECK_SUPER_AUTH_DEST");
    bool ok = check_schema_rights(k, &p, STR("sluice"), &a, e);
    for (uint32_t i = 0; ok && k->r->schema && i < count; i++) ok = check_schema_rights(k, &p, dblist_target_database(k->r->objects, names[i]), &a, e);
    arena_finish(&a);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* --- what is there --- */

typedef struct found {
    bool there, table, own, rows;
} found;

/* An object that this job made in an earlier run does not count. */
static bool look(check *k, str schema, str name, bool rows, found *ret, arena *a, err *e)
{
    BUF_AUTO full = BUF_INIT;
    BUF_AUTO sql = BUF_INIT;
    str values[] = {schema, name}, kind, own = STR_NULL, some = STR_NULL, ours;
    *ret = (found){false};
    if (!one_row(k, "SELECT c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2", values, 2, &kind, a, e))
        return false;
    if (!kind.p) return true;
    ret->there = true;
    ret->table = str_eq(kind, STR("r")) || str_eq(kind, STR("p"));
    pg_quote_table(&full, schema, name);
    if (full.failed) return err_no_memory(e, "a name");
    if (!one_row(k, "SELECT pg_catalog.to_regclass('sluice.object')", NULL, 0, &ours, a, e)) return false;
    str made[] = {k->job_id, buf_str(&full)};
    if (ours.p && !one_row(k, "SELECT 't' FROM sluice.object WHERE job_id = $1 AND name = $2", made, 2, &own, a, e)) return false;
    ret->own = own.p != NULL;
    if (!rows || !ret->table || ret->own) return true;
    buf_printf(&sql, "SELECT EXISTS (SELECT FROM %s)", buf_c(&full));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!one_row(k, buf_c(&sql), NULL, 0, &some, a, e)) return false;
    ret->rows = str_eq(some, STR("t"));
    return true;
}

static void name_it(buf *out, const char *before, str schema, str name, const char *after)
{
    buf_add_c(out, before);
    pg_quote_table(out, schema, name);
    buf_add_c(out, after);
}

static bool check_one(check *k, precheck_report *same, precheck_report *rows, precheck_report *objects, str schema, str name, bool table, err *e)
{
    found f;
    arena a;
    BUF_AUTO drop = BUF_INIT;
    BUF_AUTO empty = BUF_INIT;
    arena_init(&a, 1024, 0);
    bool ok = look(k, schema, name, table && k->r->full, &f, &a, e);
    arena_finish(&a);
    if (!ok) return false;
    name_it(&drop, f.table ? "DROP TABLE " : "DROP VIEW ", schema, name, "; -- or rename it, or map the object to another name");
    name_it(&empty, "TRUNCATE TABLE ", schema, name, ";");
    if (k->r->schema && f.there && !f.own && !(k->r->ignore_existing && f.table == table))
        precheck_report_addf(same, PRECHECK_FAILED, buf_c(&drop), "%s %.*s.%.*s exists in the destination", f.table ? "table" : "view", STR_ARG(schema), STR_ARG(name));
    if (f.rows)
        precheck_report_addf(rows, k->r->ignore_existing ? PRECHECK_WARNING : PRECHECK_FAILED, buf_c(&empty), "table %.*s.%.*s of the destination has rows", STR_ARG(schema), STR_ARG(name));
    if (!k->r->schema && table && !f.there)
        precheck_report_addf(objects, PRECHECK_FAILED, "-- create it, or let the job create it (StructureInitialization=true)", "table %.*s.%.*s does not exist in the destination",
                             STR_ARG(schema), STR_ARG(name));
    return true;
}

static bool check_present(check *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    precheck_report same, rows, objects;
    precheck_report_init(&same, "CHECK_SAME_OBJ");
    precheck_report_init(&rows, "CHECK_DEST_TABLE_EMPTY");
    precheck_report_init(&objects, "CHECK_OBJECTS");
    bool ok = true;
    for (uint32_t i = 0; ok && i < c->table_count; i++) ok = check_one(k, &same, &rows, &objects, c->tables[i]->target_schema, c->tables[i]->target_name, true, e);
    for (uint32_t i = 0; ok && i < c->view_count; i++) ok = check_one(k, &same, &rows, &objects, c->views[i].target_schema, c->views[i].target_name, false, e);
    err ignored = ERR_INIT, *to = ok ? e : &ignored;
    bool told = precheck_report_emit(&objects, k->sink, to);
    told = precheck_report_emit(&same, k->sink, to) && told;
    return precheck_report_emit(&rows, k->sink, to) && told && ok;
}

bool pg_precheck_target(target *t, const precheck_request *r, const precheck_sink *sink, err *e)
{
    check k = {t->conn, r, sink, t->env->job_id};
    return check_version(&k, e) && check_privileges(&k, e) && (!r->catalog || check_present(&k, e));
}
