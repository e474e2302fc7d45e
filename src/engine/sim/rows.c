/* What a server does with rows: keys, unique keys, foreign keys, collation. */
#include <stdlib.h>
#include <string.h>

#include "engine/sim/sim.h"

/* Columns of the row key per table; the text key is case-insensitive and padded. */
static const uint8_t key_columns[SIM_TABLES] = {1, 1, 0, 1, 1, 1, 2};

static bool text_equal(str a, str b)
{
    while (a.n && a.p[a.n - 1] == ' ') a.n--;
    while (b.n && b.p[b.n - 1] == ' ') b.n--;
    return str_eq_nocase(a, b);
}

static bool key_equal(uint32_t table, const sim_row *a, const sim_row *b)
{
    if (key_columns[table] == 0) return false;
    if (table == SIM_TEXT) return text_equal(val_bytes(&a->v[0]), val_bytes(&b->v[0]));
    for (int i = 0; i < key_columns[table]; i++)
        if (a->v[i].u.i != b->v[i].u.i) return false;
    return true;
}

/* Whole rows, but for columns that an image leaves out. */
static bool row_equal(const sim_row *a, const sim_row *b)
{
    for (int i = 0; i < SIM_COLUMNS; i++)
        if (a->v[i].kind != VAL_ABSENT && b->v[i].kind != VAL_ABSENT && !val_equal(&a->v[i], &b->v[i])) return false;
    return true;
}

static sim_row *find_key(sim_state *s, uint32_t table, const sim_row *r)
{
    sim_rows *t = &s->tables[table];
    for (uint32_t i = 0; i < t->count; i++)
        if (key_equal(table, &t->rows[i], r)) return &t->rows[i];
    return NULL;
}

static sim_row *find_row(sim_state *s, uint32_t table, const sim_row *r)
{
    if (key_columns[table]) {
        sim_row *found = find_key(s, table, r);
        return found && row_equal(found, r) ? found : NULL;
    }
    sim_rows *t = &s->tables[table];
    for (uint32_t i = 0; i < t->count; i++)
        if (row_equal(&t->rows[i], r)) return &t->rows[i];
    return NULL;
}

/* Another row with the same value of the second unique key. */
static sim_row *find_unique(sim_state *s, uint32_t table, const sim_row *r, const sim_row *but)
{
    if (table != SIM_UNIQUE) return NULL;
    sim_rows *t = &s->tables[table];
    for (uint32_t i = 0; i < t->count; i++)
        if (&t->rows[i] != but && t->rows[i].v[1].u.i == r->v[1].u.i) return &t->rows[i];
    return NULL;
}

static bool add_row(sim_state *s, uint32_t table, const sim_row *r)
{
    sim_rows *t = &s->tables[table];
    if (t->count == t->cap) {
        uint32_t cap = t->cap ? t->cap * 2 : 8;
        sim_row *fresh = realloc(t->rows, cap * sizeof *fresh);
        if (!fresh) return false;
        t->rows = fresh;
        t->cap = cap;
    }
    t->rows[t->count++] = *r;
    return true;
}

static void remove_row(sim_state *s, uint32_t table, sim_row *r)
{
    sim_rows *t = &s->tables[table];
    *r = t->rows[--t->count];
}

static bool is_child_of(const sim_row *child, int64_t id) { return child->v[1].kind != VAL_NULL && child->v[1].u.i == id; }

static bool has_children(const sim_state *s, int64_t id)
{
    const sim_rows *t = &s->tables[SIM_CHILD];
    for (uint32_t i = 0; i < t->count; i++)
        if (is_child_of(&t->rows[i], id)) return true;
    return false;
}

/* The parent's key goes away, or becomes another one. */
static void act(sim_state *s, const sim_change *c)
{
    sim_rows *t = &s->tables[SIM_CHILD];
    for (uint32_t i = t->count; i-- > 0;) {
        if (!is_child_of(&t->rows[i], c->before.v[0].u.i)) continue;
        if (c->kind == CHANGE_UPDATE) t->rows[i].v[1] = c->after.v[0];
        else if (s->action == SIM_SET_NULL) t->rows[i].v[1] = (val){.kind = VAL_NULL};
        else remove_row(s, SIM_CHILD, &t->rows[i]);
    }
}

static bool moves_parent(const sim_change *c)
{
    if (c->table != SIM_PARENT || c->kind == CHANGE_INSERT) return false;
    return c->kind == CHANGE_DELETE || !key_equal(SIM_PARENT, &c->before, &c->after);
}

static const char *check_foreign_keys(sim_state *s, const sim_change *c)
{
    if (c->table == SIM_CHILD && c->kind != CHANGE_DELETE && c->after.v[1].kind != VAL_NULL) {
        sim_row parent = {0};
        parent.v[0] = c->after.v[1];
        if (!find_key(s, SIM_PARENT, &parent)) return "no parent row";
    }
    return moves_parent(c) && s->action == SIM_RESTRICT && has_children(s, c->before.v[0].u.i) ? "child rows exist" : NULL;
}

static void remove_all(sim_state *s, uint32_t table)
{
    while (s->tables[table].count) remove_row(s, table, &s->tables[table].rows[s->tables[table].count - 1]);
}

const char *sim_apply_strict(sim_state *s, const sim_change *c, bool foreign_keys)
{
    sim_row *old = NULL;
    if (c->kind == CHANGE_TRUNCATE) return remove_all(s, c->table), NULL;
    if (c->kind != CHANGE_INSERT && !(old = find_row(s, c->table, &c->before))) return "the row to change is not there as it should be";
    const char *why = foreign_keys ? check_foreign_keys(s, c) : NULL;
    if (why) return why;
    if (c->kind == CHANGE_DELETE) {
        remove_row(s, c->table, old);
        if (foreign_keys && moves_parent(c)) act(s, c);
        return NULL;
    }
    sim_row *same = find_key(s, c->table, &c->after);
    if (same && same != old) return "the key exists already";
    if (find_unique(s, c->table, &c->after, old)) return "the unique value exists already";
    if (foreign_keys && moves_parent(c)) act(s, c);
    if (old) *old = c->after;
    else if (!add_row(s, c->table, &c->after)) return "no memory";
    return NULL;
}

const char *sim_apply_overlap(sim_state *s, const sim_change *c)
{
    if (c->kind == CHANGE_TRUNCATE) return remove_all(s, c->table), NULL;
    if (key_columns[c->table] == 0) return "a table without a key has no overlap";
    sim_row *old = c->kind == CHANGE_INSERT ? NULL : find_key(s, c->table, &c->before);
    if (old) remove_row(s, c->table, old);
    if (c->kind == CHANGE_DELETE) return NULL;
    if ((old = find_key(s, c->table, &c->after))) remove_row(s, c->table, old);
    while ((old = find_unique(s, c->table, &c->after, NULL))) remove_row(s, c->table, old);
    return add_row(s, c->table, &c->after) ? NULL : "no memory";
}

const char *sim_load_row(sim_state *s, uint32_t table, const sim_row *r, bool replace)
{
    if (find_key(s, table, r)) return "the key exists already";
    sim_row *other = find_unique(s, table, r, NULL);
    if (other && !replace) return "the unique value exists already";
    if (other) remove_row(s, table, other);
    return add_row(s, table, r) ? NULL : "no memory";
}

uint32_t sim_unload(sim_state *s, uint32_t table, const chunk *c, uint32_t keep)
{
    uint32_t found = 0;
    sim_rows *t = &s->tables[table];
    for (uint32_t i = t->count; i-- > 0;) {
        if (!sim_in_chunk(c, &t->rows[i])) continue;
        if (found++ >= keep) remove_row(s, table, &t->rows[i]);
    }
    return found;
}

bool sim_state_copy(const sim_state *from, sim_state *ret)
{
    *ret = (sim_state){.action = from->action};
    for (uint32_t t = 0; t < SIM_TABLES; t++) {
        uint32_t n = from->tables[t].count;
        if (n == 0) continue;
        ret->tables[t].rows = malloc(n * sizeof(sim_row));
        if (!ret->tables[t].rows) {
            sim_state_finish(ret);
            return false;
        }
        memcpy(ret->tables[t].rows, from->tables[t].rows, n * sizeof(sim_row));
        ret->tables[t].count = ret->tables[t].cap = n;
    }
    return true;
}

void sim_state_finish(sim_state *s)
{
    for (uint32_t t = 0; t < SIM_TABLES; t++) free(s->tables[t].rows);
    *s = (sim_state){0};
}

bool sim_state_replay(const sim_world *w, uint32_t n, sim_state *ret)
{
    *ret = (sim_state){.action = w->action};
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < w->log[i].count; k++)
            if (sim_apply_strict(ret, &w->log[i].changes[k], true)) return false;
    return true;
}

static const char *const table_names[SIM_TABLES] = {"plain", "uniq", "nokey", "parent", "child", "text", "pair"};

const char *sim_state_differs(const sim_state *a, const sim_state *b)
{
    for (uint32_t t = 0; t < SIM_TABLES; t++) {
        const sim_rows *x = &a->tables[t], *y = &b->tables[t];
        if (x->count != y->count) return table_names[t];
        bool used[512] = {false};
        for (uint32_t i = 0; i < x->count; i++) {
            uint32_t k = 0;
            while (k < y->count && (k >= 512 || used[k] || !row_equal(&x->rows[i], &y->rows[k]))) k++;
            if (k == y->count) return table_names[t];
            used[k] = true;
        }
    }
    return NULL;
}
