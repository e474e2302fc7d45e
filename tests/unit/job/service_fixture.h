/* A service over a fresh data folder, with a clock that tests move. */
#ifndef TESTS_UNIT_JOB_SERVICE_FIXTURE_H
#define TESTS_UNIT_JOB_SERVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog/work.h"
#include "job/service.h"

#define SOURCE_PASSWORD "planted-S3cret-of-the-source"
#define TARGET_PASSWORD "planted-S3cret-of-the-target"
#define ALL_OF_SHOP "{\"shop\":{\"name\":\"shop\",\"all\":true}}"

typedef struct fixture {
    char dir[64];
    int64_t ahead_us; /* how far the clock is ahead of the real one */
    clk clock;
    catalog *c;
    service *s;
    arena a;
} fixture;

static inline int64_t fixture_wall(void *ctx) { return clk_wall_us(clk_system()) + ((fixture *)ctx)->ahead_us; }
static inline int64_t fixture_mono(void *ctx) { return clk_mono_us(clk_system()) + ((fixture *)ctx)->ahead_us; }
static inline void fixture_sleep(void *ctx, int64_t us) { ((fixture *)ctx)->ahead_us += us; }

static inline void fixture_open(fixture *f)
{
    err e = ERR_INIT;
    if (!catalog_open(f->dir, &f->clock, &f->c, &e) || !service_open(f->c, &f->s, &e)) fail_msg("%s", e.text);
}

static inline void fixture_close(fixture *f)
{
    service_close(f->s);
    catalog_close(f->c);
    f->s = NULL;
    f->c = NULL;
}

static inline int fixture_setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/sluice-test-job-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->clock = (clk){fixture_wall, fixture_mono, fixture_sleep, f};
    arena_init(&f->a, 64 * 1024, 0);
    fixture_open(f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    static const char *const names[] = {"sluice.db", "sluice.db-wal", "sluice.db-shm", "serve.lock", "secret.key"};
    fixture *f = *state;
    fixture_close(f);
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

static inline job_record create(fixture *f, const char *type)
{
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r;
    create_request q = {.type = str_from_c(type), .region = STR("local")};
    if (!service_create(f->s, &q, &f->a, &r, &fault, &e)) fail_msg("%s", e.text);
    return r;
}

static inline configure_request request_for(str job_id, const char *type)
{
    return (configure_request){
        .ref = {.job_id = job_id}, .name = STR("a job"), .type = str_from_c(type), .schema = true, .full = true, .incremental = true,
        .source = {.instance_type = STR("OTHER"), .engine_name = STR("MYSQL"), .host = STR("127.0.0.1"), .port = STR("3306"), .user = STR("u"), .password = STR(SOURCE_PASSWORD)},
        .target = {.instance_type = STR("OTHER"), .engine_name = STR("MARIADB"), .host = STR("127.0.0.1"), .port = STR("3307"), .user = STR("u"), .password = STR(TARGET_PASSWORD)},
        .db_list = STR(ALL_OF_SHOP), .reserve = STR("{\"autoStartModulesAfterConfig\":\"none\"}")};
}

/* A configured job that has not started. */
static inline job_record configured(fixture *f, const char *type)
{
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = create(f, type);
    configure_request q = request_for(r.job_id, type);
    if (!service_configure(f->s, &q, &f->a, &r, &fault, &e)) fail_msg("%s (%.*s)", e.text, STR_ARG(fault.param));
    return r;
}

static inline job_record get(fixture *f, str job_id)
{
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r;
    if (!service_get(f->s, (job_ref){.job_id = job_id}, &f->a, &r, &fault, &e)) fail_msg("%s", e.text);
    return r;
}

static inline void assert_state(fixture *f, str job_id, job_state expected)
{
    job_record r = get(f, job_id);
    if (r.state != expected) fail_msg("the job is %s, not %s", job_state_text(r.state), job_state_text(expected));
}

static inline void assert_gone(fixture *f, str job_id)
{
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r;
    assert_false(service_get(f->s, (job_ref){.job_id = job_id}, &f->a, &r, &fault, &e));
    assert_int_equal(e.code, ERR_JOB_NOT_FOUND);
}

static inline void assert_text(str s, const char *expected)
{
    if (!str_eq(s, str_from_c(expected))) fail_msg("'%.*s' is not '%s'", STR_ARG(s), expected);
}

#endif
