/* Errors: filling the struct, the code table. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *meaning, *fix;
    int exit_status;
} codes[ERR_CODE_COUNT] = {
#define ERR_CODE(symbol, name, exit_status, meaning, fix) [ERR_##symbol] = {name, meaning, fix, exit_status},
#include "base/errors.def"
#undef ERR_CODE
};

__attribute__((format(printf, 5, 0)))
static bool fill(err *e, err_code code, err_retry retry, int native, const char *format, va_list ap)
{
    if (!e) return false;
    char text[ERR_TEXT_BYTES];
    vsnprintf(text, sizeof text, format, ap);
    e->code = code;
    e->retry = retry;
    e->native = native;
    memcpy(e->text, text, sizeof text);
    return false;
}

bool err_set(err *e, err_code code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fill(e, code, RETRY_NEVER, 0, format, ap);
    va_end(ap);
    return false;
}

bool err_set_native(err *e, err_code code, err_retry retry, int native, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fill(e, code, retry, native, format, ap);
    va_end(ap);
    return false;
}

bool err_set_errno(err *e, int error_number, const char *what)
{
    bool full = error_number == ENOSPC || error_number == EDQUOT;
    char reason[128];
    const char *r = strerror_r(error_number, reason, sizeof reason);
    return err_set_native(e, full ? ERR_DISK_FULL : ERR_IO, full ? RETRY_LATER : RETRY_NEVER, error_number, "%s: %s", what, r);
}

bool err_no_memory(err *e, const char *what) { return err_set_native(e, ERR_NO_MEMORY, RETRY_LATER, ENOMEM, "no memory for %s", what); }

bool err_context(err *e, const char *format, ...)
{
    if (!e) return false;
    char text[ERR_TEXT_BYTES];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof text - 3) {
        size_t used = (size_t)n;
        text[used++] = ':';
        text[used++] = ' ';
        size_t rest = strlen(e->text);
        if (rest > sizeof text - 1 - used) rest = sizeof text - 1 - used;
        memcpy(text + used, e->text, rest);
        text[used + rest] = 0;
        memcpy(e->text, text, used + rest + 1);
    }
    return false;
}

const char *err_name(err_code code) { return code < ERR_CODE_COUNT ? codes[code].name : codes[ERR_INTERNAL].name; }
const char *err_meaning(err_code code) { return code < ERR_CODE_COUNT ? codes[code].meaning : codes[ERR_INTERNAL].meaning; }
const char *err_fix(err_code code) { return code < ERR_CODE_COUNT ? codes[code].fix : codes[ERR_INTERNAL].fix; }
int err_exit_status(err_code code) { return code < ERR_CODE_COUNT ? codes[code].exit_status : 1; }

err_code err_code_from_name(str name)
{
    for (int i = 0; i < ERR_CODE_COUNT; i++)
        if (str_eq(name, str_from_c(codes[i].name))) return (err_code)i;
    return ERR_NONE;
}
