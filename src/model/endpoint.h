/* Where a database is and who logs in. */
#ifndef MODEL_ENDPOINT_H
#define MODEL_ENDPOINT_H

#include "base/secret.h"
#include "base/str.h"

typedef enum tls_mode { TLS_OFF, TLS_PREFER, TLS_REQUIRE, TLS_VERIFY_CA, TLS_VERIFY_FULL } tls_mode;

/* Slices are borrowed from the owner of the job specification; the password is owned. */
typedef struct endpoint {
    str engine;   /* name in engines.def: "mysql" (serves MySQL and MariaDB), "postgresql", "sim" */
    str host;
    uint16_t port;
    str user;
    secret password;
    str database; /* default database, may be empty */
    tls_mode tls;
    str tls_ca_file;
    const struct net_policy *policy; /* which addresses it may have (net/policy.h); borrowed, NULL: the built-in rules alone */
} endpoint;

#endif
