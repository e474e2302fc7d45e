/* Who sent a request: parameters of query and body merged, signature family, key, time window, replay. */
#ifndef API_AUTHENTICATE_H
#define API_AUTHENTICATE_H

#include "api/api.h"
#include "api/ratelimit.h"
#include "catalog/access_key.h"

typedef enum signature_family { FAMILY_NONE, FAMILY_V1, FAMILY_V3 } signature_family;

/* A request taken apart. Slices live in the request's arena. */
typedef struct parsed_request {
    signature_family family;
    name_value *params;       /* decoded, body over query, sorted by name */
    size_t param_count;
    name_value *query;        /* decoded query alone, for V3 */
    size_t query_count;
    str action, version, format;
} parsed_request;

/* Splits and decodes query and body (form or JSON object) and names the family. When it fails, family and format are those known so far. */
bool request_parse(const http_request *r, arena *a, parsed_request *ret, api_fault *f);
/* The parameter's value, p == NULL when absent; names without case. */
str request_param(const parsed_request *p, const char *name);
/* The header's value, p == NULL when absent. */
str request_header(const http_request *r, const char *name);
/* Checks rate, key, signature, time and nonce; fills the key. */
bool request_authenticate(catalog *c, nonce_store *nonces, ratelimit *limit, const http_request *r, const parsed_request *p, arena *a,
                          access_key *ret, api_fault *f);

#endif
