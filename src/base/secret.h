/* Secrets in memory: a value that is wiped on release and has no printing form. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/err.h"

/* Longest password, key or token that is handled. */
#define SECRET_MAX_BYTES 4096

typedef struct secret {
    char *p; /* owned; NUL-terminated for client libraries, the NUL is not counted */
    size_t n;
} secret;

#define SECRET_INIT ((secret){NULL, 0})

/* Copies; wipes what was there before. */
ERR_MUST_USE bool secret_set(secret *s, str value, err *e);
/* Wipes and frees. Idempotent. */
void secret_wipe(secret *s);
/* Borrowed until the secret changes. "" when unset. */
static inline const char *secret_c(const secret *s) { return s->p ? s->p : ""; }
static inline str secret_str(const secret *s) { return (str){s->p, s->n}; }
/* Does a name say that its value is secret ("srcPassword", "AccessKeySecret", "SecurityToken")? By the words in it, without case. */
bool secret_is_named(str name);
/* Overwrites memory in a way the compiler keeps. */
void secret_zero(void *p, size_t n);
/* No core dumps (also not through a pipe of core_pattern), not readable through /proc by other users. Called first in every process. */
void secret_protect_process(void);

#endif
