/* Reading a job's specification in a role. */
#include "job/spec.h"

#include <string.h>

#include "job/ctl.h"
#include "net/policy.h"

/* In the arena, borrowed by the endpoint. */
static const net_policy *read_policy(const json_t *o, arena *a, err *e)
{
    net_policy *p = arena_array(a, 1, sizeof *p);
    const json_t *port;
    size_t i;
    if (!p) return err_no_memory(e, "a policy"), NULL;
    json_array_foreach(json_object_get(o, "own_ports"), i, port) policy_add_own_port(p, (uint16_t)json_integer_value(port));
    return policy_allow(p, arena_copy(a, ctl_str(o, "allowed")), e) ? p : NULL;
}

bool spec_read_endpoint(const json_t *o, arena *a, endpoint *ret, err *e)
{
    int64_t port = ctl_number(o, "port"), tls = ctl_number(o, "tls");
    const engine *g = engine_find(ctl_str(o, "engine"));
    if (!g) return err_set(e, ERR_NOT_SUPPORTED, "the engine \"%s\" is not known", ctl_text(o, "engine"));
    if (port < 0 || port > 65535 || tls < TLS_OFF || tls > TLS_VERIFY_FULL) return err_set(e, ERR_PROTOCOL, "an endpoint's port or tls mode is out of range");
    *ret = (endpoint){.engine = str_from_c(g->name), .host = arena_copy(a, ctl_str(o, "host")), .port = (uint16_t)(port ? port : g->default_port),
                      .user = arena_copy(a, ctl_str(o, "user")), .database = arena_copy(a, ctl_str(o, "database")), .tls = (tls_mode)tls,
                      .tls_ca_file = arena_copy(a, ctl_str(o, "tls_ca")), .policy = read_policy(json_object_get(o, "policy"), a, e)};
    /* Here and not in serve: asking the resolver may take long, and the answer may be another one than when the job was configured. */
    return ret->policy && policy_check_resolved(ret->policy, ret->host, ret->port, e) && secret_set(&ret->password, ctl_str(o, "password"), e);
}

static void read_limit(throttle *t, throttle_phase p, const json_t *o)
{
    if (!json_is_object(o)) return;
    throttle_set(t, p, (throttle_limit){ctl_number(o, "rows"), ctl_number(o, "bytes"), ctl_number(o, "queries")});
}

void spec_apply_limits(throttle *t, const json_t *message)
{
    read_limit(t, strcmp(ctl_text(message, "phase"), "full") == 0 ? THROTTLE_FULL : THROTTLE_STREAM, message);
}

static uint64_t number_or(const json_t *o, const char *name, int64_t low, int64_t high, int64_t absent)
{
    int64_t v = json_is_integer(json_object_get(o, name)) ? ctl_number(o, name) : absent;
    return (uint64_t)(v < low ? low : v > high ? high : v);
}

static void read_numbers(const json_t *m, pipeline_job *j)
{
    j->lanes = (uint32_t)number_or(m, "lanes", 1, 32, 2);
    j->chunk_rows = number_or(m, "chunk_rows", 100, 100000000, 50000);
    j->budget_bytes = (size_t)number_or(m, "budget_bytes", 8 << 20, INT64_C(1) << 40, 128 << 20);
    j->window_rows = (uint32_t)number_or(m, "window_rows", 1, 1000000, 10000);
    j->window_wait_us = (uint32_t)number_or(m, "window_wait_us", 0, 1000000, 0);
    j->replica_id = (uint32_t)number_or(m, "replica_id", 1, UINT32_MAX, 1);
    j->retry_for_us = number_or(m, "retry_for_us", 0, INT64_MAX, INT64_C(43200) * 1000000);
    j->epoch = number_or(m, "epoch", 1, INT64_MAX, 1);
}

str spec_type_choice(void *ctx, str key)
{
    const job_spec *s = ctx;
    char name[1024];
    if (key.n >= sizeof name) return STR_NULL;
    memcpy(name, key.p, key.n);
    name[key.n] = 0;
    const json_t *v = json_object_get(s->types, name);
    return json_is_string(v) ? (str){json_string_value(v), json_string_length(v)} : STR_NULL;
}

bool spec_read(const json_t *m, job_spec *ret, err *e)
{
    memset(ret, 0, sizeof *ret);
    arena_init(&ret->mem, 64 * 1024, 0);
    throttle_init(&ret->limits);
    const json_t *limits = json_object_get(m, "limits");
    read_limit(&ret->limits, THROTTLE_FULL, json_object_get(limits, "full"));
    read_limit(&ret->limits, THROTTLE_STREAM, json_object_get(limits, "stream"));
    pipeline_job *j = &ret->job;
    if (!spec_read_endpoint(json_object_get(m, "source"), &ret->mem, &ret->source, e) ||
        !spec_read_endpoint(json_object_get(m, "target"), &ret->mem, &ret->target, e)) {
        spec_finish(ret);
        return false;
    }
    read_numbers(m, j);
    j->job_id = arena_copy(&ret->mem, ctl_str(m, "job_id"));
    j->source_engine = engine_find(ret->source.engine);
    j->target_engine = engine_find(ret->target.engine);
    j->source = &ret->source;
    j->target = &ret->target;
    j->schema = ctl_flag(m, "schema");
    j->full = ctl_flag(m, "full");
    j->incremental = ctl_flag(m, "incremental");
    j->ignore_existing = ctl_flag(m, "ignore_existing");
    j->rights = ctl_flag(m, "rights");
    j->ddl = ctl_flag(m, "ddl");
    j->limits = &ret->limits;
    str folder = ctl_str(m, "spill_folder");
    j->spill_folder = folder.n ? arena_copy_c(&ret->mem, folder) : NULL;
    ret->types = json_deep_copy(json_object_get(m, "types"));
    j->type_choice = spec_type_choice;
    j->type_ctx = ret;
    ret->objects_error = ERR_INIT;
    if (!dblist_parse(arena_copy(&ret->mem, ctl_str(m, "db_list")), &ret->mem, &ret->objects, &ret->objects_error)) ret->objects = NULL;
    j->objects = ret->objects;
    return true;
}

void spec_finish(job_spec *s)
{
    secret_wipe(&s->source.password);
    secret_wipe(&s->target.password);
    throttle_finish(&s->limits);
    json_decref(s->types);
    arena_finish(&s->mem);
}
