/* The API: from a received HTTP request to the bytes of the answer. Knows no HTTP library and opens no connection to a user's database. */
#ifndef API_API_H
#define API_API_H

#include <jansson.h>

#include "api/fault.h"
#include "catalog/nonce.h"
#include "codec/signature.h"
#include "job/service.h"

#define API_VERSION "2020-01-01"
#define API_MAX_PARAMETERS 1000
#define API_MAX_REQUEST_BYTES (4 * 1024 * 1024)
#define API_MAX_HEADER_BYTES (64 * 1024)
#define API_TIME_WINDOW_US (15LL * 60 * 1000000)

/* --- operations ------------------------------------------------------------------------------------------------- */

typedef enum par_type { PAR_STRING, PAR_BOOLEAN, PAR_INTEGER, PAR_LONG, PAR_JSON } par_type;
enum { PAR_REQUIRED = 1, PAR_SECRET = 2, PAR_IGNORED = 4 /* accepted and without effect here */ };

/* One request parameter: drives validation, the reference page and the command line's completion. */
typedef struct api_par {
    const char *name;
    par_type type;
    uint32_t flags;
    const char *summary;
} api_par;

typedef struct api_call {
    struct api *api;
    service *svc;
    arena *mem;             /* of the request */
    const name_value *params;
    size_t param_count;
    str key_id;             /* of the caller, for audit */
    str region;             /* RegionId as given, else the configured one */
    char request_id[37];
} api_call;

typedef struct api_op {
    const char *name;
    char success_type;      /* 'b' Boolean, 's' String, '-' absent: as api.json declares it */
    char status_type;       /* HttpStatusCode: 'i' number, 's' String, '-' absent */
    const char *summary;
    const api_par *pars;    /* ends with name == NULL */
    /* Adds the operation's own members to `answer` (an object); RequestId, Success and HttpStatusCode are added around it. */
    bool (*run)(api_call *c, json_t *answer, api_fault *f);
} api_op;

/* NULL when there is none (names are case-sensitive). */
const api_op *api_op_find(str name);
/* All operations, NULL-terminated. */
const api_op *const *api_op_all(void);

/* The value of a parameter (name without case), p == NULL when absent. */
str call_get(const api_call *c, const char *name);
bool call_has(const api_call *c, const char *name);
/* "true"/"false" in any case; `absent` when not given. Validated before run. */
bool call_bool(const api_call *c, const char *name, bool absent);
/* Validated before run; `absent` when not given. */
int64_t call_int(const api_call *c, const char *name, int64_t absent);
/* Values of name.1, name.2, ... or of one comma list, in order; count in *ret_count. */
str *call_list(const api_call *c, const char *name, uint32_t *ret_count);
/* DtsJobId, DtsInstanceId (also DtsInstanceID) and SynchronizationDirection. */
job_ref call_job_ref(const api_call *c);
/* Sets a string member; an empty or NULL s gives "". */
void answer_set(json_t *o, const char *name, str s);
/* Sets a number as the text that the API declares it to be. */
void answer_set_count(json_t *o, const char *name, uint64_t n);
/* A failure of the service layer becomes the fault. Returns false. */
bool call_failed(api_call *c, api_fault *f, const service_fault *sf, const err *e);

/* --- requests --------------------------------------------------------------------------------------------------- */

typedef struct http_request {
    str method, path, query, body; /* as received; query without '?' */
    const name_value *headers;     /* names in any case */
    size_t header_count;
    str client;                    /* peer address */
} http_request;

typedef struct http_response {
    int status;
    str content_type;
    str body;
    str request_id;
} http_response;

typedef struct api api;

typedef struct api_options {
    str region;                 /* answered and default RegionId */
    str host_id;                /* HostId of errors when the Host header is missing */
    uint32_t requests_per_s;    /* per key; 0 = no limit */
    uint32_t burst;
} api_options;

ERR_MUST_USE bool api_open(service *s, const api_options *o, api **ret, err *e);
void api_close(api *a);
/* Never fails: every problem becomes an answer. Memory of the response lives in `mem`. Thread-safe. */
void api_handle(api *a, const http_request *r, arena *mem, http_response *ret);
/* Can the API take calls: does the store of nonces, which every call needs, take a write? */
ERR_MUST_USE bool api_ready(api *a, err *e);
/* Counters for /metrics: calls by action and code. Visits under a lock. */
void api_visit_counters(api *a, void (*visit)(void *ctx, const char *action, const char *code, uint64_t count), void *ctx);

#endif
