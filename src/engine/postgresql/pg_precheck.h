/* What the pg_precheck_*.c files share. Most checks are one query whose rows are findings: two texts, what is wrong and the SQL that mends it, with the names
 * quoted by the server. */
#ifndef ENGINE_POSTGRESQL_PG_PRECHECK_H
#define ENGINE_POSTGRESQL_PG_PRECHECK_H

#include "engine/postgresql/postgresql.h"
#include "engine/precheck_report.h"

#define PG_OLDEST 130000      /* publish_via_partition_root */
#define PG_ROW_FILTERS 150000 /* CREATE PUBLICATION ... WHERE */

/* The checks of one end under way; everything is borrowed for the run. */
typedef struct pg_check {
    pg_conn *c;
    const precheck_request *r;
    const precheck_sink *sink;
    arena *a;
    const engine_env *env;
    bool may_replicate; /* target: may set session_replication_role */
    str tables[2];      /* the selected tables as this end names them: two array literals, schemas and names */
} pg_check;

/* Of a query's parameters $1 and $2: the selected tables that this end has, as t (pg_class and nspname). */
#define PG_SELECTED                                                                                                                                  \
    "WITH t AS (SELECT c.*, n.nspname FROM unnest($1::text[], $2::text[]) AS s(nsp, rel) JOIN pg_catalog.pg_namespace n ON n.nspname = s.nsp "       \
    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.rel) "

/* FROM of a query that begins with PG_SELECTED: the sequences (pg_class c, pg_namespace n) that columns of the tables own or take their default from. */
#define PG_SELECTED_SEQUENCES                                                                                                                        \
    "FROM (SELECT d.objid AS seq FROM t JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.refclassid = 1259 AND d.refobjid = t.oid AND d.deptype IN ('a', 'i') " \
    "UNION SELECT d.refobjid FROM t JOIN pg_catalog.pg_attrdef f ON f.adrelid = t.oid JOIN pg_catalog.pg_depend d ON d.classid = 2604 AND d.objid = f.oid AND "     \
    "d.refclassid = 1259) q JOIN pg_catalog.pg_class c ON c.oid = q.seq AND c.relkind = 'S' JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "

/* Sets k->tables; at_target: by the names there. */
ERR_MUST_USE bool pg_check_select(pg_check *k, bool at_target, err *e);
/* Adds the rows of a query as findings. tables: the query begins with PG_SELECTED. */
ERR_MUST_USE bool pg_check_find(pg_check *k, precheck_report *p, precheck_state state, bool tables, const char *sql, err *e);
/* The same of a query with the parameter $1, an array of pg_check_add_array. */
ERR_MUST_USE bool pg_check_find_in(pg_check *k, precheck_report *p, precheck_state state, const buf *array, const char *sql, err *e);
/* Emits the report; ok false: what came before failed with e, and the report goes without a further error. */
ERR_MUST_USE bool pg_check_emit(pg_check *k, precheck_report *p, bool ok, err *e);
/* Appends {"a","b"}. */
void pg_check_add_array(buf *out, const str *texts, uint32_t n);

/* The first field of the query's first row, in the arena; *ret NULL without a row. */
ERR_MUST_USE bool pg_check_value(pg_check *k, const char *sql, const str *values, uint32_t n, str *ret, arena *a, err *e);

/* pg_precheck_server.c: what both ends are asked: free connections. */
ERR_MUST_USE bool pg_check_connections(pg_check *k, err *e);
/* pg_precheck_log.c: how the source's log is read. */
ERR_MUST_USE bool pg_check_log(pg_check *k, err *e);
/* pg_precheck_identity.c: what the log says of rows: replica identities, filters of the publication. */
ERR_MUST_USE bool pg_check_identities(pg_check *k, err *e);
ERR_MUST_USE bool pg_check_filters(pg_check *k, err *e);
/* pg_precheck_objects.c: what the target lacks for what the job makes; what it does not make goes into the report. */
ERR_MUST_USE bool pg_check_extensions(pg_check *k, err *e);
ERR_MUST_USE bool pg_check_roles(pg_check *k, err *e);
ERR_MUST_USE bool pg_check_objects(pg_check *k, precheck_report *p, err *e);
/* pg_precheck_names.c: what would meet under one name in the target. */
ERR_MUST_USE bool pg_check_names(pg_check *k, err *e);

#endif
