/* Fuzz target: row events with their table map. Input: length of the map's body 2, map body, type of the row event 1, its body. */
#include <stdlib.h>
#include <string.h>

#include "codec/binlog_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

static void touch(const val *vals, uint32_t count)
{
    for (uint32_t i = 0; vals && i < count; i++) {
        if (vals[i].kind > VAL_ENUM_TEXT) abort();
        if (val_is_inline(&vals[i])) continue;
        str s = val_bytes(&vals[i]);
        for (size_t k = 0; k < s.n; k++) sink += (unsigned char)s.p[k];
    }
}

/* A definition that fits the map: what the log cannot tell is chosen by the column's place. */
static table_def *definition_of(const binlog_table_map *m, arena *a)
{
    table_def *t = arena_alloc(a, sizeof *t);
    t->schema = m->schema;
    t->name = m->table;
    t->column_count = m->column_count;
    t->columns = arena_array(a, m->column_count, sizeof *t->columns);
    for (uint32_t i = 0; i < m->column_count; i++) {
        static const col_type string[] = {COL_UUID, COL_INET, COL_BINARY, COL_CHAR}, blob[] = {COL_JSON, COL_BLOB, COL_TEXT, COL_OTHER};
        column_def *c = &t->columns[i];
        bool is_string = m->columns[i].type == BINLOG_COL_STRING, is_blob = m->columns[i].type == BINLOG_COL_BLOB;
        c->type = is_string ? string[i % 4] : is_blob ? blob[i % 4] : COL_OTHER;
        c->length = m->columns[i].size;
        c->name = m->columns[i].name;
        c->selected = i % 5 != 4;
    }
    return t;
}

static void read_all(binlog_rows rows, const binlog_table_map *m, const table_def *t, arena *a)
{
    err e = ERR_INIT;
    binlog_plan plan;
    binlog_reader reader = {.json = {.limit = 1 << 20}};
    if (!binlog_plan_build(m, t, t == NULL, a, &plan, &e)) return;
    bool more = true;
    while (more) {
        const val *before = NULL, *after = NULL;
        if (!binlog_rows_next(&rows, &plan, &reader, a, &before, &after, &more, &e)) {
            if (e.code == ERR_NONE) abort();
            break;
        }
        if (!more) break;
        touch(before, m->column_count);
        touch(after, m->column_count);
    }
    binlog_reader_finish(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) return 0;
    size_t map_bytes = data[0] | (size_t)data[1] << 8;
    if (map_bytes > size - 3) return 0;
    str all = {(const char *)data, size};
    arena a;
    arena_init(&a, 4096, 64 << 20);
    err e = ERR_INIT;
    binlog_format f;
    binlog_format_init(&f);
    binlog_event map_event = {.type = BINLOG_TABLE_MAP, .body = str_sub(all, 2, map_bytes)};
    binlog_event row_event = {.type = data[2 + map_bytes], .body = str_sub(all, 3 + map_bytes, size)};
    binlog_table_map m;
    binlog_rows rows;
    if (binlog_event_is_rows(row_event.type) && binlog_table_map_parse(&map_event, &f, &a, &m, &e) && binlog_rows_parse(&row_event, &f, &rows, &e)) {
        (void)binlog_rows_full_images(&rows);
        read_all(rows, &m, NULL, &a);
        read_all(rows, &m, definition_of(&m, &a), &a);
    }
    arena_finish(&a);
    return 0;
}
