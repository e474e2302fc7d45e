/* Taking requests apart and rendering answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libxml/parser.h>

#include "api/authenticate.h"
#include "api/render.h"

#define CONSTANT(literal) {"" literal, sizeof(literal) - 1} /* a slice for static tables */

static const name_value form[] = {{CONSTANT("Content-Type"), CONSTANT("application/x-www-form-urlencoded; charset=utf-8")}};
static const name_value json[] = {{CONSTANT("content-TYPE"), CONSTANT("application/json")}};

static http_request request(const char *query, const char *body, const name_value *headers, size_t count)
{
    return (http_request){.method = STR("POST"), .path = STR("/"), .query = str_from_c(query), .body = str_from_c(body), .headers = headers, .header_count = count};
}

static void parameters_merge_and_decode(void **state)
{
    (void)state;
    static const struct {
        const char *query, *body;
        const name_value *headers;
        size_t header_count;
        const char *name, *value; /* value NULL: absent */
    } rows[] = {
        {"A=1&B=2", "", NULL, 0, "A", "1"},
        {"A=1", "", NULL, 0, "B", NULL},
        {"a=1", "", NULL, 0, "A", "1"},
        {"A=x+y%20z%2B", "", NULL, 0, "A", "x y z+"},
        {"A=%E8%BF%81", "", NULL, 0, "A", "\xe8\xbf\x81"},
        {"A=%zz%4", "", NULL, 0, "A", "%zz%4"},
        {"A", "", NULL, 0, "A", ""},
        {"&&A=1&", "", NULL, 0, "A", "1"},
        {"A=1=2", "", NULL, 0, "A", "1=2"},
        {"A=q", "A=b&C=d", form, 1, "A", "b"},
        {"A=q", "C=d", form, 1, "C", "d"},
        {"A=q", "C=d", NULL, 0, "C", "d"},
        {"", "{\"A\":\"b\",\"N\":7,\"T\":true,\"O\":{\"k\":[1]},\"Z\":null}", json, 1, "A", "b"},
        {"", "{\"A\":\"b\",\"N\":7,\"T\":true,\"O\":{\"k\":[1]},\"Z\":null}", json, 1, "N", "7"},
        {"", "{\"A\":\"b\",\"N\":7,\"T\":true,\"O\":{\"k\":[1]},\"Z\":null}", json, 1, "T", "true"},
        {"", "{\"A\":\"b\",\"N\":7,\"T\":true,\"O\":{\"k\":[1]},\"Z\":null}", json, 1, "O", "{\"k\":[1]}"},
        {"", "{\"A\":\"b\",\"N\":7,\"T\":true,\"O\":{\"k\":[1]},\"Z\":null}", json, 1, "Z", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena a;
        arena_init(&a, 64 * 1024, 0);
        http_request r = request(rows[i].query, rows[i].body, rows[i].headers, rows[i].header_count);
        parsed_request p;
        api_fault f = {0};
        if (!request_parse(&r, &a, &p, &f)) fail_msg("row %zu was refused: %.*s", i, STR_ARG(f.reason));
        str v = request_param(&p, rows[i].name);
        bool ok = rows[i].value ? v.p && str_eq(v, str_from_c(rows[i].value)) : v.p == NULL;
        if (!ok) fail_msg("row %zu: %s is \"%.*s\"", i, rows[i].name, STR_ARG(v));
        arena_finish(&a);
    }
}

static void families_are_told_apart(void **state)
{
    (void)state;
    static const name_value v3[] = {{CONSTANT("Authorization"), CONSTANT("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=b,Signature=c")}, {CONSTANT("x-acs-action"), CONSTANT("StartDtsJob")},
                                    {CONSTANT("x-acs-version"), CONSTANT("2020-01-01")}};
    static const struct {
        const char *query;
        const name_value *headers;
        size_t header_count;
        signature_family family;
        const char *action;
    } rows[] = {
        {"Action=A&Signature=x", NULL, 0, FAMILY_V1, "A"},
        {"Action=A&Signature=x", v3 + 1, 2, FAMILY_V1, "A"}, /* headers beside V1 parameters: the parameters win */
        {"Action=A", v3, 3, FAMILY_V3, "StartDtsJob"},
        {"Action=A", NULL, 0, FAMILY_NONE, "A"},
        {"", v3 + 1, 2, FAMILY_NONE, "StartDtsJob"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena a;
        arena_init(&a, 64 * 1024, 0);
        http_request r = request(rows[i].query, "", rows[i].headers, rows[i].header_count);
        parsed_request p;
        api_fault f = {0};
        assert_true(request_parse(&r, &a, &p, &f));
        if (p.family != rows[i].family || !str_eq(p.action, str_from_c(rows[i].action))) fail_msg("row %zu: family %d action %.*s", i, (int)p.family, STR_ARG(p.action));
        arena_finish(&a);
    }
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    static const name_value other[] = {{CONSTANT("Content-Type"), CONSTANT("text/plain")}};
    static char many[1100 * 4];
    for (size_t i = 0; i < 1100; i++) memcpy(many + i * 4, "a=1&", 4);
    many[sizeof many - 1] = 0;
    static const struct {
        const char *query, *body;
        const name_value *headers;
    } rows[] = {
        {"A=%ff", "", form}, {"%c0%80=1", "", form}, {"A=%00", "", form}, {"A=%ed%a0%80", "", form}, {"", "[1]", json}, {"", "{\"A\":1,\"A\":2}", json}, {"", "{", json}, {"", "x", other},
        {many, "", form},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena a;
        arena_init(&a, 64 * 1024, 0);
        http_request r = request(rows[i].query, rows[i].body, rows[i].headers, 1);
        parsed_request p;
        api_fault f = {0};
        if (request_parse(&r, &a, &p, &f)) fail_msg("row %zu was taken", i);
        assert_int_equal(f.error, API_ERROR_INVALID_PARAMETER);
        arena_finish(&a);
    }
}

static void json_keeps_order_and_bytes(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 4096, 0);
    json_t *o = json_pack("{s:s, s:i, s:b, s:[s], s:{}}", "B", "\xe8\xbf\x81 \"q\" \x01", "A", 7, "T", 1, "L", "x", "O");
    assert_true(str_eq(render_json(o, &a), STR("{\"B\":\"\xe8\xbf\x81 \\\"q\\\" \\u0001\",\"A\":7,\"T\":true,\"L\":[\"x\"],\"O\":{}}")));
    json_decref(o);
    arena_finish(&a);
}

static void xml_follows_the_tree(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 4096, 0);
    json_t *o = json_pack("{s:s, s:b, s:i, s:[{s:s}, {s:s}], s:{s:b}, s:[], s:s}", "RequestId", "a<b>&\"c\"", "Success", 1, "HttpStatusCode", 200, "List", "K", "1", "K", "2", "Map", "V", 0,
                          "Empty", "1 x", "y");
    str got = render_xml(o, STR("DeleteDtsJobResponse"), &a);
    str expected = STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteDtsJobResponse><RequestId>a&lt;b&gt;&amp;&quot;c&quot;</RequestId><Success>true</Success>"
                       "<HttpStatusCode>200</HttpStatusCode><List><K>1</K></List><List><K>2</K></List><Map><V>false</V></Map><_1_x>y</_1_x></DeleteDtsJobResponse>\n");
    if (!str_eq(got, expected)) fail_msg("%.*s", STR_ARG(got));
    json_decref(o);
    arena_finish(&a);
}

/* XML 1.0 knows no escape for most control characters: every byte value below 0x20, U+FFFE and U+FFFF must still give a document that parses. */
static void xml_never_holds_illegal_characters(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 4096, 0);
    for (int c = 1; c < 0x21; c++) {
        char value[] = {'a', (char)c, 'b', 0};
        json_t *o = json_pack("{s:s}", "V", c == 0x20 ? "\xef\xbf\xbe\xef\xbf\xbf" : value);
        str xml = render_xml(o, STR("R"), &a);
        xmlDocPtr d = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
        if (!d) fail_msg("byte %d: %.*s", c, STR_ARG(xml));
        xmlFreeDoc(d);
        json_decref(o);
    }
    arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_merge_and_decode), cmocka_unit_test(families_are_told_apart), cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(json_keeps_order_and_bytes),  cmocka_unit_test(xml_follows_the_tree),    cmocka_unit_test(xml_never_holds_illegal_characters),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xmlCleanupParser();
    return failed;
}
