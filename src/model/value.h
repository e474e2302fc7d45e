/* A value of a row on its way: sixteen bytes, small ones inline, others as bytes of the batch's arena. */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include "base/str.h"

/* How the bytes of a value are to be read. The form is the same whichever engine produced it. */
typedef enum val_kind {
    VAL_ABSENT = 0, /* not in the row image: the writer must not touch the column. Never the same as NULL */
    VAL_NULL,
    VAL_UNCHANGED, /* in the row but not sent (TOAST, partial image): the column keeps its value */
    VAL_INT,       /* u.i */
    VAL_UINT,      /* u.u; also ENUM index (0 = the empty error value) and SET bit mask, see column type */
    VAL_F32,       /* u.f, the exact float widened */
    VAL_F64,       /* u.f */
    VAL_NUMBER,    /* bytes: decimal text of an integer, DECIMAL or exact shortest floating point number */
    VAL_TEXT,      /* bytes in the column's own charset, unconverted */
    VAL_BYTES,     /* raw bytes (BINARY padded to its length) */
    VAL_BIT,       /* raw bytes, big-endian, as long as the column needs */
    VAL_DATE,      /* bytes: YYYY-MM-DD, zero parts allowed */
    VAL_TIME,      /* bytes: [-]HHH:MM:SS[.f] with as many fraction digits as the column has */
    VAL_DATETIME,  /* bytes: YYYY-MM-DD HH:MM:SS[.f], zero parts allowed, no zone */
    VAL_TIMESTAMP, /* bytes: as VAL_DATETIME, in UTC; "0000-00-00 00:00:00" for the zero timestamp */
    VAL_YEAR,      /* u.i: 0 or 1901..2155 */
    VAL_JSON,      /* bytes: JSON text, UTF-8 */
    VAL_GEOMETRY,  /* bytes: 4-byte little-endian SRID and WKB, MySQL's storage form */
    VAL_ENUM_TEXT, /* bytes: label of an ENUM or the comma list of a SET, in the column's charset (full load) */
} val_kind;

typedef struct val {
    union {
        int64_t i;
        uint64_t u;
        double f;
        const char *p; /* bytes: in the batch's arena, or borrowed from the reader until the sink returns */
    } u;
    uint32_t n;    /* length of the bytes, 0 for inline kinds */
    uint8_t kind;  /* val_kind */
    uint8_t flags; /* VAL_PLAIN, or 0 */
    uint16_t spare;
} val;

static inline str val_bytes(const val *v) { return (str){v->u.p, v->n}; }
static inline bool val_is_inline(const val *v) { return v->kind <= VAL_F64 || v->kind == VAL_YEAR; }
/* Flag of a value with bytes, which are val_is_plain: no text format has to escape any. A value without it may be so too. */
#define VAL_PLAIN 1
/* Are the bytes printable ASCII without quotes (' and ") and backslashes? */
bool val_is_plain(str bytes);
/* Same kind and same bytes: identity, not SQL equality (-0.0 differs from 0.0). */
bool val_equal(const val *a, const val *b);

#endif
