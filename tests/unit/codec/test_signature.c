/* The request signatures against worked examples of the official SDKs (golden/signature_vectors.json) and of published pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "codec/signature.h"

#define PAIRS_MAX 64

typedef struct fixture {
    json_t *vectors;
    arena a;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    char path[4096];
    const char *dir = getenv("SLUICE_TEST_DATA");
    snprintf(path, sizeof path, "%s/signature_vectors.json", dir ? dir : "tests/golden");
    json_error_t where;
    f->vectors = json_load_file(path, 0, &where);
    if (!f->vectors) fail_msg("%s: %s", path, where.text);
    arena_init(&f->a, 16 * 1024, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    json_decref(f->vectors);
    arena_finish(&f->a);
    free(f);
    return 0;
}

static str text(const json_t *v, const char *name)
{
    const json_t *m = json_object_get(v, name);
    return (str){json_string_value(m), json_string_length(m)};
}

static size_t add_pairs(const json_t *o, name_value *pairs, size_t n)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        assert_true(n < PAIRS_MAX);
        pairs[n++] = (name_value){str_from_c(key), {json_string_value(v), json_string_length(v)}};
    }
    return n;
}

static void assert_text(str got, str expected)
{
    if (!str_eq(got, expected)) fail_msg("got\n%.*s\nexpected\n%.*s", STR_ARG(got), STR_ARG(expected));
}

static void check_v1(fixture *f, const char *name)
{
    const json_t *v = json_object_get(f->vectors, name);
    name_value pairs[PAIRS_MAX];
    assert_non_null(v);
    size_t n = add_pairs(json_object_get(v, "params"), pairs, 0);
    n = add_pairs(json_object_get(v, "query"), pairs, n);
    n = add_pairs(json_object_get(v, "body"), pairs, n);
    signature_sort(pairs, n);
    str sts = signature_v1_string(text(v, "method"), pairs, n, &f->a);
    assert_text(sts, text(v, "string_to_sign"));
    assert_text(signature_v1(sts, text(v, "secret"), &f->a), text(v, "signature"));
}

/* SignedHeaders stands in the canonical request's last line but one. */
static str signed_headers_of(str canonical)
{
    str rest = canonical, line, before = STR_NULL, last = STR_NULL;
    while (str_split_next(&rest, '\n', &line)) {
        before = last;
        last = line;
    }
    return before;
}

static void check_v3(fixture *f, const char *name)
{
    const json_t *v = json_object_get(f->vectors, name);
    name_value query[PAIRS_MAX], headers[PAIRS_MAX];
    assert_non_null(v);
    size_t queries = add_pairs(json_object_get(v, "query"), query, 0), count = add_pairs(json_object_get(v, "headers"), headers, 0);
    signature_sort(query, queries);
    str payload = signature_sha256_hex(text(v, "body"), &f->a);
    assert_text(payload, text(json_object_get(v, "headers"), "x-acs-content-sha256"));
    str canonical = signature_v3_canonical(text(v, "method"), STR("/"), query, queries, headers, count, signed_headers_of(text(v, "canonical_request")), payload, &f->a);
    assert_text(canonical, text(v, "canonical_request"));
    str sts = signature_v3_string(canonical, &f->a);
    assert_text(sts, text(v, "string_to_sign"));
    assert_text(signature_v3(sts, text(v, "secret"), &f->a), text(v, "signature"));
}

static void v1_vectors_match(void **state)
{
    check_v1(*state, "V1-A");
    check_v1(*state, "V1-B");
}

static void v3_vectors_match(void **state)
{
    check_v3(*state, "V3-A");
    check_v3(*state, "V3-B");
    check_v3(*state, "V3-C");
}

/* No vector stays unread when the file grows. */
static void every_vector_is_checked(void **state)
{
    fixture *f = *state;
    assert_int_equal(json_object_size(f->vectors), 5);
}

/* The worked example of the classic signature page: ECS DescribeRegions. */
static void documentation_example_matches(void **state)
{
    fixture *f = *state;
    name_value p[] = {{STR("Timestamp"), STR("2016-02-23T12:46:24Z")}, {STR("Format"), STR("XML")}, {STR("AccessKeyId"), STR("testid")},
                      {STR("Action"), STR("DescribeRegions")}, {STR("SignatureMethod"), STR("HMAC-SHA1")},
                      {STR("SignatureNonce"), STR("3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf")}, {STR("Version"), STR("2014-05-26")},
                      {STR("SignatureVersion"), STR("1.0")}};
    size_t n = sizeof p / sizeof *p;
    signature_sort(p, n);
    assert_text(signature_v1(signature_v1_string(STR("GET"), p, n, &f->a), STR("testsecret"), &f->a), STR("OLeaidS1JvxuMvnyHOwuJ+uX5qY="));
}

static void repeated_headers_are_sorted_and_joined(void **state)
{
    fixture *f = *state;
    name_value h[] = {{STR("X-Acs-B"), STR("  two ")}, {STR("x-acs-b"), STR("one")}, {STR("host"), STR("h")}};
    str c = signature_v3_canonical(STR("GET"), STR("/"), NULL, 0, h, 3, STR("host;x-acs-b;x-acs-none"), STR("p"), &f->a);
    assert_text(c, STR("GET\n/\n\nhost:h\nx-acs-b:one,two\nx-acs-none:\n\nhost;x-acs-b;x-acs-none\np"));
}

static void equality_needs_all_bytes(void **state)
{
    (void)state;
    assert_true(signature_equal(STR("abc"), STR("abc")) && signature_equal(STR(""), STR_NULL));
    assert_false(signature_equal(STR("abc"), STR("abd")) || signature_equal(STR("abc"), STR("ab")) || signature_equal(STR(""), STR("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1_vectors_match),      cmocka_unit_test(v3_vectors_match),
        cmocka_unit_test(every_vector_is_checked), cmocka_unit_test(documentation_example_matches),
        cmocka_unit_test(repeated_headers_are_sorted_and_joined), cmocka_unit_test(equality_needs_all_bytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
