/* The way of a request: parse, authenticate, find the operation, check its parameters, run, render. */
#include "api/api.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/authenticate.h"
#include "api/policy.h"
#include "api/render.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"

#define API_OP(symbol) extern const api_op op_##symbol;
#include "api/ops.def"
#undef API_OP

static const api_op *const ops[] = {
#define API_OP(symbol) &op_##symbol,
#include "api/ops.def"
#undef API_OP
    NULL,
};

#define OP_COUNT (sizeof ops / sizeof *ops)

struct api {
    service *svc;
    nonce_store *nonces;
    ratelimit *limit;
    char *region, *host_id;
    pthread_mutex_t lock;
    uint64_t counters[OP_COUNT][API_ERROR_COUNT + 1]; /* last column: success; last row: unknown actions */
};

const api_op *api_op_find(str name)
{
    for (size_t i = 0; ops[i]; i++)
        if (str_eq(name, str_from_c(ops[i]->name))) return ops[i];
    return NULL;
}

const api_op *const *api_op_all(void) { return ops; }

bool api_open(service *s, const api_options *o, api **ret, err *e)
{
    api *a = calloc(1, sizeof *a);
    if (!a) return err_no_memory(e, "the API");
    pthread_mutex_init(&a->lock, NULL);
    a->svc = s;
    a->region = strndup(o->region.n ? o->region.p : "local", o->region.n ? o->region.n : 5);
    a->host_id = strndup(o->host_id.n ? o->host_id.p : "sluice", o->host_id.n ? o->host_id.n : 6);
    a->limit = ratelimit_new(o->requests_per_s, o->burst ? o->burst : 1);
    if (!a->region || !a->host_id || !a->limit) {
        api_close(a);
        return err_no_memory(e, "the API");
    }
    catalog *c = service_catalog(s);
    if (!nonce_open(catalog_dir(c), catalog_clock(c), &a->nonces, e)) {
        api_close(a);
        return false;
    }
    *ret = a;
    return true;
}

void api_close(api *a)
{
    if (!a) return;
    nonce_close(a->nonces);
    ratelimit_free(a->limit);
    free(a->region);
    free(a->host_id);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static bool value_fits(const api_par *p, str v)
{
    bool b;
    int64_t i;
    switch (p->type) {
    case PAR_BOOLEAN: return str_to_bool(v, &b);
    case PAR_INTEGER: return str_to_i64(v, &i) && i >= INT32_MIN && i <= INT32_MAX;
    case PAR_LONG: return str_to_i64(v, &i);
    case PAR_JSON:
    case PAR_STRING: break;
    }
    return true;
}

/* Client libraries take a password up to its first zero byte. */
static bool secret_fits(str v)
{
    _Static_assert(SECRET_MAX_BYTES == 4096, "the text of the refusal names the number");
    return v.n <= SECRET_MAX_BYTES && str_find_byte(v, 0, 0) == SIZE_MAX;
}

static const char *form_of(par_type t) { return t == PAR_BOOLEAN ? "it must be true or false" : "it must be a whole number"; }

static bool check_parameters(const api_call *c, const api_op *op, api_fault *f)
{
    for (const api_par *p = op->pars; p->name; p++) {
        str v = call_get(c, p->name);
        if (v.n == 0 && (p->flags & PAR_REQUIRED)) return fault_set(f, API_ERROR_MISSING_PARAMETER, str_from_c(p->name), STR_NULL);
        if ((p->flags & PAR_SECRET) && !secret_fits(v)) return fault_set(f, API_ERROR_INVALID_PARAMETER, str_from_c(p->name), STR("it has at most 4096 bytes and no zero byte"));
        if (v.n && !value_fits(p, v)) return fault_set(f, API_ERROR_INVALID_PARAMETER, str_from_c(p->name), str_from_c(form_of(p->type)));
    }
    return true;
}

typedef enum named_by { BY_INSTANCE, BY_JOB, BY_LEFTOVER } named_by;

/* Whether the policy allows the action on one instance, named by its own id, by its task's or by what a deleted task left. A task that never was stands
 * for "*"; when the store cannot tell, nothing is allowed. */
static bool allows_named(api_call *c, str policy, str action, named_by by, str id)
{
    str instance = id;
    err e = ERR_INIT;
    if (by == BY_JOB && !service_instance_of_job(c->svc, id, c->mem, &instance, &e)) return false;
    if (by == BY_LEFTOVER && !service_instance_of_leftover(c->svc, id, c->mem, &instance, &e)) return false;
    return policy_allows(policy, action, instance);
}

/* Every instance that the call names, in whatever parameter, must be allowed: a list or an older name is no way around a Deny. */
static bool allows_call(api_call *c, str policy, str action)
{
    static const struct {
        const char *name;
        named_by by;
    } names[] = {{"DtsInstanceId", BY_INSTANCE}, {"MigrationJobId", BY_INSTANCE}, {"SynchronizationJobId", BY_INSTANCE}, {"DtsJobId", BY_JOB},
                 {"DtsJobIds", BY_JOB},          {"JobId", BY_JOB},               {"LeftoverId", BY_LEFTOVER}};
    bool named = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t n = 0;
        str *ids = call_list(c, names[i].name, &n), plain = call_get(c, names[i].name);
        if (!ids) return false;
        /* Numbered values hide the plain one from call_list, but not from an operation that takes one id. */
        for (uint32_t k = 0; k < n + (plain.n != 0); k++) {
            str id = k < n ? ids[k] : plain;
            if (!allows_named(c, policy, action, names[i].by, id)) return false;
        }
        named = named || n || plain.n;
    }
    return named || policy_allows(policy, action, STR_NULL);
}

static bool run_call(api *a, const http_request *r, const parsed_request *p, api_call *c, const api_op **ret_op, json_t *answer, api_fault *f)
{
    access_key key = {0};
    if (!request_authenticate(service_catalog(a->svc), a->nonces, a->limit, r, p, c->mem, &key, f)) return false;
    if (p->action.n == 0) return fault_set(f, API_ERROR_MISSING_PARAMETER, STR("Action"), STR_NULL);
    if (!str_eq(p->version, STR(API_VERSION))) return fault_set(f, API_ERROR_VERSION, STR("Version"), STR("the version is " API_VERSION));
    const api_op *op = api_op_find(p->action);
    if (!op) return fault_set(f, API_ERROR_ACTION_NOT_FOUND, STR("Action"), STR_NULL);
    *ret_op = op;
    c->key_id = key.id;
    if (!check_parameters(c, op, f)) return false;
    if (key.policy.n && !allows_call(c, key.policy, p->action)) return fault_set(f, API_ERROR_FORBIDDEN, p->action, STR_NULL);
    return op->run(c, answer, f);
}

static json_t *declared(char type, bool success) { return type == 's' ? json_string(success ? "true" : "false") : json_boolean(success); }

static void set_status(json_t *o, const api_op *op, int status)
{
    char text[16];
    snprintf(text, sizeof text, "%d", status);
    if (!op || op->status_type == 'i') json_object_set_new(o, "HttpStatusCode", json_integer(status));
    else if (op->status_type == 's') json_object_set_new(o, "HttpStatusCode", json_string(text));
}

/* The template with its %s replaced. */
static str fill_template(const char *template, str dynamic, arena *a)
{
    str t = str_from_c(template);
    size_t at = str_find(t, STR("%s"));
    if (at == SIZE_MAX) return t;
    str tail = str_sub(t, at + 2, SIZE_MAX);
    return arena_printf(a, "%.*s%.*s%.*s", (int)at, t.p, STR_ARG(dynamic), STR_ARG(tail));
}

static json_t *fault_answer(const api_fault *f, const api_op *op, const api_call *c, str host, arena *a)
{
    int status = fault_http_status(f->error);
    str message = fill_template(fault_template(f->error), f->dynamic, a);
    if (f->error == API_ERROR_NOT_FOUND) message = STR("The instance is not found (NotFound).");
    if (f->reason.n) message = arena_printf(a, "%.*s %.*s", STR_ARG(message), STR_ARG(f->reason));
    char code[16];
    snprintf(code, sizeof code, "%d", status);
    json_t *o = json_object();
    json_object_set_new(o, "RequestId", json_string(c->request_id));
    answer_set(o, "HostId", host);
    answer_set(o, "Code", f->code.n ? f->code : str_from_c(fault_code(f->error)));
    answer_set(o, "Message", message);
    answer_set(o, "Recommend", STR(""));
    json_object_set_new(o, "Success", declared(op ? op->success_type : 'b', false));
    answer_set(o, "ErrCode", f->code.n ? f->code : str_from_c(fault_err_code(f->error)));
    answer_set(o, "ErrMessage", str_from_c(fault_template(f->error)));
    answer_set(o, "DynamicMessage", f->error == API_ERROR_SIGNATURE_MISMATCH ? STR("Signature") : f->dynamic);
    answer_set(o, "DynamicCode", str_from_c(code));
    set_status(o, op, status);
    return o;
}

static void count(api *a, const api_op *op, bool ok, api_error error)
{
    size_t row = OP_COUNT - 1;
    for (size_t i = 0; op && ops[i]; i++)
        if (ops[i] == op) row = i;
    pthread_mutex_lock(&a->lock);
    a->counters[row][ok ? API_ERROR_COUNT : error]++;
    pthread_mutex_unlock(&a->lock);
}

static void write_response(http_response *ret, json_t *tree, bool xml, str root, bool ok, arena *mem)
{
    ret->body = xml ? render_xml(tree, root, mem) : render_json(tree, mem);
    /* Clients parse XML errors only under exactly this type (API reference 4.9). */
    ret->content_type = !xml ? STR("application/json") : ok ? STR("application/xml") : STR("text/xml;charset=utf-8");
    if (!ret->body.p) {
        ret->status = 500;
        ret->body = STR("{\"Code\":\"InternalError\",\"Message\":\"out of memory\",\"Success\":false}");
        ret->content_type = STR("application/json");
    }
}

void api_handle(api *a, const http_request *r, arena *mem, http_response *ret)
{
    api_call c = {.api = a, .svc = a->svc, .mem = mem};
    api_fault f = {.error = API_ERROR_INTERNAL};
    parsed_request p = {0};
    const api_op *op = NULL;
    random_uuid(c.request_id);
    json_t *answer = json_object(), *tree = NULL;
    bool get_or_post = str_eq(r->method, STR("GET")) || str_eq(r->method, STR("POST"));
    bool ok = request_parse(r, mem, &p, &f); /* first: it tells the form of the answer */
    if (!get_or_post) ok = fault_set(&f, API_ERROR_HTTP_METHOD, r->method, STR_NULL);
    if (ok) {
        c.params = p.params;
        c.param_count = p.param_count;
        c.region = request_param(&p, "RegionId");
        if (!c.region.n) c.region = str_from_c(a->region);
        ok = run_call(a, r, &p, &c, &op, answer, &f);
    }
    bool xml = p.family != FAMILY_V3 && !str_eq_nocase(p.format, STR("JSON"));
    str root = ok ? arena_printf(mem, "%sResponse", op->name) : STR("Error");
    if (ok) {
        tree = json_object();
        if (op->status_type != '-') set_status(tree, op, 200);
        json_object_set_new(tree, "RequestId", json_string(c.request_id));
        if (op->success_type != '-') json_object_set_new(tree, "Success", declared(op->success_type, true));
        json_object_update(tree, answer);
    } else {
        str host = request_header(r, "host");
        tree = fault_answer(&f, op, &c, host.n ? host : str_from_c(a->host_id), mem);
    }
    ret->status = ok ? 200 : fault_http_status(f.error);
    ret->request_id = arena_copy(mem, str_from_c(c.request_id));
    write_response(ret, tree, xml, root, ok, mem);
    json_decref(answer);
    json_decref(tree);
    count(a, op, ok, f.error);
    char reason[512];
    log_event(ok ? LOG_INFO : LOG_WARN, "api", "action=%s code=%s status=%d key=%.*s client=%.*s request=%s%s%s", op ? op->name : "-",
              ok ? "Success" : fault_code(f.error), ret->status, STR_ARG(c.key_id), STR_ARG(r->client), c.request_id, f.reason.n && !ok ? " reason=" : "",
              f.reason.n && !ok ? log_quote(reason, sizeof reason, f.reason) : "");
}

bool api_ready(api *a, err *e) { return nonce_check(a->nonces, e); }

void api_visit_counters(api *a, void (*visit)(void *ctx, const char *action, const char *code, uint64_t count), void *ctx)
{
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < OP_COUNT; i++)
        for (size_t k = 0; k <= API_ERROR_COUNT; k++)
            if (a->counters[i][k]) visit(ctx, ops[i] ? ops[i]->name : "unknown", k == API_ERROR_COUNT ? "Success" : fault_code((api_error)k), a->counters[i][k]);
    pthread_mutex_unlock(&a->lock);
}
