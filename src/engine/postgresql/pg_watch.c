/* One query over the catalog, compared with what the last one said.
 *
 * Each row of a catalog has the number of the transaction that made it (xmin), which freezing does not change. Rows of transactions before X are compared by
 * hash; rows since are new: in the publication none may be, a new partition must not have rows that are older than its being one. Rows that survive in a
 * partition from before X prove that it was not truncated since, whatever file it is in now (VACUUM FULL keeps xmin).
 *
 * Not seen, as numbers tell who began first and not who wrote first: rows of a table that is attached which have a higher number than the attaching
 * transaction, written by its own savepoints, or by a transaction that began after it and wrote before ATTACH (rows that come later have such
 * numbers, too): event triggers see those. Nor what a transaction puts into a partition of its own making and then truncates, which leaves the file
 * as it was. A partition without rows has nothing to prove that it was not truncated: it stops the job when its file changes. */
#include "engine/postgresql/pg_watch.h"

#include <stdio.h>
#include <string.h>

#include "engine/postgresql/pg_precheck.h"
#include "engine/postgresql/pg_slot.h"

/* A link of a partition to its parent, against the newest of those between the parent and the root. */
#define LATER                                                                                                            \
    "(pg_catalog.age(h.xmin) < pg_catalog.age(tree.x) OR (h.xmin = tree.x AND h.cmin::text::bigint > tree.cid))"

/* x and cid of a partition: the transaction and the command that joined it to its root, itself or with a parent of it.
 * $1 publication, $2 and $3 schemas and names of partitioned tables, $4 a seen transaction number or NULL. */
#define FACTS                                                                                                                                             \
    "WITH RECURSIVE b AS (SELECT oid, xmin FROM pg_catalog.pg_publication WHERE pubname = $1), "                                                            \
    "roots AS (SELECT c.oid FROM unnest($2::text[], $3::text[]) s(nsp, rel) JOIN pg_catalog.pg_namespace n ON n.nspname = s.nsp "                            \
    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.rel), "                                                                         \
    "tree AS (SELECT h.inhrelid, h.inhparent, h.xmin AS x, h.cmin::text::bigint AS cid, roots.oid AS root FROM roots JOIN pg_catalog.pg_inherits h "         \
    "ON h.inhparent = roots.oid UNION ALL SELECT h.inhrelid, h.inhparent, CASE WHEN " LATER " THEN h.xmin ELSE tree.x END, "                               \
    "CASE WHEN " LATER " THEN h.cmin::text::bigint ELSE tree.cid END, tree.root FROM tree JOIN pg_catalog.pg_inherits h ON h.inhparent = tree.inhrelid), "  \
    "leaf AS (SELECT c.oid, n.nspname, c.relname, c.relfilenode, c.xmin AS changed, tree.x, tree.cid, tree.root FROM tree JOIN pg_catalog.pg_class c "        \
    "ON c.oid = tree.inhrelid AND c.relkind = 'r' JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace) "

#define OLD(x) "pg_catalog.age(" x ") > pg_catalog.age($4::xid8::xid)"

#define HASH(kind, since)                                                                                                                                  \
    "pg_catalog.substr(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg(what || ' ' || x, ',' ORDER BY what) "       \
    "FILTER (WHERE kind = '" kind "' AND pg_catalog.age(x) > pg_catalog.age(" since ")), ''), 'UTF8')), 'hex'), 1, 16)"
#define HASHES(since) HASH("publication", since) ", " HASH("partition", since) ", " HASH("file", since)

enum { NOW_XID, NOW_PUBLICATION, NOW_PARTITIONS, NOW_FILES, THEN_PUBLICATION, THEN_PARTITIONS, THEN_FILES, PUBLICATION_THERE, PUBLICATION_NEW, PUBLICATION_OPEN, PARTITIONS_NEW, NOW_LSN };

typedef struct seen_parts {
    str xid, publication, partitions, files;
    pg_lsn at; /* PG_LSN_NONE: not told */
} seen_parts;

bool pg_watch_select(source *s, const catalog_def *c, err *e)
{
    str *names[2] = {NULL, NULL};
    arena mem;
    arena_init(&mem, 4096, 0);
    uint32_t n = 0;
    for (int k = 0; k < 2; k++) names[k] = arena_array(&mem, c->table_count, sizeof(str));
    bool ok = names[0] && names[1];
    for (uint32_t i = 0; ok && i < c->table_count; i++) {
        if (!str_starts_with(c->tables[i]->storage_engine, STR("p"))) continue;
        names[0][n] = c->tables[i]->schema;
        names[1][n++] = c->tables[i]->name;
    }
    for (int k = 0; ok && k < 2; k++) {
        buf_reset(&s->partitioned[k]);
        pg_check_add_array(&s->partitioned[k], names[k], n);
        ok = !s->partitioned[k].failed;
    }
    arena_finish(&mem);
    return ok || err_no_memory(e, "the list of partitioned tables");
}

static str array_of(const source *s, int k) { return s->partitioned[k].n ? buf_str(&s->partitioned[k]) : STR("{}"); }

/* since: a parameter's text, p == NULL for none. */
static bool ask(source *s, pg_conn *c, const char *sql, str since, PGresult **ret, err *e)
{
    char name[PG_SLOT_NAME_BYTES];
    pg_slot_name(s->env->job_id, name);
    const str values[] = {str_from_c(name), array_of(s, 0), array_of(s, 1), since};
    return pg_conn_query_params(c, str_from_c(sql), values, 4, ret, e);
}

static bool read_facts(source *s, pg_conn *c, str since, PGresult **ret, err *e)
{
    char sql[8000];
    snprintf(sql, sizeof sql,
             FACTS ", facts AS (SELECT 'publication' AS kind, 'p ' || oid AS what, xmin AS x FROM b UNION ALL "
             "SELECT 'publication', 'r ' || r.oid || ' ' || r.prrelid, r.xmin FROM pg_catalog.pg_publication_rel r JOIN b ON r.prpubid = b.oid UNION ALL %s"
             "SELECT 'partition', inhrelid || ' ' || inhparent, x FROM tree UNION ALL SELECT 'file', oid || ' ' || relfilenode, x FROM leaf), "
             "now AS (SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) AS xid) "
             "SELECT (SELECT xid FROM now), " HASHES("(SELECT xid::xid FROM now)") ", " HASHES("$4::xid8::xid") ", count(*) FILTER (WHERE what LIKE 'p %%'), "
             "count(*) FILTER (WHERE kind = 'publication' AND NOT " OLD("x") "), "
             "count(*) FILTER (WHERE kind = 'publication' AND pg_catalog.age(x) <= pg_catalog.age((SELECT xid::xid FROM now))), "
             "count(*) FILTER (WHERE kind = 'partition' AND NOT " OLD("x") "), pg_catalog.pg_current_wal_insert_lsn() FROM facts",
             c->version >= 150000 ? "SELECT 'publication', 's ' || r.oid || ' ' || r.pnnspid, r.xmin FROM pg_catalog.pg_publication_namespace r JOIN b ON r.pnpubid = b.oid UNION ALL " : "");
    return ask(s, c, sql, since, ret, e);
}

static bool is_zero(const PGresult *r, int column) { return str_eq(pg_field(r, 0, column), STR("0")); }

static void write_seen(const PGresult *r, char ret[PG_SEEN_BYTES])
{
    snprintf(ret, PG_SEEN_BYTES, "%s.%s.%s.%s.%s", PQgetvalue(r, 0, NOW_XID), PQgetvalue(r, 0, NOW_PUBLICATION), PQgetvalue(r, 0, NOW_PARTITIONS), PQgetvalue(r, 0, NOW_FILES),
             PQgetvalue(r, 0, NOW_LSN));
}

static bool publication_error(const source *s, const char *what, err *e)
{
    char name[PG_SLOT_NAME_BYTES];
    pg_slot_name(s->env->job_id, name);
    return err_set(e, ERR_SOURCE_LOG_PURGED, "the publication %s %s at the source by somebody else: changes of the job's tables may be missing in what the log gives; reset the job", name, what);
}

bool pg_watch_first(source *s, pg_conn *c, char ret[PG_SEEN_BYTES], err *e)
{
    PGresult *r;
    if (!read_facts(s, c, STR_NULL, &r, e)) return false;
    bool there = !is_zero(r, PUBLICATION_THERE), open = !is_zero(r, PUBLICATION_OPEN);
    if (there && !open) write_seen(r, ret);
    PQclear(r);
    if (!there) return publication_error(s, "was dropped", e);
    return !open || err_set_native(e, ERR_SOURCE_CONFIG, RETRY_LATER, 0, "a transaction that is older than the job's publication is open at the source; end it");
}

/* --- what has changed --- */

/* Each is a slice of the text. */
static bool split_seen(str text, seen_parts *ret, err *e)
{
    seen_parts p = {.at = PG_LSN_NONE};
    uint64_t number;
    str rest = text, at;
    err ignored = ERR_INIT;
    bool ok = str_split_next(&rest, '.', &p.xid) && str_to_u64(p.xid, &number) && str_split_next(&rest, '.', &p.publication) && str_split_next(&rest, '.', &p.partitions) &&
              str_split_next(&rest, '.', &p.files) && (!rest.p || (str_split_next(&rest, '.', &at) && pg_lsn_parse(at, &p.at, &ignored)));
    if (!ok) return err_set(e, ERR_SOURCE_POSITION, "'%.*s' is not what a position of PostgreSQL says of the catalog", STR_ARG(text));
    *ret = p;
    return true;
}

/* Through its root where the role may not read the partition itself. */
static void rows_sql(buf *sql, const PGresult *r, int i)
{
    bool through_root = !str_eq(pg_field(r, i, 5), STR("t"));
    buf_add_c(sql, "SELECT EXISTS (SELECT FROM ONLY ");
    if (through_root) sql->n -= strlen("ONLY ");
    pg_quote_table(sql, pg_field(r, i, through_root ? 6 : 1), pg_field(r, i, through_root ? 7 : 2));
    buf_printf(sql, " WHERE tableoid = %s AND ", PQgetvalue(r, i, 0));
}

static bool row_exists(source *s, buf *sql, bool *ret, err *e)
{
    PGresult *r;
    if (sql->failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(s->conn, buf_str(sql), &r, e)) return false;
    *ret = str_eq(pg_field(r, 0, 0), STR("t"));
    PQclear(r);
    return true;
}

#define LEAF_COLUMNS                                                                                                                              \
    "SELECT leaf.oid, leaf.nspname, leaf.relname, leaf.x, leaf.cid, pg_catalog.has_table_privilege(leaf.oid, 'SELECT'), rn.nspname, rc.relname, " \
    "(SELECT count(DISTINCT o.changed::text) = 1 FROM leaf o WHERE o.root = leaf.root AND " OLD("o.x") ") FROM leaf JOIN pg_catalog.pg_class rc ON rc.oid = leaf.root JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace "

/* A row from before the table was a partition came past the log. */
static bool check_new_partition(source *s, const PGresult *r, int i, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    bool there;
    rows_sql(&sql, r, i);
    buf_printf(&sql, "(pg_catalog.age(xmin) > pg_catalog.age('%s'::xid) OR (xmin = '%s'::xid AND cmin::text::bigint < %s)))", PQgetvalue(r, i, 3), PQgetvalue(r, i, 3), PQgetvalue(r, i, 4));
    if (!row_exists(s, &sql, &there, e)) return false;
    if (!there) return true;
    return err_set(e, ERR_SOURCE_DDL, "the table %s.%s was attached as a partition of %s.%s at the source together with its rows, which its log does not have; reset the job",
                   PQgetvalue(r, i, 1), PQgetvalue(r, i, 2), PQgetvalue(r, i, 6), PQgetvalue(r, i, 7));
}

static bool check_new_partitions(source *s, str since, err *e)
{
    PGresult *r;
    bool ok = true;
    if (!ask(s, s->conn, FACTS LEAF_COLUMNS "WHERE NOT " OLD("leaf.x") "", since, &r, e)) return false;
    for (int i = 0; ok && i < PQntuples(r); i++) ok = check_new_partition(s, r, i, e);
    PQclear(r);
    return ok;
}

/* Did the transaction empty the leaf's root, and one transaction alone change the leaves of it? */
static bool is_explained(const pg_watch_told *told, const PGresult *r, int i)
{
    for (uint32_t k = 0; told && k < told->count; k++)
        if (str_eq(told->emptied[k]->schema, pg_field(r, i, 6)) && str_eq(told->emptied[k]->name, pg_field(r, i, 7))) return str_eq(pg_field(r, i, 8), STR("t"));
    return false;
}

/* Leaves that may be in another file than they were, and do not prove by a row of theirs that they were not emptied. */
static bool find_emptied(source *s, str since, const pg_watch_told *told, bool *ret, err *e)
{
    PGresult *r;
    bool ok = true;
    *ret = false;
    if (!ask(s, s->conn, FACTS LEAF_COLUMNS "WHERE " OLD("leaf.x") " AND NOT " OLD("leaf.changed") "", since, &r, e)) return false;
    for (int i = 0; ok && !*ret && i < PQntuples(r); i++) {
        BUF_AUTO sql = BUF_INIT;
        bool survived;
        if (is_explained(told, r, i)) continue;
        rows_sql(&sql, r, i);
        buf_printf(&sql, "pg_catalog.age(xmin) > pg_catalog.age('%.*s'::xid8::xid))", STR_ARG(since));
        ok = row_exists(s, &sql, &survived, e);
        *ret = ok && !survived;
    }
    PQclear(r);
    return ok;
}

/* "public.t, public.u" */
static void name_partitioned(const source *s, buf *out)
{
    buf_printf(out, "%.*s (of the schemas %.*s)", STR_ARG(array_of(s, 1)), STR_ARG(array_of(s, 0)));
    buf_add_byte(out, 0);
}

static bool partition_error(const source *s, const char *what, err *e)
{
    BUF_AUTO names = BUF_INIT;
    name_partitioned(s, &names);
    if (names.failed) return err_no_memory(e, "names");
    return err_set(e, ERR_SOURCE_DDL, "a partition of the tables %s was %s at the source, of which its log tells nothing; make the same change in the destination, then reset the job", names.p, what);
}

bool pg_watch_emptied(const source *s, err *e) { return partition_error(s, "truncated or written anew (TRUNCATE, VACUUM FULL or CLUSTER of the partition itself)", e); }

/* Nothing at all may have changed. */
static bool compare_all(const PGresult *r, const seen_parts *p, err *e)
{
    bool same = is_zero(r, PUBLICATION_NEW) && is_zero(r, PARTITIONS_NEW) && str_eq(p->publication, pg_field(r, 0, THEN_PUBLICATION)) &&
                str_eq(p->partitions, pg_field(r, 0, THEN_PARTITIONS)) && str_eq(p->files, pg_field(r, 0, THEN_FILES));
    return same || err_set(e, ERR_SOURCE_CHANGED,
                           "the job's publication, or partitions of its tables, changed at the source about when it was promoted, and whether the log tells all of it cannot be known; reset the job");
}

static bool compare_facts(source *s, const PGresult *r, const seen_parts *p, const pg_watch_told *told, pg_watch_found *ret, err *e)
{
    bool emptied = false;
    if (is_zero(r, PUBLICATION_THERE)) return publication_error(s, "was dropped", e);
    if (!is_zero(r, PUBLICATION_NEW) || !str_eq(p->publication, pg_field(r, 0, THEN_PUBLICATION))) return publication_error(s, "was altered (a table of it dropped, added) or made anew", e);
    if (!is_zero(r, PARTITIONS_NEW) && !check_new_partitions(s, p->xid, e)) return false;
    if (!str_eq(p->partitions, pg_field(r, 0, THEN_PARTITIONS))) return partition_error(s, "detached, dropped or attached with partitions of its own", e);
    if (!str_eq(p->files, pg_field(r, 0, THEN_FILES)) && !find_emptied(s, p->xid, told, &emptied, e)) return false;
    *ret = emptied ? PG_WATCH_EMPTIED : PG_WATCH_FINE;
    return true;
}

bool pg_watch_look(source *s, char seen[PG_SEEN_BYTES], pg_lsn shared, const pg_watch_told *told, pg_watch_found *ret, err *e)
{
    PGresult *r;
    seen_parts p;
    if (!split_seen(str_from_c(seen), &p, e) || !read_facts(s, s->conn, p.xid, &r, e)) return false;
    bool foreign = shared != PG_LSN_NONE && (p.at == PG_LSN_NONE || p.at > shared);
    bool ok = (!foreign || compare_all(r, &p, e)) && compare_facts(s, r, &p, told, ret, e);
    if (ok && *ret == PG_WATCH_FINE) write_seen(r, seen);
    PQclear(r);
    return ok;
}
