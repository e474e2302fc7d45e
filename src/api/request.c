/* Taking a request apart: query and body to decoded parameters, the signature family. */
#include "api/authenticate.h"
#include <stdlib.h>

#include "base/encode.h"

str request_header(const http_request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (str_eq_nocase(r->headers[i].name, str_from_c(name))) return r->headers[i].value;
    return STR_NULL;
}

str request_param(const parsed_request *p, const char *name)
{
    for (size_t i = 0; i < p->param_count; i++)
        if (str_eq_nocase(p->params[i].name, str_from_c(name))) return p->params[i].value;
    return STR_NULL;
}

typedef struct pair_list {
    name_value *items;
    size_t count;
} pair_list;

static bool add_pair(pair_list *l, str name, str value, api_fault *f)
{
    if (l->count == API_MAX_PARAMETERS) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("parameters"), STR("more than 1000 parameters"));
    l->items[l->count++] = (name_value){name, value};
    return true;
}

static bool split_form(str text, arena *a, pair_list *l, api_fault *f)
{
    str rest = text, piece;
    if (text.n == 0) return true;
    while (str_split_next(&rest, '&', &piece)) {
        if (piece.n == 0) continue;
        size_t at = str_find_byte(piece, '=', 0);
        str name = decode_form(a, str_sub(piece, 0, at));
        str value = at == SIZE_MAX ? STR("") : decode_form(a, str_sub(piece, at + 1, SIZE_MAX));
        if (!name.p || !value.p) return fault_set(f, API_ERROR_INTERNAL, STR_NULL, STR_NULL);
        if (!add_pair(l, name, value, f)) return false;
    }
    return true;
}

static bool split_json(str text, arena *a, pair_list *l, api_fault *f)
{
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("body"), STR("a body of type application/json must be one JSON object"));
    }
    const char *key;
    json_t *v;
    bool ok = true;
    json_object_foreach(root, key, v)
    {
        str value = STR("");
        if (json_is_string(v)) {
            value = arena_copy(a, (str){json_string_value(v), json_string_length(v)});
        } else if (!json_is_null(v)) {
            char *text_form = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
            value = arena_copy(a, str_from_c(text_form));
            free(text_form);
        }
        ok = ok && add_pair(l, arena_copy(a, str_from_c(key)), value, f);
    }
    json_decref(root);
    return ok;
}

/* Body keys replace query keys of the same name. */
static void merge(const pair_list *query, const pair_list *body, pair_list *out)
{
    for (size_t i = 0; i < body->count; i++) out->items[out->count++] = body->items[i];
    for (size_t i = 0; i < query->count; i++) {
        bool replaced = false;
        for (size_t k = 0; k < body->count; k++) replaced = replaced || str_eq(body->items[k].name, query->items[i].name);
        if (!replaced) out->items[out->count++] = query->items[i];
    }
    signature_sort(out->items, out->count);
}

static bool has_utf8_only(const pair_list *l, api_fault *f)
{
    for (size_t i = 0; i < l->count; i++) {
        bool clean = str_is_utf8(l->items[i].name) && str_is_utf8(l->items[i].value) && str_find_byte(l->items[i].name, 0, 0) == SIZE_MAX &&
                     str_find_byte(l->items[i].value, 0, 0) == SIZE_MAX;
        if (!clean) return fault_set(f, API_ERROR_INVALID_PARAMETER, str_is_utf8(l->items[i].name) ? l->items[i].name : STR("parameters"), STR("the text is not valid UTF-8 or holds a NUL byte"));
    }
    return true;
}

bool request_parse(const http_request *r, arena *a, parsed_request *ret, api_fault *f)
{
    pair_list query = {arena_array(a, API_MAX_PARAMETERS, sizeof(name_value)), 0}, body = {arena_array(a, API_MAX_PARAMETERS, sizeof(name_value)), 0},
              all = {arena_array(a, 2 * API_MAX_PARAMETERS, sizeof(name_value)), 0};
    if (!query.items || !body.items || !all.items) return fault_set(f, API_ERROR_INTERNAL, STR_NULL, STR_NULL);
    bool v3 = str_starts_with(request_header(r, "authorization"), STR("ACS3-")), complete = split_form(r->query, a, &query, f);
    /* What is known so far, so that a refusal has the form that the client reads. */
    *ret = (parsed_request){.family = v3 ? FAMILY_V3 : FAMILY_NONE, .params = query.items, .param_count = query.count};
    ret->format = v3 ? STR("JSON") : request_param(ret, "Format");
    if (!complete) return false;
    str type = request_header(r, "content-type");
    if (r->body.n) {
        bool json = str_starts_with_nocase(type, STR("application/json"));
        bool form = type.n == 0 || str_starts_with_nocase(type, STR("application/x-www-form-urlencoded"));
        if (json && !split_json(r->body, a, &body, f)) return false;
        if (form && !split_form(r->body, a, &body, f)) return false;
        if (!json && !form) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("Content-Type"), STR("send parameters as application/x-www-form-urlencoded"));
    }
    merge(&query, &body, &all);
    if (!has_utf8_only(&all, f)) return false;
    signature_sort(query.items, query.count);
    *ret = (parsed_request){.params = all.items, .param_count = all.count, .query = query.items, .query_count = query.count};
    if (v3) {
        ret->family = FAMILY_V3;
        ret->action = request_header(r, "x-acs-action");
        ret->version = request_header(r, "x-acs-version");
        ret->format = STR("JSON");
    } else {
        ret->family = request_param(ret, "Signature").n ? FAMILY_V1 : FAMILY_NONE;
        ret->action = request_param(ret, "Action");
        ret->version = request_param(ret, "Version");
        ret->format = request_param(ret, "Format");
        if (ret->action.n == 0) ret->action = request_header(r, "x-acs-action");
    }
    return true;
}
