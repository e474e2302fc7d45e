/* Making a world from a seed: tables and a valid log of transactions. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sim/sim.h"
#include "model/family.h"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static sim_world *registry[16]; /* guarded by registry_lock */

sim_world *sim_world_find(str name)
{
    sim_world *found = NULL;
    pthread_mutex_lock(&registry_lock);
    for (size_t i = 0; i < sizeof registry / sizeof *registry; i++)
        if (registry[i] && str_eq(name, str_from_c(registry[i]->name))) found = registry[i];
    pthread_mutex_unlock(&registry_lock);
    return found;
}

/* Puts w where `old` is. */
static bool registry_swap(sim_world *old, sim_world *w)
{
    bool done = false;
    pthread_mutex_lock(&registry_lock);
    for (size_t i = 0; i < sizeof registry / sizeof *registry && !done; i++)
        if (registry[i] == old) {
            registry[i] = w;
            done = true;
        }
    pthread_mutex_unlock(&registry_lock);
    return done;
}

typedef struct table_plan {
    const char *name, *columns[SIM_COLUMNS];
    uint32_t key_columns;
    bool unique_second, text_key, generated_last;
} table_plan;

static const table_plan plans[SIM_TABLES] = {
    [SIM_PLAIN] = {"plain", {"id", "a", "b", "g"}, 1, .generated_last = true},
    [SIM_UNIQUE] = {"uniq", {"id", "u", "b", "c"}, 1, .unique_second = true},
    [SIM_NO_KEY] = {"nokey", {"a", "b", "c", "d"}, 0, .text_key = false},
    [SIM_PARENT] = {"parent", {"id", "a", "b", "c"}, 1, .text_key = false},
    [SIM_CHILD] = {"child", {"id", "p", "b", "c"}, 1, .text_key = false},
    [SIM_TEXT] = {"text", {"k", "a", "b", "c"}, 1, .text_key = true},
    [SIM_PAIR] = {"pair", {"k1", "k2", "a", "b"}, 2, .text_key = false},
};

static key_def *make_keys(arena *a, const table_plan *p, uint32_t *ret_count)
{
    uint32_t n = (p->key_columns > 0 ? 1u : 0u) + (p->unique_second ? 1u : 0u);
    key_def *keys = arena_array(a, n + 1, sizeof *keys);
    uint32_t *columns = arena_array(a, SIM_COLUMNS + 1, sizeof *columns);
    if (!keys || !columns) return NULL;
    for (uint32_t i = 0; i < SIM_COLUMNS; i++) columns[i] = i;
    if (p->key_columns) keys[0] = (key_def){.name = STR("PRIMARY"), .primary = true, .unique = true, .columns = columns, .count = p->key_columns};
    if (p->unique_second) keys[1] = (key_def){.name = STR("u"), .unique = true, .columns = columns + 1, .count = 1};
    *ret_count = n;
    return keys;
}

static table_def *make_table(arena *a, uint32_t id, sim_action action)
{
    static const char *const rules[] = {[SIM_RESTRICT] = "RESTRICT", [SIM_CASCADE] = "CASCADE", [SIM_SET_NULL] = "SET NULL"};
    const table_plan *p = &plans[id];
    table_def *t = arena_alloc(a, sizeof *t);
    column_def *columns = arena_array(a, SIM_COLUMNS, sizeof *columns);
    if (!t || !columns) return NULL;
    for (uint32_t i = 0; i < SIM_COLUMNS; i++) {
        str name = str_from_c(p->columns[i]);
        columns[i] = (column_def){.name = name, .target_name = name, .type = COL_INT, .selected = true, .nullable = i >= p->key_columns};
    }
    if (p->text_key) {
        columns[0].type = COL_VARCHAR;
        columns[0].collation = STR("utf8mb4_general_ci");
    }
    columns[SIM_COLUMNS - 1].generated = p->generated_last;
    *t = (table_def){.id = id, .schema = STR("db"), .name = str_from_c(p->name), .target_schema = STR("db"), .target_name = str_from_c(p->name),
                     .columns = columns, .column_count = SIM_COLUMNS, .estimated_rows = 10, .estimated_bytes = 100 * (id + 1)};
    t->keys = make_keys(a, p, &t->key_count);
    if (!t->keys) return NULL;
    if (id == SIM_CHILD) {
        foreign_key_def *f = arena_alloc(a, sizeof *f);
        str *parent = arena_alloc(a, sizeof *parent);
        if (!f || !parent) return NULL;
        *parent = STR("id");
        *f = (foreign_key_def){.name = STR("fk"), .columns = t->keys[0].columns + 1, .count = 1, .parent_schema = STR("db"),
                               .parent_table = STR("parent"), .parent_columns = parent, .on_delete = str_from_c(rules[action]), .on_update = action == SIM_RESTRICT ? STR("RESTRICT") : STR("CASCADE")};
        t->foreign_keys = f;
        t->foreign_key_count = 1;
    }
    table_choose_row_key(t);
    return t;
}

static bool make_catalog(sim_world *w)
{
    w->catalog.tables = arena_array(&w->mem, SIM_TABLES, sizeof *w->catalog.tables);
    if (!w->catalog.tables) return false;
    for (uint32_t i = 0; i < SIM_TABLES; i++)
        if (!(w->catalog.tables[i] = make_table(&w->mem, i, w->action))) return false;
    w->catalog.table_count = SIM_TABLES;
    err ignored = ERR_INIT;
    return family_link(&w->catalog, &ignored);
}

static val number(rng *r, uint64_t below) { return (val){.kind = VAL_INT, .u.i = (int64_t)rng_below(r, below)}; }

static const char *const words[] = {"a", "A", "b", "B ", "b ", "c", "ab", "AB", "a1", "A1", "k\xc3\xa9", "ke"};

void sim_keep_words(sim_row *row)
{
    for (int i = 0; i < SIM_COLUMNS; i++)
        for (size_t k = 0; row->v[i].kind == VAL_TEXT && k < sizeof words / sizeof *words; k++)
            if (str_eq(val_bytes(&row->v[i]), str_from_c(words[k]))) row->v[i].u.p = words[k];
}

static sim_row make_row(rng *r, uint32_t table)
{
    sim_row row;
    for (int i = 0; i < SIM_COLUMNS; i++) row.v[i] = number(r, i == 0 || table == SIM_PAIR || table == SIM_UNIQUE ? 12 : 3);
    if (rng_chance(r, 20)) row.v[2] = (val){.kind = VAL_NULL};
    if (table == SIM_PAIR) row.v[0] = number(r, 20), row.v[1] = number(r, 2);
    if (table == SIM_PLAIN) row.v[0] = number(r, 30), row.v[3] = (val){.kind = VAL_ABSENT};
    if (table == SIM_CHILD) row.v[0] = number(r, 20), row.v[1] = number(r, 12);
    if (table == SIM_TEXT) {
        str word = str_from_c(words[rng_below(r, sizeof words / sizeof *words)]);
        row.v[0] = (val){.kind = VAL_TEXT, .u.p = word.p, .n = (uint32_t)word.n};
    }
    return row;
}

/* A change that may or may not be allowed. */
static sim_change make_change(rng *r, const sim_state *s)
{
    sim_change c = {.table = (uint32_t)rng_below(r, SIM_TABLES)};
    const sim_rows *t = &s->tables[c.table];
    uint64_t dice = rng_below(r, 100);
    c.kind = t->count == 0 || dice < 40 ? CHANGE_INSERT : dice < 80 ? CHANGE_UPDATE : CHANGE_DELETE;
    if (dice == 99 && c.table != SIM_PARENT && c.table != SIM_CHILD) c.kind = CHANGE_TRUNCATE;
    if (c.kind == CHANGE_TRUNCATE) return c;
    c.after = make_row(r, c.table);
    if (c.kind == CHANGE_INSERT) return c;
    c.before = t->rows[rng_below(r, t->count)];
    if (c.kind == CHANGE_DELETE) {
        c.after = (sim_row){0};
    } else if (rng_chance(r, 70)) { /* keeps its key */
        c.after.v[0] = c.before.v[0];
        if (c.table == SIM_PAIR || c.table == SIM_UNIQUE) c.after.v[1] = c.before.v[1];
    }
    return c;
}

static bool make_txn(rng *r, sim_state *s, sim_txn *ret)
{
    uint32_t want = rng_chance(r, 15) ? 0 : 1 + (uint32_t)rng_below(r, 6);
    *ret = (sim_txn){.changes = calloc(want ? want : 1, sizeof(sim_change))};
    if (!ret->changes) return false;
    for (uint32_t tries = 0; ret->count < want && tries < 200; tries++) {
        sim_change c = make_change(r, s);
        if (!sim_apply_strict(s, &c, true)) ret->changes[ret->count++] = c;
    }
    return true;
}

static bool make_log(sim_world *w)
{
    rng *r = &w->random;
    w->log_count = 15 + (uint32_t)rng_below(r, 50);
    w->log = calloc(w->log_count, sizeof *w->log);
    sim_state s = {.action = w->action};
    bool ok = w->log != NULL;
    for (uint32_t i = 0; ok && i < w->log_count; i++) ok = make_txn(r, &s, &w->log[i]);
    sim_state_finish(&s);
    w->head = w->start = (uint32_t)rng_below(r, w->log_count / 2) + 1;
    return ok;
}

static void choose_weather(sim_world *w)
{
    rng *r = &w->random;
    uint64_t dice = rng_below(r, 100);
    w->mode = dice < 60 ? SIM_FULL_AND_STREAM : dice < 85 ? SIM_FULL_ONLY : SIM_STREAM_ONLY;
    w->fault_percent = (unsigned)rng_below(r, 12);
    w->faults_left = (uint32_t)rng_below(r, 40);
    w->uneven_lanes = rng_chance(r, 40);
    w->purges = rng_chance(r, 4);
    w->forgets = rng_chance(r, 50) && !w->purges && w->mode != SIM_STREAM_ONLY; /* there the job says where to begin */
    w->action = (sim_action)rng_below(r, 3);
    w->target.action = w->action;
}

sim_world *sim_world_new(uint64_t seed, sim_bug bug)
{
    sim_world *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    pthread_mutex_init(&w->lock, NULL);
    rng_init(&w->random, seed);
    w->bug = bug;
    snprintf(w->name, sizeof w->name, "world-%llu-%d", (unsigned long long)(seed % 1000000000), (int)bug);
    arena_init(&w->mem, 16 * 1024, 0);
    choose_weather(w);
    bool ok = make_catalog(w) && make_log(w);
    if (ok && w->mode == SIM_STREAM_ONLY) { /* somebody else has copied the rows */
        w->schema_made = true;
        ok = sim_state_replay(w, w->head, &w->target);
    }
    if (ok && registry_swap(NULL, w)) return w;
    sim_world_free(w);
    return NULL;
}

void sim_world_free(sim_world *w)
{
    if (!w) return;
    registry_swap(w, NULL);
    for (uint32_t i = 0; w->log && i < w->log_count; i++) free(w->log[i].changes);
    free(w->log);
    sim_state_finish(&w->target);
    pthread_mutex_destroy(&w->lock);
    arena_finish(&w->mem);
    free(w);
}

void sim_violate(sim_world *w, const char *format, ...)
{
    if (w->violation[0]) return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(w->violation, sizeof w->violation, format, ap);
    va_end(ap);
}

static uint32_t highest_chunk(const sim_world *w)
{
    uint32_t high = 0;
    for (uint32_t t = 0; t < SIM_TABLES; t++)
        for (uint32_t i = 0; i < w->chunk_count[t]; i++)
            if (w->chunks[t][i].done && w->chunk_at[t][i] > high) high = w->chunk_at[t][i];
    return high;
}

/* Each transaction between the first position and the checkpoint was counted once. */
static void judge_counts(sim_world *w)
{
    uint64_t expected = 0;
    for (uint32_t i = w->first_at; i < w->at; i++) expected += w->log[i].count > 0;
    if (w->ck.txn_count != expected)
        sim_violate(w, "%llu transactions counted, the log has %llu between %u and %u", (unsigned long long)w->ck.txn_count,
                    (unsigned long long)expected, w->first_at, w->at);
}

bool sim_world_judge(sim_world *w, char *text, size_t text_bytes)
{
    pthread_mutex_lock(&w->lock);
    uint32_t end = w->mode == SIM_FULL_ONLY ? highest_chunk(w) : w->log_count;
    sim_state truth = {0};
    if (!sim_state_replay(w, end, &truth)) sim_violate(w, "the log cannot be replayed");
    const char *table = sim_state_differs(&truth, &w->target);
    if (table) sim_violate(w, "table %s differs from the source at %u", table, end);
    sim_state_finish(&truth);
    judge_counts(w);
    snprintf(text, text_bytes, "%s", w->violation);
    bool ok = !w->violation[0];
    pthread_mutex_unlock(&w->lock);
    return ok;
}
