/* Policies of keys as a table; token buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/policy.h"
#include "api/ratelimit.h"

#define ALLOW(action, resource) "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":" action ",\"Resource\":" resource "}]}"
#define TWO(a, b) "{\"Statement\":[" a "," b "]}"
#define ONE(effect, action, resource) "{\"Effect\":\"" effect "\",\"Action\":" action ",\"Resource\":" resource "}"

static void policies_decide(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *action, *instance;
        bool allowed;
    } rows[] = {
        {"", "DeleteDtsJob", "dtsabc", true},
        {ALLOW("\"dts:*\"", "\"*\""), "DeleteDtsJob", "dtsabc", true},
        {ALLOW("\"DTS:describe*\"", "\"*\""), "DescribeDtsJobs", "", true},
        {ALLOW("\"dts:Describe*\"", "\"*\""), "DeleteDtsJob", "", false},
        {ALLOW("\"dts:Describe*s\"", "\"*\""), "DescribeDtsJobDetail", "", false},
        {ALLOW("[\"dts:StartDtsJob\",\"dts:StopDtsJob\"]", "\"*\""), "StopDtsJob", "", true},
        {ALLOW("\"ecs:*\"", "\"*\""), "StopDtsJob", "", false},
        {ALLOW("\"*\"", "\"acs:dts:*:*:instance/dtsabc\""), "StopDtsJob", "dtsabc", true},
        {ALLOW("\"*\"", "\"acs:dts:*:*:instance/dtsabc\""), "StopDtsJob", "dtsabd", false},
        {ALLOW("\"*\"", "\"acs:dts:*:*:instance/dtsabc\""), "DescribeDtsJobs", "", false},
        {ALLOW("\"*\"", "[\"acs:dts:*:*:instance/x\",\"acs:dts:*:*:instance/dts*\"]"), "StopDtsJob", "dtsabd", true},
        {TWO(ONE("Allow", "\"dts:*\"", "\"*\""), ONE("Deny", "\"dts:Delete*\"", "\"*\"")), "DeleteDtsJob", "dtsabc", false},
        {TWO(ONE("Deny", "\"dts:Delete*\"", "\"*\""), ONE("Allow", "\"dts:*\"", "\"*\"")), "DeleteDtsJobs", "", false},
        {TWO(ONE("Deny", "\"dts:Delete*\"", "\"*\""), ONE("Allow", "\"dts:*\"", "\"*\"")), "StartDtsJob", "", true},
        {ALLOW("\"dts:\"", "\"*\""), "StartDtsJob", "", false},
        {"{\"Statement\":[]}", "StartDtsJob", "", false},
        {"not json", "StartDtsJob", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool got = policy_allows(str_from_c(rows[i].policy), str_from_c(rows[i].action), str_from_c(rows[i].instance));
        if (got != rows[i].allowed) fail_msg("row %zu: %s on %s with %s", i, rows[i].action, rows[i].instance, rows[i].policy);
    }
}

static void unreadable_policies_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "[]", "{}", "{\"Statement\":{}}", TWO("1", "2"), ALLOW("1", "\"*\""), ALLOW("[]", "\"*\""), ALLOW("[1]", "\"*\""), ALLOW("\"*\"", "null"),
                                      "{\"Statement\":[" ONE("allow", "\"*\"", "\"*\"") "]}", "{\"Statement\":[" ONE("Allow", "\"*\"", "\"*\"") "],\"Statement\":[]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err e = ERR_INIT;
        if (policy_check(str_from_c(bad[i]), &e) || e.code != ERR_BAD_INPUT) fail_msg("row %zu was taken: %s", i, bad[i]);
    }
}

/* Many stars must not cost more than pattern x text. */
static void hostile_patterns_end_soon(void **state)
{
    (void)state;
    char policy[4096] = "{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":\"";
    size_t n = strlen(policy);
    for (int i = 0; i < 1000; i++) memcpy(policy + n, "*a", 2), n += 2;
    memcpy(policy + n, "b\"}]}", 6);
    char action[128];
    memset(action, 'a', sizeof action);
    assert_false(policy_allows(str_from_c(policy), (str){action, 100}, STR("")));
}

static void buckets_refill(void **state)
{
    (void)state;
    ratelimit *r = ratelimit_new(10, 3);
    int64_t now = 1000000;
    assert_non_null(r);
    for (int i = 0; i < 3; i++) assert_true(ratelimit_take(r, STR("a"), now));
    assert_false(ratelimit_take(r, STR("a"), now));
    assert_true(ratelimit_take(r, STR("b"), now));
    assert_false(ratelimit_take(r, STR("a"), now + 99000));
    assert_true(ratelimit_take(r, STR("a"), now + 199000));
    for (int i = 0; i < 3; i++) assert_true(ratelimit_take(r, STR("a"), now + 100000000));
    assert_false(ratelimit_take(r, STR("a"), now + 100000000));
    ratelimit_free(r);
    r = ratelimit_new(0, 1);
    for (int i = 0; i < 1000; i++) assert_true(ratelimit_take(r, STR("a"), now));
    ratelimit_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_decide),
        cmocka_unit_test(unreadable_policies_are_refused),
        cmocka_unit_test(hostile_patterns_end_soon),
        cmocka_unit_test(buckets_refill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
