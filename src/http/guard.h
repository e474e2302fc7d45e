/* Headers that could hide a second request or confuse the signature are refused before anything else. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "codec/signature.h"

/* NULL when the headers are sound, else a constant text that says what is wrong. */
const char *guard_headers(const name_value *headers, size_t count, bool http_1_1);

#endif
