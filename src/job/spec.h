/* What a role is told about a job: the members of "job" and "precheck" messages.
 * {"job_id":s,"epoch":n,"source":endpoint,"target":endpoint,"db_list":s,"schema":b,"full":b,"incremental":b,"ignore_existing":b,"rights":b,"lanes":n,"chunk_rows":n,
 *  "budget_bytes":n,"window_rows":n,"window_wait_us":n,"replica_id":n,"retry_for_us":n,"types":{s:s},"limits":{"full":{"rows":n,"bytes":n,"queries":n},"stream":{...}}}
 * endpoint: {"engine":s,"host":s,"port":n,"user":s,"password":s,"database":s,"tls":n,"tls_ca":s,"policy":{"own_ports":[n],"allowed":s}} */
#ifndef JOB_SPEC_H
#define JOB_SPEC_H

#include <jansson.h>

#include "pipeline/pipeline.h"

typedef struct job_spec {
    arena mem;
    pipeline_job job;       /* points into this struct; job.limits is `limits` */
    endpoint source, target;
    dblist *objects;        /* NULL when the list is missing or not valid: objects_error tells */
    err objects_error;
    throttle limits;
    json_t *types;          /* owned; Reserve sluice.types: rule or column → choice; NULL without any */
} job_spec;

/* Copies everything out of the message. An unknown engine or a bad member fails. */
ERR_MUST_USE bool spec_read(const json_t *message, job_spec *ret, err *e);
void spec_finish(job_spec *s);
/* A type_choice over a job_spec. */
str spec_type_choice(void *ctx, str key);
/* One endpoint; the slices live in a, the password is owned by ret. */
ERR_MUST_USE bool spec_read_endpoint(const json_t *o, arena *a, endpoint *ret, err *e);
/* Applies a "limits" message. */
void spec_apply_limits(throttle *t, const json_t *message);

#endif
