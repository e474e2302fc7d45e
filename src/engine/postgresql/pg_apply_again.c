/* A change in an overlap: the target may hold any state of its row between the first and the last chunk position, and the same change may have been applied
 * before. Rows that the new one meets in a unique key go, as with REPLACE: the stream brings back what belongs there. */
#include "engine/postgresql/pg_apply.h"
#include "engine/postgresql/pg_apply_identity.h"
#include "engine/postgresql/pg_apply_sql.h"
#include "engine/postgresql/pg_conflict.h"
#include "engine/postgresql/pg_value.h"

static bool add(pg_applier *a, const pg_table *t, err *e) { return pg_apply_run_add(&a->run, PG_EXPECT_ANY, 0, t, e); }

static bool delete_by_key(pg_applier *a, const pg_table *t, const val *row, const val *otherwise, err *e)
{
    buf *b = pg_apply_run_begin(&a->run);
    buf_printf(b, "DELETE FROM %.*s WHERE ", STR_ARG(t->from));
    return pg_apply_sql_key(b, t, row, otherwise, e) && add(a, t, e);
}

/* spared: the change's own row, as a condition. */
static bool delete_conflicts(pg_applier *a, const pg_table *t, const val *row, str spared, err *e)
{
    BUF_AUTO item = BUF_INIT;
    if (!t->unique_count) return true;
    if (!pg_apply_sql_row(&item, t, row, e)) return false;
    if (item.failed) return err_no_memory(e, "a statement");
    for (uint32_t i = 0; i < t->unique_count; i++) {
        pg_conflict_delete_sql(pg_apply_run_begin(&a->run), t, &t->uniques[i], buf_str(&item), spared);
        if (!add(a, t, e)) return false;
    }
    return true;
}

static bool put_whole(pg_applier *a, const pg_table *t, const change *c, err *e)
{
    if (c->before && !delete_by_key(a, t, c->before, c->after, e)) return false;
    if (!delete_by_key(a, t, c->after, NULL, e) || !delete_conflicts(a, t, c->after, STR(""), e)) return false;
    return pg_apply_sql_insert(pg_apply_run_begin(&a->run), t, c->after, e) && add(a, t, e);
}

/* "UPDATE t SET what after carries WHERE key", unless there is nothing to set. must_exist: the row has to be there. */
static bool update(pg_applier *a, const pg_table *t, const change *c, str key, str also, bool must_exist, err *e)
{
    bool any;
    buf *b = pg_apply_run_begin(&a->run);
    buf_printf(b, "UPDATE %.*s", STR_ARG(t->from));
    if (!pg_apply_sql_set(b, t, c->before, c->after, &any, e)) return false;
    if (!any && !b->failed) {
        b->n = a->run.start;
        buf_printf(b, "SELECT 1 FROM %.*s", STR_ARG(t->from));
    }
    buf_printf(b, " WHERE %.*s%.*s", STR_ARG(key), STR_ARG(also));
    return pg_apply_run_add(&a->run, must_exist ? PG_EXPECT_ROWS : PG_EXPECT_ANY, 1, t, e);
}

/* The same of the row that is at the new key by now. */
static bool update_there(pg_applier *a, const pg_table *t, const change *c, str key, bool must_exist, err *e)
{
    if (pg_apply_identity_is_kept(t, c->before, c->after)) return update(a, t, c, key, STR(""), must_exist, e);
    val *there = arena_array(&a->scratch, t->def->column_count, sizeof *there);
    if (!there) return err_no_memory(e, "a change");
    for (uint32_t k = 0; k < t->key_count; k++) there[t->key[k]] = pg_value_is_there(&c->after[t->key[k]]) ? c->after[t->key[k]] : c->before[t->key[k]];
    return pg_apply_identity_update(pg_apply_run_begin(&a->run), t, there, c->after, e) && pg_apply_run_add(&a->run, must_exist ? PG_EXPECT_ROWS : PG_EXPECT_ANY, 1, t, e);
}

/* A load drops one of two rows that meet in another unique key, and trusts the stream to bring it back: this change cannot. */
static bool dropped(const pg_applier *a, const pg_table *t, const change *c, err *e)
{
    if (!a->run.counted) return false;
    BUF_AUTO row = BUF_INIT;
    pg_apply_sql_describe_key(&row, t, c->after, c->before);
    return err_set(e, ERR_NOT_SUPPORTED,
                   "a change of %.*s.%.*s (%.*s) that overlaps the full load does not carry all columns and its row is not there: it cannot be told whether it is to be; reset the job",
                   STR_ARG(c->table->target_schema), STR_ARG(c->table->target_name), STR_ARG(buf_str(&row)));
}

/* The image leaves columns out, so the row has to be moved as it is: from its old key, if nobody is at the new one yet. */
static bool put_part(pg_applier *a, const pg_table *t, const change *c, err *e)
{
    BUF_AUTO old = BUF_INIT;
    BUF_AUTO new = BUF_INIT;
    BUF_AUTO both = BUF_INIT;
    BUF_AUTO vacant = BUF_INIT;
    if (!pg_apply_sql_key(&old, t, c->before, c->after, e) || !pg_apply_sql_key(&new, t, c->after, c->before, e)) return false;
    buf_printf(&both, "%.*s OR %.*s", STR_ARG(buf_str(&old)), STR_ARG(buf_str(&new)));
    buf_printf(&vacant, " AND NOT EXISTS (SELECT 1 FROM %.*s WHERE %.*s)", STR_ARG(t->from), STR_ARG(buf_str(&new)));
    if (old.failed || new.failed || both.failed || vacant.failed) return err_no_memory(e, "a statement");
    if (!delete_conflicts(a, t, c->after, buf_str(&both), e)) return false;
    if (!str_eq(buf_str(&old), buf_str(&new)) &&
        (!update(a, t, c, buf_str(&old), buf_str(&vacant), false, e) || !delete_by_key(a, t, c->before, c->after, e)))
        return false;
    if (!t->unique_count) return update_there(a, t, c, buf_str(&new), false, e);
    if (!pg_apply_run_flush(&a->run, e)) return false;
    return (update_there(a, t, c, buf_str(&new), true, e) && pg_apply_run_flush(&a->run, e)) || dropped(a, t, c, e);
}

bool pg_apply_change_again(pg_applier *a, const change *c, err *e)
{
    const pg_table *t = pg_apply_table_of(a, c->table);
    if (!t->key_count) return err_set(e, ERR_INTERNAL, "a change of %.*s, which has no key, cannot be applied twice", STR_ARG(t->name));
    if (a->enforce && c->table->family)
        return err_set(e, ERR_INTERNAL, "a change of %.*s, whose foreign keys have actions that the source does not log, cannot be applied twice", STR_ARG(t->name));
    if (!pg_apply_role(a, false, e)) return false;
    if (!c->after) return delete_by_key(a, t, c->before, NULL, e);
    if (pg_apply_sql_is_whole(t, c->after)) return put_whole(a, t, c, e);
    if (c->before) return put_part(a, t, c, e);
    return err_set(e, ERR_INTERNAL, "an INSERT of %.*s does not carry all columns", STR_ARG(t->name));
}
