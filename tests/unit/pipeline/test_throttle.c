/* Rate limits on a fake clock: the time that work takes, changes while waiting, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/throttle.h"

typedef struct fake {
    int64_t now;
    throttle *change; /* when set: no limit any more from `change_at` on */
    int64_t change_at;
    cancel *ask;      /* when set: asked at ask_at */
    int64_t ask_at;
} fake;

static int64_t fake_now(void *ctx) { return ((fake *)ctx)->now; }

static void fake_sleep(void *ctx, int64_t us)
{
    fake *f = ctx;
    f->now += us;
    if (f->change && f->now >= f->change_at) throttle_set(f->change, THROTTLE_STREAM, (throttle_limit){-1, -1, -1});
    if (f->ask && f->now >= f->ask_at) cancel_ask(f->ask);
}

typedef struct fixture {
    fake time;
    clk clock;
    throttle t;
    cancel stop;
} fixture;

static void fixture_init(fixture *f, throttle_limit limit)
{
    *f = (fixture){.time = {.now = 1000000000}};
    f->clock = (clk){fake_now, fake_now, fake_sleep, &f->time};
    err e = ERR_INIT;
    assert_true(cancel_init(&f->stop, &e));
    throttle_init(&f->t);
    throttle_set(&f->t, THROTTLE_STREAM, limit);
}

static void fixture_finish(fixture *f)
{
    throttle_finish(&f->t);
    cancel_finish(&f->stop);
}

static int64_t pace(fixture *f, uint64_t rows, uint64_t bytes, uint64_t queries)
{
    int64_t before = f->time.now;
    throttle_pace(&f->t, THROTTLE_STREAM, rows, bytes, queries, &f->clock, &f->stop);
    return f->time.now - before;
}

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        throttle_limit limit;
        uint64_t rows, bytes, queries;
        int64_t us;
    } cases[] = {
        {{-1, -1, -1}, 1000000, 1000000, 1000, 0},
        {{0, 0, 0}, 1000000, 1000000, 1000, 0},
        {{1000, -1, -1}, 500, 1 << 30, 1, 500000},
        {{-1, 1000000, -1}, 1, 2000000, 1, 2000000},
        {{-1, -1, 10}, 1, 1, 5, 500000},
        {{1000, 1000000, -1}, 100, 1000000, 1, 1000000}, /* the slower one counts */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        fixture_init(&f, cases[i].limit);
        assert_in_range(pace(&f, cases[i].rows, cases[i].bytes, cases[i].queries) - cases[i].us + 10, 0, 20);
        fixture_finish(&f);
    }
}

static void test_time_pays(void **state)
{
    (void)state;
    fixture f;
    fixture_init(&f, (throttle_limit){1000, -1, -1});
    int64_t begin = f.time.now;
    for (int i = 0; i < 100; i++) {
        f.time.now += 20000; /* the work itself takes time, which is not waited for again */
        pace(&f, 100, 0, 1);
    }
    int64_t took = f.time.now - begin;
    assert_in_range(took, 9900000, 10100000); /* 10 000 rows at 1 000 a second */
    fixture_finish(&f);
}

static void test_change_frees_waiters(void **state)
{
    (void)state;
    fixture f;
    fixture_init(&f, (throttle_limit){1, -1, -1});
    f.time.change = &f.t;
    f.time.change_at = f.time.now + 3000000;
    assert_in_range(pace(&f, 1000, 0, 1), 3000000, 3100000);
    assert_int_equal(pace(&f, 1000, 0, 1), 0);
    fixture_finish(&f);
}

static void test_cancel(void **state)
{
    (void)state;
    fixture f;
    fixture_init(&f, (throttle_limit){1, -1, -1});
    f.time.ask = &f.stop;
    f.time.ask_at = f.time.now + 2000000;
    assert_in_range(pace(&f, 1000, 0, 1), 2000000, 2100000);
    fixture_finish(&f);
}

static void test_phases_are_apart(void **state)
{
    (void)state;
    fixture f;
    fixture_init(&f, (throttle_limit){1, -1, -1});
    int64_t before = f.time.now;
    throttle_pace(&f.t, THROTTLE_FULL, 1000, 0, 1, &f.clock, &f.stop);
    assert_int_equal(f.time.now, before);
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates), cmocka_unit_test(test_time_pays), cmocka_unit_test(test_change_frees_waiters),
        cmocka_unit_test(test_cancel), cmocka_unit_test(test_phases_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
