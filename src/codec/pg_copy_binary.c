/* Rows in the binary format of PostgreSQL's COPY. */
#include "codec/pg_copy_binary.h"

#include "base/cursor.h"

bool pg_copy_binary_header(str *bytes, err *e)
{
    str header = PG_COPY_BINARY_HEADER;
    if (!str_starts_with(*bytes, header)) return err_set(e, ERR_CORRUPT, "what COPY sent does not begin with the header of the binary format, or with one that is not known");
    *bytes = str_sub(*bytes, header.n, SIZE_MAX);
    return true;
}

bool pg_copy_binary_row(str *bytes, str *fields, uint32_t count, err *e)
{
    cursor c = cursor_of(*bytes);
    uint64_t n = cursor_be(&c, 2);
    if (!c.failed && n != count) return err_set(e, ERR_CORRUPT, "a row of COPY has %llu fields, not the %u of its table", (unsigned long long)n, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length = cursor_be32(&c);
        fields[i] = length == UINT32_MAX ? STR_NULL : cursor_take(&c, length);
    }
    if (c.failed) return err_set(e, ERR_CORRUPT, "a row of COPY of %zu bytes ends in the middle of a field", bytes->n);
    *bytes = str_sub(*bytes, bytes->n - cursor_left(&c), SIZE_MAX);
    return true;
}
