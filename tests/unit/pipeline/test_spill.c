/* Changes in a file: every kind of value comes back as it was, in parts of any size; savepoints; a full disk; nothing left in the folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "pipeline/spill.h"

#define COLUMNS 5

static char folder[64];
static column_def columns[COLUMNS];
static table_def one = {.id = 0, .columns = columns, .column_count = COLUMNS};
static table_def two = {.id = 1, .columns = columns, .column_count = 1};
static table_def *tables[] = {&one, &two};

static spill *open_spill(void)
{
    spill *s;
    err e = ERR_INIT;
    if (!spill_new(folder, 0, &s, &e)) fail_msg("%s", e.text);
    return s;
}

static val random_value(rng *r, arena *a)
{
    static const uint8_t kinds[] = {VAL_ABSENT, VAL_NULL, VAL_UNCHANGED, VAL_INT, VAL_UINT, VAL_F32, VAL_F64, VAL_NUMBER, VAL_TEXT, VAL_BYTES, VAL_BIT, VAL_YEAR, VAL_JSON,
                                    VAL_ENUM_TEXT};
    val v = {.kind = kinds[rng_below(r, sizeof kinds)]};
    if (v.kind <= VAL_UNCHANGED) return v;
    if (val_is_inline(&v)) {
        v.u.u = rng_below(r, UINT64_MAX);
        if (v.kind == VAL_F32 || v.kind == VAL_F64) v.u.f = rng_chance(r, 30) ? -0.0 : (double)rng_below(r, 1000) / 7;
        return v;
    }
    v.n = (uint32_t)rng_below(r, rng_chance(r, 5) ? 300000 : 20);
    char *p = arena_bytes(a, v.n + 1);
    for (uint32_t i = 0; i < v.n; i++) p[i] = (char)rng_below(r, 256);
    v.u.p = p;
    return v;
}

static const val *random_row(rng *r, arena *a, const table_def *t)
{
    val *row = arena_array(a, t->column_count, sizeof *row);
    for (uint32_t i = 0; i < t->column_count; i++) row[i] = random_value(r, a);
    return row;
}

static txn *random_txn(rng *r, uint32_t count)
{
    txn *t = txn_new(0);
    for (uint32_t i = 0; i < count; i++) {
        change *c = txn_add_change(t);
        *c = (change){.table = tables[rng_below(r, 2)], .kind = (change_kind)rng_below(r, 4), .without_foreign_keys = rng_chance(r, 20)};
        if (c->kind == CHANGE_UPDATE || c->kind == CHANGE_DELETE) c->before = random_row(r, &t->mem, c->table);
        if (c->kind == CHANGE_UPDATE || c->kind == CHANGE_INSERT) c->after = random_row(r, &t->mem, c->table);
    }
    return t;
}

static void same_row(const val *a, const val *b, const table_def *t)
{
    assert_true((a == NULL) == (b == NULL));
    for (uint32_t i = 0; a && i < t->column_count; i++) {
        assert_int_equal(a[i].kind, b[i].kind);
        if (a[i].kind <= VAL_UNCHANGED) continue;
        assert_int_equal(a[i].n, b[i].n);
        assert_true(val_is_inline(&a[i]) ? memcmp(&a[i].u, &b[i].u, 8) == 0 : a[i].n == 0 || memcmp(a[i].u.p, b[i].u.p, a[i].n) == 0);
    }
}

static void same_change(const change *a, const change *b)
{
    assert_ptr_equal(a->table, b->table);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->without_foreign_keys, b->without_foreign_keys);
    same_row(a->before, b->before, a->table);
    same_row(a->after, b->after, a->table);
}

/* Reads all of s and compares it with the changes of the parts, of which only the first `keep` count. */
static void same_changes(spill *s, txn **parts, uint32_t part_count, uint64_t keep, size_t part_bytes)
{
    uint64_t at = 0;
    uint32_t part = 0, i = 0;
    err e = ERR_INIT;
    spill_rewind(s);
    for (txn *t;; txn_free(t)) {
        if (!spill_next(s, tables, 2, part_bytes, &t, &e)) fail_msg("%s", e.text);
        if (!t) break;
        assert_true(t->change_count > 0);
        for (uint32_t k = 0; k < t->change_count; k++, at++, i++) {
            while (part < part_count && i == parts[part]->change_count) part++, i = 0;
            assert_true(part < part_count && at < keep);
            same_change(&parts[part]->changes[i], &t->changes[k]);
        }
    }
    assert_int_equal(at, keep);
    assert_int_equal(spill_changes(s), keep);
}

static void test_round_trip(void **state)
{
    (void)state;
    rng r;
    rng_init(&r, 11);
    for (int round = 0; round < 30; round++) {
        spill *s = open_spill();
        txn *parts[5];
        uint64_t total = 0;
        uint32_t n = 1 + (uint32_t)rng_below(&r, 5);
        err e = ERR_INIT;
        for (uint32_t i = 0; i < n; i++) {
            parts[i] = random_txn(&r, (uint32_t)rng_below(&r, 60));
            total += parts[i]->change_count;
            assert_true(spill_add(s, parts[i], &e));
        }
        same_changes(s, parts, n, total, 1);
        same_changes(s, parts, n, total, 1000);
        same_changes(s, parts, n, total, 100 << 20);
        for (uint32_t i = 0; i < n; i++) txn_free(parts[i]);
        spill_free(s);
    }
}

/* Cut back again and again, and added to after each cut. */
static void test_keep(void **state)
{
    (void)state;
    rng r;
    rng_init(&r, 12);
    for (int round = 0; round < 30; round++) {
        spill *s = open_spill();
        txn *all[8];
        uint32_t n = 0;
        uint64_t total = 0;
        err e = ERR_INIT;
        while (n < 8) {
            all[n] = random_txn(&r, 1 + (uint32_t)rng_below(&r, 30));
            assert_true(spill_add(s, all[n], &e));
            total += all[n++]->change_count;
            uint64_t keep = rng_below(&r, total + 1);
            assert_true(spill_keep(s, keep, &e));
            for (uint64_t drop = total - (keep < total ? keep : total); drop;) { /* the same on what is compared with */
                txn *last = all[n - 1];
                uint64_t take = drop < last->change_count ? drop : last->change_count;
                last->change_count -= (uint32_t)take;
                drop -= take;
                if (last->change_count == 0 && drop) txn_free(all[--n]);
            }
            total = keep < total ? keep : total;
            same_changes(s, all, n, total, 500);
            if (rng_chance(&r, 15)) break;
        }
        assert_true(spill_keep(s, UINT64_MAX, &e));
        same_changes(s, all, n, total, 4096);
        for (uint32_t i = 0; i < n; i++) txn_free(all[i]);
        spill_free(s);
    }
}

static void test_full_disk(void **state)
{
    (void)state;
    rng r;
    rng_init(&r, 13);
    err e = ERR_INIT;
    spill *s;
    assert_true(spill_new(folder, UINT64_MAX, &s, &e));
    txn *t = random_txn(&r, 50), *back;
    bool ok = spill_add(s, t, &e) && spill_next(s, tables, 2, 1000, &back, &e);
    assert_false(ok);
    assert_int_equal(e.code, ERR_DISK_FULL);
    assert_int_equal(e.retry, RETRY_LATER);
    assert_non_null(strstr(e.text, folder));
    txn_free(t);
    spill_free(s);
}

static void test_no_folder(void **state)
{
    (void)state;
    err e = ERR_INIT;
    spill *s;
    assert_false(spill_new("/proc/no/such", 0, &s, &e));
    assert_int_equal(e.code, ERR_IO);
}

/* 0600, and no name that anybody could open; what was left under a name is cleared. */
static void test_private(void **state)
{
    (void)state;
    char path[128];
    spill_clear("/nowhere");
    snprintf(path, sizeof path, "%s/spill-old", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    spill_clear(folder);
    assert_int_not_equal(access(path, F_OK), 0);
    spill *s = open_spill();
    int files = 0;
    for (int fd = 3; fd < 64; fd++) {
        char link[256] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        struct stat st;
        if (readlink(path, link, sizeof link - 1) <= 0 || !strstr(link, folder) || fstat(fd, &st) != 0) continue;
        files++;
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(st.st_nlink, 0);
    }
    assert_int_equal(files, 1);
    spill_free(s);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/sluice-spill-XXXXXX");
    if (!mkdtemp(folder)) return 2;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_keep), cmocka_unit_test(test_full_disk), cmocka_unit_test(test_no_folder),
                                       cmocka_unit_test(test_private)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(folder) ? 2 : failed;
}
