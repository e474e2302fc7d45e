/* Table maps are kept by id with the bytes they came from: a server repeats the same map in every transaction, so that one memcmp replaces the parse. */
#include "engine/mysql/stream_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "model/filter.h"

/* Maps kept over statements; ids are never used twice while a server runs, each open of a table makes a new one. */
#define MAPS_KEPT 4096
/* Maps that one statement may have. */
#define MAPS_MOST 65536

typedef struct stream_table {
    const table_def *def;
    filter *filter;      /* NULL: all rows */
    bool partial;        /* some columns are not carried: blanked after the filter saw them */
} stream_table;

typedef struct stream_map {
    uint64_t id, statement;
    const stream_table *table; /* NULL: not selected */
    str body;                  /* the event's body, in mem */
    binlog_table_map map;      /* of selected tables */
    binlog_plan plan;
    arena mem;
} stream_map;

static str table_key(stream_tables *s, str schema, str table)
{
    buf_reset(&s->key);
    buf_add(&s->key, schema);
    buf_add_byte(&s->key, 0);
    buf_add(&s->key, table);
    if (s->key.failed) return STR_NULL;
    if (s->fold_case)
        for (size_t i = 0; i < s->key.n; i++)
            if (s->key.p[i] >= 'A' && s->key.p[i] <= 'Z') s->key.p[i] = (char)(s->key.p[i] + 32);
    return buf_str(&s->key);
}

static bool add_table(stream_tables *s, const table_def *def, err *e)
{
    stream_table *t = arena_alloc(&s->mem, sizeof *t);
    str key = arena_copy(&s->mem, table_key(s, def->schema, def->name));
    if (!t || !key.p) return err_no_memory(e, "the tables of the stream");
    t->def = def;
    for (uint32_t i = 0; i < def->column_count; i++)
        if (!def->columns[i].selected || def->columns[i].generated) t->partial = true;
    if (def->filter_sql.n && !filter_compile(def, &s->mem, &t->filter, e)) return false;
    return map_put(&s->selected, key, t) ? true : err_no_memory(e, "the tables of the stream");
}

bool stream_tables_init(stream_tables *s, const catalog_def *c, bool fold_case, err *e)
{
    *s = (stream_tables){.fold_case = fold_case, .statement = 1};
    arena_init(&s->mem, 64 * 1024, 0);
    for (uint32_t i = 0; i < c->table_count; i++)
        if (!add_table(s, c->tables[i], e)) {
            stream_tables_finish(s);
            return false;
        }
    return true;
}

static void free_map(stream_map *m)
{
    if (!m) return;
    arena_finish(&m->mem);
    free(m);
}

void stream_tables_forget(stream_tables *s)
{
    for (size_t i = 0; i < s->maps.count; i++) free_map(s->maps.entries[i].value);
    map_clear(&s->maps);
    s->last = NULL;
    s->statement++;
}

void stream_tables_finish(stream_tables *s)
{
    stream_tables_forget(s);
    map_finish(&s->maps);
    map_finish(&s->selected);
    binlog_reader_finish(&s->reader);
    buf_finish(&s->key);
    arena_finish(&s->mem);
}

void stream_tables_end_statement(stream_tables *s)
{
    s->statement++;
    if (s->maps.count > MAPS_KEPT) stream_tables_forget(s);
}

const table_def *stream_tables_find(stream_tables *s, str schema, str table)
{
    const stream_table *t = map_get(&s->selected, table_key(s, schema, table));
    return t ? t->def : NULL;
}

static stream_map *find_map(stream_tables *s, uint64_t id)
{
    if (s->last && s->last->id == id) return s->last;
    stream_map *m = map_get(&s->maps, (str){(const char *)&id, sizeof id});
    if (m) s->last = m;
    return m;
}

/* schema and table of the event's body: id, flags 2, then length 1, bytes, NUL each. */
static bool read_names(const binlog_event *ev, const binlog_format *f, str *ret_schema, str *ret_table, err *e)
{
    cursor c = cursor_of(ev->body);
    cursor_skip(&c, (f->known && f->post_header[BINLOG_TABLE_MAP] == 6 ? 4 : 6) + 2);
    *ret_schema = cursor_take(&c, cursor_u8(&c));
    cursor_skip(&c, 1);
    *ret_table = cursor_take(&c, cursor_u8(&c));
    return c.failed ? err_set(e, ERR_SOURCE_LOG_CORRUPT, "TABLE_MAP event ending at %u: the names are not well formed", ev->log_pos) : true;
}

static bool fill_map(stream_tables *s, stream_map *m, const binlog_event *ev, const binlog_format *f, err *e)
{
    str schema, table;
    if (!read_names(ev, f, &schema, &table, e)) return false;
    m->body = arena_copy(&m->mem, ev->body);
    if (!m->body.p) return err_no_memory(e, "a table map");
    m->table = map_get(&s->selected, table_key(s, schema, table));
    if (s->key.failed) return err_no_memory(e, "a table map");
    if (!m->table) return true;
    return binlog_table_map_parse(ev, f, &m->mem, &m->map, e) && binlog_plan_build(&m->map, m->table->def, m->table->filter != NULL, &m->mem, &m->plan, e);
}

static bool new_map(stream_tables *s, uint64_t id, const binlog_event *ev, const binlog_format *f, err *e)
{
    if (s->maps.count >= MAPS_MOST) return err_set(e, ERR_LIMIT, "one statement changes more than %d tables", MAPS_MOST);
    stream_map *m = calloc(1, sizeof *m);
    if (!m) return err_no_memory(e, "a table map");
    m->id = id;
    m->statement = s->statement;
    arena_init(&m->mem, 4096, 0);
    if (!fill_map(s, m, ev, f, e)) {
        free_map(m);
        return false;
    }
    if (!map_put(&s->maps, (str){(const char *)&m->id, sizeof m->id}, m)) {
        free_map(m);
        return err_no_memory(e, "a table map");
    }
    s->last = m;
    return true;
}

bool stream_tables_map(stream_tables *s, const binlog_event *ev, const binlog_format *f, err *e)
{
    uint64_t id;
    if (!binlog_table_map_id(ev, f, &id, e)) return false;
    stream_map *m = find_map(s, id);
    if (m && str_eq(m->body, ev->body)) {
        m->statement = s->statement;
        return true;
    }
    if (!m) return new_map(s, id, ev, f, e);
    arena_finish(&m->mem); /* in place: the map's key lies in m */
    m->statement = s->statement;
    m->table = NULL;
    m->body = STR_NULL;
    return fill_map(s, m, ev, f, e);
}

bool stream_rows_open(stream_tables *s, const binlog_event *ev, const binlog_format *f, stream_rows *ret, err *e)
{
    cursor c = cursor_of(ev->body);
    uint64_t id = f->known && f->post_header[ev->type] == 6 ? cursor_u32(&c) : cursor_u48(&c);
    uint16_t flags = cursor_u16(&c);
    if (c.failed) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "%s event ending at %u is too short", binlog_event_name(ev->type), ev->log_pos);
    *ret = (stream_rows){.table_id = id, .statement_end = flags & BINLOG_ROWS_STMT_END};
    if (id == BINLOG_ROWS_DUMMY_TABLE_ID && ret->statement_end) return true;
    const stream_map *m = find_map(s, id);
    if (!m || m->statement != s->statement)
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "%s event ending at %u is for table id %llu, which no TABLE_MAP event of its statement explains",
                       binlog_event_name(ev->type), ev->log_pos, (unsigned long long)id);
    if (m->table) ret->map = m;
    return true;
}

const table_def *stream_rows_table(const stream_rows *r) { return r->map ? r->map->table->def : NULL; }

static bool in_image(const uint8_t *bits, uint32_t i) { return !bits || (bits[i / 8] >> i % 8 & 1); }

/* A partial image is fine as long as every column that we carry is in it. */
static bool check_images(const binlog_rows *rows, const stream_table *t, err *e)
{
    if (binlog_rows_full_images(rows)) return true;
    for (uint32_t i = 0; i < t->def->column_count && i < rows->column_count; i++) {
        const column_def *c = &t->def->columns[i];
        if (!c->selected || c->generated || (in_image(rows->in_before, i) && in_image(rows->in_after, i))) continue;
        return err_set(e, ERR_SOURCE_LOG_FORMAT,
                       "a row of %.*s.%.*s was logged without its column %.*s: the session that wrote it had binlog_row_image other than FULL; "
                       "set it to FULL for all sessions and reset the job",
                       STR_ARG(t->def->schema), STR_ARG(t->def->name), STR_ARG(c->name));
    }
    return true;
}

static void blank(const stream_table *t, const val *row)
{
    val *v = (val *)(uintptr_t)row; /* our own memory: made by the row reader in the transaction's arena */
    for (uint32_t i = 0; v && i < t->def->column_count; i++)
        if (!t->def->columns[i].selected || t->def->columns[i].generated) v[i] = (val){0};
}

/* Turns kind and images into what the selection sees; false in *ret_keep: nothing of it. */
static bool apply_filter(const stream_table *t, change_kind *kind, const val **before, const val **after, bool *ret_keep, err *e)
{
    filter_result b = FILTER_FALSE, a = FILTER_FALSE;
    if ((*before && !filter_eval(t->filter, *before, &b, e)) || (*after && !filter_eval(t->filter, *after, &a, e)))
        return err_context(e, "table %.*s.%.*s", STR_ARG(t->def->schema), STR_ARG(t->def->name));
    if (b != FILTER_TRUE) *before = NULL;
    if (a != FILTER_TRUE) *after = NULL;
    *ret_keep = *before || *after;
    *kind = *before && *after ? CHANGE_UPDATE : *before ? CHANGE_DELETE : CHANGE_INSERT;
    if (t->partial) {
        blank(t, *before);
        blank(t, *after);
    }
    return true;
}

size_t stream_txn_bytes(const txn *t) { return t->mem.used_bytes + (size_t)t->change_cap * sizeof(change); }

static bool too_large(const stream_table *t, size_t limit_bytes, err *e)
{
    return err_set(e, ERR_LIMIT,
                   "a transaction of the source, or one logged change of it, needs more than %zu bytes of memory (seen at %.*s.%.*s); raise the worker's memory or split the change",
                   limit_bytes, STR_ARG(t->def->schema), STR_ARG(t->def->name));
}

static bool add_change(const stream_table *st, binlog_rows *rows, const val *before, const val *after, txn *t, err *e)
{
    change_kind kind = rows->kind;
    bool keep = true;
    if (st->filter && !apply_filter(st, &kind, &before, &after, &keep, e)) return false;
    if (!keep) return true;
    change *c = txn_add_change(t);
    if (!c) return err_no_memory(e, "a transaction");
    *c = (change){st->def, kind, (rows->flags & BINLOG_ROWS_NO_FOREIGN_KEY_CHECKS) != 0, before, after};
    return true;
}

bool stream_rows_read(stream_tables *s, const stream_rows *r, const binlog_event *ev, const binlog_format *f, size_t limit_bytes, txn *t, err *e)
{
    const stream_table *st = r->map->table;
    if (binlog_event_is_unreadable(ev->type))
        return err_set(e, ERR_SOURCE_LOG_FORMAT, "a change of %.*s.%.*s was logged as %s, which cannot be read exactly; %s, and reset the job",
                       STR_ARG(st->def->schema), STR_ARG(st->def->name), binlog_event_name(ev->type),
                       ev->type == BINLOG_PARTIAL_UPDATE_ROWS ? "take PARTIAL_JSON out of binlog_row_value_options of all sessions"
                                                              : "switch log_bin_compress off");
    if (limit_bytes && stream_txn_bytes(t) + ev->body.n > limit_bytes) return too_large(st, limit_bytes, e);
    binlog_event own = *ev;
    char *copy = arena_bytes(&t->mem, ev->body.n);
    if (!copy) return err_no_memory(e, "a transaction");
    memcpy(copy, ev->body.p, ev->body.n);
    own.body.p = copy;
    binlog_rows rows;
    if (!binlog_rows_parse(&own, f, &rows, e) || !check_images(&rows, st, e)) return false;
    for (bool more = true;;) {
        const val *before = NULL, *after = NULL;
        if (!binlog_rows_next(&rows, &r->map->plan, &s->reader, &t->mem, &before, &after, &more, e)) return false;
        if (!more) return true;
        if (!add_change(st, &rows, before, after, t, e)) return false;
        if (limit_bytes && stream_txn_bytes(t) > limit_bytes) return too_large(st, limit_bytes, e);
    }
}
