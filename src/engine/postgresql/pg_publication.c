/* Making the publication of a job, or taking the one that was made for it. */
#include "engine/postgresql/pg_publication.h"

#include <stdio.h>

#include "engine/postgresql/pg_slot.h"

/* An UPDATE or DELETE of such a table would fail at the source as soon as it is published (measured on 15, 17, 18). */
static bool check_identities(const catalog_def *c, err *e)
{
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        bool primary = t->key_count && t->keys[0].primary;
        if (t->replica_identity == 'n' || (t->replica_identity == 'd' && !primary))
            return err_set(e, ERR_SOURCE_CONFIG,
                           "table %.*s.%.*s has no primary key and no replica identity: the log could not name its "
                           "rows, and publishing it would make the source refuse "
                           "UPDATE and DELETE; run at the source: ALTER TABLE \"%.*s\".\"%.*s\" REPLICA IDENTITY FULL",
                           STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(t->schema), STR_ARG(t->name));
    }
    return true;
}

static void create_publication_sql(buf *sql, const char *name, const catalog_def *c)
{
    buf_add_c(sql, "CREATE PUBLICATION ");
    pg_quote_name(sql, str_from_c(name));
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        buf_add_c(sql, i ? ", " : " FOR TABLE ");
        if (str_starts_with(t->storage_engine, STR("r"))) buf_add_c(sql, "ONLY ");
        pg_quote_table(sql, t->schema, t->name);
        if (!t->filter_sql.p) continue;
        buf_add_c(sql, " WHERE (");
        buf_add(sql, t->filter_sql);
        buf_add_c(sql, ")");
    }
    buf_add_c(sql, " WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)");
}

/* A publication that somebody else made for the job: is all in it that ours would have? */
static bool check_adopted(source *s, const char *name, const catalog_def *c, err *e)
{
    char sql[700];
    PGresult *r;
    snprintf(sql, sizeof sql,
             "SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate, p.pubviaroot, %s FROM "
             "pg_catalog.pg_publication p WHERE p.pubname = '%s'",
             s->conn->version >= 150000 ? "EXISTS (SELECT 1 FROM pg_catalog.pg_publication_rel x WHERE x.prpubid = "
                                          "p.oid AND (x.prqual IS NOT NULL OR x.prattrs IS NOT NULL))"
                                        : "false",
             name);
    if (!pg_conn_query(s->conn, str_from_c(sql), &r, e)) return false;
    bool whole = str_eq(pg_field(r, 0, 0), STR("t")), root = str_eq(pg_field(r, 0, 1), STR("t")),
         parts = str_eq(pg_field(r, 0, 2), STR("t")), filters = false, trees = false;
    PQclear(r);
    for (uint32_t i = 0; i < c->table_count; i++) {
        filters = filters || c->tables[i]->filter_sql.p;
        trees = trees || !str_starts_with(c->tables[i]->storage_engine, STR("r"));
    }
    const char *why = !whole           ? "does not publish insert, update, delete and truncate"
                      : parts          ? "has row filters or column lists"
                      : filters        ? "does not have the row filters of the task's objects"
                      : trees && !root ? "lacks publish_via_partition_root"
                                       : NULL;
    return !why || err_set(e, ERR_SOURCE_CONFIG,
                           "the publication %s was there before the task and %s; run at the source: DROP PUBLICATION "
                           "\"%s\" (the task makes its own)",
                           name, why, name);
}

static bool check_adopted_table(source *s, const char *name, const table_def *t, err *e)
{
    const str values[] = {str_from_c(name), t->schema, t->name};
    PGresult *r;
    if (!pg_conn_query_params(s->conn,
                              STR("SELECT 1 FROM pg_catalog.pg_publication_tables WHERE pubname = $1 AND schemaname = "
                                  "$2 AND tablename = $3"),
                              values, 3, &r, e))
        return false;
    bool there = PQntuples(r) > 0;
    PQclear(r);
    return there || err_set(e, ERR_SOURCE_CONFIG,
                            "the publication %s was there before the task and lacks the table %.*s.%.*s; run at the "
                            "source: ALTER PUBLICATION \"%s\" ADD TABLE \"%.*s\".\"%.*s\"",
                            name, STR_ARG(t->schema), STR_ARG(t->name), name, STR_ARG(t->schema), STR_ARG(t->name));
}

static bool adopt(source *s, const char *name, const catalog_def *c, err *e)
{
    if (!check_adopted(s, name, c, e)) return false;
    for (uint32_t i = 0; i < c->table_count; i++)
        if (!check_adopted_table(s, name, c->tables[i], e)) return false;
    return pg_slot_adopt(s, "publication", name, e);
}

bool pg_publication_make(source *s, const char *name, const catalog_def *c, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    char undo[160];
    bool there, ours;
    uint64_t id;
    if (!check_identities(c, e) || !pg_slot_exists(s->conn, "pg_publication", "pubname", name, &there, e)) return false;
    /* This job's own, whose objects never change while it has one; or one that was made for it. */
    if (there) return pg_slot_is_ours(s, "publication", name, &ours, e) && (ours || adopt(s, name, c, e));
    snprintf(undo, sizeof undo, "DROP PUBLICATION IF EXISTS \"%s\"", name);
    create_publication_sql(&sql, name, c);
    if (sql.failed) return err_no_memory(e, "a statement");
    return pg_slot_intend(s, "publication", name, undo, &id, e) && pg_conn_exec(s->conn, buf_str(&sql), NULL, e) &&
           s->env->ledger->created(s->env->ledger->ctx, id, e);
}
