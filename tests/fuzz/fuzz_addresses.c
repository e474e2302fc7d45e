/* Fuzz target: what users write on command lines and in files about places and rights. Input: four texts separated by zero bytes: a URL (mysql://u@h:1/db), a list for
 * --allow-endpoint, a list for --objects, an access policy. */
#include <jansson.h>
#include <stdlib.h>

#include "api/policy.h"
#include "cmd/job_spec.h"
#include "net/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static str next_part(str *rest)
{
    size_t at = str_find_byte(*rest, 0, 0);
    str part = str_sub(*rest, 0, at);
    *rest = at == SIZE_MAX ? STR_NULL : str_sub(*rest, at + 1, SIZE_MAX);
    return part;
}

static void url(const char *text)
{
    job_url u;
    err e = ERR_INIT;
    uint64_t port;
    if (!job_url_parse(text, "URL", &u, &e)) {
        if (e.code != ERR_BAD_INPUT) abort();
        return;
    }
    if (!u.host.n || !str_to_u64(u.port, &port) || port == 0 || port > 65535 || str_find_byte(u.user, ':', 0) != SIZE_MAX) abort();
}

static void allowed(str list, str host)
{
    static net_policy p;
    err e = ERR_INIT;
    p.allowed_count = 0;
    if (!policy_allow(&p, list, &e) && e.code != ERR_BAD_INPUT && e.code != ERR_LIMIT) abort();
    if (p.allowed_count > POLICY_MAX_ALLOWED) abort();
    (void)!policy_check_host(&p, host, 3306, &e);
    /* What the list does not allow stays refused. */
    if (p.allowed_count == 0 && policy_check_host(&p, STR("169.254.169.254"), 80, &e)) abort();
}

static void objects(const char *list, arena *a)
{
    str text;
    err e = ERR_INIT;
    if (!job_objects(list, a, &text, &e)) return;
    json_t *o = json_loadb(text.p, text.n, 0, NULL);
    if (!json_is_object(o)) abort();
    json_decref(o);
}

static void rights(str text)
{
    err e = ERR_INIT;
    bool good = policy_check(text, &e);
    bool allows = policy_allows(text, STR("DeleteDtsJob"), STR("dtsabc"));
    if (text.n && !good && allows) abort(); /* a policy that cannot be read allows nothing */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str rest = {(const char *)data, size};
    arena a;
    arena_init(&a, 64 * 1024, 64 << 20);
    str where = next_part(&rest), list = next_part(&rest), what = next_part(&rest);
    char *where_c = arena_copy_c(&a, where), *what_c = arena_copy_c(&a, what);
    if (where_c) url(where_c);
    allowed(list, where);
    if (what_c) objects(what_c, &a);
    rights(next_part(&rest));
    arena_finish(&a);
    return 0;
}
