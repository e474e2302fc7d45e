/* Access policies: parsing and matching. */
#include "api/policy.h"

#include <jansson.h>
#include <stdio.h>

static json_t *load(str text) { return json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL); }

static bool texts_only(const json_t *v)
{
    if (json_is_string(v)) return true;
    size_t i;
    json_t *item;
    if (!json_is_array(v) || json_array_size(v) == 0) return false;
    json_array_foreach((json_t *)(uintptr_t)v, i, item) if (!json_is_string(item)) return false;
    return true;
}

bool policy_check(str policy, err *e)
{
    json_t *root = load(policy);
    json_t *list = json_object_get(root, "Statement");
    bool ok = json_is_array(list);
    if (!ok) err_set(e, ERR_BAD_INPUT, "a policy is a JSON object with an array \"Statement\"");
    size_t i;
    json_t *s;
    json_array_foreach(list, i, s)
    {
        const char *effect = json_string_value(json_object_get(s, "Effect"));
        bool known = effect && (str_eq(str_from_c(effect), STR("Allow")) || str_eq(str_from_c(effect), STR("Deny")));
        if (ok && !known) ok = err_set(e, ERR_BAD_INPUT, "Statement[%zu].Effect must be \"Allow\" or \"Deny\"", i);
        if (ok && !texts_only(json_object_get(s, "Action"))) ok = err_set(e, ERR_BAD_INPUT, "Statement[%zu].Action must be a text or an array of texts", i);
        if (ok && !texts_only(json_object_get(s, "Resource")))
            ok = err_set(e, ERR_BAD_INPUT, "Statement[%zu].Resource must be a text or an array of texts", i);
    }
    json_decref(root);
    return ok;
}

/* '*' matches any run; letters without case. Iterative, so that hostile patterns cost at most pattern x text steps. */
static bool matches(str pattern, str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.n && str_eq_nocase(str_sub(pattern, p, 1), str_sub(text, t, 1))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') p++;
    return p == pattern.n;
}

static bool any_matches(const json_t *v, str text)
{
    if (json_is_string(v)) return matches((str){json_string_value(v), json_string_length(v)}, text);
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)v, i, item) if (matches((str){json_string_value(item), json_string_length(item)}, text)) return true;
    return false;
}

bool policy_allows(str policy, str action, str instance_id)
{
    if (policy.n == 0) return true;
    err e = ERR_INIT;
    if (!policy_check(policy, &e)) return false;
    char action_text[128], resource_text[160];
    snprintf(action_text, sizeof action_text, "dts:%.*s", STR_ARG(str_sub(action, 0, 100)));
    snprintf(resource_text, sizeof resource_text, "acs:dts:local:local:instance/%.*s", STR_ARG(instance_id.n ? str_sub(instance_id, 0, 100) : STR("*")));
    json_t *root = load(policy);
    bool allowed = false, denied = false;
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(root, "Statement"), i, s)
    {
        if (!any_matches(json_object_get(s, "Action"), str_from_c(action_text))) continue;
        if (!any_matches(json_object_get(s, "Resource"), str_from_c(resource_text))) continue;
        if (str_eq(str_from_c(json_string_value(json_object_get(s, "Effect"))), STR("Deny"))) denied = true;
        else allowed = true;
    }
    json_decref(root);
    return allowed && !denied;
}
