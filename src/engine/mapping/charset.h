/* Texts in MySQL's character sets as UTF-8, exactly as the servers convert them: read from MySQL 9.7 and MariaDB 10.11, which agree (tests/e2e/test_mapping.py).
 * Bytes that have no meaning are told, never replaced in silence. */
#ifndef ENGINE_MAPPING_CHARSET_H
#define ENGINE_MAPPING_CHARSET_H

#include "base/arena.h"
#include "base/err.h"

typedef struct charset charset;

/* Character sets are made once and kept here, in an arena; zeroed before the first use. */
typedef struct charset_set {
    charset *list;
} charset_set;

/* By MySQL's name, case ignored; "utf8" is utf8mb3, the empty name and "binary" are UTF-8. Sets of two bytes and more take the system's iconv, and only when it
 * gives the servers' table (checked by sum). ERR_NOT_SUPPORTED names the set and the reason. */
ERR_MUST_USE bool charset_find(charset_set *s, str name, arena *a, const charset **ret, err *e);

/* A text of bytes below 0x80 alone is the same in UTF-8. */
bool charset_keeps_ascii(const charset *c);

typedef enum charset_outcome { CHARSET_DONE, CHARSET_BAD_BYTES, CHARSET_NO_MEMORY } charset_outcome;

/* *ret: the text in UTF-8, in the arena or, when no byte differs, `text` itself. replace: U+FFFD for what has no meaning; else CHARSET_BAD_BYTES and *ret is that
 * part of `text`. Safe from several threads. */
charset_outcome charset_to_utf8(const charset *c, str text, bool replace, arena *a, str *ret);

#endif
