/* The net changes of a window on one table, as sets: deletes by key, updates as one upsert that may not insert, inserts as one INSERT. */
#include "engine/mysql/apply.h"

/* Keys of one DELETE: MariaDB turns larger IN lists into a subquery (in_predicate_conversion_threshold 1000), MySQL's range optimizer has 8 MiB. */
#define DELETE_KEYS 500
#define STATEMENT_BYTES ((size_t)1 << 20)

static bool is_full(const applier *a, uint32_t rows)
{
    size_t n = apply_run_bytes(&a->run);
    return rows && (n >= STATEMENT_BYTES || n >= a->run.packet_bytes / 2);
}

static bool delete_rows(applier *a, const apply_table *t, const change **list, uint32_t count, bool again, err *e)
{
    for (uint32_t i = 0; i < count;) {
        buf *b = apply_run_begin(&a->run);
        uint32_t rows = 0;
        apply_sql_delete_begin(b, t);
        for (; i < count && rows < DELETE_KEYS && !is_full(a, rows); rows++) apply_sql_delete_item(b, t, list[i++]->before, rows == 0);
        apply_sql_delete_end(b, t);
        if (!apply_run_add(&a->run, again ? EXPECT_ANY : EXPECT_AFFECTED, rows, t, e)) return false;
    }
    return true;
}

/* REPLACE would lose the columns that an image leaves out, such as a large value of PostgreSQL that did not change. */
static bool stands_alone(const apply_table *t, const val *row, bool again)
{
    return (t->has_enum && apply_sql_enum_errors(t, row)) || (again && !apply_sql_is_whole(t, row));
}

/* The next row that can stand in a set. */
static uint32_t next_plain(const apply_table *t, const change **list, uint32_t i, uint32_t count, bool again)
{
    while (i < count && stands_alone(t, list[i]->after, again)) i++;
    return i;
}

/* INSERT, or with `again` REPLACE. */
static bool put_rows(applier *a, const apply_table *t, const change **list, uint32_t count, bool again, err *e)
{
    for (uint32_t i = next_plain(t, list, 0, count, again); i < count;) {
        buf *b = apply_run_begin(&a->run);
        uint32_t rows = 0;
        buf_add_c(b, again ? "REPLACE" : "INSERT");
        buf_add(b, t->insert_head);
        for (; i < count && !is_full(a, rows); rows++, i = next_plain(t, list, i + 1, count, again)) {
            if (rows) buf_add_byte(b, ',');
            apply_sql_values(b, t, list[i]->after);
        }
        if (!apply_run_add(&a->run, again ? EXPECT_ANY : EXPECT_AFFECTED, rows, t, e)) return false;
    }
    for (uint32_t i = 0; (t->has_enum || again) && i < count; i++)
        if (stands_alone(t, list[i]->after, again) && !(again ? apply_change_again(a, list[i], e) : apply_change(a, list[i], e))) return false;
    return true;
}

/* A lone row has no count of duplicates in its answer, a row with columns left out or with an ENUM's error value cannot be upserted, a table of only key columns has nothing to set. */
static bool update_rows(applier *a, const apply_table *t, const change **list, uint32_t count, err *e)
{
    uint32_t whole = 0;
    while (whole < count && t->upsert_tail.n && apply_sql_is_whole(t, list[whole]->after) && !apply_sql_enum_errors(t, list[whole]->after)) whole++;
    if (whole >= 2) {
        /* The last statement of a split may hold one row only: that one goes as an UPDATE too. */
        for (uint32_t i = 0; i < whole;) {
            buf *b = apply_run_begin(&a->run);
            uint32_t rows = 0, first = i;
            buf_add_c(b, "INSERT");
            buf_add(b, t->insert_head);
            for (; i < whole && !is_full(a, rows); rows++) {
                if (rows) buf_add_byte(b, ',');
                apply_sql_values(b, t, list[i++]->after);
            }
            if (rows == 1) {
                b->n = a->run.start;
                apply_sql_update(b, t, list[first]->before, list[first]->after, a->t->conn->is_mariadb);
            } else {
                buf_add(b, t->upsert_tail);
            }
            if (!apply_run_add(&a->run, rows == 1 ? EXPECT_MATCHED : EXPECT_UPSERTED, rows, t, e)) return false;
        }
        list += whole;
        count -= whole;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!apply_change(a, list[i], e)) return false;
    return true;
}

static bool one_by_one(applier *a, const change **list, uint32_t count, err *e)
{
    for (uint32_t i = 0; i < count; i++)
        if (!apply_change(a, list[i], e)) return false;
    return true;
}

bool apply_merged(applier *a, const table_changes *c, err *e)
{
    const apply_table *t = apply_table_of(a, c->table);
    if (!t->key_count) return err_set(e, ERR_INTERNAL, "changes of %.*s, which has no key, were merged", STR_ARG(t->name));
    if (c->overlap)
        return delete_rows(a, t, c->deletes, c->delete_count, true, e) && put_rows(a, t, c->updates, c->update_count, true, e) &&
               put_rows(a, t, c->inserts, c->insert_count, true, e);
    if (a->exact)
        return one_by_one(a, c->deletes, c->delete_count, e) && one_by_one(a, c->updates, c->update_count, e) && one_by_one(a, c->inserts, c->insert_count, e);
    return delete_rows(a, t, c->deletes, c->delete_count, false, e) && update_rows(a, t, c->updates, c->update_count, e) &&
           put_rows(a, t, c->inserts, c->insert_count, false, e);
}
