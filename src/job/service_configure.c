/* Creating and configuring jobs: checking what the user gave, before anything is stored. */
#include <string.h>

#include "engine/engine.h"
#include "job/service_priv.h"
#include "net/policy.h"

static bool job_type_from(str text, job_type *ret, service_fault *f, const char *param, err *e)
{
    if (str_eq_nocase(text, STR("MIGRATION"))) return *ret = JOB_MIGRATION, true;
    if (str_eq_nocase(text, STR("SYNC"))) return *ret = JOB_SYNC, true;
    err_set(e, ERR_NOT_SUPPORTED, "\"%.*s\" is not offered: MIGRATION and SYNC are", STR_ARG(str_sub(text, 0, 60)));
    return service_refuse(f, param, NULL);
}

/* The job that a ClientToken already made; ret->job_id.n == 0 when there is none. */
static bool find_token(service *s, const char *action, str token, arena *a, job_record *ret, err *e)
{
    bool found = false;
    *ret = (job_record){0};
    if (!token.n) return true;
    catalog_rows rows;
    if (!catalog_select(s->catalog, &rows, e, "SELECT job_id FROM idempotency WHERE action = ? AND token = ?", "ss", str_from_c(action), token)) return false;
    str id = catalog_next(s->catalog, &rows, e) ? catalog_text(&rows, 0, a) : STR_NULL;
    bool ok = id.p || e->code == ERR_NONE;
    catalog_rows_end(&rows);
    if (!ok || !id.p) return ok;
    if (!jobs_find(s->catalog, id, STR(""), false, a, ret, &found, e)) return false;
    if (!found) *ret = (job_record){0};
    return true;
}

static bool save_token(service *s, const char *action, str token, str job_id, err *e)
{
    if (!token.n) return true;
    return catalog_exec(s->catalog, e, "INSERT OR REPLACE INTO idempotency(action, token, job_id, digest, created_us) VALUES(?,?,?,'',?)", "sssi", str_from_c(action),
                        token, job_id, clk_wall_us(catalog_clock(s->catalog)));
}

static bool new_job(service *s, job_type type, arena *a, job_record *r, err *e)
{
    *r = (job_record){.type = type, .state = JOB_STATE_NOT_CONFIGURED, .generation = 1, .run = 1, .delay_ms = -1, .created_us = clk_wall_us(catalog_clock(s->catalog))};
    if (!jobs_new_id(s->catalog, a, &r->job_id, e)) return false;
    r->instance_id = arena_printf(a, "dts%.*s", STR_ARG(r->job_id));
    return r->instance_id.p || err_no_memory(e, "a job");
}

static bool save_all(service *s, const job_record *r, err *e)
{
    return jobs_save(s->catalog, r, e) && jobs_save_texts(s->catalog, r->job_id, r->db_list, r->reserve, e);
}

/* CreateDtsInstance with JobId: the purchase of a job that was configured first. */
static bool purchase(service *s, const create_request *q, arena *a, job_record *r, service_fault *f, err *e)
{
    if (!service_find(s, (job_ref){.job_id = q->job_id}, a, r, f, e)) return service_refuse(f, "JobId", NULL);
    r->purchased = true;
    if (q->auto_start && r->configured) {
        r->run_wanted = true;
        job_event event = fsm_start_event(r);
        job_state ignored;
        if (fsm_next(r->state, event, r->type, &ignored) && !fsm_apply(r, event, e)) return false;
    }
    return save_all(s, r, e);
}

bool service_create(service *s, const create_request *q, arena *a, job_record *ret, service_fault *f, err *e)
{
    job_type type = JOB_MIGRATION;
    if (!q->job_id.n && !job_type_from(q->type, &type, f, "Type", e)) return false;
    if (str_eq_nocase(q->sync_architecture, STR("bidirectional"))) {
        err_set(e, ERR_NOT_SUPPORTED, "two-way synchronization is not offered yet; use oneway");
        return service_refuse(f, "SyncArchitecture", NULL);
    }
    if (!catalog_begin(s->catalog, e)) return false;
    job_record r;
    bool ok = find_token(s, "CreateDtsInstance", q->client_token, a, &r, e);
    if (ok && r.job_id.n) {
        catalog_rollback(s->catalog);
        *ret = r;
        return true;
    }
    if (ok && q->job_id.n) ok = purchase(s, q, a, &r, f, e);
    else if (ok && (ok = new_job(s, type, a, &r, e))) {
        r.purchased = true;
        r.instance_class = q->instance_class;
        r.pay_type = q->pay_type.n ? q->pay_type : STR("PostPaid");
        r.sync_architecture = q->sync_architecture.n ? q->sync_architecture : STR("oneway");
        r.source.engine_name = q->source_engine;
        r.target.engine_name = q->target_engine;
        r.region = q->region;
        ok = save_all(s, &r, e);
    }
    ok = ok && save_token(s, "CreateDtsInstance", q->client_token, r.job_id, e);
    if (!service_end(s, ok, e)) return false;
    *ret = r;
    return true;
}

/* --- endpoints --- */

static bool refuse_end(service_fault *f, bool at_target, const char *what, arena *a)
{
    str param = arena_printf(a, "%sEndpoint%s", at_target ? "Destination" : "Source", what);
    if (f) *f = (service_fault){.param = param};
    return false;
}

/* InstanceID "host:port" stands for IP and Port of a cloud type. */
static void split_instance(const endpoint_request *q, str *host, str *port)
{
    size_t colon = str_find_byte(q->instance_id, ':', 0);
    if (q->host.n || colon == SIZE_MAX) return;
    *host = str_sub(q->instance_id, 0, colon);
    *port = str_sub(q->instance_id, colon + 1, SIZE_MAX);
}

static bool check_endpoint(const service *s, const endpoint_request *q, bool at_target, arena *a, job_endpoint *ret, service_fault *f, err *e)
{
    str host = q->host, port = q->port, engine_name = q->engine_name.n ? q->engine_name : STR("MySQL");
    uint64_t number = 0;
    split_instance(q, &host, &port);
    const engine *g = engine_find(engine_name);
    if (!g || (at_target ? !g->target : !g->source)) {
        err_set(e, ERR_NOT_SUPPORTED, "the engine \"%.*s\" is not supported here; MySQL, MariaDB and PostgreSQL are", STR_ARG(str_sub(engine_name, 0, 60)));
        return refuse_end(f, at_target, "EngineName", a);
    }
    if (g->sql == SQL_POSTGRESQL && !q->database.n) {
        err_set(e, ERR_BAD_INPUT, "PostgreSQL needs the name of the database");
        return refuse_end(f, at_target, "DatabaseName", a);
    }
    if (!host.n) {
        err_set(e, ERR_BAD_INPUT, "no address: give the IP or host name and the port (InstanceType OTHER), or InstanceID as host:port");
        return refuse_end(f, at_target, q->instance_id.n ? "InstanceID" : "IP", a);
    }
    if (host.n > 255 || str_find_byte(host, '/', 0) != SIZE_MAX) {
        err_set(e, ERR_BAD_INPUT, "\"%.*s\" is not an IP address or host name", STR_ARG(str_sub(host, 0, 80)));
        return refuse_end(f, at_target, "IP", a);
    }
    if (port.n && (!str_to_u64(port, &number) || number < 1 || number > 65535)) {
        err_set(e, ERR_BAD_INPUT, "\"%.*s\" is not a number from 1 to 65535", STR_ARG(str_sub(port, 0, 40)));
        return refuse_end(f, at_target, "Port", a);
    }
    if (!port.n) number = g->default_port, port = arena_printf(a, "%u", g->default_port);
    if (!policy_check_host(s->policy, host, (uint16_t)number, e)) return refuse_end(f, at_target, "IP", a);
    bool kept_password = ret->has_password;
    bool same = str_eq(ret->host, host) && str_eq(ret->port, port);
    str identity = same ? ret->identity : STR(""), product = same ? ret->product : STR("");
    *ret = (job_endpoint){.instance_type = q->instance_type, .instance_id = q->instance_id, .engine_name = engine_name, .region = q->region, .host = host, .port = port,
                          .database = q->database, .user = q->user, .role = q->role, .owner_id = q->owner_id, .oracle_sid = q->oracle_sid,
                          .has_password = kept_password || q->password.p != NULL, .ssl = q->ssl, .identity = identity, .product = product};
    return true;
}

/* --- configure --- */

static bool check_objects(str db_list, arena *a, service_fault *f, err *e)
{
    dblist *list;
    if (db_list.n == 0) err_set(e, ERR_BAD_INPUT, "DbList is missing: name at least one database");
    else if (dblist_parse(db_list, a, &list, e)) return true;
    return service_refuse(f, "DbList", NULL);
}

static bool check_stages(const configure_request *q, job_type type, service_fault *f, err *e)
{
    if (type == JOB_SYNC && !q->incremental) {
        err_set(e, ERR_BAD_INPUT, "a SYNC job always follows changes: DataSynchronization must be true");
        return service_refuse(f, "DataSynchronization", NULL);
    }
    if (!q->schema && !q->full && !q->incremental) {
        err_set(e, ERR_BAD_INPUT, "no stage is chosen: set StructureInitialization, DataInitialization or DataSynchronization to true");
        return service_refuse(f, "DataInitialization", NULL);
    }
    if (q->checkpoint.n && q->incremental && !q->full) {
        err_set(e, ERR_NOT_SUPPORTED, "starting at a time is not offered: leave Checkpoint out to begin with the newest change");
        return service_refuse(f, "Checkpoint", NULL);
    }
    return true;
}

static bool check_name(str name, service_fault *f, err *e)
{
    if (name.n && name.n <= JOB_MAX_NAME_BYTES) return true;
    err_set(e, ERR_BAD_INPUT, "a job's name has 1 to %d bytes", JOB_MAX_NAME_BYTES);
    return service_refuse(f, "DtsJobName", NULL);
}

static bool save_passwords(service *s, const configure_request *q, str job_id, arena *a, err *e)
{
    return (!q->source.password.p || jobs_secret_put(s->catalog, service_secret_context(job_id, "src", a), q->source.password, e)) &&
           (!q->target.password.p || jobs_secret_put(s->catalog, service_secret_context(job_id, "dest", a), q->target.password, e));
}

static void fill(job_record *r, const configure_request *q)
{
    str none = STR("NotStarted");
    r->name = q->name;
    r->schema = q->schema;
    r->full = q->full;
    r->incremental = q->incremental;
    r->db_list = q->db_list;
    r->start_checkpoint = q->checkpoint;
    if (q->region.n) r->region = q->region;
    if (q->resource_group.n) r->resource_group = q->resource_group;
    r->configured = true;
    r->precheck = (job_stage){.status = none};
    r->structure = (job_stage){.status = q->schema ? none : STR("")};
    r->load = (job_stage){.status = q->full ? none : STR("")};
    r->stream = (job_stage){.status = q->incremental ? none : STR("")};
    r->error_code = r->error_text = STR("");
    r->delay_ms = -1;
    r->config_version++;
}

static bool find_or_make(service *s, const configure_request *q, job_type type, arena *a, job_record *r, bool *ret_named, service_fault *f, err *e)
{
    *ret_named = q->ref.job_id.n || q->ref.instance_id.n;
    if (!*ret_named) return new_job(s, type, a, r, e);
    if (!service_find(s, q->ref, a, r, f, e)) return false;
    if (r->type == type) return true;
    err_set(e, ERR_DISAGREE, "instance %.*s was bought for another JobType", STR_ARG(r->instance_id));
    return service_refuse(f, "JobType", NULL);
}

/* Does it start by itself? (API reference 3.4: default auto when an instance was named, never without one.) */
static bool starts_itself(const job_record *r, bool named, arena *a)
{
    str mode = service_reserve(r, "autoStartModulesAfterConfig", a);
    return named && !str_eq_nocase(mode, STR("none"));
}

static bool configure(service *s, const configure_request *q, job_type type, arena *a, job_record *r, service_fault *f, err *e)
{
    bool named;
    job_endpoint from = {0}, to = {0};
    if (!find_or_make(s, q, type, a, r, &named, f, e)) return false;
    if (!check_endpoint(s, &q->source, false, a, &from, f, e) || !check_endpoint(s, &q->target, true, a, &to, f, e)) return false;
    if (!fsm_apply(r, EVENT_CONFIGURE, e)) return service_refuse(f, "DtsJobId", "UpdateJob.OperationDenied.InitStatus");
    r->source = from;
    r->target = to;
    fill(r, q);
    if (!service_reserve_to_keep(q->reserve, a, &r->reserve, e)) return false;
    if (!service_apply_reserve(r, a, e)) return false;
    r->run_wanted = starts_itself(r, named, a);
    if (r->run_wanted && !fsm_apply(r, EVENT_START_CHECK, e)) return false;
    return precheck_clear(s->catalog, r->job_id, false, e) && progress_clear(s->catalog, r->job_id, e) && save_all(s, r, e) && save_passwords(s, q, r->job_id, a, e) &&
           service_log_add(s->catalog, r->job_id, "INFO", STR("configured"), e);
}

bool service_configure(service *s, const configure_request *q, arena *a, job_record *ret, service_fault *f, err *e)
{
    job_type type;
    if (!job_type_from(q->type, &type, f, "JobType", e) || !check_name(q->name, f, e) || !check_stages(q, type, f, e) || !check_objects(q->db_list, a, f, e) ||
        !service_check_reserve(q->reserve, f, e))
        return false;
    if (!catalog_begin(s->catalog, e)) return false;
    job_record r;
    bool ok = find_token(s, "ConfigureDtsJob", q->client_token, a, &r, e);
    bool repeated = ok && r.job_id.n;
    if (ok && !repeated) ok = configure(s, q, type, a, &r, f, e) && save_token(s, "ConfigureDtsJob", q->client_token, r.job_id, e);
    if (!service_end(s, ok, e)) return false;
    *ret = r;
    return true;
}

static void overlay(str *kept, str given)
{
    if (given.n) *kept = given;
}

bool service_change_endpoint(service *s, job_ref ref, str end, const endpoint_request *q, service_fault *f, err *e)
{
    bool at_target = str_eq_nocase(end, STR("dest"));
    if (!at_target && !str_eq_nocase(end, STR("src"))) {
        err_set(e, ERR_BAD_INPUT, "Endpoint is src or dest");
        return service_refuse(f, "Endpoint", NULL);
    }
    arena a;
    arena_init(&a, 16 * 1024, 0);
    job_record r;
    if (!catalog_begin(s->catalog, e)) return arena_finish(&a), false;
    bool ok = service_find(s, ref, &a, &r, f, e);
    if (ok && (!r.configured || r.state == JOB_STATE_FINISHED)) {
        ok = err_set(e, ERR_JOB_STATE, "job %.*s is %s", STR_ARG(r.job_id), job_state_text(r.state));
        service_refuse(f, "DtsJobId", NULL);
    }
    job_endpoint *ep = at_target ? &r.target : &r.source;
    if (ok) {
        endpoint_request merged = {.instance_type = ep->instance_type, .instance_id = ep->instance_id, .engine_name = ep->engine_name, .region = ep->region, .host = ep->host,
                                   .port = ep->port, .database = ep->database, .user = ep->user, .password = q->password, .role = ep->role, .owner_id = ep->owner_id,
                                   .oracle_sid = ep->oracle_sid, .ssl = ep->ssl};
        overlay(&merged.instance_type, q->instance_type);
        overlay(&merged.host, q->host);
        overlay(&merged.port, q->port);
        overlay(&merged.user, q->user);
        overlay(&merged.database, q->database);
        ok = check_endpoint(s, &merged, at_target, &a, ep, f, e);
    }
    if (ok && q->password.p) ok = jobs_secret_put(s->catalog, service_secret_context(r.job_id, at_target ? "dest" : "src", &a), q->password, e);
    if (ok) {
        r.config_version++;
        ok = jobs_save(s->catalog, &r, e) && service_log_add(s->catalog, r.job_id, "INFO", at_target ? STR("destination endpoint changed") : STR("source endpoint changed"), e);
    }
    ok = service_end(s, ok, e);
    if (!ok && f && str_find(f->param, STR("Endpoint")) != SIZE_MAX) f->param = str_ends_with(f->param, STR("Port")) ? STR("EndpointPort") : STR("EndpointIp");
    arena_finish(&a);
    return ok;
}
