/* Addresses that endpoints may not have, in every spelling; the service's own listeners; the list of allowed ones. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/policy.h"

static const struct {
    const char *host;
    bool refused;
} cases[] = {
    {"169.254.169.254", true}, {"169.254.0.1", true}, {"100.100.100.200", true}, {"0.0.0.0", true}, {"224.0.0.1", true}, {"239.255.255.255", true},
    {"fe80::1", true}, {"ff02::1", true}, {"::", true}, {"::ffff:169.254.169.254", true}, {"::ffff:a9fe:a9fe", true}, {"fd00:ec2::254", true}, {"febf::1", true}, {"255.255.255.255", true},
    {"127.0.0.1", false}, {"::1", false}, {"10.0.0.1", false}, {"192.168.1.1", false}, {"8.8.8.8", false}, {"2001:db8::1", false}, {"::ffff:10.0.0.1", false},
    {"170.254.0.1", false}, {"100.100.100.201", false}, {"fec0::1", false}, {"fd00:ec2::255", false},
};

static void test_numeric(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int resolve = 0; resolve < 2; resolve++) {
            err e = ERR_INIT;
            str host = str_from_c(cases[i].host);
            bool ok = resolve ? policy_check_resolved(NULL, host, 3306, &e) : policy_check_host(NULL, host, 3306, &e);
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
        assert_true(policy_check_host(NULL, str_from_c(spelt[i]), 3306, &e));
        if (policy_check_resolved(NULL, str_from_c(spelt[i]), 3306, &e)) fail_msg("%s was accepted", spelt[i]);
        assert_int_equal(e.code, ERR_ADDRESS_REFUSED);
    }
    err e = ERR_INIT;
    assert_true(policy_check_resolved(NULL, STR("localhost"), 3306, &e));
}

static bool accepts(const net_policy *p, const char *host, uint16_t port)
{
    err e = ERR_INIT;
    bool ok = policy_check_resolved(p, str_from_c(host), port, &e);
    if (!ok) assert_int_equal(e.code, ERR_ADDRESS_REFUSED);
    return ok;
}

/* The service's own listeners, under every address of this host. */
static void test_own_listeners(void **state)
{
    (void)state;
    static net_policy p;
    policy_add_own_port(&p, 8888);
    policy_add_own_port(&p, 8443);
    static const char *const here[] = {"127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1", "localhost", "2130706433"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        if (accepts(&p, here[i], 8888) || accepts(&p, here[i], 8443)) fail_msg("%s was accepted", here[i]);
        if (!accepts(&p, here[i], 3306)) fail_msg("%s was refused with another port", here[i]);
    }
    struct ifaddrs *list = NULL;
    assert_int_equal(getifaddrs(&list), 0);
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        struct sockaddr_in v4;
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET) continue;
        memcpy(&v4, i->ifa_addr, sizeof v4);
        assert_non_null(inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text));
        if (accepts(&p, text, 8888)) fail_msg("%s of %s was accepted", text, i->ifa_name);
    }
    freeifaddrs(list);
    assert_true(accepts(&p, "192.0.2.1", 8888)); /* another host's port of the same number */
}

static void test_allowed(void **state)
{
    (void)state;
    static net_policy p;
    err e = ERR_INIT;
    policy_add_own_port(&p, 8888);
    assert_true(policy_allow(&p, STR("169.254.7.0/24, fe80::/10,[::1]:8888 ,LocalHost:8888,224.0.0.5,100.100.100.200:3306"), &e));
    static const struct {
        const char *host;
        uint16_t port;
        bool accepted;
    } rows[] = {
        {"169.254.7.1", 3306, true}, {"169.254.7.255", 1, true}, {"169.254.8.1", 3306, false}, {"::ffff:169.254.7.9", 3306, true}, {"fe80::1", 3306, true}, {"febf::1", 3306, true},
        {"ff02::1", 3306, false}, {"::1", 8888, true}, {"127.0.0.1", 8888, false}, {"localhost", 8888, true}, {"224.0.0.5", 3306, true}, {"224.0.0.6", 3306, false},
        {"100.100.100.200", 3306, true}, {"100.100.100.200", 3307, false}, {"8.8.8.8", 3306, true}, {"0.0.0.0", 3306, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (accepts(&p, rows[i].host, rows[i].port) != rows[i].accepted) fail_msg("%s:%u was %s", rows[i].host, rows[i].port, rows[i].accepted ? "refused" : "accepted");
}

static void test_lists(void **state)
{
    (void)state;
    static const char *const bad[] = {"here", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.0/x", "db:0", "db:65536", "db:", ":3306", "[::1]", "[::1]3306", "[::1", "[db]:3306",
                                      "10.0.0.0/8,,::/8", "a/b:3306", " "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        static net_policy p;
        err e = ERR_INIT;
        p.allowed_count = 0;
        if (policy_allow(&p, str_from_c(bad[i]), &e)) fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(e.code, ERR_BAD_INPUT);
    }
    static net_policy p, full;
    err e = ERR_INIT;
    char many[POLICY_MAX_ALLOWED * 10 + 20] = "";
    assert_true(policy_allow(&p, STR_NULL, &e) && policy_allow(&p, STR(""), &e) && policy_allow(&p, STR("0.0.0.0/0,::/0"), &e));
    assert_true(accepts(&p, "169.254.169.254", 80) && accepts(&p, "fe80::1", 80));
    for (int i = 0; i <= POLICY_MAX_ALLOWED; i++) snprintf(many + strlen(many), sizeof many - strlen(many), "%s10.0.0.%d", i ? "," : "", i % 10);
    assert_false(policy_allow(&full, str_from_c(many), &e));
    assert_int_equal(e.code, ERR_LIMIT);
}

/* The address that was really reached counts, whatever the name said. */
static void test_peer(void **state)
{
    (void)state;
    static net_policy p;
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    err e = ERR_INIT;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(bind(listener, (struct sockaddr *)&sa, n) == 0 && listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&sa, &n) == 0);
    assert_int_equal(connect(client, (struct sockaddr *)&sa, n), 0);
    uint16_t port = ntohs(sa.sin_port);
    assert_true(policy_check_peer(&p, STR("db.example"), port, client, &e));
    policy_add_own_port(&p, port);
    assert_false(policy_check_peer(&p, STR("db.example"), port, client, &e));
    assert_int_equal(e.code, ERR_ADDRESS_REFUSED);
    close(client);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numeric), cmocka_unit_test(test_other_spellings), cmocka_unit_test(test_own_listeners), cmocka_unit_test(test_allowed),
                                       cmocka_unit_test(test_lists), cmocka_unit_test(test_peer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
