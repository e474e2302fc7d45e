/* Pages of docs/ that a test prints from the program's tables: SLUICE_UPDATE_DOCS=1 rewrites them, else a difference fails. */
#ifndef TESTS_UNIT_DOCS_PAGE_H
#define TESTS_UNIT_DOCS_PAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

/* The text of a table cell: '|' would end one, a line end would end the row. */
static inline void docs_cell(buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '|') buf_add_byte(b, '\\');
        buf_add_byte(b, *text == '\n' ? ' ' : *text);
    }
}

static inline void docs_check_page(const char *name, void (*print)(buf *b))
{
    BUF_AUTO page = BUF_INIT;
    err e = ERR_INIT;
    char path[1024];
    const char *data = getenv("SLUICE_TEST_DATA"), *update = getenv("SLUICE_UPDATE_DOCS");
    if (!data) fail_msg("SLUICE_TEST_DATA is not set: run the tests through meson");
    snprintf(path, sizeof path, "%s/../../docs/%s", data, name);
    print(&page);
    assert_false(page.failed);
    if (update && strcmp(update, "1") == 0 && !file_write_atomic(path, buf_str(&page), 0644, &e)) fail_msg("%s", e.text);
    arena a;
    str have = STR_NULL;
    arena_init(&a, 64 * 1024, 0);
    if (!file_read(path, 1 << 20, &a, &have, &e)) fail_msg("%s; write it with SLUICE_UPDATE_DOCS=1", e.text);
    if (!str_eq(have, buf_str(&page))) fail_msg("docs/%s differs from the tables; write it anew with SLUICE_UPDATE_DOCS=1", name);
    arena_finish(&a);
}

#endif
