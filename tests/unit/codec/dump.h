/* Text of decoded values and rows, for comparing with what servers and their tools print. */
#ifndef TEST_CODEC_DUMP_H
#define TEST_CODEC_DUMP_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/binlog_row.h"

/* NULL, ABSENT, numbers as decimal, floats as %.9g and %.17g, times, decimals and JSON as text, all other bytes as x and upper-case hex. */
static inline void dump_value(buf *out, const val *v)
{
    switch (v->kind) {
    case VAL_ABSENT: buf_add_c(out, "ABSENT"); break;
    case VAL_NULL: buf_add_c(out, "NULL"); break;
    case VAL_INT:
    case VAL_YEAR: buf_add_i64(out, v->u.i); break;
    case VAL_UINT: buf_add_u64(out, v->u.u); break;
    case VAL_F32:
    case VAL_F64: buf_printf(out, "%.17g", v->u.f); break;
    case VAL_NUMBER:
    case VAL_DATE:
    case VAL_TIME:
    case VAL_DATETIME:
    case VAL_TIMESTAMP:
    case VAL_JSON: buf_add(out, val_bytes(v)); break;
    default:
        buf_add_byte(out, 'x');
        for (uint32_t i = 0; i < v->n; i++) buf_printf(out, "%02X", (unsigned char)v->u.p[i]);
        break;
    }
}

/* Calls `row` for every row of a whole binlog file, with or without a definition from `definition`. False with the error set. */
typedef struct dump_state {
    binlog_format format;
    arena maps, mem;
    binlog_table_map map[64];
    uint32_t map_count;
    binlog_reader reader;
    void (*row)(void *user, const binlog_table_map *m, change_kind kind, const val *before, const val *after);
    void (*event)(void *user, const binlog_event *ev, const binlog_format *f);
    const table_def *(*definition)(void *user, str schema, str table);
    void *user;
    uint64_t rows;
} dump_state;

static inline bool dump_rows(dump_state *s, const binlog_event *ev, err *e)
{
    binlog_rows r;
    if (!binlog_rows_parse(ev, &s->format, &r, e)) return false;
    const binlog_table_map *m = NULL;
    for (uint32_t i = s->map_count; i-- > 0 && !m;)
        if (s->map[i].id == r.table_id) m = &s->map[i];
    if (r.flags & BINLOG_ROWS_STMT_END) s->map_count = 0;
    if (!m) return r.table_id == BINLOG_ROWS_DUMMY_TABLE_ID ? true : err_set(e, ERR_SOURCE_LOG_CORRUPT, "no table map");
    binlog_plan plan;
    const table_def *t = s->definition ? s->definition(s->user, m->schema, m->table) : NULL;
    if (!binlog_plan_build(m, t, true, &s->mem, &plan, e)) return false;
    bool more = true;
    while (more) {
        const val *before, *after;
        if (!binlog_rows_next(&r, &plan, &s->reader, &s->mem, &before, &after, &more, e)) return false;
        if (!more) break;
        s->rows++;
        if (s->row) s->row(s->user, m, r.kind, before, after);
    }
    arena_reset(&s->mem);
    return true;
}

static inline bool dump_event(dump_state *s, str bytes, err *e)
{
    binlog_event ev;
    if (!binlog_event_parse(bytes, &s->format, &ev, e)) return false;
    if (ev.type == BINLOG_FORMAT_DESCRIPTION && !binlog_format_parse(&ev, &s->format, e)) return false;
    if (s->event) s->event(s->user, &ev, &s->format);
    if (ev.type == BINLOG_TABLE_MAP) {
        if (s->map_count == 0) arena_reset(&s->maps);
        if (s->map_count == 64) return err_set(e, ERR_LIMIT, "too many maps");
        if (!binlog_table_map_parse(&ev, &s->format, &s->maps, &s->map[s->map_count], e)) return false;
        s->map_count++;
    }
    return binlog_event_is_rows(ev.type) ? dump_rows(s, &ev, e) : true;
}

static inline void dump_finish(dump_state *s)
{
    arena_finish(&s->maps);
    arena_finish(&s->mem);
    binlog_reader_finish(&s->reader);
}

/* The bytes of a whole file with its magic. */
static inline bool dump_file(dump_state *s, str file, err *e)
{
    if (!str_starts_with(file, (str){BINLOG_MAGIC, 4})) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "no binlog");
    str rest = str_sub(file, 4, file.n);
    while (rest.n) {
        uint32_t size = binlog_event_peek_size(rest);
        if (size == 0 || size > rest.n) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "cut event");
        if (!dump_event(s, str_sub(rest, 0, size), e)) return false;
        rest = str_sub(rest, size, rest.n);
    }
    return true;
}

#endif
