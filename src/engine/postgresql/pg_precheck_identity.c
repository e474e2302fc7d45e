/* Prechecks of what the source's log says of rows. */
#include "engine/postgresql/pg_precheck.h"

/* As pg_slot.c asks of the tables, and of the leaves of partitioned ones, by whose own identity their rows are logged. */
bool pg_check_identities(pg_check *k, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_REPLICA_IDENTITY");
    const char *sql =
        PG_SELECTED
        ", every AS (SELECT oid FROM t UNION SELECT relid FROM t, pg_partition_tree(t.oid) WHERE t.relkind = 'p' AND isleaf) "
        "SELECT format('table %s.%s has %s: the source would refuse UPDATE and DELETE as soon as it is published', n.nspname, c.relname, CASE c.relreplident "
        "WHEN 'i' THEN 'no index any more for its replica identity' WHEN 'n' THEN 'the replica identity NOTHING' ELSE 'no primary key and no replica identity' END), "
        "format('ALTER TABLE %I.%I REPLICA IDENTITY FULL;', n.nspname, c.relname) "
        "FROM every JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relreplident = 'n' "
        "OR c.relreplident IN ('d', 'i') AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid "
        "AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END) ORDER BY n.nspname, c.relname";
    return pg_check_emit(k, &p, pg_check_find(k, &p, PRECHECK_FAILED, true, sql, e), e);
}

/* --- filters --- */

/* Columns of a filter that the old row in the log lacks: the source would refuse UPDATE and DELETE. */
static bool check_filter_columns(pg_check *k, precheck_report *p, err *e)
{
    const char *sql =
        "SELECT format('the filter of %s.%s uses the column %s, which is no part of the replica identity: the source would refuse UPDATE and DELETE as soon as it is published', "
        "n.nspname, c.relname, a.attname), format('ALTER TABLE %I.%I REPLICA IDENTITY FULL;', n.nspname, c.relname) "
        "FROM pg_catalog.pg_publication b JOIN pg_catalog.pg_publication_rel r ON r.prpubid = b.oid JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_publication_rel'::regclass "
        "AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 JOIN pg_catalog.pg_class c ON c.oid = r.prrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid "
        "WHERE b.pubname = 'sluice_precheck' AND c.relreplident <> 'f' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid "
        "AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END AND d.refobjsubid = ANY (i.indkey)) ORDER BY a.attnum";
    return pg_check_find(k, p, PRECHECK_FAILED, false, sql, e);
}

/* The publication that the job will make, of one table, in a transaction that is taken back: the server alone knows what it takes in a filter. */
static bool try_filter(pg_check *k, precheck_report *p, const table_def *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    err refused = ERR_INIT, ignored = ERR_INIT;
    buf_add_c(&sql, "BEGIN; CREATE PUBLICATION sluice_precheck FOR TABLE ");
    if (str_starts_with(t->storage_engine, STR("r"))) buf_add_c(&sql, "ONLY ");
    pg_quote_table(&sql, t->schema, t->name);
    buf_add_c(&sql, " WHERE (");
    buf_add(&sql, t->filter_sql);
    buf_add_c(&sql, "\n)");
    if (sql.failed) return err_no_memory(e, "a statement");
    bool made = pg_conn_exec(k->c, buf_str(&sql), NULL, &refused);
    bool ok = !made || check_filter_columns(k, p, e);
    if (!made && !k->c->broken && refused.native != PG_STATE('4', '2', '5', '0', '1')) /* a missing right is a finding of its own */
        precheck_report_addf(p, PRECHECK_FAILED, "-- correct the filter in DbList", "the source refuses the filter of %.*s.%.*s: %s", STR_ARG(t->schema), STR_ARG(t->name), refused.text);
    if (k->c->broken && ok) *e = refused;
    return !k->c->broken && pg_conn_exec(k->c, STR("ROLLBACK"), NULL, ok ? e : &ignored) && ok;
}

bool pg_check_filters(pg_check *k, err *e)
{
    precheck_report p;
    str standby = STR_NULL;
    if (!pg_conn_query_value(k->c, "SELECT pg_catalog.pg_is_in_recovery()", k->a, &standby, e)) return false;
    precheck_report_init(&p, "CHECK_FILTERS");
    bool ok = true;
    for (uint32_t i = 0; ok && k->r->catalog && i < k->r->catalog->table_count; i++) {
        const table_def *t = k->r->catalog->tables[i];
        if (!t->filter_sql.p || str_eq(standby, STR("t"))) continue;
        if (k->c->version >= PG_ROW_FILTERS) ok = try_filter(k, &p, t, e);
        else precheck_report_addf(&p, PRECHECK_FAILED, "-- take the filter out of DbList, or upgrade the source", "the row filter of %.*s.%.*s needs PostgreSQL 15 at the source", STR_ARG(t->schema), STR_ARG(t->name));
    }
    return pg_check_emit(k, &p, ok, e);
}
