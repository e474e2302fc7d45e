/* Fuzz target: binary JSON. What prints as UTF-8 must be JSON to another parser. */
#include <jansson.h>
#include <stdlib.h>

#include "codec/binlog_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BUF_AUTO out = {.limit = 16 << 20};
    err e = ERR_INIT;
    if (!binlog_json_print((str){(const char *)data, size}, &out, &e)) {
        if (e.code == ERR_NONE) abort();
        return 0;
    }
    str text = buf_str(&out);
    if (text.n > size * 70 + 100) abort(); /* nothing prints longer than a control character's six bytes, a double, a decimal of many zeros */
    if (!str_is_utf8(text) || str_find(text, STR("\\u0000")) != SIZE_MAX) return 0;
    json_error_t reason;
    json_t *parsed = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &reason);
    if (!parsed) {
        fprintf(stderr, "%s: %.*s\n", reason.text, STR_ARG(str_sub(text, 0, 2000)));
        abort();
    }
    json_decref(parsed);
    return 0;
}
