/* What a failed call answers: one row of errors.def with its dynamic part. */
#ifndef API_FAULT_H
#define API_FAULT_H

#include "base/arena.h"
#include "base/err.h"

typedef enum api_error {
#define API_ERROR(symbol, code, http, err_code, message) API_ERROR_##symbol,
#include "api/errors.def"
#undef API_ERROR
    API_ERROR_COUNT
} api_error;

typedef struct api_fault {
    api_error error;
    str code;    /* overrides the table's Code when not empty */
    str dynamic; /* DynamicMessage: the value that stands for %s */
    str reason;  /* what exactly is wrong and how to correct it; added to Message */
} api_fault;

int fault_http_status(api_error error);
const char *fault_code(api_error error);
const char *fault_err_code(api_error error);
const char *fault_template(api_error error);
/* Sets and returns false. The slices are borrowed for as long as the fault is used. */
bool fault_set(api_fault *f, api_error error, str dynamic, str reason);
/* From an error of a lower layer; param names the API parameter at fault (may be empty), api_code overrides the code. Copies into a. Returns false. */
bool fault_from_err(api_fault *f, const err *e, str param, str api_code, arena *a);

#endif
