/* What the checks of both ends share, and the check that both are asked. */
#include "engine/postgresql/pg_precheck.h"

/* At either end: one for metadata, the lanes of a load (two by default), the stream, and one to spare while a lost one ends. */
#define NEEDED "6"

void pg_check_add_array(buf *out, const str *texts, uint32_t n)
{
    buf_add_byte(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        buf_add_c(out, i ? ",\"" : "\"");
        for (size_t k = 0; k < texts[i].n; k++) {
            if (texts[i].p[k] == '"' || texts[i].p[k] == '\\') buf_add_byte(out, '\\');
            buf_add_byte(out, texts[i].p[k]);
        }
        buf_add_byte(out, '"');
    }
    buf_add_byte(out, '}');
}

bool pg_check_select(pg_check *k, bool at_target, err *e)
{
    uint32_t n = k->r->catalog ? k->r->catalog->table_count : 0;
    str *names = arena_array(k->a, n + 1, sizeof *names);
    for (int part = 0; names && part < 2; part++) {
        BUF_AUTO text = BUF_INIT;
        for (uint32_t i = 0; i < n; i++) {
            const table_def *t = k->r->catalog->tables[i];
            if (at_target) names[i] = part ? t->target_name : t->target_schema;
            else names[i] = part ? t->name : t->schema;
        }
        pg_check_add_array(&text, names, n);
        k->tables[part] = text.failed ? STR_NULL : arena_copy(k->a, buf_str(&text));
    }
    return (names && k->tables[0].p && k->tables[1].p) || err_no_memory(e, "names of tables");
}

static bool find_with(pg_check *k, precheck_report *p, precheck_state state, const char *sql, const str *values, uint32_t n, err *e)
{
    PGresult *r;
    if (!(n ? pg_conn_query_params(k->c, str_from_c(sql), values, n, &r, e) : pg_conn_query(k->c, str_from_c(sql), &r, e))) return false;
    for (int i = 0; i < PQntuples(r); i++) precheck_report_add(p, state, pg_field(r, i, 0), str_or_empty(pg_field(r, i, 1)));
    PQclear(r);
    return true;
}

bool pg_check_find(pg_check *k, precheck_report *p, precheck_state state, bool tables, const char *sql, err *e)
{
    return find_with(k, p, state, sql, k->tables, tables ? 2 : 0, e);
}

bool pg_check_find_in(pg_check *k, precheck_report *p, precheck_state state, const buf *array, const char *sql, err *e)
{
    str value = buf_str(array);
    return array->failed ? err_no_memory(e, "a statement") : find_with(k, p, state, sql, &value, 1, e);
}

bool pg_check_value(pg_check *k, const char *sql, const str *values, uint32_t n, str *ret, arena *a, err *e)
{
    PGresult *r;
    if (!pg_conn_query_params(k->c, str_from_c(sql), values, n, &r, e)) return false;
    str value = pg_field(r, 0, 0);
    *ret = value.p ? arena_copy(a, value) : STR_NULL;
    bool ok = !value.p || ret->p;
    PQclear(r);
    return ok || err_no_memory(e, "a value");
}

bool pg_check_emit(pg_check *k, precheck_report *p, bool ok, err *e)
{
    err ignored = ERR_INIT;
    return precheck_report_emit(p, k->sink, ok ? e : &ignored) && ok;
}

/* Three limits: of the role, of the database, of the server (whose last ones are for superusers). */
bool pg_check_connections(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_CONNECTIONS");
    const char *sql =
        "WITH used AS (SELECT count(*) AS n, count(*) FILTER (WHERE usename = current_user) AS mine, count(*) FILTER (WHERE datname = current_database()) AS here "
        "FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'), own AS (SELECT * FROM pg_catalog.pg_roles WHERE rolname = current_user) "
        "SELECT format('the account %s may have %s connections and has %s; the job needs " NEEDED "', current_user, rolconnlimit, mine), "
        "format('ALTER ROLE %I CONNECTION LIMIT -1;', current_user) FROM used, own WHERE NOT rolsuper AND rolconnlimit >= 0 AND rolconnlimit < mine + " NEEDED " "
        "UNION ALL SELECT format('the database %s takes %s connections and has %s; the job needs " NEEDED "', datname, datconnlimit, here), "
        "format('ALTER DATABASE %I CONNECTION LIMIT -1;', datname) FROM used, own, pg_catalog.pg_database WHERE datname = current_database() AND NOT rolsuper "
        "AND datconnlimit >= 0 AND datconnlimit < here + " NEEDED " "
        "UNION ALL SELECT format('the server takes %s connections and has %s; the job needs " NEEDED "', most, n), "
        "format('ALTER SYSTEM SET max_connections = %s; -- then restart it', most + 20) FROM used, own, "
        "(SELECT current_setting('max_connections')::int AS most, current_setting('superuser_reserved_connections')::int AS kept) s "
        "WHERE most - CASE WHEN rolsuper THEN 0 ELSE kept END < n + " NEEDED;
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_WARNING, false, sql, e), e);
}
