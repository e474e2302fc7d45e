/* Building what roles are told about a job (the counterpart of spec.h). */
#ifndef JOB_MESSAGE_H
#define JOB_MESSAGE_H

#include <jansson.h>

#include "base/secret.h"
#include "catalog/job_record.h"
#include "net/policy.h"

typedef struct message_options {
    uint32_t lanes;          /* when the job's Reserve does not say */
    uint64_t budget_bytes;
    const net_policy *policy;
    const char *spill_folder;
} message_options;

/* {"engine","host","port","user","password","database","tls","tls_ca","policy"} */
json_t *message_endpoint(const job_endpoint *ep, str password, const net_policy *policy);
/* A "job" or "precheck" message (type) of the job. */
json_t *message_job(const char *type, const job_record *r, const secret *source_password, const secret *target_password, const message_options *o, arena *a);
/* A "limits" message for one phase ("full", "stream"). */
json_t *message_limits(const job_record *r, const char *phase);

#endif
