/* The store: opening, locking, transactions, sealed secrets, the key file. */
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

#include "base/file.h"
#include "catalog/db.h"

typedef struct fixture {
    char dir[64];
    catalog *c;
    arena a;
} fixture;

static void open_it(fixture *f)
{
    err e = ERR_INIT;
    if (!catalog_open(f->dir, clk_system(), &f->c, &e)) fail_msg("%s", e.text);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/sluice-test-db-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    arena_init(&f->a, 4096, 0);
    open_it(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    catalog_close(f->c);
    static const char *const names[] = {"sluice.db", "sluice.db-wal", "sluice.db-shm", "serve.lock", "secret.key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
    arena_finish(&f->a);
    free(f);
    return 0;
}

static void path_of(const fixture *f, const char *name, char out[128]) { snprintf(out, 128, "%s/%s", f->dir, name); }

static void test_files_are_private(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"sluice.db", "sluice.db-wal", "secret.key"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        struct stat st;
        path_of(f, names[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void test_second_serve_is_refused(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    catalog *second = NULL;
    assert_false(catalog_open(f->dir, clk_system(), &second, &e));
    assert_int_equal(e.code, ERR_CATALOG_BUSY);
    assert_null(second);
    assert_true(catalog_open_shared(f->dir, clk_system(), &second, &e));
    catalog_close(second);
}

static int64_t count(fixture *f)
{
    err e = ERR_INIT;
    catalog_rows r;
    assert_true(catalog_begin(f->c, &e));
    assert_true(catalog_select(f->c, &r, &e, "SELECT count(*) FROM meta WHERE name LIKE 't%'", ""));
    assert_true(catalog_next(f->c, &r, &e));
    int64_t n = catalog_i64(&r, 0);
    catalog_rows_end(&r);
    assert_true(catalog_commit(f->c, &e));
    return n;
}

static void test_commit_and_rollback(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    assert_true(catalog_begin(f->c, &e));
    assert_true(catalog_exec(f->c, &e, "INSERT INTO meta VALUES(?,?)", "sb", STR("t1"), STR("a\0b")));
    assert_int_equal(catalog_changes(f->c), 1);
    catalog_rollback(f->c);
    assert_int_equal(count(f), 0);
    assert_true(catalog_begin(f->c, &e));
    assert_true(catalog_exec(f->c, &e, "INSERT INTO meta VALUES(?,?)", "sb", STR("t1"), STR("a\0b")));
    assert_true(catalog_commit(f->c, &e));
    catalog_close(f->c);
    open_it(f);
    assert_int_equal(count(f), 1);
    catalog_rows r;
    assert_true(catalog_begin(f->c, &e));
    assert_true(catalog_select(f->c, &r, &e, "SELECT value, NULL FROM meta WHERE name=?", "s", STR("t1")));
    assert_true(catalog_next(f->c, &r, &e));
    assert_true(str_eq(catalog_text(&r, 0, &f->a), STR("a\0b")));
    assert_null(catalog_text(&r, 1, &f->a).p);
    assert_false(catalog_next(f->c, &r, &e));
    assert_int_equal(e.code, ERR_NONE);
    catalog_rows_end(&r);
    catalog_rollback(f->c);
}

static void test_bad_statement_is_an_error(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    assert_true(catalog_begin(f->c, &e));
    assert_false(catalog_begin(f->c, &e));
    assert_int_equal(e.code, ERR_INTERNAL);
    assert_false(catalog_exec(f->c, &e, "INSERT INTO nowhere VALUES(1)", ""));
    assert_int_equal(e.code, ERR_CATALOG);
    assert_non_null(strstr(e.text, "nowhere"));
    catalog_rollback(f->c);
}

static void test_seal(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    str sealed, again, plain;
    assert_true(catalog_seal(f->c, STR("pa55word"), STR("job/a/src"), &f->a, &sealed, &e));
    assert_true(catalog_seal(f->c, STR("pa55word"), STR("job/a/src"), &f->a, &again, &e));
    assert_false(str_eq(sealed, again));
    assert_int_equal(str_find(sealed, STR("pa55word")), SIZE_MAX);
    assert_true(catalog_unseal(f->c, sealed, STR("job/a/src"), &f->a, &plain, &e));
    assert_true(str_eq(plain, STR("pa55word")));
    assert_false(catalog_unseal(f->c, sealed, STR("job/b/src"), &f->a, &plain, &e));
    assert_int_equal(e.code, ERR_SECRET_KEY);
    for (size_t i = 0; i < sealed.n; i++) {
        char *bad = arena_copy_c(&f->a, sealed);
        memcpy(bad, sealed.p, sealed.n);
        bad[i] ^= 1;
        assert_false(catalog_unseal(f->c, (str){bad, sealed.n}, STR("job/a/src"), &f->a, &plain, &e));
        assert_false(catalog_unseal(f->c, str_sub(sealed, 0, i), STR("job/a/src"), &f->a, &plain, &e));
    }
    assert_true(catalog_seal(f->c, STR(""), STR("x"), &f->a, &sealed, &e));
    assert_true(catalog_unseal(f->c, sealed, STR("x"), &f->a, &plain, &e));
    assert_int_equal(plain.n, 0);
}

static void expect_key_error(fixture *f, const char *text)
{
    err e = ERR_INIT;
    assert_false(catalog_open(f->dir, clk_system(), &f->c, &e));
    assert_int_equal(e.code, ERR_SECRET_KEY);
    if (!strstr(e.text, text)) fail_msg("'%s' does not say '%s'", e.text, text);
}

static void test_key_file(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    char path[128];
    str good;
    path_of(f, "secret.key", path);
    assert_true(file_read(path, 1000, &f->a, &good, &e));
    catalog_close(f->c);
    f->c = NULL;
    assert_int_equal(chmod(path, 0640), 0);
    expect_key_error(f, "0640");
    assert_int_equal(unlink(path), 0);
    expect_key_error(f, "missing");
    assert_int_equal(access(path, F_OK), -1);
    assert_true(file_write_atomic(path, STR("xyz\n"), 0600, &e));
    expect_key_error(f, "64 hex digits");
    char *other = arena_copy_c(&f->a, good);
    other[3] = other[3] == '0' ? '1' : '0';
    assert_true(file_write_atomic(path, str_from_c(other), 0600, &e));
    expect_key_error(f, "does not open");
    assert_true(file_write_atomic(path, good, 0600, &e));
    open_it(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_are_private, setup, teardown),
        cmocka_unit_test_setup_teardown(test_second_serve_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commit_and_rollback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_statement_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_key_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
