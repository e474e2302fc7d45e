/* PostgreSQL log sequence numbers: text form. */
#include "codec/pg_lsn.h"

#include <stdio.h>

/* 1 to 8 hex digits; false on anything else. */
static bool half(str digits, uint32_t *ret)
{
    uint32_t v = 0;
    if (digits.n < 1 || digits.n > 8) return false;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        unsigned digit;
        if (c >= '0' && c <= '9') digit = (unsigned)(c - '0');
        else if (c >= 'A' && c <= 'F') digit = (unsigned)(c - 'A') + 10;
        else if (c >= 'a' && c <= 'f') digit = (unsigned)(c - 'a') + 10;
        else return false;
        v = v << 4 | digit;
    }
    *ret = v;
    return true;
}

bool pg_lsn_parse(str text, pg_lsn *ret, err *e)
{
    size_t slash = str_find_byte(text, '/', 0);
    uint32_t high, low;
    if (slash == SIZE_MAX || !half(str_sub(text, 0, slash), &high) || !half(str_sub(text, slash + 1, text.n), &low)) {
        str shown = str_sub(text, 0, 40);
        return err_set(e, ERR_CORRUPT, "'%.*s' is not a PostgreSQL log position such as 16/B374D848", STR_ARG(shown));
    }
    *ret = (pg_lsn)high << 32 | low;
    return true;
}

const char *pg_lsn_format(pg_lsn lsn, char out[PG_LSN_TEXT_BYTES])
{
    snprintf(out, PG_LSN_TEXT_BYTES, "%X/%X", (unsigned)(lsn >> 32), (unsigned)(lsn & 0xffffffffu));
    return out;
}
