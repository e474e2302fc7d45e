/* The task as answers show it: declared types, texts as submitted, no secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/job_object.h"

static const char *text(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    if (!json_is_string(v)) fail_msg("%s is no text", name);
    return json_string_value(v);
}

static job_record sample(void)
{
    return (job_record){.job_id = STR("l3m1213ye7l0000"), .instance_id = STR("dtsl3m1213ye7l0000"), .name = STR("n"), .type = JOB_SYNC, .state = JOB_STATE_SYNCHRONIZING, .configured = true,
                        .schema = true, .full = true, .incremental = true, .source = {.engine_name = STR("mysql"), .host = STR("10.0.0.1"), .port = STR("3306"), .user = STR("u")},
                        .target = {.engine_name = STR("MARIADB"), .host = STR("10.0.0.2"), .port = STR("3307"), .ssl = STR("1")}, .db_list = STR("{\"b\" : {\"name\":\"b\"}, \"a\":{}}"),
                        .reserve = STR("{\"netType\":\"VPC\", \"x\":1}"), .created_us = 1615881679000000, .source_commit_us = 1616405159999999, .delay_ms = 2500,
                        .stream = {.status = STR("Catched"), .percent = 95, .progress = STR("0.00RPS/(0.000MB/s)")}};
}

static void members_have_their_declared_types(void **state)
{
    (void)state;
    job_record r = sample();
    json_t *o = json_object();
    job_object_fill(o, &r, 0, true, true);
    static const char *const texts[] = {"DtsJobId", "DtsInstanceID", "DtsJobName", "Status", "JobType", "DtsJobClass", "PayType", "CreateTime", "ExpireTime", "DbObject", "Reserved", "ErrorMessage",
                                        "SynchronizationDirection"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) text(o, texts[i]);
    assert_string_equal(text(o, "DbObject"), "{\"b\" : {\"name\":\"b\"}, \"a\":{}}");
    assert_string_equal(text(o, "Reserved"), "{\"netType\":\"VPC\", \"x\":1}");
    assert_string_equal(text(o, "CreateTime"), "2021-03-16T08:01:19Z");
    assert_int_equal(json_integer_value(json_object_get(o, "Checkpoint")), 1616405159);
    assert_int_equal(json_integer_value(json_object_get(o, "Delay")), 2500);
    const json_t *mode = json_object_get(o, "MigrationMode"), *to = json_object_get(o, "DestinationEndpoint");
    assert_true(json_is_true(json_object_get(mode, "StructureInitialization")) && json_is_true(json_object_get(mode, "DataInitialization")));
    assert_string_equal(text(to, "Port"), "3307");
    assert_string_equal(text(to, "EngineName"), "MariaDB");
    assert_string_equal(text(to, "SslSolutionEnum"), "ENABLE_WITH_CERTIFICATE");
    assert_string_equal(text(json_object_get(o, "DataSynchronizationStatus"), "Percent"), "95");
    assert_true(json_is_object(json_object_get(o, "SubscriptionHost")) && json_is_boolean(json_object_get(json_object_get(o, "SubscriptionDataType"), "Ddl")));
    json_decref(o);
}

static void lists_use_seconds_and_texts(void **state)
{
    (void)state;
    job_record r = sample();
    json_t *o = json_object();
    job_object_fill(o, &r, 0, false, false);
    assert_null(json_object_get(o, "DbObject"));
    assert_string_equal(text(o, "Checkpoint"), "1616405159");
    assert_int_equal(json_integer_value(json_object_get(o, "Delay")), 2);
    json_decref(o);
    r.type = JOB_MIGRATION;
    o = json_object();
    job_object_fill(o, &r, 0, false, true);
    assert_int_equal(json_integer_value(json_object_get(o, "Delay")), 2500);
    assert_string_equal(text(o, "JobType"), "online");
    json_decref(o);
}

/* A server's error text can be cut inside a character. */
static void errors_are_always_a_text(void **state)
{
    (void)state;
    job_record r = sample();
    json_t *o = json_object();
    r.error_code = STR("SourceConnectFailed");
    r.error_text = STR("no \xe8\xbf");
    job_object_fill(o, &r, 0, true, true);
    assert_string_equal(text(o, "ErrorMessage"), "SourceConnectFailed: no ??");
    json_decref(o);
}

/* Times in seconds, from the job's own setting: 10 to 1440 are minutes, other numbers seconds. */
static void retry_times_come_from_the_job(void **state)
{
    (void)state;
    static const struct {
        const char *reserve;
        int seconds;
    } rows[] = {
        {"", 43200}, {"{}", 43200}, {"{\"maxRetryTime\":43200}", 43200}, {"{\"maxRetryTime\":\"720\"}", 43200}, {"{\"maxRetryTime\":10}", 600}, {"{\"maxRetryTime\":1440}", 86400},
        {"{\"maxRetryTime\":1441}", 1441}, {"{\"maxRetryTime\":9}", 9}, {"{\"maxRetryTime\":\"0\"}", 0}, {"{\"maxRetryTime\":-1}", 43200}, {"{\"maxRetryTime\":[1]}", 43200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        job_record r = sample();
        json_t *o = json_object();
        r.reserve = str_from_c(rows[i].reserve);
        r.retrying = true;
        r.retry_count = 5;
        r.retry_since_us = 1616405159000000;
        r.retry_target = STR("destDB");
        job_object_fill(o, &r, 1616405249500000, i % 2, false);
        const json_t *retry = json_object_get(o, "RetryState");
        assert_int_equal(json_integer_value(json_object_get(retry, "MaxRetryTime")), rows[i].seconds);
        assert_int_equal(json_integer_value(json_object_get(retry, "RetryTime")), 90);
        assert_string_equal(text(retry, "RetryTarget"), "destDB");
        assert_string_equal(text(retry, "Module"), "02");
        json_decref(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_have_their_declared_types),
        cmocka_unit_test(lists_use_seconds_and_texts),
        cmocka_unit_test(errors_are_always_a_text),
        cmocka_unit_test(retry_times_come_from_the_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
