/* Access keys: who may call the API. Permanent keys and temporary ones (STS: with a SecurityToken and an expiry). */
#ifndef CATALOG_ACCESS_KEY_H
#define CATALOG_ACCESS_KEY_H

#include "catalog/db.h"

#define ACCESS_KEY_MAX_NAME_BYTES 64
#define ACCESS_KEY_MAX_POLICY_BYTES (16 * 1024)
#define ACCESS_KEY_MAX_TTL_S (12 * 3600)

typedef struct access_key {
    str id, name;
    str secret;        /* filled by access_key_find and the creating calls only */
    str token;         /* temporary keys: the SecurityToken; filled by the creating call only */
    str token_hash;    /* temporary keys: SHA-256 of the token in hexadecimal; all that the catalog keeps of it */
    str policy;        /* JSON text, empty: everything is allowed */
    str parent;        /* temporary keys: the permanent key they act for */
    bool active;
    int64_t created_us, expires_us; /* expires_us 0: never */
} access_key;

/* A new permanent key; policy empty or checked JSON text. */
ERR_MUST_USE bool access_key_create(catalog *c, str name, str policy, arena *a, access_key *ret, err *e);
/* A temporary key for `parent`, valid ttl_s seconds (1..ACCESS_KEY_MAX_TTL_S), with the parent's policy. ERR_BAD_INPUT when parent is unknown or temporary. */
ERR_MUST_USE bool access_key_create_temporary(catalog *c, str parent, int64_t ttl_s, arena *a, access_key *ret, err *e);
/* The key with its secret; ret->id.n == 0 when there is none. */
ERR_MUST_USE bool access_key_find(catalog *c, str id, arena *a, access_key *ret, err *e);
/* All keys without secrets, oldest first. */
ERR_MUST_USE bool access_key_list(catalog *c, arena *a, access_key **ret, uint32_t *ret_count, err *e);
/* Removes it and its temporary keys; ret_found tells whether it existed. */
ERR_MUST_USE bool access_key_delete(catalog *c, str id, bool *ret_found, err *e);

#endif
