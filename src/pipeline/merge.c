/* Net effects per key.
 *
 * State of a key against the state before the window, and what the next change makes of it (an update that changes the key is a delete of the old key and an
 * insert of the new one):
 *              insert          update                     delete
 *   (none)     INSERT          UPDATE(before, after)      DELETE(before)
 *   INSERT     refused         INSERT(after)              NOTHING
 *   UPDATE     refused         UPDATE(first, after)       DELETE(first)
 *   DELETE     UPDATE(first, after), full image   refused refused
 *   NOTHING    INSERT          refused                    refused
 * Refused pairs contradict themselves; applied in order, the target names the row. An UPDATE whose last image equals its first is dropped. In an overlap the
 * target may already hold a later state, so nothing is dropped: NOTHING becomes DELETE, and DELETE followed by insert stays an insert. */
#include "pipeline/merge.h"

#include <string.h>

typedef enum net { NET_INSERT, NET_UPDATE, NET_DELETE, NET_NOTHING } net;

typedef struct entry {
    str key;
    net net;
    bool replaced;            /* UPDATE made of a delete and an insert: the after image is the whole row */
    const val *before, *after;
} entry;

bool merge_suits(const table_def *t) { return table_is_mergeable(t) && fold_of_key(t) != FOLD_NEVER; }

void merge_begin(merge *m, const table_def *t, bool overlap, arena *mem)
{
    m->table = t;
    m->overlap = overlap;
    m->folds = fold_of_key(t) != FOLD_EXACT;
    m->wild = false;
    m->mem = mem;
    map_clear(&m->by_key);
    map_clear(&m->by_fold);
}

void merge_finish(merge *m)
{
    map_finish(&m->by_key);
    map_finish(&m->by_fold);
    buf_finish(&m->key);
    buf_finish(&m->fold);
}

/* Could the new exact key be the same row as another one? */
static merge_result check_fold(merge *m, entry *fresh, bool wild)
{
    m->wild |= wild;
    if (m->wild && m->by_key.count > 1) return MERGE_REFUSED;
    if (wild) return MERGE_OK;
    if (map_get(&m->by_fold, buf_str(&m->fold))) return MERGE_REFUSED;
    str fold = arena_copy(m->mem, buf_str(&m->fold));
    return fold.p && map_put(&m->by_fold, fold, fresh) ? MERGE_OK : MERGE_NO_MEMORY;
}

/* The entry of the row's key; *ret_fresh when it was made now (its net is not set). */
static merge_result find(merge *m, const val *row, entry **ret, bool *ret_fresh)
{
    bool wild;
    buf_reset(&m->key);
    buf_reset(&m->fold);
    if (!fold_encode_key(m->table, row, &m->key, m->folds ? &m->fold : NULL, &wild)) return MERGE_REFUSED;
    if (m->key.failed || m->fold.failed) return MERGE_NO_MEMORY;
    *ret = map_get(&m->by_key, buf_str(&m->key));
    *ret_fresh = *ret == NULL;
    if (*ret) return MERGE_OK;
    entry *fresh = arena_alloc(m->mem, sizeof *fresh);
    str key = arena_copy(m->mem, buf_str(&m->key));
    if (!fresh || !key.p || !map_put(&m->by_key, key, fresh)) return MERGE_NO_MEMORY;
    fresh->key = key;
    *ret = fresh;
    return m->folds ? check_fold(m, fresh, wild) : MERGE_OK;
}

static bool has_value(const val *v) { return v->kind != VAL_ABSENT && v->kind != VAL_UNCHANGED; }

/* top over base: columns that top leaves out keep base's value. NULL without memory. */
static const val *overlay(merge *m, const val *base, const val *top)
{
    uint32_t n = m->table->column_count, i = 0;
    while (i < n && (has_value(&top[i]) || top[i].kind == base[i].kind)) i++;
    if (i == n) return top;
    val *made = arena_array(m->mem, n, sizeof *made);
    for (i = 0; made && i < n; i++) made[i] = has_value(&top[i]) ? top[i] : base[i];
    return made;
}

/* Does the image hold every column that is carried? Only such a row can be inserted. */
static bool is_whole(const table_def *t, const val *row)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (t->columns[i].selected && !t->columns[i].generated && !has_value(&row[i])) return false;
    return true;
}

static merge_result add_insert(merge *m, const val *after)
{
    entry *x;
    bool fresh;
    merge_result r = find(m, after, &x, &fresh);
    if (r != MERGE_OK) return r;
    if (!fresh && x->net != NET_DELETE && x->net != NET_NOTHING) return MERGE_REFUSED;
    if (!fresh && !is_whole(m->table, after)) return MERGE_REFUSED; /* columns left out would get defaults, not old values */
    x->replaced = !fresh && x->net == NET_DELETE;
    x->net = x->replaced ? NET_UPDATE : NET_INSERT;
    x->after = after;
    return MERGE_OK;
}

static merge_result add_delete(merge *m, const val *before)
{
    entry *x;
    bool fresh;
    merge_result r = find(m, before, &x, &fresh);
    if (r != MERGE_OK) return r;
    if (!fresh && (x->net == NET_DELETE || x->net == NET_NOTHING)) return MERGE_REFUSED;
    bool was_there = fresh || x->net == NET_UPDATE;
    if (fresh || !was_there) x->before = before;
    x->net = was_there ? NET_DELETE : NET_NOTHING;
    return MERGE_OK;
}

static merge_result add_update(merge *m, const val *before, const val *after)
{
    entry *x;
    bool fresh;
    merge_result r = find(m, before, &x, &fresh);
    if (r != MERGE_OK) return r;
    if (fresh) {
        x->net = NET_UPDATE;
        x->before = before;
        x->after = after;
        return MERGE_OK;
    }
    if (x->net != NET_INSERT && x->net != NET_UPDATE) return MERGE_REFUSED;
    x->after = overlay(m, x->after, after);
    return x->after ? MERGE_OK : MERGE_NO_MEMORY;
}

static bool same_key(const table_def *t, const val *a, const val *b)
{
    const key_def *k = &t->keys[t->row_key];
    for (uint32_t i = 0; i < k->count; i++) {
        const val *x = &b[k->columns[i]];
        if (has_value(x) && !val_equal(&a[k->columns[i]], x)) return false;
    }
    return true;
}

merge_result merge_add(merge *m, const change *c)
{
    if (c->kind == CHANGE_TRUNCATE) return MERGE_REFUSED;
    if (c->kind == CHANGE_INSERT) return add_insert(m, c->after);
    if (c->kind == CHANGE_DELETE) return add_delete(m, c->before);
    if (same_key(m->table, c->before, c->after)) return add_update(m, c->before, c->after);
    const val *whole = overlay(m, c->before, c->after);
    if (!whole) return MERGE_NO_MEMORY;
    if (!is_whole(m->table, whole)) return MERGE_REFUSED;
    merge_result r = add_delete(m, c->before);
    return r == MERGE_OK ? add_insert(m, whole) : r;
}

static bool is_no_op(const table_def *t, const entry *x)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (has_value(&x->after[i]) && !val_equal(&x->before[i], &x->after[i])) return false;
    return true;
}

/* What the entry comes to; NET_NOTHING: nothing to do. */
static net outcome(const merge *m, const entry *x)
{
    if (!m->overlap) return x->net == NET_UPDATE && is_no_op(m->table, x) ? NET_NOTHING : x->net;
    if (x->net == NET_NOTHING) return NET_DELETE;
    return x->net == NET_UPDATE && x->replaced ? NET_INSERT : x->net;
}

bool merge_result_changes(const merge *m, table_changes *ret)
{
    uint32_t n = (uint32_t)m->by_key.count;
    *ret = (table_changes){.table = m->table, .overlap = m->overlap};
    ret->inserts = arena_array(m->mem, n, sizeof *ret->inserts);
    ret->updates = arena_array(m->mem, n, sizeof *ret->updates);
    ret->deletes = arena_array(m->mem, n, sizeof *ret->deletes);
    change *made = arena_array(m->mem, n, sizeof *made);
    if (!ret->inserts || !ret->updates || !ret->deletes || !made) return false;
    for (uint32_t i = 0; i < n; i++) {
        const entry *x = m->by_key.entries[i].value;
        change *c = &made[i];
        c->table = m->table;
        switch (outcome(m, x)) {
        case NET_INSERT:
            *c = (change){.table = m->table, .kind = CHANGE_INSERT, .before = NULL, .after = x->after};
            ret->inserts[ret->insert_count++] = c;
            break;
        case NET_UPDATE:
            *c = (change){.table = m->table, .kind = CHANGE_UPDATE, .before = x->before, .after = x->after};
            ret->updates[ret->update_count++] = c;
            break;
        case NET_DELETE:
            *c = (change){.table = m->table, .kind = CHANGE_DELETE, .before = x->before, .after = NULL};
            ret->deletes[ret->delete_count++] = c;
            break;
        case NET_NOTHING: break;
        }
    }
    return true;
}
