/* Clock, randomness, encodings, errors, files with injected faults, the queue between threads. */
#include <errno.h>
#include <pthread.h>
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

#include "base/cancel.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/queue.h"
#include "base/random.h"

static void times_are_formatted_and_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"1970-01-01T00:00:00Z", 0}, {"2021-03-16T08:01:19Z", 1615881679}, {"2024-02-29T23:59:59Z", 1709251199}, {"9999-12-31T23:59:59Z", 253402300799}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char out[CLOCK_ISO_BYTES];
        int64_t us = -1;
        clock_format_iso(good[i].seconds * 1000000 + 999999, out);
        assert_string_equal(out, good[i].text);
        assert_true(clock_parse_iso(str_from_c(good[i].text), &us));
        assert_true(us == good[i].seconds * 1000000);
    }
    static const char *const bad[] = {"", "2021-03-16T08:01:19", "2021-03-16 08:01:19Z", "2023-02-29T00:00:00Z", "2021-13-01T00:00:00Z", "2021-00-01T00:00:00Z",
                                      "2021-01-32T00:00:00Z", "2021-01-01T24:00:00Z", "2021-01-01T00:60:00Z", "2021-01-01T00:00:61Z", "2021-1-01T00:00:000Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t us;
        if (clock_parse_iso(str_from_c(bad[i]), &us)) fail_msg("accepted %s", bad[i]);
    }
    char out[CLOCK_ISO_MS_BYTES];
    clock_format_iso_ms(1647417691007000, out);
    assert_string_equal(out, "2022-03-16T08:01:31.007+00:00");
    clock_format_iso_ms(-5, out);
    assert_string_equal(out, "1970-01-01T00:00:00.000+00:00");
    const clk *c = clk_system();
    int64_t before = clk_mono_us(c);
    clk_sleep_us(c, 2000);
    assert_true(clk_mono_us(c) - before >= 2000);
    assert_true(clk_wall_us(c) > 1700000000000000);
}

static void seeds_repeat_and_bounds_hold(void **state)
{
    (void)state;
    rng a, b;
    rng_init(&a, 42);
    rng_init(&b, 42);
    for (int i = 0; i < 1000; i++) assert_true(rng_next(&a) == rng_next(&b));
    rng_init(&b, 43);
    assert_true(rng_next(&a) != rng_next(&b));
    unsigned seen[7] = {0}, hits = 0;
    for (int i = 0; i < 7000; i++) seen[rng_below(&a, 7)]++;
    for (int i = 0; i < 7; i++) assert_in_range(seen[i], 800, 1200);
    assert_int_equal(rng_below(&a, 1), 0);
    for (int i = 0; i < 10000; i++) hits += rng_chance(&a, 20);
    assert_in_range(hits, 1800, 2200);
    char id[17], other[17], uuid[RANDOM_UUID_BYTES];
    random_id(id, 16);
    random_id(other, 16);
    assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789"), 16);
    assert_string_not_equal(id, other);
    random_uuid(uuid);
    assert_int_equal(strlen(uuid), 36);
    assert_true(uuid[14] == '4' && strchr("89AB", uuid[19]) && strspn(uuid, "0123456789ABCDEF-") == 36);
}

static void encodings_match_their_standards(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *base64;
    } rfc4648[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe", "//4="}};
    arena a;
    arena_init(&a, 1024, 0);
    for (size_t i = 0; i < sizeof rfc4648 / sizeof *rfc4648; i++) {
        BUF_AUTO b = BUF_INIT;
        encode_base64(&b, str_from_c(rfc4648[i].plain));
        assert_string_equal(buf_c(&b), rfc4648[i].base64);
        str back = decode_base64(&a, str_from_c(rfc4648[i].base64));
        assert_true(back.p && str_eq(back, str_from_c(rfc4648[i].plain)));
    }
    static const char *const bad64[] = {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9\n", "=Zm9", "Zm9v="};
    for (size_t i = 0; i < sizeof bad64 / sizeof *bad64; i++)
        if (decode_base64(&a, str_from_c(bad64[i])).p) fail_msg("accepted %s", bad64[i]);
    assert_true(str_eq(decode_hex(&a, STR("00aAfF")), STR("\x00\xaa\xff")));
    assert_true(!decode_hex(&a, STR("0")).p && !decode_hex(&a, STR("0g")).p && decode_hex(&a, STR("")).p);
    BUF_AUTO b = BUF_INIT;
    encode_percent(&b, STR("aZ09-_.~ *+/\xc3\xa9\0"));
    assert_string_equal(buf_c(&b), "aZ09-_.~%20%2A%2B%2F%C3%A9%00");
    assert_true(str_eq(decode_form(&a, STR("a+b%20c%2Fd%zz%4")), STR("a b c/d%zz%4")));
    arena_finish(&a);
}

static void every_error_code_explains_itself(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_CODE_COUNT; i++) {
        err_code code = (err_code)i;
        assert_true(err_name(code) && *err_name(code) && err_meaning(code) && *err_meaning(code) && err_fix(code));
        assert_int_equal(strspn(err_name(code), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"), strlen(err_name(code)));
        if (code == ERR_NONE) continue;
        if (!*err_fix(code)) fail_msg("%s has no fix", err_name(code));
        assert_in_range(err_exit_status(code), 1, 130);
        assert_int_equal(err_code_from_name(str_from_c(err_name(code))), code); /* and so no name twice */
    }
    assert_int_equal(err_code_from_name(STR("no such")), ERR_NONE);
    assert_string_equal(err_name(ERR_CODE_COUNT), err_name(ERR_INTERNAL));
}

static void error_texts_are_cut_not_overrun(void **state)
{
    (void)state;
    err e = ERR_INIT;
    assert_false(err_set(&e, ERR_LIMIT, "%02000d", 1));
    assert_int_equal(strlen(e.text), ERR_TEXT_BYTES - 1);
    err_context(&e, "outer");
    assert_memory_equal(e.text, "outer: 0000", 11);
    assert_int_equal(strlen(e.text), ERR_TEXT_BYTES - 1);
    assert_int_equal(e.code, ERR_LIMIT);
    err_set(&e, ERR_LIMIT, "inner");
    err_set(&e, ERR_IO, "wraps %s", e.text);
    assert_string_equal(e.text, "wraps inner");
    err_set_errno(&e, ENOSPC, "write x");
    assert_true(e.code == ERR_DISK_FULL && e.retry == RETRY_LATER && e.native == ENOSPC && strstr(e.text, "write x: "));
    err_set_errno(&e, EACCES, "write x");
    assert_true(e.code == ERR_IO && e.retry == RETRY_NEVER);
    assert_false(err_set(NULL, ERR_IO, "nobody listens"));
    assert_false(err_context(NULL, "nobody listens"));
}

/* A fake file: each call moves at most `step` bytes; the call number `fail_at` fails with `number`. */
typedef struct fake {
    char bytes[64];
    size_t size, step;
    int calls, fail_at, number;
} fake;

static ssize_t fake_pwrite(void *ctx, int fd, const void *p, size_t n, off_t at)
{
    fake *f = ctx;
    (void)fd;
    if (++f->calls == f->fail_at) return errno = f->number, f->number ? -1 : 0;
    if (n > f->step) n = f->step;
    memcpy(f->bytes + at, p, n);
    if ((size_t)at + n > f->size) f->size = (size_t)at + n;
    return (ssize_t)n;
}

static ssize_t fake_pread(void *ctx, int fd, void *p, size_t n, off_t at)
{
    fake *f = ctx;
    (void)fd;
    if (++f->calls == f->fail_at) return errno = f->number, -1;
    if (n > f->step) n = f->step;
    if ((size_t)at >= f->size) return 0;
    if (n > f->size - (size_t)at) n = f->size - (size_t)at;
    memcpy(p, f->bytes + at, n);
    return (ssize_t)n;
}

static void short_and_failing_io_is_handled(void **state)
{
    (void)state;
    fake f = {.step = 3};
    fio io = *fio_system();
    io.pwrite = fake_pwrite;
    io.pread = fake_pread;
    io.ctx = &f;
    err e = ERR_INIT;
    assert_true(fio_write_all(&io, 0, STR("0123456789"), 2, "log", &e));
    assert_memory_equal(f.bytes + 2, "0123456789", 10);
    assert_int_equal(f.calls, 4);
    char back[10];
    assert_true(fio_read_all(&io, 0, back, 10, 2, "log", &e));
    assert_memory_equal(back, "0123456789", 10);
    assert_false(fio_read_all(&io, 0, back, 10, 4, "log", &e));
    assert_true(e.code == ERR_CORRUPT && strstr(e.text, "log ends 2 bytes too early"));

    f.calls = 0, f.fail_at = 2, f.number = EINTR;
    assert_true(fio_write_all(&io, 0, STR("abcdef"), 0, "log", &e));
    assert_memory_equal(f.bytes, "abcdef", 6);
    f.calls = 0, f.number = ENOSPC;
    assert_false(fio_write_all(&io, 0, STR("abcdef"), 0, "log", &e));
    assert_true(e.code == ERR_DISK_FULL && e.native == ENOSPC && strstr(e.text, "write log"));
    f.calls = 0, f.number = EIO;
    assert_false(fio_write_all(&io, 0, STR("abcdef"), 0, "log", &e));
    assert_int_equal(e.code, ERR_IO);
    f.calls = 0, f.number = 0; /* a write of nothing must not loop for ever */
    assert_false(fio_write_all(&io, 0, STR("abcdef"), 0, "log", &e));
    assert_int_equal(e.code, ERR_IO);
    f.calls = 0, f.number = EINTR;
    assert_true(fio_read_all(&io, 0, back, 6, 0, "log", &e));
    f.calls = 0, f.number = EIO;
    assert_false(fio_read_all(&io, 0, back, 6, 0, "log", &e));
    assert_true(e.code == ERR_IO && strstr(e.text, "read log"));
}

static void files_are_replaced_whole(void **state)
{
    (void)state;
    char folder[] = "/tmp/sluice-unit-XXXXXX";
    assert_non_null(mkdtemp(folder));
    arena a;
    arena_init(&a, 1024, 0);
    err e = ERR_INIT;
    str path = arena_printf(&a, "%s/a/b/file", folder), parent = arena_printf(&a, "%s/a/b", folder), tmp = arena_printf(&a, "%s.tmp", path.p);
    assert_false(file_write_atomic(path.p, STR("x"), 0600, &e));
    assert_true(e.code == ERR_IO && e.native == ENOENT);
    assert_true(file_make_dirs(parent.p, 0700, &e) && file_make_dirs(parent.p, 0700, &e));
    assert_true(file_write_atomic(path.p, STR("first, longer"), 0600, &e));
    assert_true(file_write_atomic(path.p, STR("second"), 0640, &e));
    struct stat st;
    assert_int_equal(stat(path.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_not_equal(access(tmp.p, F_OK), 0);
    str got;
    assert_true(file_read(path.p, 6, &a, &got, &e) && str_eq(got, STR("second")) && got.p[got.n] == 0);
    assert_false(file_read(path.p, 5, &a, &got, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_false(file_read(parent.p, 100, &a, &got, &e));
    assert_int_equal(e.code, ERR_BAD_INPUT);
    assert_false(file_read(tmp.p, 100, &a, &got, &e));
    assert_int_equal(e.code, ERR_IO);
    unlink(path.p);
    rmdir(parent.p);
    rmdir(arena_printf(&a, "%s/a", folder).p);
    assert_int_equal(rmdir(folder), 0);
    arena_finish(&a);
}

#define ITEMS 20000
typedef struct producer {
    queue *q;
    size_t most_bytes;
} producer;

static void *produce(void *arg)
{
    producer *p = arg;
    for (uintptr_t i = 1; i <= ITEMS; i++) {
        if (queue_push(p->q, (void *)i, i % 97, -1) != QUEUE_OK) return (void *)1;
        size_t bytes = queue_bytes(p->q);
        if (bytes > p->most_bytes) p->most_bytes = bytes;
    }
    queue_close(p->q);
    return NULL;
}

static void queue_keeps_order_and_budget_between_threads(void **state)
{
    (void)state;
    producer p = {.q = queue_new(500)};
    assert_non_null(p.q);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
    uintptr_t next = 1;
    void *item;
    queue_result result;
    while ((result = queue_pop(p.q, 20000, &item)) == QUEUE_OK) assert_int_equal((uintptr_t)item, next++);
    void *failed;
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(result, QUEUE_CLOSED);
    assert_int_equal(next, ITEMS + 1);
    assert_true(p.most_bytes <= 500);
    assert_int_equal(queue_bytes(p.q), 0);
    queue_free(p.q);
}

static void *close_later(void *arg)
{
    clk_sleep_us(clk_system(), 20000);
    queue_close(arg);
    return NULL;
}

static void queue_waits_with_deadlines_and_wakes_on_close(void **state)
{
    (void)state;
    queue *q = queue_new(10);
    void *item = NULL;
    int token;
    const clk *c = clk_system();
    assert_int_equal(queue_pop(q, 0, &item), QUEUE_TIMEOUT);
    int64_t before = clk_mono_us(c);
    assert_int_equal(queue_pop(q, 30, &item), QUEUE_TIMEOUT);
    assert_true(clk_mono_us(c) - before >= 29000);
    assert_int_equal(queue_push(q, &token, 1000, 0), QUEUE_OK); /* one item always fits */
    before = clk_mono_us(c);
    assert_int_equal(queue_push(q, &token, 1, 30), QUEUE_TIMEOUT);
    assert_true(clk_mono_us(c) - before >= 29000);
    assert_int_equal(queue_items(q), 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, close_later, q), 0);
    assert_int_equal(queue_push(q, &token, 1, -1), QUEUE_CLOSED);
    pthread_join(thread, NULL);
    assert_int_equal(queue_pop(q, -1, &item), QUEUE_OK); /* what is inside stays */
    assert_ptr_equal(item, &token);
    assert_int_equal(queue_pop(q, -1, &item), QUEUE_CLOSED);
    queue_free(q);
    queue_free(NULL);
}

static void *cancel_later(void *arg)
{
    clk_sleep_us(clk_system(), 20000);
    cancel_ask(arg);
    return NULL;
}

static void cancel_wakes_a_waiter(void **state)
{
    (void)state;
    cancel c;
    err e = ERR_INIT;
    assert_true(cancel_init(&c, &e));
    assert_false(cancel_wait_ms(&c, 5));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &c), 0);
    assert_true(cancel_wait_ms(&c, 20000));
    pthread_join(thread, NULL);
    cancel_ask(&c);
    assert_true(cancel_asked(&c) && cancel_wait_ms(&c, 0));
    assert_false(cancel_error(&e));
    assert_int_equal(e.code, ERR_CANCELLED);
    cancel_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_formatted_and_parsed), cmocka_unit_test(seeds_repeat_and_bounds_hold), cmocka_unit_test(encodings_match_their_standards),
        cmocka_unit_test(every_error_code_explains_itself), cmocka_unit_test(error_texts_are_cut_not_overrun), cmocka_unit_test(short_and_failing_io_is_handled),
        cmocka_unit_test(files_are_replaced_whole), cmocka_unit_test(queue_keeps_order_and_budget_between_threads),
        cmocka_unit_test(queue_waits_with_deadlines_and_wakes_on_close), cmocka_unit_test(cancel_wakes_a_waiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
