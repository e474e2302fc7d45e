/* A client of the API over libcurl. */
#include "cmd/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/random.h"

#define ANSWER_MAX_BYTES (64 * 1024 * 1024)
#define CALL_TIMEOUT_S 60L

static const char *environment(const char *const *names)
{
    for (; *names; names++) {
        const char *v = getenv(*names);
        if (v && *v) return v;
    }
    return NULL;
}

/* The profile of the aliyun CLI: ~/.aliyun/config.json {"current":..,"profiles":[{"name","access_key_id","access_key_secret","sts_token"}]}. */
static bool load_profile(const args *a, client *c, err *e)
{
    const char *home = getenv("HOME"), *wanted = args_get(a, "profile");
    char path[4096];
    str text;
    err ignored = ERR_INIT;
    snprintf(path, sizeof path, "%s/.aliyun/config.json", home ? home : "");
    if (!file_read(path, 1024 * 1024, &c->mem, &text, &ignored))
        return !wanted || err_set(e, ERR_BAD_INPUT, "--profile %s: cannot read %s", wanted, path);
    json_t *root = json_loadb(text.p, text.n, 0, NULL), *p;
    const char *current = json_string_value(json_object_get(root, "current"));
    size_t i;
    bool ok = true, found = false;
    json_array_foreach(json_object_get(root, "profiles"), i, p)
    {
        const char *name = json_string_value(json_object_get(p, "name"));
        if (!name || strcmp(name, wanted ? wanted : current ? current : "") != 0) continue;
        found = true;
        ok = secret_set(&c->key_id, str_from_c(json_string_value(json_object_get(p, "access_key_id"))), e) &&
             secret_set(&c->key_secret, str_from_c(json_string_value(json_object_get(p, "access_key_secret"))), e) &&
             secret_set(&c->token, str_from_c(json_string_value(json_object_get(p, "sts_token"))), e);
    }
    json_decref(root);
    if (wanted && !found) return err_set(e, ERR_BAD_INPUT, "--profile %s: %s has no such profile", wanted, path);
    return ok;
}

static bool load_key(const args *a, client *c, err *e)
{
    static const char *const ids[] = {"SLUICE_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID", NULL};
    static const char *const secrets[] = {"SLUICE_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", NULL};
    static const char *const tokens[] = {"SLUICE_SECURITY_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN", NULL};
    const char *id = environment(ids), *key = environment(secrets), *token = environment(tokens);
    bool from_env = id && key && !args_get(a, "profile");
    bool ok = from_env ? secret_set(&c->key_id, str_from_c(id), e) && secret_set(&c->key_secret, str_from_c(key), e) && secret_set(&c->token, str_from_c(token), e)
                       : load_profile(a, c, e);
    if (ok && c->key_id.n == 0)
        ok = err_set(e, ERR_NO_KEY, "no access key is given, neither in the environment nor by a profile of ~/.aliyun/config.json");
    return ok;
}

bool client_open(const args *a, client *ret, err *e)
{
    memset(ret, 0, sizeof *ret);
    arena_init(&ret->mem, 64 * 1024, 0);
    const char *endpoint = args_get(a, "endpoint");
    if (!endpoint) endpoint = "http://127.0.0.1:8888";
    bool scheme = strncmp(endpoint, "http://", 7) == 0 || strncmp(endpoint, "https://", 8) == 0;
    snprintf(ret->endpoint, sizeof ret->endpoint, "%s%s", scheme ? "" : "http://", endpoint);
    const char *region = getenv("ALIBABA_CLOUD_REGION_ID");
    snprintf(ret->region, sizeof ret->region, "%s", region ? region : "local");
    ret->ca_file = args_get(a, "ca");
    ret->debug = args_has(a, "debug");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (load_key(a, ret, e)) return true;
    client_close(ret);
    return false;
}

void client_close(client *c)
{
    secret_wipe(&c->key_id);
    secret_wipe(&c->key_secret);
    secret_wipe(&c->token);
    arena_finish(&c->mem);
}

void client_param(client_params *p, const char *name, str value)
{
    if (p->count < CLIENT_MAX_PARAMETERS && value.p) p->items[p->count++] = (name_value){str_from_c(name), value};
}

void client_param_c(client_params *p, const char *name, const char *value)
{
    if (value) client_param(p, name, str_from_c(value));
}

/* A request ready to send. */
typedef struct signed_call {
    name_value headers[12];
    size_t header_count;
    str body, signed_names, canonical, string_to_sign, authorization;
} signed_call;

static void header(signed_call *s, const char *name, str value) { s->headers[s->header_count++] = (name_value){str_from_c(name), value}; }

static str form_body(client *c, const client_params *p)
{
    BUF_AUTO b = BUF_INIT;
    for (size_t i = 0; i < p->count; i++) {
        if (i) buf_add_byte(&b, '&');
        encode_percent(&b, p->items[i].name);
        buf_add_byte(&b, '=');
        encode_percent(&b, p->items[i].value);
    }
    str s = arena_copy(&c->mem, buf_str(&b));
    if (b.p) secret_zero(b.p, b.n);
    return s;
}

static void sign(client *c, const char *action, const client_params *p, signed_call *s)
{
    char stamp[CLOCK_ISO_BYTES], nonce[RANDOM_UUID_BYTES];
    clock_format_iso(clk_wall_us(clk_system()), stamp);
    random_uuid(nonce);
    const char *host = strstr(c->endpoint, "://") + 3;
    memset(s, 0, sizeof *s);
    s->body = form_body(c, p);
    str hash = signature_sha256_hex(s->body, &c->mem);
    header(s, "content-type", STR("application/x-www-form-urlencoded"));
    header(s, "host", str_sub(str_from_c(host), 0, str_find_byte(str_from_c(host), '/', 0)));
    if (c->token.n) header(s, "x-acs-accesskey-id", secret_str(&c->key_id));
    header(s, "x-acs-action", str_from_c(action));
    header(s, "x-acs-content-sha256", hash);
    header(s, "x-acs-date", arena_copy(&c->mem, str_from_c(stamp)));
    if (c->token.n) header(s, "x-acs-security-token", secret_str(&c->token));
    header(s, "x-acs-signature-nonce", arena_copy(&c->mem, str_from_c(nonce)));
    header(s, "x-acs-version", STR("2020-01-01"));
    BUF_AUTO names = BUF_INIT;
    for (size_t i = 0; i < s->header_count; i++) {
        if (i) buf_add_byte(&names, ';');
        buf_add(&names, s->headers[i].name);
    }
    s->signed_names = arena_copy(&c->mem, buf_str(&names));
    s->canonical = signature_v3_canonical(STR("POST"), STR("/"), NULL, 0, s->headers, s->header_count, s->signed_names, hash, &c->mem);
    s->string_to_sign = signature_v3_string(s->canonical, &c->mem);
    str signature = signature_v3(s->string_to_sign, secret_str(&c->key_secret), &c->mem);
    s->authorization = arena_printf(&c->mem, "ACS3-HMAC-SHA256 Credential=%.*s,SignedHeaders=%.*s,Signature=%.*s", STR_ARG(secret_str(&c->key_id)),
                                    STR_ARG(s->signed_names), STR_ARG(signature));
}

void client_explain(client *c, const char *action, const client_params *p, str *ret_canonical, str *ret_string_to_sign, str *ret_authorization)
{
    signed_call s;
    sign(c, action, p, &s);
    *ret_canonical = s.canonical;
    *ret_string_to_sign = s.string_to_sign;
    *ret_authorization = s.authorization;
}

static size_t collect(char *p, size_t size, size_t count, void *ctx)
{
    buf_add(ctx, (str){p, size * count});
    return ((buf *)ctx)->failed ? 0 : size * count;
}

static bool append_header(struct curl_slist **list, str name, str value, client *c)
{
    str line = arena_printf(&c->mem, "%.*s: %.*s", STR_ARG(name), STR_ARG(value));
    struct curl_slist *more = line.p ? curl_slist_append(*list, line.p) : NULL;
    if (more) *list = more;
    return more != NULL;
}

static bool perform(client *c, const signed_call *s, buf *answer, int *ret_status, err *e)
{
    struct curl_slist *headers = NULL;
    bool ok = append_header(&headers, STR("authorization"), s->authorization, c) && append_header(&headers, STR("accept"), STR("application/json"), c) &&
              append_header(&headers, STR("expect"), STR(""), c);
    for (size_t i = 0; ok && i < s->header_count; i++) ok = append_header(&headers, s->headers[i].name, s->headers[i].value, c);
    CURL *h = curl_easy_init();
    char reason[CURL_ERROR_SIZE] = "";
    long status = 0;
    if (ok && h) {
        curl_easy_setopt(h, CURLOPT_URL, c->endpoint);
        curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, s->body.p);
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.n);
        curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, collect);
        curl_easy_setopt(h, CURLOPT_WRITEDATA, answer);
        curl_easy_setopt(h, CURLOPT_ERRORBUFFER, reason);
        curl_easy_setopt(h, CURLOPT_TIMEOUT, CALL_TIMEOUT_S);
        curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
        if (c->ca_file) curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file);
        CURLcode rc = curl_easy_perform(h);
        curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
        if (rc != CURLE_OK) ok = err_set(e, ERR_UNREACHABLE, "the service at %s does not answer: %s", c->endpoint, *reason ? reason : curl_easy_strerror(rc));
    } else {
        ok = err_no_memory(e, "a request");
    }
    curl_easy_cleanup(h);
    curl_slist_free_all(headers);
    if (ok) *ret_status = (int)status;
    return ok;
}

bool client_call_raw(client *c, const char *action, const client_params *p, int *ret_status, str *ret_body, err *e)
{
    signed_call s;
    BUF_AUTO answer = BUF_INIT;
    answer.limit = ANSWER_MAX_BYTES;
    sign(c, action, p, &s);
    bool ok = perform(c, &s, &answer, ret_status, e);
    if (s.body.p) secret_zero((char *)(uintptr_t)s.body.p, s.body.n);
    if (!ok) return false;
    if (c->debug) fprintf(stderr, "POST %s action=%s status=%d bytes=%zu\n", c->endpoint, action, *ret_status, answer.n);
    *ret_body = arena_copy(&c->mem, buf_str(&answer));
    return ret_body->p || err_no_memory(e, "an answer");
}

static err_code code_of_refusal(const char *code, int status)
{
    str s = str_from_c(code);
    if (str_eq(s, STR("Forbidden.InstanceNotFound"))) return ERR_JOB_NOT_FOUND;
    if (str_find(s, STR("OperationDenied")) != SIZE_MAX || str_eq(s, STR("InvalidJobStatus"))) return ERR_JOB_STATE;
    if (str_starts_with(s, STR("InvalidAccessKeyId")) || str_starts_with(s, STR("InvalidSecurityToken")) || str_starts_with(s, STR("Signature")) ||
        str_starts_with(s, STR("Forbidden")) || str_starts_with(s, STR("InvalidTimeStamp")) || str_eq(s, STR("IncompleteSignature")))
        return ERR_AUTH;
    if (status >= 500) return ERR_CATALOG;
    return ERR_BAD_INPUT;
}

/* The API puts its own sentence first and the reason behind it: "The ... is not valid. give one of ..." becomes "The ... is not valid: give one of ...". */
static str joined(str message, arena *a)
{
    for (size_t i = 0; i + 2 < message.n; i++)
        if (message.p[i] == '.' && message.p[i + 1] == ' ' && islower((unsigned char)message.p[i + 2]))
            return arena_printf(a, "%.*s: %.*s", (int)i, message.p, STR_ARG(str_sub(message, i + 2, SIZE_MAX)));
    return message;
}

bool client_refusal(int status, str body, err *e)
{
    json_t *o = json_loadb(body.n ? body.p : "", body.n, 0, NULL);
    const char *code = answer_text(o, "Code");
    arena mem;
    arena_init(&mem, 4096, 0);
    if (*code)
        err_set(e, code_of_refusal(code, status), "%.*s\n  api:   %s, request %s", STR_ARG(joined(str_from_c(answer_text(o, "Message")), &mem)), code, answer_text(o, "RequestId"));
    else
        err_set(e, ERR_UNREACHABLE, "the answer with HTTP status %d is not one of the DTS API; another server has that address", status);
    arena_finish(&mem);
    json_decref(o);
    return false;
}

bool client_call(client *c, const char *action, const client_params *p, json_t **ret, err *e)
{
    int status;
    str body;
    if (!client_call_raw(c, action, p, &status, &body, e)) return false;
    if (status != 200) return client_refusal(status, body, e);
    json_t *o = json_loadb(body.p, body.n, 0, NULL);
    if (!json_is_object(o)) {
        json_decref(o);
        return err_set(e, ERR_UNREACHABLE, "the answer of %s is not a JSON object; another server has that address", action);
    }
    *ret = o;
    return true;
}

const char *answer_text(const json_t *o, const char *name)
{
    const char *v = json_string_value(json_object_get(o, name));
    return v ? v : "";
}

int64_t answer_number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    int64_t n = json_integer_value(v);
    if (json_is_string(v)) (void)str_to_i64(str_from_c(json_string_value(v)), &n);
    return n;
}
