/* Fuzz target: a request's query, body and headers. Input: one byte of choices (content type), then query, body and header block separated by a zero byte each.
 * What is taken must be clean UTF-8 in order, and both signatures must be computable over it; the answer made of it must be well formed. */
#include <stdlib.h>

#include "api/authenticate.h"
#include "api/policy.h"
#include "api/render.h"
#include "http/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADERS_MAX 16

static str next_part(str *rest)
{
    size_t at = str_find_byte(*rest, 0, 0);
    str part = str_sub(*rest, 0, at);
    *rest = at == SIZE_MAX ? STR_NULL : str_sub(*rest, at + 1, SIZE_MAX);
    return part;
}

static size_t split_headers(str block, name_value *out)
{
    str line;
    size_t n = 0;
    while (n < HEADERS_MAX - 1 && block.n && str_split_next(&block, '\n', &line)) {
        size_t at = str_find_byte(line, ':', 0);
        out[n++] = (name_value){str_sub(line, 0, at), at == SIZE_MAX ? STR("") : str_sub(line, at + 1, SIZE_MAX)};
    }
    return n;
}

static void use(const http_request *r, const parsed_request *p, arena *a)
{
    json_t *o = json_object();
    for (size_t i = 0; i < p->param_count; i++) {
        const name_value *v = &p->params[i];
        if (!str_is_utf8(v->name) || !str_is_utf8(v->value)) abort();
        if (i && str_cmp(p->params[i - 1].name, v->name) > 0) abort();
        answer_set(o, "V", v->value);
        if (!json_object_get(o, "V")) abort();
        (void)policy_allows(v->value, STR("DeleteDtsJob"), v->name);
    }
    str sts = signature_v1_string(r->method, p->params, p->param_count, a), payload = signature_sha256_hex(r->body, a);
    str canonical = signature_v3_canonical(r->method, r->path, p->query, p->query_count, r->headers, r->header_count, request_header(r, "authorization"), payload, a);
    if (!sts.p || !signature_v1(sts, STR("k"), a).p || !canonical.p || signature_v3(signature_v3_string(canonical, a), STR("k"), a).n != 64) abort();
    if (!render_json(o, a).p || !render_xml(o, STR("R"), a).p) abort();
    json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/x-www-form-urlencoded", "application/json", "text/plain", ""};
    if (size == 0) return 0;
    str rest = {(const char *)data + 1, size - 1};
    name_value headers[HEADERS_MAX] = {{STR("content-type"), str_from_c(types[data[0] & 3])}};
    http_request r = {.method = STR("POST"), .path = STR("/"), .query = next_part(&rest), .body = next_part(&rest), .headers = headers};
    r.header_count = 1 + split_headers(rest, headers + 1);
    (void)guard_headers(headers, r.header_count, true);
    arena a;
    arena_init(&a, 64 * 1024, 256 * 1024 * 1024);
    parsed_request p;
    api_fault f = {0};
    if (request_parse(&r, &a, &p, &f)) use(&r, &p, &a);
    else if (f.error >= API_ERROR_COUNT || f.error == API_ERROR_INTERNAL) abort();
    arena_finish(&a);
    return 0;
}
