/* Fuzz target: COPY in binary format. Input: number of fields 1, what COPY sends. Fields lie within the input, one after the other. */
#include <stdlib.h>

#include "codec/pg_copy_binary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint32_t count = data[0];
    str rest = {(const char *)data + 1, size - 1}, fields[256];
    err e = ERR_INIT;
    bool ok = pg_copy_binary_header(&rest, &e);
    while (ok && rest.n) {
        const char *at = rest.p;
        ok = pg_copy_binary_row(&rest, fields, count, &e);
        for (uint32_t i = 0; ok && i < count; i++) {
            if (!fields[i].p) continue;
            if (fields[i].p < at || fields[i].n > size || fields[i].p + fields[i].n > rest.p) abort();
            at = fields[i].p + fields[i].n;
        }
    }
    if (!ok && e.code != ERR_CORRUPT) abort();
    return 0;
}
