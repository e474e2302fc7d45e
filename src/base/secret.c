/* Secrets in memory. */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

bool secret_set(secret *s, str value, err *e)
{
    if (value.n > SECRET_MAX_BYTES) return err_set(e, ERR_LIMIT, "a secret may have at most %d bytes", SECRET_MAX_BYTES);
    char *p = malloc(value.n + 1);
    if (!p) return err_no_memory(e, "a secret");
    if (value.n) memcpy(p, value.p, value.n);
    p[value.n] = 0;
    secret_wipe(s);
    s->p = p;
    s->n = value.n;
    return true;
}

void secret_wipe(secret *s)
{
    if (s->p) {
        secret_zero(s->p, s->n);
        free(s->p);
    }
    *s = SECRET_INIT;
}

bool secret_is_named(str name)
{
    static const char *const words[] = {"password", "passwd", "secret", "token", "accesskey", "privatekey", "credential"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t at = 0; at < name.n; at++)
            if (str_starts_with_nocase(str_sub(name, at, SIZE_MAX), str_from_c(words[i]))) return true;
    return false;
}

void secret_zero(void *p, size_t n) { explicit_bzero(p, n); }

void secret_protect_process(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
