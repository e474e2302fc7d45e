/* Addresses that no endpoint may have, in every spelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/policy.h"

static const struct {
    const char *host;
    bool refused;
} cases[] = {
    {"169.254.169.254", true}, {"169.254.0.1", true}, {"100.100.100.200", true}, {"0.0.0.0", true}, {"224.0.0.1", true}, {"239.255.255.255", true},
    {"fe80::1", true}, {"ff02::1", true}, {"::", true}, {"::ffff:169.254.169.254", true}, {"::ffff:a9fe:a9fe", true},
    {"127.0.0.1", false}, {"::1", false}, {"10.0.0.1", false}, {"192.168.1.1", false}, {"8.8.8.8", false}, {"2001:db8::1", false}, {"::ffff:10.0.0.1", false},
    {"170.254.0.1", false}, {"100.100.100.201", false},
};

static void test_numeric(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int resolve = 0; resolve < 2; resolve++) {
            err e = ERR_INIT;
            str host = str_from_c(cases[i].host);
            bool ok = resolve ? policy_check_resolved(host, &e) : policy_check_host(host, &e);
            if (ok == cases[i].refused) fail_msg("%s was %s", cases[i].host, ok ? "accepted" : "refused");
            if (!ok) assert_int_equal(e.code, ERR_ADDRESS_REFUSED);
        }
}

/* Old spellings of an address (one number, octal, hexadecimal) are names to inet_pton and addresses to the resolver. */
static void test_other_spellings(void **state)
{
    (void)state;
    static const char *const spelt[] = {"2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"};
    for (size_t i = 0; i < sizeof spelt / sizeof *spelt; i++) {
        err e = ERR_INIT;
        assert_true(policy_check_host(str_from_c(spelt[i]), &e));
        if (policy_check_resolved(str_from_c(spelt[i]), &e)) fail_msg("%s was accepted", spelt[i]);
        assert_int_equal(e.code, ERR_ADDRESS_REFUSED);
    }
    err e = ERR_INIT;
    assert_true(policy_check_resolved(STR("localhost"), &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numeric), cmocka_unit_test(test_other_spellings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
