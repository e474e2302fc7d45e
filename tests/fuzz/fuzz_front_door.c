/* Fuzz target: whole calls, from the bytes of a request to the bytes of the answer, on a service of its own without a supervisor.
 * Input: a byte of choices, then
 * - raw (bit 0 clear): query, body and header lines (also Authorization) separated by zero bytes, as a stranger sends them;
 * - signed (bit 0 set): a byte that picks the operation, then name and value by turns, each ended by a zero byte; the harness signs them with a real key.
 *   A name of one byte below 32 is the operation's parameter of this number; a value of \1 or \2 is the id of the task or instance made last.
 * Every answer must be well formed and never be a fault of the service. */
#include <dirent.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/encode.h"
#include "base/log.h"
#include "catalog/access_key.h"
#include "codec/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADERS_MOST 20
#define PARAMS_MOST 40
#define RUNS_PER_STORE 5000

enum { SIGNED = 1, V3 = 2, IN_BODY = 4, XML = 8, JSON_BODY = 16 };

static char dir[64];
static catalog *store;
static service *svc;
static api *door;
static access_key key;
static arena key_mem;
static char last_job[40], last_instance[48];

static void remove_store(void)
{
    api_close(door);
    service_close(svc);
    catalog_close(store);
    arena_finish(&key_mem);
    door = NULL;
    DIR *d = opendir(dir);
    for (const struct dirent *i; d && (i = readdir(d));) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, i->d_name);
        unlink(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

static void make_store(void)
{
    err e = ERR_INIT;
    api_options o = {.region = STR("local"), .host_id = STR("sluice")};
    snprintf(dir, sizeof dir, "%s/sluice-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    arena_init(&key_mem, 4096, 0);
    if (!mkdtemp(dir) || !catalog_open(dir, clk_system(), &store, &e) || !service_open(store, &svc, &e) || !api_open(svc, &o, &door, &e) ||
        !access_key_create(store, STR("fuzz"), STR(""), &key_mem, &key, &e))
        abort();
}

static str next_part(str *rest)
{
    size_t at = str_find_byte(*rest, 0, 0);
    str part = str_sub(*rest, 0, at);
    *rest = at == SIZE_MAX ? STR_NULL : str_sub(*rest, at + 1, SIZE_MAX);
    return part;
}

/* The operation of this number; NULL for those that start a process. */
static const api_op *operation(uint8_t number)
{
    const api_op *const *all = api_op_all();
    size_t n = 0;
    while (all[n]) n++;
    const api_op *op = all[number % n];
    return strcmp(op->name, "DescribeConnectionStatus") == 0 ? NULL : op;
}

static str name_of(str given, const api_op *op)
{
    size_t n = 0;
    if (given.n != 1 || (uint8_t)given.p[0] >= 32) return given;
    while (op->pars[n].name) n++;
    return n ? str_from_c(op->pars[(uint8_t)given.p[0] % n].name) : given;
}

static str value_of(str given)
{
    if (given.n == 1 && given.p[0] == 1) return str_from_c(last_job);
    return given.n == 1 && given.p[0] == 2 ? str_from_c(last_instance) : given;
}

static int by_name(const void *a, const void *b) { return str_cmp(((const name_value *)a)->name, ((const name_value *)b)->name); }

static str form(const name_value *items, size_t n, arena *a)
{
    BUF_AUTO b = BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        if (i) buf_add_byte(&b, '&');
        encode_percent(&b, items[i].name);
        buf_add_byte(&b, '=');
        encode_percent(&b, items[i].value);
    }
    return arena_copy(a, buf_str(&b));
}

static void sign_v1(http_request *r, name_value *items, size_t n, const api_op *op, uint8_t choice, str nonce, str stamp, arena *a)
{
    const name_value own[] = {{STR("AccessKeyId"), key.id}, {STR("Action"), str_from_c(op->name)}, {STR("Format"), choice & XML ? STR("XML") : STR("JSON")}, {STR("SignatureMethod"), STR("HMAC-SHA1")},
                              {STR("SignatureNonce"), nonce}, {STR("SignatureVersion"), STR("1.0")}, {STR("Timestamp"), stamp}, {STR("Version"), STR(API_VERSION)}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) items[n++] = own[i];
    qsort(items, n, sizeof *items, by_name);
    str signature = signature_v1(signature_v1_string(r->method, items, n, a), key.secret, a);
    items[n++] = (name_value){STR("Signature"), signature};
    *(choice & IN_BODY ? &r->body : &r->query) = form(items, n, a);
}

static void sign_v3(http_request *r, name_value *headers, const name_value *items, size_t n, const api_op *op, uint8_t choice, str nonce, str stamp, arena *a)
{
    *(choice & IN_BODY ? &r->body : &r->query) = form(items, n, a);
    str hash = signature_sha256_hex(r->body, a), names = STR("host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version");
    const name_value own[] = {{STR("host"), STR("localhost")}, {STR("x-acs-action"), str_from_c(op->name)}, {STR("x-acs-content-sha256"), hash}, {STR("x-acs-date"), stamp},
                              {STR("x-acs-signature-nonce"), nonce}, {STR("x-acs-version"), STR(API_VERSION)}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) headers[r->header_count++] = own[i];
    name_value sorted[PARAMS_MOST + 16];
    if (n) memcpy(sorted, items, n * sizeof *items);
    qsort(sorted, n, sizeof *sorted, by_name);
    str canonical = signature_v3_canonical(r->method, r->path, sorted, choice & IN_BODY ? 0 : n, headers, r->header_count, names, hash, a);
    str signature = signature_v3(signature_v3_string(canonical, a), key.secret, a);
    headers[r->header_count++] = (name_value){STR("authorization"), arena_printf(a, "ACS3-HMAC-SHA256 Credential=%.*s,SignedHeaders=%.*s,Signature=%.*s", STR_ARG(key.id), STR_ARG(names), STR_ARG(signature))};
}

static bool has_name(const name_value *items, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(items[i].name, name)) return true;
    return false;
}

/* A name of the protocol itself would make another request than the one that was signed. */
static bool is_taken(str name)
{
    static const char *const taken[] = {"AccessKeyId", "Action", "Format", "SignatureMethod", "SignatureNonce", "SignatureVersion", "Timestamp", "Version", "Signature", "SecurityToken", ""};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (str_eq_nocase(name, str_from_c(taken[i]))) return true;
    return false;
}

static bool make_signed(http_request *r, name_value *headers, str rest, uint8_t choice, const api_op **ret_op, arena *a)
{
    static uint64_t count;
    name_value items[PARAMS_MOST + 16];
    size_t n = 0;
    const api_op *op = rest.n ? operation((uint8_t)rest.p[0]) : NULL;
    if (!op) return false;
    rest = str_sub(rest, 1, SIZE_MAX);
    while (rest.n && n < PARAMS_MOST) {
        str name = name_of(next_part(&rest), op), value = value_of(next_part(&rest));
        if (!is_taken(name) && !has_name(items, n, name) && str_is_utf8(name) && str_is_utf8(value)) items[n++] = (name_value){name, str_or_empty(value)};
    }
    char stamp[CLOCK_ISO_BYTES];
    clock_format_iso(clk_wall_us(clk_system()), stamp);
    str at = arena_copy(a, str_from_c(stamp)), nonce = arena_printf(a, "n%llu", (unsigned long long)++count);
    r->method = choice & IN_BODY ? STR("POST") : STR("GET");
    if (choice & IN_BODY) headers[r->header_count++] = (name_value){STR("content-type"), STR("application/x-www-form-urlencoded")};
    if (choice & V3) sign_v3(r, headers, items, n, op, choice, nonce, at, a);
    else sign_v1(r, items, n, op, choice, nonce, at, a);
    *ret_op = op;
    return true;
}

static void make_raw(http_request *r, name_value *headers, str rest, uint8_t choice)
{
    str line;
    r->method = choice & IN_BODY ? STR("POST") : STR("GET");
    if (choice & IN_BODY) headers[r->header_count++] = (name_value){STR("content-type"), choice & JSON_BODY ? STR("application/json") : STR("application/x-www-form-urlencoded")};
    r->query = str_or_empty(next_part(&rest));
    r->body = str_or_empty(next_part(&rest));
    while (r->header_count < HEADERS_MOST && rest.n && str_split_next(&rest, '\n', &line)) {
        size_t at = str_find_byte(line, ':', 0);
        headers[r->header_count++] = (name_value){str_sub(line, 0, at), at == SIZE_MAX ? STR("") : str_sub(line, at + 1, SIZE_MAX)};
    }
}

static void keep_ids(const json_t *answer)
{
    const char *job = json_string_value(json_object_get(answer, "DtsJobId")), *instance = json_string_value(json_object_get(answer, "DtsInstanceId"));
    if (!job) job = json_string_value(json_object_get(answer, "JobId"));
    if (!instance) instance = json_string_value(json_object_get(answer, "InstanceId"));
    if (job) snprintf(last_job, sizeof last_job, "%s", job);
    if (instance) snprintf(last_instance, sizeof last_instance, "%s", instance);
}

static void check(const http_response *out, bool was_signed)
{
    if (out->status >= 500 || (out->status != 200 && out->status != 400 && out->status != 403 && out->status != 404 && out->status != 413)) abort();
    if (str_eq(out->content_type, STR("application/json"))) {
        json_t *o = json_loadb(out->body.p, out->body.n, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(o)) abort();
        const char *code = json_string_value(json_object_get(o, "Code"));
        if (was_signed && code && strcmp(code, "SignatureDoesNotMatch") == 0) abort(); /* both sides must see the same request */
        keep_ids(o);
        json_decref(o);
    } else {
        xmlDocPtr d = xmlReadMemory(out->body.p, (int)out->body.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
        if (!d) abort();
        xmlFreeDoc(d);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t runs;
    if (size < 2) return 0;
    if (runs++ == 0) {
        log_set_level(LOG_ERROR);
        make_store();
        atexit(remove_store);
    } else if (runs % RUNS_PER_STORE == 0) {
        remove_store();
        make_store();
    }
    arena a;
    arena_init(&a, 64 * 1024, 256 * 1024 * 1024);
    name_value headers[HEADERS_MOST + 10];
    http_request r = {.path = STR("/"), .query = STR(""), .body = STR(""), .headers = headers, .client = STR("127.0.0.1")};
    str rest = {(const char *)data + 1, size - 1};
    const api_op *op = NULL;
    bool was_signed = data[0] & SIGNED;
    if (was_signed && !make_signed(&r, headers, rest, data[0], &op, &a)) {
        arena_finish(&a);
        return 0;
    }
    if (!was_signed) make_raw(&r, headers, rest, data[0]);
    http_response out = {0};
    api_handle(door, &r, &a, &out);
    check(&out, was_signed);
    arena_finish(&a);
    return 0;
}
