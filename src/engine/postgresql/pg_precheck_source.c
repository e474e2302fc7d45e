/* Prechecks of a PostgreSQL source: version, privileges, encoding, objects. */
#include "engine/postgresql/pg_precheck.h"

static bool check_version(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_SRC");
    if (k->c->version < PG_OLDEST)
        precheck_report_addf(&p, PRECHECK_FAILED, "-- upgrade the source", "the source is PostgreSQL %u; the oldest supported is 13", k->c->version / 10000);
    const char *sql = "SELECT 'the source is a standby in recovery, which cannot hold the job''s publication', "
                      "'-- name the primary: ModifyDtsJobEndpoint' WHERE pg_is_in_recovery()";
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_FAILED, false, sql, e), e);
}

/* --- privileges --- */


/* Asked of every schema in DbList: without the right the catalog may not be readable, so that no table is known. */
static bool check_schema_rights(pg_check *k, precheck_report *p, err *e)
{
    const char *sql = "SELECT format('the source account %s lacks USAGE on the schema %s', current_user, nspname), format('GRANT USAGE ON SCHEMA %I TO %I;', nspname, current_user) "
                      "FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::text[]) AND NOT has_schema_privilege(oid, 'USAGE') ORDER BY nspname";
    const str *names;
    BUF_AUTO list = BUF_INIT;
    uint32_t n = dblist_databases(k->r->objects, &names);
    pg_check_add_array(&list, names, n);
    return pg_check_find_in(k, p, PRECHECK_FAILED, &list, sql, e);
}

/* Amazon RDS gives the right to replicate as a role. */
static bool check_privileges(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_PRIVILEGE_SRC");
    const char *account =
        "SELECT format('the source account %s lacks the attribute REPLICATION', current_user), CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication') "
        "THEN format('GRANT rds_replication TO %I;', current_user) ELSE format('ALTER ROLE %I REPLICATION;', current_user) END FROM pg_catalog.pg_roles WHERE rolname = current_user "
        "AND NOT rolreplication AND NOT rolsuper AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles o WHERE o.rolname IN ('rds_replication', 'rds_superuser') AND pg_has_role(o.oid, 'USAGE')) "
        "UNION ALL SELECT format('the source account %s lacks CREATE on the database %s: it may not make a publication', current_user, current_database()), "
        "format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), current_user) WHERE NOT has_database_privilege(current_database(), 'CREATE')";
    const char *tables =
        PG_SELECTED
        "SELECT format('the source account %s lacks SELECT on %s.%s', current_user, nspname, relname), format('GRANT SELECT ON %I.%I TO %I;', nspname, relname, current_user) "
        "FROM t WHERE NOT has_table_privilege(oid, 'SELECT') "
        "UNION ALL SELECT format('the source account %s is no member of %s, the owner of %s.%s: it may not publish the table', current_user, pg_get_userbyid(relowner), nspname, relname), "
        "format('GRANT %I TO %I;', pg_get_userbyid(relowner), current_user) FROM t WHERE NOT pg_has_role(relowner, 'USAGE') "
        "UNION ALL SELECT format('row level security hides rows of %s.%s from the source account %s', nspname, relname, current_user), format('ALTER ROLE %I BYPASSRLS;', current_user) "
        "FROM t WHERE row_security_active(oid)";
    const char *sequences =
        PG_SELECTED "SELECT format('the source account %s lacks SELECT on the sequence %s.%s, whose numbers are to go on in the destination', current_user, n.nspname, c.relname), "
                    "format('GRANT USAGE ON SCHEMA %I TO %I; GRANT SELECT ON SEQUENCE %I.%I TO %I;', n.nspname, current_user, n.nspname, c.relname, current_user) " PG_SELECTED_SEQUENCES
                    "WHERE NOT has_sequence_privilege(c.oid, 'SELECT') OR NOT has_schema_privilege(n.oid, 'USAGE')";
    bool counts = k->r->full || k->r->incremental;
    bool ok = pg_check_find(k, &p, PRECHECK_FAILED, false, account, e) && check_schema_rights(k, &p, e) && pg_check_find(k, &p, PRECHECK_FAILED, true, tables, e) &&
              (!counts || pg_check_find(k, &p, PRECHECK_FAILED, true, sequences, e));
    return pg_check_emit(k, &p, ok, e);
}

/* --- encoding --- */

/* Between families the mapping asks for the encoding (rule T67). An index over texts whose order changed under it finds rows no more. */
static bool check_encoding(pg_check *k, err *e)
{
    precheck_report p;
    bool like = !k->r->target || str_eq(k->r->target->product, STR("PostgreSQL"));
    precheck_report_init(&p, "CHECK_ENCODING");
    const char *ascii = "SELECT format('the source database %s has the encoding SQL_ASCII: what its texts mean is not known', current_database()), "
                        "'-- move it to a database with the encoding of its texts: pg_dump --encoding, CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0' "
                        "WHERE current_setting('server_encoding') = 'SQL_ASCII'";
    const char *collation =
        "SELECT format('the source database %s was made with version %s of its collation, the system has %s: indexes over texts may miss rows', datname, datcollversion, now), "
        "format(E'REINDEX DATABASE %I;\\nALTER DATABASE %I REFRESH COLLATION VERSION;', datname, datname) FROM (SELECT datname, datcollversion, "
        "pg_database_collation_actual_version(oid) AS now FROM pg_catalog.pg_database WHERE datname = current_database()) d WHERE datcollversion <> now";
    bool ok = (!like || pg_check_find(k, &p, PRECHECK_FAILED, false, ascii, e)) && (k->c->version < 150000 || pg_check_find(k, &p, PRECHECK_WARNING, false, collation, e));
    return pg_check_emit(k, &p, ok, e);
}

/* --- objects --- */

/* A selected schema that is not there would otherwise be carried as nothing. */
static void check_schemas(pg_check *k, precheck_report *p)
{
    const str *names;
    uint32_t count = dblist_databases(k->r->objects, &names);
    for (uint32_t i = 0; i < count; i++) {
        bool exists = false;
        for (uint32_t n = 0; n < k->r->catalog->database_count; n++) exists = exists || str_eq(k->r->catalog->databases[n].name, names[i]);
        if (!exists) precheck_report_addf(p, PRECHECK_FAILED, "-- correct the name in DbList, or the endpoint's database", "schema %.*s does not exist in the database %.*s of the source",
                                          STR_ARG(names[i]), STR_ARG(k->c->ep->database));
    }
}

/* Foreign tables of schemas that are selected as a whole. */
static bool check_foreign_tables(pg_check *k, precheck_report *p, err *e)
{
    const char *sql = "SELECT format('the foreign table %s.%s is not carried', n.nspname, c.relname), '-- make it in the destination, with its server' FROM unnest($1::text[]) s "
                      "JOIN pg_catalog.pg_namespace n ON n.nspname = s JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'f' ORDER BY n.nspname, c.relname";
    BUF_AUTO list = BUF_INIT;
    uint32_t n = 0;
    str *names = arena_array(k->a, k->r->catalog->database_count + 1, sizeof *names);
    if (!names) return err_no_memory(e, "names of schemas");
    for (uint32_t i = 0; i < k->r->catalog->database_count; i++)
        if (dblist_whole_database(k->r->objects, k->r->catalog->databases[i].name)) names[n++] = k->r->catalog->databases[i].name;
    pg_check_add_array(&list, names, n);
    return pg_check_find_in(k, p, PRECHECK_WARNING, &list, sql, e);
}

static bool check_tables(pg_check *k, precheck_report *p, err *e)
{
    const char *unlogged = PG_SELECTED "SELECT format('table %s.%s is unlogged: its changes are in no log', nspname, relname), format('ALTER TABLE %I.%I SET LOGGED;', nspname, relname) "
                                       "FROM t WHERE relpersistence = 'u'";
    const char *others =
        PG_SELECTED
        "SELECT format('table %s.%s inherits from %s: it is carried as a table of its own', t.nspname, t.relname, string_agg(i.inhparent::regclass::text, ', ')), "
        "format('-- in the destination, after the load: ALTER TABLE %I.%I INHERIT ...', t.nspname, t.relname) FROM t JOIN pg_catalog.pg_inherits i ON i.inhrelid = t.oid "
        "WHERE NOT t.relispartition GROUP BY t.nspname, t.relname "
        "UNION ALL SELECT format('column %s.%s.%s may hold numbers of large objects, of which the database has some: their contents are not carried', t.nspname, t.relname, a.attname), "
        "'-- move the contents to bytea columns (lo_get), or carry them with pg_dump --large-objects' FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped JOIN pg_catalog.pg_type y ON y.oid = a.atttypid AND (y.oid = 'pg_catalog.oid'::regtype OR y.typname = 'lo') "
        "WHERE EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)";
    return pg_check_find(k, p, k->r->incremental ? PRECHECK_FAILED : PRECHECK_WARNING, true, unlogged, e) && pg_check_find(k, p, PRECHECK_WARNING, true, others, e);
}

static bool check_objects(pg_check *k, err *e)
{
    precheck_report p;
    if (!k->r->catalog) return true;
    precheck_report_init(&p, "CHECK_OBJECTS");
    check_schemas(k, &p);
    return pg_check_emit(k, &p, check_foreign_tables(k, &p, e) && check_tables(k, &p, e), e);
}

bool pg_precheck_source(source *s, const precheck_request *r, const precheck_sink *sink, err *e)
{
    arena a;
    arena_init(&a, 16 * 1024, 0);
    pg_check k = {.c = s->conn, .r = r, .sink = sink, .a = &a, .env = s->env};
    bool ok = pg_check_select(&k, false, e) && check_version(&k, e) && check_privileges(&k, e) && pg_check_log(&k, e) && check_encoding(&k, e) && pg_check_connections(&k, e) &&
              pg_check_identities(&k, e) && check_objects(&k, e) && pg_check_filters(&k, e);
    arena_finish(&a);
    return ok;
}
