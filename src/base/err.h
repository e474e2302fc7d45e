/* Errors: one struct filled where the failure happens, a code table, a retry class. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/str.h"

typedef enum err_code {
#define ERR_CODE(symbol, name, exit_status, meaning, fix) ERR_##symbol,
#include "base/errors.def"
#undef ERR_CODE
    ERR_CODE_COUNT
} err_code;

/* What a caller may do about it. Decided by the place that sets the error, never by text. */
typedef enum err_retry {
    RETRY_NEVER = 0, /* stop: the same work fails again */
    RETRY_TXN,       /* roll back and replay the whole target transaction at once (deadlock, lock wait) */
    RETRY_RECONNECT, /* the connection is gone: reconnect, read back, replay */
    RETRY_LATER,     /* the peer cannot serve now: back off */
} err_retry;

#define ERR_TEXT_BYTES 1024

typedef struct err {
    err_code code;
    err_retry retry;
    int native; /* the server's or errno's number, 0 when there is none */
    char text[ERR_TEXT_BYTES];
} err;

#define ERR_INIT ((err){.code = ERR_NONE})
#define ERR_MUST_USE __attribute__((warn_unused_result))

/* Fills e (overwriting) and returns false, so that `return err_set(...)` ends a function. Text is cut at ERR_TEXT_BYTES. e may be NULL. */
bool err_set(err *e, err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool err_set_native(err *e, err_code code, err_retry retry, int native, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* From errno: ENOSPC becomes ERR_DISK_FULL with RETRY_LATER. `what` names operation and object. */
bool err_set_errno(err *e, int error_number, const char *what);
bool err_no_memory(err *e, const char *what);
/* Puts "context: " in front of the text. Returns false. */
bool err_context(err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Static facts of a code, never NULL. */
const char *err_name(err_code code);
const char *err_meaning(err_code code);
const char *err_fix(err_code code);
int err_exit_status(err_code code);
/* The code with this public name, ERR_NONE when there is none. */
err_code err_code_from_name(str name);

#endif
