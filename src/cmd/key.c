/* sluice key: access keys of the API. */
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "catalog/access_key.h"
#include "cmd/run.h"

#include "api/policy.h"

#include <jansson.h>

typedef struct key_work {
    arena mem;
    catalog *c;
    err e;
} key_work;

/* Opens the catalog of --data, a new one only when `create`; false after printing what is wrong. */
static bool begin(const args *a, bool create, key_work *w, int *ret_status)
{
    arena_init(&w->mem, 16 * 1024, 0);
    w->c = NULL;
    w->e = ERR_INIT;
    const char *dir = args_get(a, "data");
    if (!dir) err_set(&w->e, ERR_BAD_INPUT, "--data DIR is missing: the folder of the service's data");
    else if (!create && access(dir, F_OK) != 0) err_set(&w->e, ERR_BAD_INPUT, "--data %s: there is no such folder; it is the one of sluice serve --data", dir);
    if (w->e.code == ERR_NONE && catalog_open_shared(dir, clk_system(), &w->c, &w->e)) return true;
    *ret_status = command_fail(&w->e);
    arena_finish(&w->mem);
    return false;
}

static int end(key_work *w, bool ok)
{
    int status = ok ? 0 : command_fail(&w->e);
    catalog_close(w->c);
    arena_finish(&w->mem);
    return status;
}

static void print_key(const args *a, const access_key *k)
{
    if (args_json(a)) {
        json_t *o = json_pack("{s:s%, s:s%}", "AccessKeyId", k->id.p, k->id.n, "AccessKeySecret", k->secret.p, k->secret.n);
        if (k->token.n) json_object_set_new(o, "SecurityToken", json_stringn(k->token.p, k->token.n));
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(o);
        return;
    }
    printf("AccessKeyId:     %.*s\nAccessKeySecret: %.*s\n", STR_ARG(k->id), STR_ARG(k->secret));
    if (k->token.n) printf("SecurityToken:   %.*s\n", STR_ARG(k->token));
    if (!k->token.n) fputs("The secret is shown this once only.\n", stderr);
}

int run_key_create(const args *a)
{
    key_work w;
    int status;
    if (!begin(a, true, &w, &status)) return status;
    const char *policy_file = args_get(a, "policy"), *name = args_get(a, "name");
    str policy = STR_NULL;
    access_key k;
    bool ok = !policy_file || (file_read(policy_file, ACCESS_KEY_MAX_POLICY_BYTES, &w.mem, &policy, &w.e) && policy_check(policy, &w.e));
    ok = ok && access_key_create(w.c, str_from_c(name), policy, &w.mem, &k, &w.e);
    if (ok) print_key(a, &k);
    return end(&w, ok);
}

int run_key_sts(const args *a)
{
    key_work w;
    int status;
    int64_t ttl;
    err bad = ERR_INIT;
    if (!args_number(a, "ttl", 1, ACCESS_KEY_MAX_TTL_S, 3600, &ttl, &bad)) return command_fail(&bad);
    if (!begin(a, false, &w, &status)) return status;
    access_key k;
    bool ok = access_key_create_temporary(w.c, str_from_c(a->operands[0]), ttl, &w.mem, &k, &w.e);
    if (ok) print_key(a, &k);
    return end(&w, ok);
}

int run_key_list(const args *a)
{
    key_work w;
    int status;
    if (!begin(a, false, &w, &status)) return status;
    access_key *keys = NULL;
    uint32_t n = 0;
    bool ok = access_key_list(w.c, &w.mem, &keys, &n, &w.e);
    json_t *list = json_array();
    for (uint32_t i = 0; ok && i < n; i++) {
        char created[CLOCK_ISO_BYTES], expires[CLOCK_ISO_BYTES] = "never";
        clock_format_iso(keys[i].created_us, created);
        if (keys[i].expires_us) clock_format_iso(keys[i].expires_us, expires);
        const char *kind = keys[i].token_hash.n ? "temporary" : "permanent", *policy = keys[i].policy.n ? "restricted" : "all";
        if (!args_json(a)) printf("%-26.*s %-10s %-10s created %s expires %s %.*s\n", STR_ARG(keys[i].id), kind, policy, created, expires, STR_ARG(keys[i].name));
        json_array_append_new(list, json_pack("{s:s%, s:s%, s:s, s:s, s:s}", "AccessKeyId", keys[i].id.p, keys[i].id.n, "Name",
                                              keys[i].name.n ? keys[i].name.p : "", keys[i].name.n, "Kind", kind, "Created", created, "Expires", expires));
    }
    if (ok && args_json(a)) json_dumpf(list, stdout, JSON_INDENT(2)), putchar('\n');
    else if (ok && n == 0) fputs("no access keys: sluice key create makes one\n", stderr);
    json_decref(list);
    return end(&w, ok);
}

int run_key_delete(const args *a)
{
    key_work w;
    int status;
    if (!begin(a, false, &w, &status)) return status;
    bool found = false;
    bool ok = access_key_delete(w.c, str_from_c(a->operands[0]), &found, &w.e);
    if (ok && !found) ok = err_set(&w.e, ERR_KEY_NOT_FOUND, "there is no access key %s", a->operands[0]);
    if (ok && args_json(a)) puts("{\"Deleted\": true}");
    else if (ok) printf("deleted %s\n", a->operands[0]);
    return end(&w, ok);
}
