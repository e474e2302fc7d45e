/* The two request signatures of the DTS API as pure text functions: V1 (HMAC-SHA1 over sorted parameters) and V3 (ACS3-HMAC-SHA256 over a
 * canonical request). Source: the API reference sections 4.2, 4.3; vectors of official SDKs are in tests/golden/signature_vectors.json. */
#ifndef CODEC_SIGNATURE_H
#define CODEC_SIGNATURE_H

#include "base/arena.h"
#include "base/err.h"

typedef struct name_value {
    str name, value;
} name_value;

/* Sorts by name, then value, in byte order. */
void signature_sort(name_value *pairs, size_t count);

/* V1 string to sign. params: decoded, without Signature, sorted by signature_sort. {NULL,0} without memory. */
str signature_v1_string(str method, const name_value *params, size_t count, arena *a);
/* Base64 text. {NULL,0} without memory. */
str signature_v1(str string_to_sign, str secret, arena *a);

/* V3 canonical request. query: decoded, sorted. signed_headers: the header's text "a;b;c". headers: names in lower case. Values of repeated
 * headers are sorted and joined with ','. A signed header that is missing counts as empty. */
str signature_v3_canonical(str method, str path, const name_value *query, size_t query_count, const name_value *headers, size_t header_count,
                           str signed_headers, str payload_sha256_hex, arena *a);
/* "ACS3-HMAC-SHA256\n" and the hash of the canonical request. */
str signature_v3_string(str canonical, arena *a);
/* Lower-case hex text. */
str signature_v3(str string_to_sign, str secret, arena *a);
/* Lower-case hex SHA-256. */
str signature_sha256_hex(str bytes, arena *a);
/* Constant time for equal lengths. */
bool signature_equal(str a, str b);

#endif
