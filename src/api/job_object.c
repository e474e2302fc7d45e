/* The task as answers show it. */
#include "api/job_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/fsm.h"

void job_object_time(json_t *o, const char *name, int64_t at_us)
{
    char text[CLOCK_ISO_BYTES] = "";
    if (at_us) clock_format_iso(at_us, text);
    json_object_set_new(o, name, json_string(text));
}

static const char *engine_text(str name) { return str_eq_nocase(name, STR("mariadb")) ? "MariaDB" : str_eq_nocase(name, STR("postgresql")) ? "PostgreSQL" : "MySQL"; }

static json_t *endpoint_object(const job_endpoint *ep)
{
    json_t *o = json_object();
    json_object_set_new(o, "EngineName", json_string(engine_text(ep->engine_name)));
    if (ep->product.n) answer_set(o, "SluiceProduct", ep->product); /* what the server says it is */
    answer_set(o, "InstanceType", ep->instance_type.n ? ep->instance_type : STR("OTHER"));
    answer_set(o, "InstanceID", ep->instance_id);
    answer_set(o, "Ip", ep->host);
    answer_set(o, "Port", ep->port);
    answer_set(o, "Region", ep->region);
    answer_set(o, "DatabaseName", ep->database);
    answer_set(o, "UserName", ep->user);
    answer_set(o, "OracleSID", ep->oracle_sid);
    answer_set(o, "AliyunUid", ep->owner_id);
    answer_set(o, "RoleName", ep->role);
    json_object_set_new(o, "SslSolutionEnum", json_string(str_eq(ep->ssl, STR("1")) ? "ENABLE_WITH_CERTIFICATE" : "DISABLE"));
    return o;
}

static void add_stage(json_t *o, const char *name, const job_stage *s)
{
    char percent[16];
    if (!s->status.n) return;
    json_t *stage = json_object();
    snprintf(percent, sizeof percent, "%u", s->percent);
    answer_set(stage, "Status", s->status);
    json_object_set_new(stage, "Percent", json_string(percent));
    answer_set(stage, "Progress", s->progress);
    answer_set(stage, "ErrorMessage", s->error);
    json_object_set_new(o, name, stage);
}

/* The step under way: 02 schema, 03 full load, 04 stream (API reference 3.3). */
static const char *module_of(const job_record *r) { return r->stream.started_us ? "04" : r->load.started_us ? "03" : "02"; }

/* Times in seconds: since the failure began, and until the task fails. */
static void add_retry(json_t *o, const job_record *r, int64_t now_us)
{
    if (!r->retrying) return;
    int64_t lasts_us = now_us > r->retry_since_us ? now_us - r->retry_since_us : 0;
    json_t *s = json_pack("{s:b, s:I, s:I, s:I, s:s}", "Retrying", 1, "RetryCount", (json_int_t)r->retry_count, "RetryTime", (json_int_t)(lasts_us / 1000000), "MaxRetryTime",
                          (json_int_t)service_retry_limit_s(r->reserve), "Module", module_of(r));
    answer_set(s, "RetryTarget", r->retry_target);
    answer_set(s, "JobId", r->job_id);
    answer_set(s, "ErrMessage", r->retry_text);
    json_object_set_new(o, "RetryState", s);
}

static void add_state(json_t *o, const job_record *r, int64_t now_us, bool detail)
{
    char checkpoint[32] = "", flow[48], rps[32];
    int64_t seconds = r->source_commit_us / 1000000;
    json_object_set_new(o, "Status", json_string(job_state_text(r->state)));
    if (seconds) snprintf(checkpoint, sizeof checkpoint, "%lld", (long long)seconds);
    json_object_set_new(o, "Checkpoint", detail ? json_integer(seconds) : json_string(checkpoint));
    bool in_seconds = !detail && r->type == JOB_SYNC; /* API reference 3.2: seconds for sync in lists, else milliseconds */
    json_object_set_new(o, "Delay", json_integer(r->delay_ms < 0 ? -1 : in_seconds ? r->delay_ms / 1000 : r->delay_ms));
    char text[ERR_TEXT_BYTES + 80] = "";
    if (r->error_code.n) snprintf(text, sizeof text, "%.*s: %.*s", STR_ARG(r->error_code), STR_ARG(r->error_text));
    answer_set(o, "ErrorMessage", str_from_c(text)); /* a server's text: may be cut inside a character */
    bool moves = fsm_wants_worker(r->state); /* the stored rates are those of its last second */
    snprintf(rps, sizeof rps, "%lld", moves ? (long long)r->rps : 0LL);
    snprintf(flow, sizeof flow, "%.3f", moves ? (double)r->bytes_per_s / 1e6 : 0.0);
    json_object_set_new(o, "Performance", json_pack("{s:s, s:s}", "Rps", rps, "Flow", flow));
    add_stage(o, "PrecheckStatus", &r->precheck);
    add_stage(o, "StructureInitializationStatus", &r->structure);
    add_stage(o, "DataInitializationStatus", &r->load);
    add_stage(o, "DataSynchronizationStatus", &r->stream);
    add_retry(o, r, now_us);
}

void job_object_fill(json_t *o, const job_record *r, int64_t now_us, bool detail, bool with_objects)
{
    answer_set(o, "DtsJobId", r->job_id);
    answer_set(o, "DtsInstanceID", r->instance_id);
    answer_set(o, "DtsJobName", r->name);
    json_object_set_new(o, "JobType", json_string(r->type == JOB_SYNC ? "sync" : "online"));
    json_object_set_new(o, detail ? "SynchronizationDirection" : "DtsJobDirection", json_string("Forward"));
    answer_set(o, "DtsJobClass", r->instance_class.n ? r->instance_class : STR("small"));
    answer_set(o, "PayType", r->pay_type.n ? r->pay_type : STR("PostPaid"));
    answer_set(o, "ResourceGroupId", r->resource_group);
    job_object_time(o, "CreateTime", r->created_us);
    json_object_set_new(o, "ExpireTime", json_string(""));
    if (detail) job_object_time(o, "FinishTime", r->finished_us);
    if (detail) job_object_time(o, "BootTime", r->started_us);
    json_object_set_new(o, "MigrationMode", json_pack("{s:b, s:b, s:b}", "StructureInitialization", (int)r->schema, "DataInitialization", (int)r->full, "DataSynchronization", (int)r->incremental));
    json_object_set_new(o, "SourceEndpoint", endpoint_object(&r->source));
    json_object_set_new(o, "DestinationEndpoint", endpoint_object(&r->target));
    if (with_objects) answer_set(o, "DbObject", r->db_list);
    answer_set(o, "Reserved", r->reserve.n ? r->reserve : STR("{}")); /* as submitted; secrets were not kept */
    json_object_set_new(o, "SubscriptionDataType", json_pack("{s:b, s:b}", "Ddl", 0, "Dml", 0));
    json_object_set_new(o, "SubscriptionHost", json_pack("{s:s, s:s, s:s}", "PublicHost", "", "PrivateHost", "", "VpcHost", ""));
    add_state(o, r, now_us, detail);
}
