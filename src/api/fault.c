/* Faults: the error table and what lower layers' errors become in an answer. */
#include "api/fault.h"

static const struct {
    const char *code, *err_code, *message;
    int http;
} table[API_ERROR_COUNT] = {
#define API_ERROR(symbol, code, http, err_code, message) [API_ERROR_##symbol] = {code, err_code, message, http},
#include "api/errors.def"
#undef API_ERROR
};

int fault_http_status(api_error error) { return table[error].http; }
const char *fault_code(api_error error) { return table[error].code; }
const char *fault_err_code(api_error error) { return table[error].err_code; }
const char *fault_template(api_error error) { return table[error].message; }

bool fault_set(api_fault *f, api_error error, str dynamic, str reason)
{
    *f = (api_fault){.error = error, .dynamic = dynamic, .reason = reason};
    return false;
}

static api_error error_of(err_code code)
{
    switch (code) {
    case ERR_JOB_NOT_FOUND: return API_ERROR_NOT_FOUND;
    case ERR_JOB_STATE: return API_ERROR_JOB_STATUS;
    case ERR_BAD_INPUT:
    case ERR_DISAGREE:
    case ERR_LIMIT:
    case ERR_ADDRESS_REFUSED: return API_ERROR_INVALID_PARAMETER;
    case ERR_NOT_SUPPORTED: return API_ERROR_NOT_SUPPORTED;
    case ERR_AUTH: return API_ERROR_FORBIDDEN;
    case ERR_INTERNAL: return API_ERROR_INTERNAL;
    default: return API_ERROR_UNAVAILABLE;
    }
}

bool fault_from_err(api_fault *f, const err *e, str param, str api_code, arena *a)
{
    api_error error = error_of(e->code);
    /* Texts of the store and of our own faults stay in the log: they name paths. */
    bool internal = error == API_ERROR_UNAVAILABLE || error == API_ERROR_INTERNAL;
    str reason = internal ? STR_NULL : arena_copy(a, str_from_c(e->text));
    if (error == API_ERROR_NOT_FOUND && param.n == 0) param = STR("DtsJobId");
    if (error == API_ERROR_NOT_SUPPORTED && param.n) error = API_ERROR_INVALID_PARAMETER;
    if (error == API_ERROR_INVALID_PARAMETER && param.n == 0) param = STR("DtsJobId");
    fault_set(f, error, param.n ? arena_copy(a, param) : reason, reason);
    f->code = api_code.n ? arena_copy(a, api_code) : STR_NULL;
    return false;
}
