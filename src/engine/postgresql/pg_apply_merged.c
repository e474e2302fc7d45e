/* The net changes of a window on one table, as sets: deletes by key, updates by the columns that they carry, inserts. */
#include <string.h>

#include "base/map.h"
#include "engine/postgresql/pg_apply.h"
#include "engine/postgresql/pg_apply_identity.h"
#include "engine/postgresql/pg_apply_set.h"
#include "engine/postgresql/pg_apply_sql.h"
#include "engine/postgresql/pg_value.h"

typedef struct merging {
    pg_applier *a;
    const pg_table *t;
    bool again;      /* overlap: counts mean nothing, the last image wins */
    bool *all, *none;/* by column: the written ones, none */
} merging;

static pg_apply_expect expected(const merging *m) { return m->again ? PG_EXPECT_ANY : PG_EXPECT_ROWS; }

static bool one_by_one(merging *m, const change **list, uint32_t count, err *e)
{
    for (uint32_t i = 0; i < count; i++)
        if (!(m->again ? pg_apply_change_again(m->a, list[i], e) : pg_apply_change(m->a, list[i], e))) return false;
    return true;
}

static bool delete_rows(merging *m, const change **list, uint32_t count, bool strict, err *e)
{
    pg_apply_set s = {.t = m->t, .list = list, .count = count, .columns = m->none, .keys_before = true};
    while (pg_apply_set_next(&s)) {
        buf *b = pg_apply_run_begin(&m->a->run);
        buf_printf(b, "DELETE FROM %.*s AS _sluice_t USING ", STR_ARG(m->t->from));
        if (!pg_apply_set_source(b, &s, e)) return false;
        buf_add_c(b, " WHERE ");
        pg_apply_set_join(b, m->t);
        if (!pg_apply_run_add(&m->a->run, strict ? PG_EXPECT_ROWS : PG_EXPECT_ANY, s.rows, m->t, e)) return false;
    }
    return true;
}

/* ---- inserts ---- */

/* What to do with a row that is there. */
static void add_upsert(buf *b, const pg_table *t)
{
    bool first = true;
    for (uint32_t k = 0; k < t->key_count; k++) {
        buf_add_c(b, k ? "," : " ON CONFLICT (");
        buf_add(b, t->columns[t->key[k]].name);
    }
    buf_add_c(b, ") DO ");
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written || pg_apply_sql_is_key(t, i)) continue;
        buf_add_c(b, first ? "UPDATE SET " : ",");
        first = false;
        buf_printf(b, "%.*s=EXCLUDED.%.*s", STR_ARG(t->columns[i].name), STR_ARG(t->columns[i].name));
    }
    if (first) buf_add_c(b, "NOTHING");
}

static bool insert_set(merging *m, const change **list, uint32_t count, bool upsert, err *e)
{
    pg_apply_set s = {.t = m->t, .list = list, .count = count, .columns = m->all};
    while (pg_apply_set_next(&s)) {
        bool first = true;
        buf *b = pg_apply_run_begin(&m->a->run);
        buf_printf(b, "INSERT INTO %.*s (", STR_ARG(m->t->name));
        buf_add(b, m->t->columns_sql);
        buf_add_c(b, m->t->any_always ? ") OVERRIDING SYSTEM VALUE SELECT " : ") SELECT ");
        for (uint32_t i = 0; i < m->t->def->column_count; i++) {
            if (!m->all[i]) continue;
            if (!first) buf_add_byte(b, ',');
            first = false;
            pg_apply_set_value(b, m->t, i);
        }
        buf_add_c(b, " FROM ");
        if (!pg_apply_set_source(b, &s, e)) return false;
        if (upsert) add_upsert(b, m->t);
        if (!pg_apply_run_add(&m->a->run, expected(m), s.rows, m->t, e)) return false;
    }
    return true;
}

/* An identity column that is GENERATED ALWAYS takes no upsert. */
static bool insert_rows(merging *m, const change **list, uint32_t count, err *e)
{
    if (!m->again) return insert_set(m, list, count, false, e);
    if (!m->t->any_always) return insert_set(m, list, count, true, e);
    return delete_rows(m, list, count, false, e) && insert_set(m, list, count, false, e);
}

/* Rows that leave columns out come one by one: those get their defaults. */
static bool insert_all(merging *m, const change **list, uint32_t count, err *e)
{
    const change **whole = arena_array(&m->a->scratch, count, sizeof *whole);
    uint32_t n = 0;
    if (!whole) return err_no_memory(e, "the changes of a table");
    for (uint32_t i = 0; i < count; i++) {
        if (pg_apply_sql_is_whole(m->t, list[i]->after)) whole[n++] = list[i];
        else if (!one_by_one(m, &list[i], 1, e)) return false;
    }
    return insert_rows(m, whole, n, e);
}

/* ---- updates ---- */

/* Updates that carry the same columns. */
typedef struct group {
    bool *columns;
    const change **list;
    uint32_t count;
} group;

/* A column that the set holds against the rows, since no UPDATE may set it. */
static bool is_compared(const merging *m, uint32_t i) { return m->t->columns[i].always; }

/* Which columns the update sets or compares; false when it goes alone: it sets nothing, or an identity column that is GENERATED ALWAYS. */
static bool columns_of(const merging *m, const change *c, bool *ret)
{
    bool any = false, unknown = false;
    for (uint32_t i = 0; i < m->t->def->column_count; i++) {
        bool compared = pg_apply_identity_is_unknown(m->t, i, c->before, c->after);
        bool set = !pg_apply_sql_skips(m->t, i, c->before, c->after) && !pg_apply_sql_is_key(m->t, i);
        ret[i] = set || compared;
        any |= set;
        unknown |= compared;
    }
    return any && (unknown ? !m->again : pg_apply_identity_is_kept(m->t, c->before, c->after));
}

static bool new_group(merging *m, map *groups, const bool *columns, group **ret, err *e)
{
    size_t n = m->t->def->column_count * sizeof *columns;
    group *g = arena_alloc(&m->a->scratch, sizeof *g);
    if (g) g->columns = arena_alloc(&m->a->scratch, n);
    if (!g || !g->columns) return err_no_memory(e, "the changes of a table");
    memcpy(g->columns, columns, n);
    *ret = g;
    return map_put(groups, (str){(const char *)g->columns, n}, g) || err_no_memory(e, "the changes of a table");
}

/* The group of each update; NULL for one that goes alone, which is queued at once. */
static bool find_groups(merging *m, map *groups, const change **list, uint32_t count, group **of, err *e)
{
    size_t n = m->t->def->column_count * sizeof(bool);
    bool *columns = arena_alloc(&m->a->scratch, n);
    if (!columns) return err_no_memory(e, "the changes of a table");
    for (uint32_t i = 0; i < count; i++) {
        if (!columns_of(m, list[i], columns)) {
            if (!one_by_one(m, &list[i], 1, e)) return false;
            continue;
        }
        of[i] = map_get(groups, (str){(const char *)columns, n});
        if (!of[i] && !new_group(m, groups, columns, &of[i], e)) return false;
        of[i]->count++;
    }
    return true;
}

static bool make_groups(merging *m, map *groups, const change **list, uint32_t count, err *e)
{
    group **of = arena_array(&m->a->scratch, count, sizeof *of);
    if (!of) return err_no_memory(e, "the changes of a table");
    if (!find_groups(m, groups, list, count, of, e)) return false;
    for (size_t i = 0; i < groups->count; i++) {
        group *g = groups->entries[i].value;
        g->list = arena_array(&m->a->scratch, g->count, sizeof *g->list);
        if (!g->list) return err_no_memory(e, "the changes of a table");
        g->count = 0;
    }
    for (uint32_t i = 0; i < count; i++)
        if (of[i]) of[i]->list[of[i]->count++] = list[i];
    return true;
}

/* What no row of the slice changes need not be written; in an overlap the target may have any value. */
static void leave_out_unchanged(const merging *m, const pg_apply_set *s, bool *columns)
{
    bool any = false;
    for (uint32_t i = 0; i < m->t->def->column_count; i++) {
        columns[i] = s->columns[i] && (m->again || is_compared(m, i));
        for (uint32_t k = 0; s->columns[i] && !columns[i] && k < s->rows; k++) {
            const change *c = s->list[s->from + k];
            columns[i] = !c->before || !pg_value_is_there(&c->before[i]) || !val_equal(&c->before[i], &c->after[i]);
        }
        any |= columns[i] && !is_compared(m, i);
    }
    if (!any) memcpy(columns, s->columns, m->t->def->column_count * sizeof *columns);
}

static void add_set(buf *b, const merging *m, const bool *columns)
{
    bool first = true;
    buf_printf(b, "UPDATE %.*s AS _sluice_t", STR_ARG(m->t->from));
    for (uint32_t i = 0; i < m->t->def->column_count; i++) {
        if (!columns[i] || is_compared(m, i)) continue;
        buf_printf(b, "%s%.*s=", first ? " SET " : ",", STR_ARG(m->t->columns[i].name));
        first = false;
        pg_apply_set_value(b, m->t, i);
    }
    buf_add_c(b, " FROM ");
}

static void add_compared(buf *b, const merging *m, uint32_t column, const char *operator)
{
    buf_add_c(b, " WHERE ");
    pg_apply_set_join(b, m->t);
    buf_printf(b, " AND _sluice_t.%.*s%s", STR_ARG(m->t->columns[column].name), operator);
    pg_apply_set_value(b, m->t, column);
}

/* The form of pg_apply_identity_update for a set. */
static bool update_compared(merging *m, buf *b, const pg_apply_set *part, uint32_t column, err *e)
{
    bool first = true;
    buf_add_c(b, "WITH _sluice_s AS MATERIALIZED (SELECT * FROM ");
    if (!pg_apply_set_source(b, part, e)) return false;
    buf_add_c(b, "), _sluice_same AS (");
    add_set(b, m, part->columns);
    buf_add_c(b, "_sluice_s");
    add_compared(b, m, column, "=");
    buf_printf(b, " RETURNING 1), _sluice_old AS (DELETE FROM %.*s AS _sluice_t USING _sluice_s", STR_ARG(m->t->from));
    add_compared(b, m, column, "<>");
    buf_printf(b, " RETURNING _sluice_t.*), _sluice_new AS (INSERT INTO %.*s (%.*s%.*s) OVERRIDING SYSTEM VALUE SELECT ", STR_ARG(m->t->name), STR_ARG(m->t->columns_sql),
               STR_ARG(m->t->kept_sql));
    for (uint32_t i = 0; i < m->t->def->column_count; i++) {
        if (!m->all[i]) continue;
        if (!first) buf_add_byte(b, ',');
        first = false;
        if (part->columns[i]) pg_apply_set_value(b, m->t, i);
        else buf_printf(b, "_sluice_t.%.*s", STR_ARG(m->t->columns[i].name));
    }
    buf_printf(b, "%.*s FROM _sluice_old AS _sluice_t, _sluice_s WHERE ", STR_ARG(m->t->kept_values_sql));
    pg_apply_set_join(b, m->t);
    buf_add_c(b, " RETURNING 1) SELECT 1 FROM _sluice_same UNION ALL SELECT 1 FROM _sluice_new");
    return true;
}

static bool update_group(merging *m, const group *g, err *e)
{
    pg_apply_set s = {.t = m->t, .list = g->list, .count = g->count, .columns = g->columns, .keys_before = true};
    bool *columns = arena_array(&m->a->scratch, m->t->def->column_count, sizeof *columns);
    uint32_t compared = 0;
    if (!columns) return err_no_memory(e, "the changes of a table");
    while (compared < m->t->def->column_count && !(g->columns[compared] && is_compared(m, compared))) compared++;
    while (pg_apply_set_next(&s)) {
        buf *b = pg_apply_run_begin(&m->a->run);
        leave_out_unchanged(m, &s, columns);
        pg_apply_set part = s;
        part.columns = columns;
        if (compared < m->t->def->column_count) {
            if (!update_compared(m, b, &part, compared, e)) return false;
        } else {
            add_set(b, m, columns);
            if (!pg_apply_set_source(b, &part, e)) return false;
            buf_add_c(b, " WHERE ");
            pg_apply_set_join(b, m->t);
        }
        if (!pg_apply_run_add(&m->a->run, expected(m), s.rows, m->t, e)) return false;
    }
    return true;
}

static bool update_rows(merging *m, const change **list, uint32_t count, err *e)
{
    map groups = MAP_INIT;
    bool ok = make_groups(m, &groups, list, count, e);
    for (size_t i = 0; ok && i < groups.count; i++) ok = update_group(m, groups.entries[i].value, e);
    map_finish(&groups);
    return ok;
}

/* Whole rows are written as such; what leaves columns out sets the others of the row if it is there. If it is not, it was deleted later in the overlap: a table
 * whose changes are merged has no other unique key for which a load would have dropped it. */
static bool update_rows_again(merging *m, const change **list, uint32_t count, err *e)
{
    const change **whole = arena_array(&m->a->scratch, count, sizeof *whole), **part = arena_array(&m->a->scratch, count, sizeof *part);
    uint32_t wholes = 0, parts = 0;
    if (!whole || !part) return err_no_memory(e, "the changes of a table");
    for (uint32_t i = 0; i < count; i++) {
        if (pg_apply_sql_is_whole(m->t, list[i]->after)) whole[wholes++] = list[i];
        else part[parts++] = list[i];
    }
    return insert_rows(m, whole, wholes, e) && update_rows(m, part, parts, e);
}

static bool merge(merging *m, const table_changes *c, err *e)
{
    if (m->again)
        return delete_rows(m, c->deletes, c->delete_count, false, e) && update_rows_again(m, c->updates, c->update_count, e) &&
               insert_all(m, c->inserts, c->insert_count, e);
    if (m->a->exact)
        return one_by_one(m, c->deletes, c->delete_count, e) && one_by_one(m, c->updates, c->update_count, e) && one_by_one(m, c->inserts, c->insert_count, e);
    return delete_rows(m, c->deletes, c->delete_count, true, e) && update_rows(m, c->updates, c->update_count, e) &&
           insert_all(m, c->inserts, c->insert_count, e);
}

bool pg_apply_merged(pg_applier *a, const table_changes *c, err *e)
{
    const pg_table *t = pg_apply_table_of(a, c->table);
    if (!t->key_count) return err_set(e, ERR_INTERNAL, "changes of %.*s, which has no key, were merged", STR_ARG(t->name));
    arena_reset(&a->scratch);
    uint32_t n = t->def->column_count;
    merging m = {.a = a, .t = t, .again = c->overlap, .all = arena_array(&a->scratch, n, sizeof(bool)), .none = arena_array(&a->scratch, n, sizeof(bool))};
    if (!m.all || !m.none) return err_no_memory(e, "the changes of a table");
    for (uint32_t i = 0; i < n; i++) m.all[i] = t->columns[i].written;
    return merge(&m, c, e);
}
