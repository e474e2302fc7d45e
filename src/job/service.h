/* What the API can ask of jobs. Each call is one catalog transaction and one event of the state machine; the supervisor is woken after the commit.
 * Failures: err code JOB_NOT_FOUND, JOB_STATE, BAD_INPUT, DISAGREE, CATALOG...; ret_param (when given) names the API parameter at fault. */
#ifndef JOB_SERVICE_H
#define JOB_SERVICE_H

#include "catalog/db.h"
#include "catalog/job_record.h"
#include "net/policy.h"

/* Bytes of the Reserve text of a job. */
#define RESERVE_MAX_BYTES (64 * 1024)

/* How long a transient failure is retried, without a maxRetryTime in Reserve: the default of DTS. */
#define RETRY_DEFAULT_S 43200

typedef struct service service;

/* Which job is meant: either id or both. `account` is the AccessKeyId's owner for audit. direction: "" = Forward. */
typedef struct job_ref {
    str job_id, instance_id;
    str direction;
} job_ref;

/* Set when a service call fails: what the API answers. */
typedef struct service_fault {
    str param;      /* API parameter at fault, for DynamicMessage; may be empty */
    str api_code;   /* exact API code when it is not the default one of err->code */
} service_fault;

typedef struct create_request {
    str type;       /* MIGRATION | SYNC | SUBSCRIBE */
    str job_id;     /* purchase for an existing job, may be empty */
    str instance_class, pay_type, sync_architecture, source_engine, target_engine, region, client_token;
    bool auto_start;
} create_request;

typedef struct endpoint_request {
    str instance_type, instance_id, engine_name, region, host, port, database, user, password, role, owner_id, oracle_sid, ssl;
} endpoint_request;

typedef struct configure_request {
    job_ref ref;    /* both empty: a new job */
    str name, type; /* MIGRATION | SYNC */
    bool schema, full, incremental;
    endpoint_request source, target;
    str db_list, reserve, checkpoint, region, resource_group, client_token;
} configure_request;

typedef struct list_request {
    str type;       /* MIGRATION | SYNC | SUBSCRIBE, empty = MIGRATION */
    str *job_ids; uint32_t job_id_count;
    str *instance_ids; uint32_t instance_id_count;
    str name_part, source_host, target_host, status;
    bool order_by_finish, descending;
    uint32_t page_number, page_size; /* from 1; 1..500 */
} list_request;

/* Starts nothing by itself: the supervisor does. */
ERR_MUST_USE bool service_open(catalog *c, service **ret, err *e);
void service_close(service *s);
/* Which addresses endpoints may have; borrowed until service_close. Before the supervisor starts. */
void service_use_policy(service *s, const net_policy *p);
catalog *service_catalog(service *s);

ERR_MUST_USE bool service_create(service *s, const create_request *r, arena *a, job_record *ret, service_fault *f, err *e);
ERR_MUST_USE bool service_configure(service *s, const configure_request *r, arena *a, job_record *ret, service_fault *f, err *e);
ERR_MUST_USE bool service_start(service *s, job_ref ref, service_fault *f, err *e);
ERR_MUST_USE bool service_suspend(service *s, job_ref ref, service_fault *f, err *e);
ERR_MUST_USE bool service_stop(service *s, job_ref ref, service_fault *f, err *e);
ERR_MUST_USE bool service_reset(service *s, job_ref ref, service_fault *f, err *e);
/* type: "" or MIGRATION|SYNC|SUBSCRIBE, must agree with the job. Durable intent when true; a repeat within 10 minutes succeeds again. */
ERR_MUST_USE bool service_delete(service *s, job_ref ref, str type, str account, service_fault *f, err *e);
/* All or nothing: every id is checked first; f->param is the list's parameter and the message names the id. verb: "start", "suspend", "stop", "delete". */
ERR_MUST_USE bool service_many(service *s, const char *verb, const str *job_ids, uint32_t count, str account, service_fault *f, err *e);
ERR_MUST_USE bool service_rename(service *s, job_ref ref, str name, service_fault *f, err *e);
/* end: "src" | "dest"; empty members keep what is there. The running worker is restarted with the new endpoint. */
ERR_MUST_USE bool service_change_endpoint(service *s, job_ref ref, str end, const endpoint_request *r, service_fault *f, err *e);
/* Items that may be skipped no longer stop the job (skip), or count again at the next precheck. A job whose precheck failed checks again and goes on. */
ERR_MUST_USE bool service_skip_precheck(service *s, job_ref ref, const str *items, uint32_t count, bool skip, service_fault *f, err *e);
/* job_code "03" | "04" | "07"; config_list: the API's JSON text. enable false: no limits. */
ERR_MUST_USE bool service_set_limits(service *s, job_ref ref, str job_code, bool enable, str config_list, service_fault *f, err *e);

ERR_MUST_USE bool service_get(service *s, job_ref ref, arena *a, job_record *ret, service_fault *f, err *e);
/* The instance of a task, also of a deleted one; empty when there never was such a task. */
ERR_MUST_USE bool service_instance_of_job(service *s, str job_id, arena *a, str *ret, err *e);
/* The same by the number of a leftover. */
ERR_MUST_USE bool service_instance_of_leftover(service *s, str leftover_id, arena *a, str *ret, err *e);
ERR_MUST_USE bool service_list(service *s, const list_request *r, arena *a, job_record **ret, uint32_t *ret_count, uint32_t *ret_total, err *e);
/* A page of the report's findings, JSON objects; pages count from 1. */
ERR_MUST_USE bool service_findings(service *s, str job_id, uint32_t page, uint32_t size, arena *a, str **ret, uint32_t *ret_count, uint32_t *ret_total, err *e);
ERR_MUST_USE bool service_prechecks(service *s, str job_id, arena *a, precheck_record **ret, uint32_t *ret_count, err *e);
/* stage "" = all. */
ERR_MUST_USE bool service_progress(service *s, str job_id, str stage, arena *a, job_table_progress **ret, uint32_t *ret_count, err *e);
ERR_MUST_USE bool service_log(service *s, str job_id, int64_t from_us, int64_t to_us, str keyword, uint32_t page, uint32_t page_size, arena *a,
                              log_record **ret, uint32_t *ret_count, uint32_t *ret_total, err *e);
/* Leftovers of deleted jobs (all when job_id is empty). */
ERR_MUST_USE bool service_leftovers(service *s, str job_id, arena *a, ledger_record **ret, uint32_t *ret_count, err *e);
/* verb "retry" | "forget"; password (may be empty) replaces the sealed one for the retry. */
ERR_MUST_USE bool service_leftover_act(service *s, uint64_t ledger_id, const char *verb, str user, str password, err *e);
/* The receipt of a deletion, JSON text: steps with outcome, ledger, last position, row counts. JOB_NOT_FOUND when the id was never deleted. */
ERR_MUST_USE bool service_receipt(service *s, job_ref ref, arena *a, str *ret_json, err *e);
/* What service_cutover is asked. */
typedef struct cutover_request {
    uint64_t margin; /* numbers to leave out behind the source's next ones */
    int64_t wait_ms; /* for the destination, 0..30000 */
} cutover_request;

/* Makes the destination of a running job ready to be switched to, through a probe (pipeline/cutover.h): JSON text of its answer (job/ctl.h). Idempotent. */
ERR_MUST_USE bool service_cutover(service *s, job_ref ref, const cutover_request *q, arena *a, str *ret_json, service_fault *f, err *e);
/* One-shot connection test through a probe (at most 30 s): JSON text of the probe's report for both ends. */
ERR_MUST_USE bool service_test_connection(service *s, const endpoint_request *source, const endpoint_request *target, arena *a, str *ret_json, err *e);

/* Seconds that the job of this Reserve retries a transient failure before it fails: maxRetryTime. DTS's page gives it in minutes, 10 to 1440, its samples in
 * seconds, 43200 (API reference, Reserve): 10 to 1440 are taken as minutes, other numbers as seconds. */
int64_t service_retry_limit_s(str reserve);

#endif
