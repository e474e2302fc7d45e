/* Text encodings: hex, base64, percent. */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/arena.h"
#include "base/buf.h"

/* Standard base64 with padding. */
void encode_base64(buf *out, str bytes);
/* Strict: padding required, no white space. {NULL,0} on bad input or no memory. */
str decode_base64(arena *a, str text);
/* Lower or upper case hex digits. {NULL,0} on bad input or no memory. */
str decode_hex(arena *a, str text);
/* Every byte but A-Z a-z 0-9 - _ . ~ becomes %XX in upper case (RFC 3986, as the DTS signatures want). */
void encode_percent(buf *out, str bytes);
/* %XX decoded, '+' becomes a space; a bad %-sequence stays as it is. {NULL,0} without memory. */
str decode_form(arena *a, str text);

#endif
