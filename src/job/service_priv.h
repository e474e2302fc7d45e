/* Inside of the service: shared by the service_*.c files and the supervisor. */
#ifndef JOB_SERVICE_PRIV_H
#define JOB_SERVICE_PRIV_H

#include <jansson.h>

#include "catalog/deletion.h"
#include "catalog/jobs.h"
#include "catalog/work.h"
#include "job/fsm.h"
#include "job/service.h"

struct service {
    catalog *catalog; /* borrowed */
    int wake_fd;      /* eventfd: the supervisor reads it */
    const net_policy *policy; /* borrowed, NULL: the built-in rules alone */
};

/* Something changed: the supervisor looks again. */
void service_wake(service *s);
/* Inside a transaction: the job meant by ref (either id, both must agree) or the right refusal. */
ERR_MUST_USE bool service_find(service *s, job_ref ref, arena *a, job_record *ret, service_fault *f, err *e);
/* Fills the fault's parameter and returns false. */
bool service_refuse(service_fault *f, const char *param, const char *api_code);
/* Commits when ok, else rolls back; wakes the supervisor after a commit. Returns whether all went well. */
ERR_MUST_USE bool service_end(service *s, bool ok, err *e);
/* Refuses a Reserve that is not a JSON object or whose known members have values that cannot be honoured. Unknown members are kept. */
ERR_MUST_USE bool service_check_reserve(str reserve, service_fault *f, err *e);
/* The text to store and show: as submitted, or without the members whose names say that they are secret (none has an effect), for Reserve is not sealed. */
ERR_MUST_USE bool service_reserve_to_keep(str reserve, arena *a, str *ret, err *e);
/* Takes what Reserve says about the record: TLS of both ends (srcSSL, destSSL), first rate limits (fullDynamicConfig, incDynamicConfig). */
ERR_MUST_USE bool service_apply_reserve(job_record *r, arena *a, err *e);
/* One limit of a ConfigList ("dts.datamove.source.rps.max" ...): a number or numeric text; absent, -1 and 0: -1; INT64_MIN: not a limit. */
int64_t service_limit_of(const json_t *config, const char *key);
/* A text member of the job's Reserve, numbers as text; p == NULL when absent. Lives in the arena. */
str service_reserve(const job_record *r, const char *key, arena *a);
/* Contexts of sealed passwords. */
str service_secret_context(str job_id, const char *end, arena *a);
str service_leftover_context(str run_id, const char *end, arena *a);
/* Inside a transaction: was the job deleted by the same account less than ten minutes ago? Then the call repeats one whose answer got lost. */
ERR_MUST_USE bool service_delete_is_repeat(service *s, job_ref ref, str account, arena *a, bool *ret, err *e);
/* Inside a transaction: turns a job's traces into a deletion (kind "delete" or "reset") that the supervisor carries out. */
ERR_MUST_USE bool service_begin_deletion(service *s, const job_record *r, const char *kind, str account, arena *a, err *e);

#endif
