/* Reading the parameters of a call and writing its answer. */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/buf.h"

str call_get(const api_call *c, const char *name)
{
    for (size_t i = 0; i < c->param_count; i++)
        if (str_eq_nocase(c->params[i].name, str_from_c(name))) return c->params[i].value;
    return STR_NULL;
}

bool call_has(const api_call *c, const char *name) { return call_get(c, name).n != 0; }

bool call_bool(const api_call *c, const char *name, bool absent)
{
    bool v = absent;
    (void)str_to_bool(call_get(c, name), &v);
    return v;
}

int64_t call_int(const api_call *c, const char *name, int64_t absent)
{
    int64_t v = absent;
    (void)str_to_i64(call_get(c, name), &v);
    return v;
}

#define LIST_MAX 1000

str *call_list(const api_call *c, const char *name, uint32_t *ret_count)
{
    str *list = arena_array(c->mem, LIST_MAX, sizeof *list);
    uint32_t n = 0;
    *ret_count = 0;
    if (!list) return NULL;
    char numbered[128];
    for (uint32_t i = 1; n < LIST_MAX; i++) {
        snprintf(numbered, sizeof numbered, "%s.%u", name, i);
        str v = call_get(c, numbered);
        if (!v.n) break;
        list[n++] = v;
    }
    str rest = n ? STR_NULL : call_get(c, name), piece;
    while (n < LIST_MAX && str_split_next(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (piece.n) list[n++] = piece;
    }
    *ret_count = n;
    return list;
}

job_ref call_job_ref(const api_call *c)
{
    return (job_ref){.job_id = call_get(c, "DtsJobId"), .instance_id = call_get(c, "DtsInstanceId"), .direction = call_get(c, "SynchronizationDirection")};
}

/* Texts of databases and of hostile requests may be no UTF-8 or hold NUL; such bytes become '?', so that the member is always there. */
static json_t *text_repaired(str s)
{
    BUF_AUTO b = BUF_INIT;
    for (size_t i = 0; i < s.n; i++) buf_add_byte(&b, s.p[i] & 0x80 || s.p[i] == 0 ? '?' : s.p[i]);
    return json_string(buf_c(&b));
}

void answer_set(json_t *o, const char *name, str s)
{
    json_t *v = s.n && str_find_byte(s, 0, 0) != SIZE_MAX ? NULL : json_stringn(s.n ? s.p : "", s.n);
    json_object_set_new(o, name, v ? v : text_repaired(s));
}

void answer_set_count(json_t *o, const char *name, uint64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    json_object_set_new(o, name, json_string(text));
}

bool call_failed(api_call *c, api_fault *f, const service_fault *sf, const err *e)
{
    return fault_from_err(f, e, sf->param, sf->api_code, c->mem);
}
