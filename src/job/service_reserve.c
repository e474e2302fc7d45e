/* The Reserve text of a job: what is checked, what takes effect (DTS API reference, Reserve). Numbers may come as numbers or as texts. */
#include <stdlib.h>
#include <string.h>

#include "engine/mapping/mapping.h"
#include "job/service_priv.h"

/* Members with a whole number: name, lowest, highest. */
static const struct {
    const char *key;
    int64_t low, high;
} numbers[] = {
    {"maxRetryTime", 0, 604800}, {"sluice.lanes", 1, 32}, {"sluice.chunkRows", 100, 100000000}, {"sluice.windowRows", 1, 100000},
};

/* Members that choose: name, what is offered, separated by blanks. */
static const struct {
    const char *key, *offered;
} choices[] = {
    {"targetTableMode", "0 2"}, {"srcSSL", "0 1"}, {"destSSL", "0 1"}, {"autoStartModulesAfterConfig", "none auto all"}, {"syncArchitecture", "oneway"}, {"filterDDL", "true false"},
};

/* Members that are true or false, as a text too. */
static const char *const flags[] = {"privilegeMigration"};

static bool text_of(const json_t *v, char out[64])
{
    if (json_is_string(v)) snprintf(out, 64, "%s", json_string_value(v));
    else if (json_is_integer(v)) snprintf(out, 64, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v)) snprintf(out, 64, "%s", json_is_true(v) ? "true" : "false");
    else return false;
    return true;
}

static bool check_number(const json_t *root, const char *key, int64_t low, int64_t high, err *e)
{
    const json_t *v = json_object_get(root, key);
    char text[64];
    int64_t n;
    if (!v) return true;
    if (text_of(v, text) && str_to_i64(str_from_c(text), &n) && n >= low && n <= high) return true;
    return err_set(e, ERR_BAD_INPUT, "Reserve.%s is a whole number from %lld to %lld", key, (long long)low, (long long)high);
}

static bool check_flag(const json_t *root, const char *key, err *e)
{
    const json_t *v = json_object_get(root, key);
    str text = json_is_string(v) ? str_from_c(json_string_value(v)) : STR_NULL;
    if (!v || json_is_boolean(v) || str_eq_nocase(text, STR("true")) || str_eq_nocase(text, STR("false"))) return true;
    return err_set(e, ERR_BAD_INPUT, "Reserve.%s is true or false", key);
}

static bool check_choice(const json_t *root, const char *key, const char *offered, err *e)
{
    const json_t *v = json_object_get(root, key);
    char text[64];
    if (!v) return true;
    str rest = str_from_c(offered), one;
    bool is_text = text_of(v, text);
    while (is_text && str_split_next(&rest, ' ', &one))
        if (str_eq_nocase(one, str_from_c(text))) return true;
    return err_set(e, ERR_BAD_INPUT, "Reserve.%s is one of: %s", key, offered);
}

int64_t service_retry_limit_s(str reserve)
{
    json_t *root = reserve.n ? json_loadb(reserve.p, reserve.n, 0, NULL) : NULL, *v = json_object_get(root, "maxRetryTime");
    char text[64];
    int64_t n = RETRY_DEFAULT_S;
    bool given = v && text_of(v, text) && str_to_i64(str_from_c(text), &n) && n >= 0;
    json_decref(root);
    if (!given) return RETRY_DEFAULT_S;
    return n >= 10 && n <= 1440 ? n * 60 : n;
}

/* fullDynamicConfig, incDynamicConfig: an object, or its text. NULL when absent or not one. */
static json_t *limits_object(const json_t *root, const char *key)
{
    json_t *v = json_object_get(root, key);
    if (json_is_object(v)) return json_incref(v);
    return json_is_string(v) ? json_loads(json_string_value(v), JSON_REJECT_DUPLICATES, NULL) : NULL;
}

int64_t service_limit_of(const json_t *config, const char *key)
{
    const json_t *v = json_object_get(config, key);
    int64_t n = -1;
    if (json_is_integer(v)) n = json_integer_value(v);
    else if (v && (!json_is_string(v) || !str_to_i64(str_from_c(json_string_value(v)), &n))) n = INT64_MIN;
    return n < -1 ? INT64_MIN : n <= 0 ? -1 : n;
}

static bool check_limits(const json_t *root, const char *key, err *e)
{
    if (!json_object_get(root, key)) return true;
    json_t *o = limits_object(root, key);
    bool ok = json_is_object(o) && service_limit_of(o, "dts.datamove.source.rps.max") != INT64_MIN && service_limit_of(o, "dts.datamove.source.bps.max") != INT64_MIN;
    json_decref(o);
    return ok || err_set(e, ERR_BAD_INPUT, "Reserve.%s is an object with the numbers dts.datamove.source.rps.max and dts.datamove.source.bps.max", key);
}

static bool check_types(json_t *types, err *e)
{
    const char *key;
    json_t *v;
    if (types && !json_is_object(types)) return err_set(e, ERR_BAD_INPUT, "Reserve.sluice.types is an object of choices by rule (\"T15\") or \"schema.table.column\"");
    json_object_foreach(types, key, v)
        if (!json_is_string(v) || !mapping_check_option(str_from_c(key), str_from_c(json_string_value(v)), e))
            return json_is_string(v) ? false : err_set(e, ERR_BAD_INPUT, "Reserve.sluice.types.%s is not a text", key);
    return true;
}

static bool check_members(const json_t *root, err *e)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!check_number(root, numbers[i].key, numbers[i].low, numbers[i].high, e)) return false;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (!check_choice(root, choices[i].key, choices[i].offered, e)) return false;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (!check_flag(root, flags[i], e)) return false;
    return check_types(json_object_get(root, "sluice.types"), e) && check_limits(root, "fullDynamicConfig", e) && check_limits(root, "incDynamicConfig", e);
}

bool service_check_reserve(str reserve, service_fault *f, err *e)
{
    if (!reserve.n) return true;
    json_error_t where;
    json_t *root = reserve.n > RESERVE_MAX_BYTES ? NULL : json_loadb(reserve.p, reserve.n, JSON_REJECT_DUPLICATES, &where);
    bool ok;
    if (reserve.n > RESERVE_MAX_BYTES) ok = err_set(e, ERR_LIMIT, "Reserve may have at most %d bytes", RESERVE_MAX_BYTES);
    else if (!json_is_object(root)) ok = err_set(e, ERR_BAD_INPUT, "Reserve is not a JSON object: %s", root ? "another kind of value" : where.text);
    else ok = check_members(root, e);
    json_decref(root);
    return ok || service_refuse(f, "Reserve", NULL);
}

/* Removes members whose names say that they are secret, at every depth; true when there was one. */
static bool drop_secrets(json_t *v)
{
    const char *key;
    json_t *member;
    void *next;
    size_t i;
    bool dropped = false;
    json_object_foreach_safe(v, next, key, member)
    {
        bool named = secret_is_named(str_from_c(key));
        dropped = named || drop_secrets(member) || dropped;
        if (named) json_object_del(v, key);
    }
    json_array_foreach(v, i, member) dropped = drop_secrets(member) || dropped;
    return dropped;
}

bool service_reserve_to_keep(str reserve, arena *a, str *ret, err *e)
{
    json_t *root = reserve.n ? json_loadb(reserve.p, reserve.n, 0, NULL) : NULL;
    char *text = drop_secrets(root) ? json_dumps(root, JSON_COMPACT) : NULL;
    *ret = text ? arena_copy(a, str_from_c(text)) : reserve;
    if (text) secret_zero(text, strlen(text));
    free(text);
    json_decref(root);
    return ret->p || reserve.n == 0 || err_no_memory(e, "Reserve");
}

/* {"rps","bps","qps"} of one member, NULL when it is absent. */
static json_t *first_limit(const json_t *root, const char *key)
{
    json_t *o = limits_object(root, key), *limit = NULL;
    if (o)
        limit = json_pack("{s:I, s:I, s:I}", "rps", (json_int_t)service_limit_of(o, "dts.datamove.source.rps.max"), "bps",
                          (json_int_t)service_limit_of(o, "dts.datamove.source.bps.max"), "qps", (json_int_t)-1);
    json_decref(o);
    return limit;
}

bool service_apply_reserve(job_record *r, arena *a, err *e)
{
    str ssl;
    if (!r->reserve.n) return true;
    if (!r->source.ssl.n && (ssl = service_reserve(r, "srcSSL", a)).n) r->source.ssl = ssl;
    if (!r->target.ssl.n && (ssl = service_reserve(r, "destSSL", a)).n) r->target.ssl = ssl;
    json_t *root = json_loadb(r->reserve.p, r->reserve.n, 0, NULL), *all = json_object();
    json_t *full = first_limit(root, "fullDynamicConfig"), *stream = first_limit(root, "incDynamicConfig");
    json_decref(root);
    if (full) json_object_set_new(all, "03", full);
    if (stream) json_object_set_new(all, "04", stream);
    char *text = full || stream ? json_dumps(all, JSON_COMPACT) : NULL;
    bool ok = true;
    if (text) ok = (r->limits = arena_copy(a, str_from_c(text))).p || err_no_memory(e, "rate limits");
    free(text);
    json_decref(all);
    return ok;
}
