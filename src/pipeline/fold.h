/* When are two row keys the same row for a server? Bytes alone do not say: under a case-insensitive collation 'a' and 'A' are one row, under a padded one
 * 'a' and 'a ' too. A key gets two encodings: its exact bytes, and a folded form that is coarser than any equality a server may use. Equal bytes are the same
 * row; different folds are different rows; different bytes with one fold may be either, and the caller must not decide. */
#ifndef PIPELINE_FOLD_H
#define PIPELINE_FOLD_H

#include "base/buf.h"
#include "model/table.h"
#include "model/value.h"

typedef enum fold_kind {
    FOLD_EXACT,   /* equal iff the bytes are */
    FOLD_PADDED,  /* binary collation: trailing spaces may not count */
    FOLD_CASE,    /* ASCII letters differ by more than case (general, 0900, unicode, latin1_swedish collations) */
    FOLD_LETTERS, /* unknown collation: nothing is assumed about letters ('i' = 'y' in utf8_lithuanian_ci, 'u' = 'v' in utf8_roman_ci) */
    FOLD_NUMBER,  /* decimal text: trailing zeros of the fraction do not count */
    FOLD_NEVER,   /* floating point, JSON and others: no merging by such a key */
} fold_kind;

/* FOLD_NEVER when a column of the row key is; FOLD_EXACT when all are; else another kind (exact and folded forms differ). */
fold_kind fold_of_key(const table_def *t);
/* Appends the key of a row in both forms. False when a key column is absent or unchanged in the image, or the kind is FOLD_NEVER.
 * *ret_wild: the key has text whose equals cannot be bounded (not ASCII): it may equal any other key. folded may be NULL. */
bool fold_encode_key(const table_def *t, const val *row, buf *exact, buf *folded, bool *ret_wild);

#endif
