/* Borrowed byte slices: never NUL-terminated, never owned. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct str {
    const char *p;
    size_t n;
} str;

#define STR(literal) ((str){"" literal, sizeof(literal) - 1})
#define STR_NULL ((str){NULL, 0})
/* For printf: printf("%.*s", STR_ARG(s)). Lengths over INT_MAX are cut. */
#define STR_ARG(s) (int)((s).n > 0x7fffffff ? 0x7fffffff : (s).n), ((s).n ? (s).p : "")

/* s, or the empty slice that is not NULL. */
static inline str str_or_empty(str s) { return s.p ? s : STR(""); }
/* A slice over a C string; NULL gives the empty slice. Borrowed from the argument. */
str str_from_c(const char *c);
bool str_eq(str a, str b);
/* ASCII letters compared without case. */
bool str_eq_nocase(str a, str b);
/* Byte order like memcmp, shorter first: <0, 0, >0. */
int str_cmp(str a, str b);
bool str_starts_with(str s, str prefix);
bool str_starts_with_nocase(str s, str prefix);
bool str_ends_with(str s, str suffix);
/* Index of the first occurrence of byte c at or after `from`, or SIZE_MAX. */
size_t str_find_byte(str s, char c, size_t from);
/* Index of the first occurrence of needle, or SIZE_MAX. */
size_t str_find(str s, str needle);
str str_sub(str s, size_t from, size_t len);
/* Without ASCII white space at both ends. */
str str_trim(str s);
/* Cuts the next piece up to `sep` off *rest; false when *rest was exhausted (rest->p == NULL). An empty input gives one empty piece. */
bool str_split_next(str *rest, char sep, str *ret_piece);
/* Decimal digits (optional '-' for i64), the whole slice, no spaces; false on anything else or overflow. */
bool str_to_u64(str s, uint64_t *ret);
bool str_to_i64(str s, int64_t *ret);
/* "true"/"false" in any case. */
bool str_to_bool(str s, bool *ret);
/* Valid UTF-8 without surrogates and over-long forms. */
bool str_is_utf8(str s);

#endif
