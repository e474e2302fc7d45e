/* Prechecks of what the job makes in a PostgreSQL target besides tables: extensions, roles that must be there, what is not carried. */
#include "engine/postgresql/pg_catalog.h"
#include "engine/postgresql/pg_precheck.h"

/* A type of an extension, with what it is made of, goes into `list` as "extension" and "schema" of the type. */
static void note_type(const type_def *d, str *names, str *schemas, uint32_t *n, uint32_t room)
{
    for (; d; d = d->of) {
        for (uint32_t i = 0; d->kind == 'c' && i < d->count; i++) note_type(d->fields[i], names, schemas, n, room);
        if (!d->extension.n || *n == room) continue;
        bool known = false;
        for (uint32_t i = 0; i < *n; i++) known = known || str_eq(names[i], d->extension);
        if (known) continue;
        names[*n] = d->extension;
        schemas[(*n)++] = d->schema;
    }
}

#define MOST_EXTENSIONS 200

/* Leaves out the extensions that the job makes itself, which check_objects looks at; returns how many stay. */
static uint32_t not_made(const pg_check *k, str *name, str *schema, uint32_t n)
{
    const catalog_def *c = k->r->catalog;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool made = false;
        for (uint32_t o = 0; k->r->schema && o < c->object_count && !made; o++)
            made = str_eq(c->objects[o].kind, STR("extension")) && str_eq(c->objects[o].name, name[i]) && c->objects[o].create_sql.p;
        if (made) continue;
        name[kept] = name[i];
        schema[kept++] = schema[i];
    }
    return kept;
}

/* Types are written with their schema, so that the extension must lie in the same one. */
bool pg_check_extensions(pg_check *k, err *e)
{
    precheck_report p;
    BUF_AUTO names = BUF_INIT;
    BUF_AUTO schemas = BUF_INIT;
    PGresult *r;
    uint32_t n = 0;
    str name[MOST_EXTENSIONS], schema[MOST_EXTENSIONS];
    for (uint32_t i = 0; i < k->r->catalog->table_count; i++) {
        const table_def *t = k->r->catalog->tables[i];
        for (uint32_t c = 0; t->sql == SQL_POSTGRESQL && c < t->column_count; c++)
            if (t->columns[c].selected) note_type(t->columns[c].definition, name, schema, &n, MOST_EXTENSIONS);
    }
    uint32_t noted = n;
    n = not_made(k, name, schema, n);
    pg_check_add_array(&names, name, n);
    pg_check_add_array(&schemas, schema, n);
    if (names.failed || schemas.failed) return err_no_memory(e, "names of extensions");
    str values[] = {buf_str(&names), buf_str(&schemas)};
    const char *sql =
        "SELECT CASE WHEN x.oid IS NOT NULL THEN format('the extension %s lies in the schema %s of the destination, its types are used in %s', s.ext, n.nspname, s.nsp) "
        "ELSE format('the destination lacks the extension %s, whose types are used%s', s.ext, CASE WHEN a.name IS NULL THEN ', and its server has no files of it' ELSE '' END) END, "
        "CASE WHEN x.oid IS NOT NULL THEN format('ALTER EXTENSION %I SET SCHEMA %I;', s.ext, s.nsp) ELSE concat(CASE WHEN a.name IS NULL THEN E'-- install its package, then:\n' END, "
        "CASE WHEN m.oid IS NULL THEN format(E'CREATE SCHEMA %I;\n', s.nsp) END, format('CREATE EXTENSION %I SCHEMA %I;', s.ext, s.nsp)) END "
        "FROM unnest($1::text[], $2::text[]) AS s(ext, nsp) LEFT JOIN pg_catalog.pg_extension x ON x.extname = s.ext LEFT JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace "
        "LEFT JOIN pg_catalog.pg_namespace m ON m.nspname = s.nsp LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = s.ext WHERE x.oid IS NULL OR n.nspname <> s.nsp";
    if (!pg_conn_query_params(k->c, str_from_c(sql), values, 2, &r, e)) return false;
    precheck_report_init(&p, "CHECK_EXTENSIONS");
    if (noted == MOST_EXTENSIONS)
        precheck_report_addf(&p, PRECHECK_WARNING, "-- compare pg_extension of both ends", "types of %d extensions or more are used: those beyond are not looked for in the destination", MOST_EXTENSIONS);
    for (int i = 0; i < PQntuples(r); i++) precheck_report_add(&p, k->r->schema ? PRECHECK_FAILED : PRECHECK_WARNING, pg_field(r, i, 0), pg_field(r, i, 1));
    PQclear(r);
    return precheck_report_emit(&p, k->sink, e);
}

/* Who gives an object to another role, or passes on what that role may pass on, must be able to become it; and the job writes to what it gave away. */
static bool check_members(pg_check *k, precheck_report *p, err *e)
{
    const catalog_def *c = k->r->catalog;
    BUF_AUTO list = BUF_INIT;
    uint32_t n = 0;
    for (uint32_t i = 0; k->r->schema && i < c->object_count; i++) n += c->objects[i].create_sql.p ? c->objects[i].acting_count : 0;
    str *role = arena_array(k->a, n, sizeof *role);
    if (!role) return err_no_memory(e, "names of roles");
    n = 0;
    for (uint32_t i = 0; k->r->schema && i < c->object_count; i++)
        for (uint32_t x = 0; c->objects[i].create_sql.p && x < c->objects[i].acting_count; x++) role[n++] = c->objects[i].acting[x];
    pg_check_add_array(&list, role, n);
    const char *sql = "SELECT format('objects of the role %s are carried with their owner, and the destination account %s is no member of it', r.rolname, current_user), "
                      "format('GRANT %I TO %I%s;', r.rolname, current_user, CASE WHEN v.n >= 160000 THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END) "
                      "FROM (SELECT DISTINCT unnest($1::text[])) s(role) JOIN pg_catalog.pg_roles r ON r.rolname = s.role, (SELECT current_setting('server_version_num')::int) v(n) "
                      "WHERE NOT pg_has_role(r.oid, 'USAGE') OR NOT pg_has_role(r.oid, CASE WHEN v.n >= 160000 THEN 'SET' ELSE 'MEMBER' END) ORDER BY r.rolname COLLATE \"C\"";
    return pg_check_find_in(k, p, PRECHECK_FAILED, &list, sql, e);
}

/* Of the objects that the job makes. */
bool pg_check_roles(pg_check *k, err *e)
{
    const catalog_def *c = k->r->catalog;
    precheck_report p;
    BUF_AUTO kinds = BUF_INIT;
    BUF_AUTO names = BUF_INIT;
    BUF_AUTO roles = BUF_INIT;
    PGresult *r;
    uint32_t n = 0;
    for (uint32_t i = 0; k->r->schema && i < c->object_count; i++) n += c->objects[i].create_sql.p ? c->objects[i].role_count : 0;
    str *kind = arena_array(k->a, n, sizeof *kind), *name = arena_array(k->a, n, sizeof *name), *role = arena_array(k->a, n, sizeof *role);
    if (!kind || !name || !role) return err_no_memory(e, "names of roles");
    n = 0;
    for (uint32_t i = 0; k->r->schema && i < c->object_count; i++) {
        const object_def *o = &c->objects[i];
        for (uint32_t x = 0; o->create_sql.p && x < o->role_count; x++, n++) {
            kind[n] = o->kind, role[n] = o->roles[x];
            name[n] = arena_printf(k->a, "%.*s.%.*s", STR_ARG(o->schema), STR_ARG(o->name));
            if (!name[n].p) return err_no_memory(e, "names of roles");
        }
    }
    pg_check_add_array(&kinds, kind, n);
    pg_check_add_array(&names, name, n);
    pg_check_add_array(&roles, role, n);
    if (kinds.failed || names.failed || roles.failed) return err_no_memory(e, "names of roles");
    str values[] = {buf_str(&kinds), buf_str(&names), buf_str(&roles)};
    const char *sql = "SELECT format('the role %s, which the %s names%s, does not exist in the destination', s.role, min(s.kind || ' ' || s.name COLLATE \"C\"), CASE WHEN count(*) > 1 THEN "
                      "format(' (and %s more)', count(*) - 1) ELSE '' END), format('CREATE ROLE %I NOLOGIN;', s.role) FROM unnest($1::text[], $2::text[], $3::text[]) AS s(kind, name, role) "
                      "WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = s.role) GROUP BY s.role ORDER BY s.role COLLATE \"C\"";
    if (!pg_conn_query_params(k->c, str_from_c(sql), values, 3, &r, e)) return false;
    precheck_report_init(&p, "CHECK_ROLES");
    for (int i = 0; i < PQntuples(r); i++) precheck_report_add(&p, PRECHECK_FAILED, pg_field(r, i, 0), pg_field(r, i, 1));
    PQclear(r);
    return pg_check_emit(k, &p, check_members(k, &p, e), e);
}

static bool check_extension(pg_check *k, precheck_report *p, const object_def *o, err *e)
{
    arena a;
    str known, own, values[] = {o->name, o->create_sql};
    BUF_AUTO repair = BUF_INIT;
    arena_init(&a, 1024, 0);
    buf_printf(&repair, "-- install the extension %.*s on the destination's server", STR_ARG(o->name));
    bool ok = pg_check_value(k, "SELECT max(default_version) FROM pg_catalog.pg_available_extensions WHERE name = $1", values, 1, &own, &a, e) &&
              pg_check_value(k, "SELECT max(version) FROM pg_catalog.pg_available_extension_versions WHERE name = $1 AND pg_catalog.right($2, pg_catalog.length(version) + 2) = '''' || version || ''''",
                      values, 2, &known, &a, e);
    if (ok && !own.p) precheck_report_addf(p, PRECHECK_FAILED, buf_c(&repair), "the extension %.*s, which selected objects need, is not available in the destination", STR_ARG(o->name));
    else if (ok && !known.p)
        precheck_report_addf(p, PRECHECK_WARNING, buf_c(&repair), "the destination does not have the source's version of extension %.*s: it makes version %.*s", STR_ARG(o->name), STR_ARG(own));
    arena_finish(&a);
    return ok;
}

/* Owners that the objects of the job have by themselves: those of its account. */
static bool are_own(const pg_check *k, const object_def *o, str account)
{
    if (k->r->rights || !str_eq(o->kind, STR("owners"))) return false;
    uint32_t i = 0;
    while (i < o->role_count && str_eq(o->roles[i], account)) i++;
    return i == o->role_count;
}

/* Why rights that could be carried are not. */
static bool check_rights(pg_check *k, object_def *o, err *e)
{
    str there, values[] = {o->target_schema};
    if (!o->rights || !o->create_sql.p) return true;
    if (!pg_check_value(k, "SELECT 't' FROM pg_catalog.pg_namespace WHERE nspname = $1", values, 1, &there, k->a, e)) return false;
    if (there.p && str_eq(o->of_kind, STR("schema"))) o->obstacle = STR("the schema exists in the destination and keeps what it has");
    else if (k->c->version < PG_MAINTAIN && str_ends_with(o->kind, STR("(MAINTAIN)"))) o->obstacle = STR("PostgreSQL before 17 has no privilege MAINTAIN");
    else return true;
    o->create_sql = STR_NULL;
    return true;
}

/* Grants that objects get because the job's account makes them. */
static bool check_default_privileges(pg_check *k, precheck_report *p, err *e)
{
    const char *sql = "SELECT format('default privileges of the destination account %s%s give away what the job makes', current_user, coalesce(' in schema ' || n.nspname, '')), "
                      "format('-- ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ...', current_user, coalesce(' IN SCHEMA ' || quote_ident(n.nspname), '')) FROM pg_catalog.pg_default_acl d LEFT JOIN "
                      "pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace WHERE pg_get_userbyid(d.defaclrole) = current_user AND (n.oid IS NULL OR n.nspname = ANY ($1::text[])) GROUP BY n.nspname";
    BUF_AUTO list = BUF_INIT;
    const catalog_def *c = k->r->catalog;
    str *names = arena_array(k->a, c->database_count, sizeof *names);
    if (!names) return err_no_memory(e, "names of schemas");
    for (uint32_t i = 0; i < c->database_count; i++) names[i] = c->databases[i].target_name;
    pg_check_add_array(&list, names, c->database_count);
    return !k->r->schema || !k->r->rights || pg_check_find_in(k, p, PRECHECK_WARNING, &list, sql, e);
}

/* What is not carried, or not as it was. */
bool pg_check_objects(pg_check *k, precheck_report *p, err *e)
{
    const catalog_def *c = k->r->catalog;
    str account;
    if (!pg_check_value(k, "SELECT current_user", NULL, 0, &account, k->a, e) || !check_default_privileges(k, p, e)) return false;
    for (uint32_t i = 0; k->r->schema && i < c->object_count; i++) {
        object_def looked = c->objects[i], *o = &looked;
        if (str_eq(o->kind, STR("extension")) && !check_extension(k, p, o, e)) return false;
        if (!check_rights(k, o, e)) return false;
        if (!o->obstacle.p || are_own(k, o, account)) continue;
        bool made = o->create_sql.p || o->table;
        str text = arena_printf(k->a, "%.*s %.*s.%.*s%s: %.*s", STR_ARG(o->kind), STR_ARG(o->schema), STR_ARG(o->name), made ? "" : " is not carried", STR_ARG(o->obstacle));
        if (!text.p) return err_no_memory(e, "a finding");
        precheck_report_find(p, &(precheck_finding){.state = PRECHECK_WARNING, .effect = made ? EFFECT_CHANGE : EFFECT_OMISSION, .text = text, .kind = o->kind, .schema = o->schema, .object = o->name,
                                                    .source_text = made ? STR_NULL : o->source_sql},
                             made ? STR("-- look at it in the destination") : STR("-- make it in the destination by hand"));
    }
    return true;
}
