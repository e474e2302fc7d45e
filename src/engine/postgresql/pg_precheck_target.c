/* Prechecks of a PostgreSQL target: version, privileges, encoding, extensions, what is there already. */
#include "engine/postgresql/pg_precheck.h"

static bool check_version(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_SRC");
    if (k->c->version < PG_OLDEST) precheck_report_addf(&p, PRECHECK_FAILED, "-- upgrade the destination", "the destination is PostgreSQL %u; the oldest supported is 13", k->c->version / 10000);
    else if (k->r->source && str_eq(k->r->source->product, STR("PostgreSQL")) && k->r->source->version_number / 10000 > k->c->version / 10000)
        precheck_report_addf(&p, PRECHECK_WARNING, "-- upgrade the destination", "the destination (PostgreSQL %u) is older than the source (%u): it may lack what tables of the source use",
                             k->c->version / 10000, k->r->source->version_number / 10000);
    return precheck_report_emit(&p, k->sink, e);
}

/* --- privileges --- */

/* Names of the schemas that the job writes to, and its own. */
static bool target_schemas(pg_check *k, str *ret, err *e)
{
    const str *names;
    BUF_AUTO list = BUF_INIT;
    uint32_t count = dblist_databases(k->r->objects, &names);
    str *schemas = arena_array(k->a, count + 1, sizeof *schemas);
    for (uint32_t i = 0; schemas && i < count; i++) schemas[i] = dblist_target_database(k->r->objects, names[i]);
    if (schemas) schemas[count] = STR("sluice");
    if (schemas) pg_check_add_array(&list, schemas, count + 1);
    *ret = schemas && !list.failed ? arena_copy(k->a, buf_str(&list)) : STR_NULL;
    return ret->p || err_no_memory(e, "names of schemas");
}

static bool check_schema_rights(pg_check *k, precheck_report *p, err *e)
{
    const char *sql =
        "SELECT format('the destination account %s may not make the schema %s', current_user, s), format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), current_user) "
        "FROM unnest($1::text[]) s WHERE ($2::boolean OR s = 'sluice') AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = s) AND NOT has_database_privilege(current_database(), 'CREATE') "
        "UNION ALL SELECT format('the destination account %s lacks %s on the schema %s', current_user, need, s), format('GRANT %s ON SCHEMA %I TO %I;', need, s, current_user) "
        "FROM unnest($1::text[]) s JOIN pg_catalog.pg_namespace n ON n.nspname = s, unnest(ARRAY['USAGE', 'CREATE']) need "
        "WHERE ($2::boolean OR s = 'sluice' OR need = 'USAGE') AND NOT has_schema_privilege(n.oid, need)";
    str values[] = {STR_NULL, k->r->schema ? STR("true") : STR("false")};
    PGresult *r;
    if (!target_schemas(k, &values[0], e) || !pg_conn_query_params(k->c, str_from_c(sql), values, 2, &r, e)) return false;
    for (int i = 0; i < PQntuples(r); i++) precheck_report_add(p, PRECHECK_FAILED, pg_field(r, i, 0), pg_field(r, i, 1));
    PQclear(r);
    return true;
}

/* What the job forces on its own tables before changes follow. */
static bool forces_row_security(const catalog_def *c)
{
    for (uint32_t i = 0; i < c->object_count; i++)
        if (str_eq(c->objects[i].kind, STR("forced row security")) && c->objects[i].create_sql.p && catalog_find_table(c, c->objects[i].schema, c->objects[i].name)) return true;
    return false;
}

static bool check_row_security(pg_check *k, precheck_report *p, bool writes, err *e)
{
    const char *there = PG_SELECTED "SELECT format('row level security of %s.%s in the destination holds for the destination account %s', nspname, relname, current_user), "
                                    "format('ALTER ROLE %I BYPASSRLS;', current_user) FROM t WHERE row_security_active(oid)";
    const char *forced = "SELECT format('the job carries FORCE ROW LEVEL SECURITY, which then holds for the destination account %s', current_user), format('ALTER ROLE %I BYPASSRLS;', current_user) "
                         "FROM pg_catalog.pg_roles WHERE rolname = current_user AND NOT rolsuper AND NOT rolbypassrls";
    bool forces = k->r->schema && k->r->incremental && k->r->catalog && forces_row_security(k->r->catalog);
    return (!writes || pg_check_find(k, p, PRECHECK_FAILED, true, there, e)) && (!forces || pg_check_find(k, p, PRECHECK_FAILED, false, forced, e));
}

/* Tables that are there and will be written: the job makes those itself that are not. */
static bool check_privileges(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_SUPER_AUTH_DEST");
    const char *tables =
        PG_SELECTED
        "SELECT format('the destination account %s lacks %s on %s.%s', current_user, string_agg(need, ', '), nspname, relname), "
        "format('GRANT %s ON %I.%I TO %I;', string_agg(need, ', '), nspname, relname, current_user) FROM t, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) need "
        "WHERE relkind IN ('r', 'p') AND NOT has_table_privilege(oid, need) GROUP BY nspname, relname";
    const char *sequences =
        PG_SELECTED "SELECT format('the destination account %s lacks SELECT, UPDATE on the sequence %s.%s, whose numbers go on from the source', current_user, n.nspname, c.relname), "
                    "format('GRANT SELECT, UPDATE ON SEQUENCE %I.%I TO %I;', n.nspname, c.relname, current_user) " PG_SELECTED_SEQUENCES
                    "WHERE NOT has_sequence_privilege(c.oid, 'SELECT') OR NOT has_sequence_privilege(c.oid, 'UPDATE')";
    bool writes = !k->r->schema || k->r->ignore_existing;
    bool ok = check_schema_rights(k, &p, e) && (!writes || (pg_check_find(k, &p, PRECHECK_FAILED, true, tables, e) && pg_check_find(k, &p, PRECHECK_FAILED, true, sequences, e))) &&
              check_row_security(k, &p, writes, e);
    return pg_check_emit(k, &p, ok, e);
}

/* --- what the database is like --- */

static bool check_encoding(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_ENCODING");
    const char *sql = "SELECT format('the destination database %s has the encoding %s: rows with other letters stop the job', current_database(), s), "
                      "format('-- name another one by ModifyDtsJobEndpoint, made with CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0') "
                      "FROM current_setting('server_encoding') s WHERE s <> 'UTF8'";
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_WARNING, false, sql, e), e);
}

/* With session_replication_role=replica only triggers that are ENABLE ALWAYS or REPLICA fire; without the right to it all do, those of foreign keys as well. */
static bool check_triggers(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_TRIGGERS");
    const char *replica =
        PG_SELECTED
        "SELECT format('the trigger %s of %s.%s in the destination fires for what the job writes', g.tgname, nspname, relname), "
        "format('ALTER TABLE %I.%I ENABLE TRIGGER %I; -- fires for everybody else', nspname, relname, g.tgname) "
        "FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal AND g.tgenabled IN ('A', 'R') ORDER BY nspname, relname, g.tgname";
    const char *origin =
        PG_SELECTED
        "SELECT format('the trigger %s of %s.%s in the destination fires for what the job writes: the account %s may not set session_replication_role', g.tgname, nspname, relname, current_user), "
        "CASE WHEN current_setting('server_version_num')::int >= 150000 THEN format('GRANT SET ON PARAMETER session_replication_role TO %I;', current_user) "
        "ELSE format('ALTER TABLE %I.%I DISABLE TRIGGER %I; -- until the job has ended', nspname, relname, g.tgname) END "
        "FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' ORDER BY nspname, relname, g.tgname";
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_WARNING, true, k->may_replicate ? replica : origin, e), e);
}

/* --- what is there --- */

typedef struct found {
    const char *kind; /* "TABLE", NULL: nothing has the name */
    bool table, own, rows;
    bool hidden;      /* its rows may not be read: the missing right is a finding of its own */
} found;

static const char *kind_text(str kind)
{
    static const char *const texts[] = {"vVIEW", "mMATERIALIZED VIEW", "SSEQUENCE", "iINDEX", "IINDEX", "fFOREIGN TABLE", "cTYPE"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (kind.p[0] == texts[i][0]) return texts[i] + 1;
    return "TABLE";
}

/* *ret NULL without an error when a right is missing. */
static bool has_rows(pg_check *k, str table, str *ret, arena *a, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    err refused = ERR_INIT;
    *ret = STR_NULL;
    buf_printf(&sql, "SELECT EXISTS (SELECT FROM %.*s)", STR_ARG(table));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (pg_check_value(k, buf_c(&sql), NULL, 0, ret, a, &refused)) return true;
    if (!k->c->broken && refused.native == PG_STATE('4', '2', '5', '0', '1')) return true;
    *e = refused;
    return false;
}

/* An object that this job made in an earlier run does not count. */
static bool look(pg_check *k, str schema, str name, bool rows, found *ret, arena *a, err *e)
{
    BUF_AUTO full = BUF_INIT;
    str values[] = {schema, name}, kind, own = STR_NULL, some = STR_NULL, ours;
    *ret = (found){.table = false};
    if (!pg_check_value(k, "SELECT c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2", values, 2, &kind, a, e))
        return false;
    if (!kind.p) return true;
    ret->kind = kind_text(kind);
    ret->table = str_eq(kind, STR("r")) || str_eq(kind, STR("p"));
    pg_quote_table(&full, schema, name);
    if (full.failed) return err_no_memory(e, "a name");
    if (!pg_check_value(k, "SELECT 't' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'sluice' AND c.relname = 'object' "
                    "AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')", NULL, 0, &ours, a, e))
        return false;
    str made[] = {k->env->job_id, buf_str(&full)};
    if (ours.p && !pg_check_value(k, "SELECT 't' FROM sluice.object WHERE job_id = $1 AND name = $2", made, 2, &own, a, e)) return false;
    ret->own = own.p != NULL;
    if (!rows || !ret->table || ret->own) return true;
    if (!has_rows(k, buf_str(&full), &some, a, e)) return false;
    ret->hidden = !some.p;
    ret->rows = str_eq(some, STR("t"));
    return true;
}

static void name_it(buf *out, const char *before, str schema, str name, const char *after)
{
    buf_add_c(out, before);
    pg_quote_table(out, schema, name);
    buf_add_c(out, after);
}

static bool check_one(pg_check *k, precheck_report *same, precheck_report *rows, precheck_report *objects, str schema, str name, bool table, err *e)
{
    found f;
    arena a;
    BUF_AUTO drop = BUF_INIT;
    BUF_AUTO empty = BUF_INIT;
    arena_init(&a, 1024, 0);
    bool ok = look(k, schema, name, table && k->r->full, &f, &a, e);
    arena_finish(&a);
    if (!ok) return false;
    buf_printf(&drop, "DROP %s ", f.kind ? f.kind : "");
    name_it(&drop, "", schema, name, "; -- or rename it, or map the object to another name");
    name_it(&empty, "TRUNCATE TABLE ", schema, name, ";");
    if (k->r->schema && f.kind && !f.own && !(k->r->ignore_existing && f.table == table))
        precheck_report_addf(same, PRECHECK_FAILED, buf_c(&drop), "%s %.*s.%.*s exists in the destination", f.kind, STR_ARG(schema), STR_ARG(name));
    if (f.rows)
        precheck_report_addf(rows, k->r->ignore_existing ? PRECHECK_WARNING : PRECHECK_FAILED, buf_c(&empty), "table %.*s.%.*s of the destination has rows", STR_ARG(schema), STR_ARG(name));
    if (f.hidden) precheck_report_addf(rows, PRECHECK_FAILED, "-- grant what CHECK_SUPER_AUTH_DEST shows", "table %.*s.%.*s of the destination may not be read", STR_ARG(schema), STR_ARG(name));
    if (!k->r->schema && table && f.kind && !f.table)
        precheck_report_addf(objects, PRECHECK_FAILED, "-- map the table to another name in DbList", "%.*s.%.*s is no table in the destination: it is a %s", STR_ARG(schema), STR_ARG(name), f.kind);
    if (!k->r->schema && table && !f.kind)
        precheck_report_addf(objects, PRECHECK_FAILED, "-- create it, or let the job create it (StructureInitialization=true)", "table %.*s.%.*s does not exist in the destination",
                             STR_ARG(schema), STR_ARG(name));
    return true;
}

static bool check_present(pg_check *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    precheck_report same, rows, objects;
    precheck_report_init(&same, "CHECK_SAME_OBJ");
    precheck_report_init(&rows, "CHECK_DEST_TABLE_EMPTY");
    precheck_report_init(&objects, "CHECK_OBJECTS");
    bool ok = pg_check_objects(k, &objects, e);
    for (uint32_t i = 0; ok && i < c->table_count; i++) ok = check_one(k, &same, &rows, &objects, c->tables[i]->target_schema, c->tables[i]->target_name, true, e);
    for (uint32_t i = 0; ok && i < c->view_count; i++) ok = check_one(k, &same, &rows, &objects, c->views[i].target_schema, c->views[i].target_name, false, e);
    err ignored = ERR_INIT, *to = ok ? e : &ignored;
    bool told = precheck_report_emit(&objects, k->sink, to);
    told = precheck_report_emit(&same, k->sink, to) && told;
    return precheck_report_emit(&rows, k->sink, to) && told && ok;
}

static bool check_catalog(pg_check *k, err *e) { return !k->r->catalog || (check_present(k, e) && pg_check_extensions(k, e) && pg_check_roles(k, e) && check_triggers(k, e) && pg_check_names(k, e)); }

bool pg_precheck_target(target *t, const precheck_request *r, const precheck_sink *sink, err *e)
{
    arena a;
    arena_init(&a, 16 * 1024, 0);
    pg_check k = {.c = t->conn, .r = r, .sink = sink, .a = &a, .env = t->env, .may_replicate = t->may_replicate};
    bool ok = pg_check_select(&k, true, e) && check_version(&k, e) && check_privileges(&k, e) && check_encoding(&k, e) && pg_check_connections(&k, e) && check_catalog(&k, e);
    arena_finish(&a);
    return ok;
}
