/* Fuzz target: a line of COPY. Input: number of fields 1, line. Fields that are read are written as one line, which reads as the same. */
#include <stdlib.h>
#include <string.h>

#include "codec/pg_copy_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    arena a;
    arena_init(&a, 4096, 64 << 20);
    uint32_t count = data[0];
    str first[256], second[256];
    err e = ERR_INIT;
    if (pg_copy_text_parse((str){(const char *)data + 1, size - 1}, &a, first, count, &e)) {
        BUF_AUTO line = BUF_INIT;
        pg_copy_text_write_row(&line, first, count);
        if (memchr(line.p, '\n', line.n) != line.p + line.n - 1) abort();
        if (!pg_copy_text_parse((str){line.p, line.n - 1}, &a, second, count, &e)) abort();
        for (uint32_t i = 0; i < count; i++)
            if ((first[i].p == NULL) != (second[i].p == NULL) || !str_eq(first[i], second[i])) abort();
    } else if (e.code != ERR_CORRUPT) {
        abort();
    }
    arena_finish(&a);
    return 0;
}
