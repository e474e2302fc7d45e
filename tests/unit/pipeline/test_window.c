/* The merge window: net effects case by case, and random windows against the same changes applied one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sim/sim.h"
#include "pipeline/window.h"

/* A key column and two others; one text key under each collation that a case asks for. */
typedef struct fixture {
    column_def columns[3];
    uint32_t key_columns[1];
    key_def key;
    table_def table;
    arena mem;
} fixture;

static void fixture_init(fixture *f, const char *collation)
{
    memset(f, 0, sizeof *f);
    arena_init(&f->mem, 4096, 0);
    for (int i = 0; i < 3; i++) f->columns[i] = (column_def){.name = STR("c"), .type = COL_INT, .selected = true};
    if (collation) {
        f->columns[0].type = COL_VARCHAR;
        f->columns[0].collation = str_from_c(collation);
    }
    f->key = (key_def){.primary = true, .unique = true, .columns = f->key_columns, .count = 1};
    f->table = (table_def){.columns = f->columns, .column_count = 3, .keys = &f->key, .key_count = 1, .name = STR("t"), .schema = STR("d")};
    table_choose_row_key(&f->table);
}

/* "k a b": words; a number is an integer in columns a and b, "-" absent, "=" unchanged. The key is text when the column is. */
static const val *make_row(fixture *f, str text)
{
    val *row = arena_array(&f->mem, 3, sizeof *row);
    str word;
    for (int i = 0; i < 3 && str_split_next(&text, ',', &word); i++) {
        int64_t n;
        if (str_eq(word, STR("-"))) row[i].kind = VAL_ABSENT;
        else if (str_eq(word, STR("="))) row[i].kind = VAL_UNCHANGED;
        else if (f->columns[i].type == COL_VARCHAR) row[i] = (val){.kind = VAL_TEXT, .u.p = word.p, .n = (uint32_t)word.n};
        else if (str_to_i64(word, &n)) row[i] = (val){.kind = VAL_INT, .u.i = n};
    }
    return row;
}

/* "i:1,2,3" insert; "d:1,2,3" delete; "u:1,2,3>1,2,4" update; "t:" truncate. */
static change make_change(fixture *f, str text)
{
    change c = {.table = &f->table};
    str images = str_sub(text, 2, SIZE_MAX), first;
    if (text.p[0] == 'u') {
        c.kind = CHANGE_UPDATE;
        str_split_next(&images, '>', &first);
        c.before = make_row(f, first);
        c.after = make_row(f, images);
    } else if (text.p[0] == 't') {
        c.kind = CHANGE_TRUNCATE;
    } else {
        c.kind = text.p[0] == 'i' ? CHANGE_INSERT : CHANGE_DELETE;
        *(text.p[0] == 'i' ? &c.after : &c.before) = make_row(f, images);
    }
    return c;
}

static void show_row(buf *b, const val *row)
{
    for (int i = 0; i < 3; i++) {
        if (i) buf_add_byte(b, ',');
        if (row[i].kind == VAL_INT) buf_add_i64(b, row[i].u.i);
        else if (row[i].kind == VAL_TEXT) buf_add(b, val_bytes(&row[i]));
        else buf_add_byte(b, row[i].kind == VAL_ABSENT ? '-' : '=');
    }
}

static void show_list(buf *b, char kind, const change **list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (b->n) buf_add_byte(b, ' ');
        buf_add_byte(b, kind);
        buf_add_byte(b, ':');
        if (list[i]->before && kind != 'i') show_row(b, list[i]->before);
        if (kind == 'u') buf_add_byte(b, '>');
        if (list[i]->after) show_row(b, list[i]->after);
    }
}

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* most cases are strict ones on an integer key */
typedef struct merge_case {
    const char *changes, *net; /* net: NULL = refused */
    bool overlap;
    const char *collation;     /* of a text key, NULL: integer key */
} merge_case;

static const merge_case merge_cases[] = {
    {"i:1,1,1", "i:1,1,1"},
    {"i:1,1,1 u:1,1,1>1,2,1 u:1,2,1>1,2,3", "i:1,2,3"},
    {"i:1,1,1 d:1,1,1", ""},
    {"i:1,1,1 d:1,1,1", "d:1,1,1", .overlap = true},
    {"i:1,1,1 d:1,1,1 i:1,2,2", "i:1,2,2"},
    {"u:1,1,1>1,2,1 u:1,2,1>1,3,1", "u:1,1,1>1,3,1"},
    {"u:1,1,1>1,2,1 u:1,2,1>1,1,1", ""},
    {"u:1,1,1>1,2,1 u:1,2,1>1,1,1", "u:1,1,1>1,1,1", .overlap = true},
    {"u:1,1,1>1,2,1 d:1,2,1", "d:1,1,1"},
    {"d:1,1,1 i:1,2,2", "u:1,1,1>1,2,2"},
    {"d:1,1,1 i:1,1,1", ""},
    {"d:1,1,1 i:1,2,2", "i:1,2,2", .overlap = true},
    {"d:1,1,1 i:1,2,2 d:1,2,2", "d:1,1,1"},
    {"u:1,1,1>2,1,1", "d:1,1,1 i:2,1,1"},
    {"u:2,2,2>3,2,2 u:1,1,1>2,1,1", "d:1,1,1 u:2,2,2>2,1,1 i:3,2,2"}, /* id = id + 1 from above */
    {"u:1,1,1>2,1,1 u:2,1,1>1,1,1", ""},
    {"u:1,1,1>2,1,1 u:2,1,1>3,1,1", "d:1,1,1 i:3,1,1"},
    /* images that leave columns out */
    {"u:1,1,1>1,2,= u:1,2,1>1,=,5", "u:1,1,1>1,2,5"},
    {"u:1,1,1>1,2,- u:1,2,1>1,-,5", "u:1,1,1>1,2,5"},
    {"i:1,1,1 u:1,1,1>1,=,7", "i:1,1,7"},
    {"u:1,1,1>2,=,3", "d:1,1,1 i:2,1,3"},
    {"u:1,1,->2,=,-", NULL},
    {"d:1,1,1 i:1,2,-", NULL},
    {"d:-,1,1", NULL},
    /* what contradicts itself goes in order */
    {"i:1,1,1 i:1,1,1", NULL},
    {"d:1,1,1 d:1,1,1", NULL},
    {"i:1,1,1 t:", NULL},
    {"t: i:1,1,1", NULL},
    {"d:1,1,1 u:1,1,1>1,2,2", NULL},
    {"u:1,1,1>2,1,1 i:2,5,5", NULL},
    /* text keys */
    {"i:a,1,1 i:b,1,1", "i:a,1,1 i:b,1,1", .collation = "utf8mb4_general_ci"},
    {"i:a,1,1 d:a,1,1 i:A,2,2", NULL, .collation = "utf8mb4_general_ci"},
    {"i:a,1,1 d:a,1,1 i:A,2,2", "i:A,2,2", .collation = "utf8mb4_bin"},
    {"d:a,1,1 i:a ,2,2", NULL, .collation = "utf8mb4_bin"},
    {"i:y,1,1 i:i,1,1", NULL, .collation = "utf8mb3_lithuanian_ci"},
    {"i:y,1,1 i:i,1,1", NULL, .collation = "utf8mb4_lt_0900_ai_ci"},
    {"i:y,1,1 i:i,1,1", "i:y,1,1 i:i,1,1", .collation = "utf8mb4_0900_ai_ci"},
    {"i:x1,1,1 i:x2,1,1", "i:x1,1,1 i:x2,1,1", .collation = "utf8mb3_lithuanian_ci"},
    {"i:\xc3\xa9,1,1 i:e,1,1", NULL, .collation = "utf8mb4_general_ci"},
    {"i:e,1,1 i:\xc3\xa9,1,1", NULL, .collation = "utf8mb4_general_ci"},
    {"i:\xc3\xa9,1,1 d:\xc3\xa9,1,1", "", .collation = "utf8mb4_general_ci"},
};

static void check_case(const merge_case *c)
{
    fixture f;
    fixture_init(&f, c->collation);
    merge m = {0};
    merge_begin(&m, &f.table, c->overlap, &f.mem);
    str rest = str_from_c(c->changes), one;
    merge_result r = MERGE_OK;
    /* a change may end in a space inside a text key: split at a space before a kind letter and a colon */
    while (r == MERGE_OK && rest.n) {
        size_t end = 1;
        while (end < rest.n && !(rest.p[end] == ' ' && end + 2 < rest.n && rest.p[end + 2] == ':')) end++;
        one = str_sub(rest, 0, end);
        rest = str_sub(rest, end + 1, SIZE_MAX);
        change made = make_change(&f, one);
        r = merge_add(&m, &made);
    }
    BUF_AUTO shown = BUF_INIT;
    table_changes net = {0};
    if (r == MERGE_OK) {
        assert_true(merge_result_changes(&m, &net));
        show_list(&shown, 'd', net.deletes, net.delete_count);
        show_list(&shown, 'u', net.updates, net.update_count);
        show_list(&shown, 'i', net.inserts, net.insert_count);
    }
    if (r != (c->net ? MERGE_OK : MERGE_REFUSED) || (c->net && strcmp(buf_c(&shown), c->net) != 0))
        fail_msg("\"%s\"%s %s: \"%s\", expected \"%s\"", c->changes, c->overlap ? " in overlap" : "", c->collation ? c->collation : "",
                 r == MERGE_OK ? buf_c(&shown) : "refused", c->net ? c->net : "refused");
    merge_finish(&m);
    arena_finish(&f.mem);
}

static void test_net_effects(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof merge_cases / sizeof *merge_cases; i++) check_case(&merge_cases[i]);
}

static void test_tables_that_do_not_merge(void **state)
{
    (void)state;
    fixture f;
    fixture_init(&f, NULL);
    assert_true(merge_suits(&f.table));
    f.columns[0].type = COL_DOUBLE;
    assert_false(merge_suits(&f.table));
    f.columns[0].type = COL_INT;
    f.table.target_has_triggers = true;
    assert_false(merge_suits(&f.table));
    f.table.target_has_triggers = false;
    f.table.referenced = true;
    assert_false(merge_suits(&f.table));
    arena_finish(&f.mem);
}

static txn *world_txn(const sim_world *w, uint32_t n)
{
    txn *t = txn_new(0);
    const sim_txn *from = &w->log[n - 1];
    t->end = sim_position(n, &t->mem);
    t->heartbeat = from->count == 0;
    for (uint32_t i = 0; i < from->count; i++) {
        const sim_change *c = &from->changes[i];
        change *x = txn_add_change(t);
        *x = (change){.table = w->catalog.tables[c->table], .kind = c->kind};
        if (c->kind == CHANGE_UPDATE || c->kind == CHANGE_DELETE) x->before = c->before.v;
        if (c->kind == CHANGE_UPDATE || c->kind == CHANGE_INSERT) x->after = c->after.v;
    }
    return t;
}

static void apply_one(sim_state *s, const change *c, bool overlap)
{
    sim_change x = {.table = c->table->id, .kind = c->kind};
    if (c->before) memcpy(x.before.v, c->before, sizeof x.before.v);
    if (c->after) memcpy(x.after.v, c->after, sizeof x.after.v);
    const char *why = overlap ? sim_apply_overlap(s, &x) : sim_apply_strict(s, &x, c->table->family);
    if (why) fail_msg("table %.*s: %s", STR_ARG(c->table->name), why);
}

static void apply_all(sim_state *s, const apply_window *a)
{
    for (uint32_t i = 0; i < a->merged_count; i++) {
        const table_changes *c = &a->merged[i];
        for (uint32_t k = 0; k < c->delete_count; k++) apply_one(s, c->deletes[k], c->overlap);
        for (uint32_t k = 0; k < c->update_count; k++) apply_one(s, c->updates[k], c->overlap);
        for (uint32_t k = 0; k < c->insert_count; k++) apply_one(s, c->inserts[k], c->overlap);
    }
    for (uint32_t i = 0; i < a->ordered_count; i++) apply_one(s, a->ordered[i], a->ordered_overlap[i]);
}

/* Tables without a key and families of tables have none. */
static bool has_overlap(const table_def *t) { return t->id != SIM_NO_KEY && !t->family; }

/* The window of transactions from+1..to on the contents after `base`: strict when base == from, else in overlap. */
static void check_window(const sim_world *w, window *win, uint32_t from, uint32_t base, uint32_t to)
{
    uint32_t min[SIM_TABLES], max[SIM_TABLES];
    for (uint32_t i = 0; i < SIM_TABLES; i++) {
        min[i] = base == from ? 0 : 1;
        max[i] = base == from ? 0 : 2;
    }
    for (uint32_t i = 0; base != from && i < SIM_TABLES; i++)
        if (!has_overlap(w->catalog.tables[i])) min[i] = 2; /* skipped */
    spans s = {.min = min, .max = max, .table_count = SIM_TABLES};
    err e = ERR_INIT;
    for (uint32_t n = from + 1; n <= to; n++) assert_true(window_add(win, world_txn(w, n), &e));
    win->rank = base == from ? 0 : 1;
    apply_window a;
    assert_true(window_build(win, &s, &a, &e));
    sim_state got, expected;
    assert_true(sim_state_replay(w, base, &got) && sim_state_replay(w, to, &expected));
    apply_all(&got, &a);
    for (uint32_t i = 0; base != from && i < SIM_TABLES; i++)
        if (!has_overlap(w->catalog.tables[i])) got.tables[i].count = expected.tables[i].count = 0;
    const char *table = sim_state_differs(&expected, &got);
    if (table) fail_msg("%s: table %s differs after the window %u..%u on %u", w->name, table, from, to, base);
    uint64_t txns = 0;
    for (uint32_t n = from; n < to; n++) txns += w->log[n].count > 0;
    assert_int_equal(a.txn_count, txns);
    window_reset(win);
    sim_state_finish(&got);
    sim_state_finish(&expected);
}

static void test_random_windows(void **state)
{
    (void)state;
    rng r;
    rng_init(&r, 7);
    for (uint64_t seed = 1; seed <= 150; seed++) {
        sim_world *w = sim_world_new(seed, SIM_BUG_NONE);
        window win;
        err e = ERR_INIT;
        assert_true(window_init(&win, SIM_TABLES, &e));
        for (int i = 0; i < 20; i++) {
            uint32_t from = (uint32_t)rng_below(&r, w->log_count), to = from + 1 + (uint32_t)rng_below(&r, w->log_count - from);
            check_window(w, &win, from, from, to);
            check_window(w, &win, from, from + 1 + (uint32_t)rng_below(&r, to - from), to);
        }
        window_finish(&win);
        sim_world_free(w);
    }
}

/* Skip up to the lowest chunk position, overlap up to the highest, strict after it. */
static void test_span_rules(void **state)
{
    (void)state;
    uint32_t min[2] = {1, 0}, max[2] = {3, 0};
    spans s = {.min = min, .max = max, .table_count = 2};
    static const span_rule expected[] = {SPAN_SKIP, SPAN_OVERLAP, SPAN_OVERLAP, SPAN_STRICT, SPAN_STRICT};
    for (uint32_t rank = 0; rank < 5; rank++) {
        assert_int_equal(spans_rule(&s, rank, 0), expected[rank]);
        assert_int_equal(spans_rule(&s, rank, 1), SPAN_STRICT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_effects), cmocka_unit_test(test_tables_that_do_not_merge), cmocka_unit_test(test_random_windows),
        cmocka_unit_test(test_span_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
