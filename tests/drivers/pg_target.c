/* Drives the PostgreSQL target without a source: tables, rows and changes come from the request, a JSON object on stdin; one answer on stdout.
 * {"target": endpoint, "job", "epoch", "cascades_logged", "tables": [{"schema", "name", "target_schema", "target_name", "columns": [{"name", "target", "type":
 *  "int" | "numeric" | "text" | "uuid" | "other", "selected", "generated"}], "keys": [{"columns": [0], "primary", "unique"}], "foreign_keys": [{"columns",
 *  "schema", "table", "parent_columns", "on_delete", "on_update"}]}], "steps": [{"op": ..., "may_fail": true}]}
 * Steps: claim, read, save {phase, position}, server, remove, reopen, die, store {table, chunks: [{number, low, high}]}, chunks {table},
 *  load {table, number, position, overlap, ignore_existing, rows | generate, batch_rows, fail_after}, unload {table, number}, begin,
 *  apply {txns: [[[kind, table, before, after, {"free": true}]]], end, overlap}, large {windows: [txns], end, overlap},
 *  bench {table, txns, window_rows, rows: of the table}: single-row updates of one column.
 * A value is null, a text, a number, {"unchanged": true}, {"absent": true} or {"hex": ""}. The first step that fails ends the run unless it may fail. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/postgresql/pg_apply.h"
#include "model/family.h"
#include "pipeline/window.h"

typedef struct driver {
    const json_t *request;
    json_t *answer, *ledger, *results;
    engine_env env;
    ledger l;
    endpoint ep;
    target *t;
    arena mem;
    catalog_def catalog;
    window window;
    spans spans;
    uint64_t epoch;
} driver;

static const target_ops *const ops = &pg_target_ops;

static const char *text(const json_t *o, const char *key, const char *otherwise)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : otherwise;
}

static uint64_t number(const json_t *o, const char *key, uint64_t otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? (uint64_t)json_integer_value(v) : otherwise;
}

static bool flag(const json_t *o, const char *key) { return json_is_true(json_object_get(o, key)); }
static json_t *jstr(str s) { return s.n ? json_stringn_nocheck(s.p, s.n) : json_string(""); }

/* ---- ledger ---- */

static bool ledger_intend(void *ctx, const char *end, const char *kind, str name, str undo, bool shared, uint64_t *ret_id, err *e)
{
    driver *d = ctx;
    (void)e;
    for (size_t i = 0; i < json_array_size(d->ledger); i++) {
        const json_t *o = json_array_get(d->ledger, i);
        *ret_id = i;
        if (!strcmp(text(o, "kind", ""), kind) && str_eq(str_from_c(text(o, "name", "")), name)) return true;
    }
    *ret_id = json_array_size(d->ledger);
    json_array_append_new(d->ledger, json_pack("{s:s,s:s,s:o,s:o,s:b,s:b}", "end", end, "kind", kind, "name", jstr(name), "undo", jstr(undo), "shared",
                                               shared, "created", 0));
    return true;
}

static bool ledger_created(void *ctx, uint64_t id, err *e)
{
    driver *d = ctx;
    (void)e;
    json_object_set_new(json_array_get(d->ledger, id), "created", json_true());
    return true;
}

static bool ledger_settle(void *ctx, const char *end, const char *kind, str name, ledger_state state, str why, err *e)
{
    driver *d = ctx;
    uint64_t i;
    if (!ledger_intend(ctx, end, kind, name, STR(""), false, &i, e)) return false;
    json_object_set_new(json_array_get(d->ledger, i), state == LEDGER_REMOVED ? "removed" : "kept", jstr(why));
    return true;
}

/* ---- tables ---- */

static col_type type_of(const char *name)
{
    static const struct {
        const char *name;
        col_type type;
    } all[] = {{"int", COL_INT}, {"numeric", COL_DECIMAL}, {"text", COL_TEXT}, {"uuid", COL_UUID}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!strcmp(all[i].name, name)) return all[i].type;
    return COL_OTHER;
}

static void read_indexes(arena *a, const json_t *list, uint32_t **ret, uint32_t *ret_count)
{
    *ret_count = (uint32_t)json_array_size(list);
    *ret = arena_array(a, *ret_count, sizeof **ret);
    for (uint32_t i = 0; i < *ret_count; i++) (*ret)[i] = (uint32_t)json_integer_value(json_array_get(list, i));
}

static void read_columns(driver *d, const json_t *list, table_def *t)
{
    t->column_count = (uint32_t)json_array_size(list);
    t->columns = arena_array(&d->mem, t->column_count, sizeof *t->columns);
    for (uint32_t i = 0; i < t->column_count; i++) {
        const json_t *o = json_array_get(list, i);
        column_def *c = &t->columns[i];
        c->name = str_from_c(text(o, "name", "?"));
        c->target_name = str_from_c(text(o, "target", text(o, "name", "?")));
        c->type = type_of(text(o, "type", "other"));
        c->nullable = flag(o, "nullable");
        c->selected = !json_is_false(json_object_get(o, "selected"));
        c->generated = flag(o, "generated");
    }
}

static void read_keys(driver *d, const json_t *o, table_def *t)
{
    const json_t *keys = json_object_get(o, "keys"), *fks = json_object_get(o, "foreign_keys");
    t->key_count = (uint32_t)json_array_size(keys);
    t->keys = arena_array(&d->mem, t->key_count, sizeof *t->keys);
    for (uint32_t i = 0; i < t->key_count; i++) {
        const json_t *k = json_array_get(keys, i);
        t->keys[i] = (key_def){.name = STR("k"), .primary = flag(k, "primary"), .unique = flag(k, "primary") || flag(k, "unique")};
        read_indexes(&d->mem, json_object_get(k, "columns"), &t->keys[i].columns, &t->keys[i].count);
    }
    table_choose_row_key(t);
    t->foreign_key_count = (uint32_t)json_array_size(fks);
    t->foreign_keys = arena_array(&d->mem, t->foreign_key_count, sizeof *t->foreign_keys);
    for (uint32_t i = 0; i < t->foreign_key_count; i++) {
        const json_t *f = json_array_get(fks, i), *columns = json_object_get(f, "parent_columns");
        foreign_key_def *k = &t->foreign_keys[i];
        *k = (foreign_key_def){.name = STR("fk"), .parent_schema = str_from_c(text(f, "schema", "")), .parent_table = str_from_c(text(f, "table", "")),
                               .on_delete = str_from_c(text(f, "on_delete", "NO ACTION")), .on_update = str_from_c(text(f, "on_update", "NO ACTION"))};
        read_indexes(&d->mem, json_object_get(f, "columns"), &k->columns, &k->count);
        k->parent_columns = arena_array(&d->mem, k->count, sizeof *k->parent_columns);
        for (uint32_t p = 0; p < k->count; p++) k->parent_columns[p] = str_from_c(json_string_value(json_array_get(columns, p)));
    }
}

static bool read_tables(driver *d, err *e)
{
    const json_t *list = json_object_get(d->request, "tables");
    d->catalog.table_count = (uint32_t)json_array_size(list);
    d->catalog.tables = arena_array(&d->mem, d->catalog.table_count, sizeof(table_def *));
    for (uint32_t i = 0; i < d->catalog.table_count; i++) {
        const json_t *o = json_array_get(list, i);
        table_def *t = d->catalog.tables[i] = arena_alloc(&d->mem, sizeof *t);
        t->sql = SQL_POSTGRESQL;
        t->id = i;
        t->schema = str_from_c(text(o, "schema", "src"));
        t->name = str_from_c(text(o, "name", "t"));
        t->target_schema = str_from_c(text(o, "target_schema", text(o, "schema", "src")));
        t->target_name = str_from_c(text(o, "target_name", text(o, "name", "t")));
        read_columns(d, json_object_get(o, "columns"), t);
        read_keys(d, o, t);
    }
    uint32_t n = d->catalog.table_count;
    d->spans = (spans){.count = 2, .table_count = n, .min = arena_array(&d->mem, n, sizeof(uint32_t)), .max = arena_array(&d->mem, n, sizeof(uint32_t))};
    for (uint32_t i = 0; i < n; i++) {
        d->spans.min[i] = 1;
        d->spans.max[i] = d->catalog.tables[i]->row_key == TABLE_NO_KEY ? 1 : 2;
    }
    return window_init(&d->window, n, e) && family_link(&d->catalog, e);
}

/* ---- values ---- */

static bool from_hex(arena *a, const char *hex, val *v)
{
    size_t n = strlen(hex) / 2;
    char *p = arena_bytes(a, n);
    for (size_t i = 0; p && i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        p[i] = (char)strtol(two, NULL, 16);
    }
    *v = (val){.kind = VAL_TEXT, .n = (uint32_t)n, .u.p = p};
    return p != NULL;
}

static bool read_value(arena *a, const json_t *j, const column_def *c, val *v)
{
    if (json_is_null(j)) {
        *v = (val){.kind = VAL_NULL};
    } else if (json_is_object(j)) {
        if (json_object_get(j, "hex")) return from_hex(a, text(j, "hex", ""), v);
        *v = (val){.kind = flag(j, "unchanged") ? VAL_UNCHANGED : flag(j, "int") ? VAL_INT : VAL_ABSENT};
    } else {
        str s = json_is_integer(j) ? arena_printf(a, "%lld", (long long)json_integer_value(j))
                                   : arena_copy(a, (str){json_string_value(j), json_string_length(j)});
        bool is_number = c->type == COL_INT || c->type == COL_DECIMAL;
        *v = (val){.kind = is_number ? VAL_NUMBER : VAL_TEXT, .n = (uint32_t)s.n, .u.p = s.p};
        return s.p != NULL;
    }
    return true;
}

/* NULL for a missing row. */
static bool read_row(arena *a, const json_t *j, const table_def *t, val *row)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (!read_value(a, json_array_get(j, i), &t->columns[i], &row[i])) return false;
    return true;
}

/* ---- rows of a load ---- */

typedef struct rows_feed {
    driver *d;
    const json_t *step;
    const table_def *t;
    uint64_t next, count, batch_rows, fail_after;
} rows_feed;

/* id, k, c (120 bytes), pad (60 bytes), as sysbench has them. */
static bool generated_row(arena *a, uint64_t id, val *row)
{
    str texts[4] = {arena_printf(a, "%llu", (unsigned long long)id), arena_printf(a, "%llu", (unsigned long long)(id * 7919 % 100000)),
                    arena_printf(a, "%0120llu", (unsigned long long)(id * 2654435761u)), arena_printf(a, "%060llu", (unsigned long long)id)};
    for (int i = 0; i < 4; i++) row[i] = (val){.kind = i < 2 ? VAL_NUMBER : VAL_TEXT, .n = (uint32_t)texts[i].n, .u.p = texts[i].p};
    return texts[3].p != NULL;
}

static bool next_batch(void *ctx, row_batch **ret, err *e)
{
    rows_feed *f = ctx;
    const json_t *rows = json_object_get(f->step, "rows");
    *ret = NULL;
    if (f->fail_after && f->next >= f->fail_after) return err_set(e, ERR_SOURCE_CONNECT, "the test's feed ends here");
    if (f->next == f->count) return true;
    row_batch *b = row_batch_new(f->t, 0);
    for (uint64_t n = 0; b && n < f->batch_rows && f->next < f->count; n++, f->next++) {
        val *row = row_batch_add(b);
        if (!row || !(rows ? read_row(&b->mem, json_array_get(rows, f->next), f->t, row)
                           : generated_row(&b->mem, f->next + number(f->step, "first", 1), row)))
            return err_no_memory(e, "rows");
    }
    *ret = b;
    return b || err_no_memory(e, "rows");
}

static bool op_load(driver *d, const json_t *step, json_t *out, err *e)
{
    const table_def *t = d->catalog.tables[number(step, "table", 0)];
    const json_t *rows = json_object_get(step, "rows");
    chunk k = {.table_id = t->id, .number = (uint32_t)number(step, "number", 0), .overlap = flag(step, "overlap")};
    rows_feed f = {.d = d, .step = step, .t = t, .count = rows ? json_array_size(rows) : number(step, "generate", 0),
                   .batch_rows = number(step, "batch_rows", 1000), .fail_after = number(step, "fail_after", 0)};
    row_feed feed = {next_batch, &f};
    loader *l = NULL;
    uint64_t loaded = 0;
    position at = {str_from_c(text(step, "position", "p1")), 5};
    bool ok = ops->loader_open(d->t, d->epoch, flag(step, "ignore_existing"), &l, e) && ops->load_chunk(l, t, &k, at, &feed, &loaded, e);
    ops->loader_close(l);
    json_object_set_new(out, "rows", json_integer((json_int_t)loaded));
    json_object_set_new(out, "fed", json_integer((json_int_t)f.next));
    return ok;
}

/* ---- chunks and checkpoint ---- */

static bool op_store(driver *d, const json_t *step, json_t *out, err *e)
{
    const table_def *t = d->catalog.tables[number(step, "table", 0)];
    const json_t *list = json_object_get(step, "chunks");
    uint32_t n = (uint32_t)json_array_size(list);
    chunk *chunks = arena_array(&d->mem, n, sizeof *chunks);
    (void)out;
    for (uint32_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i), *low = json_object_get(o, "low"), *high = json_object_get(o, "high");
        chunks[i] = (chunk){.table_id = t->id, .number = (uint32_t)number(o, "number", i), .low = {json_string_value(low), json_string_length(low)},
                            .high = {json_string_value(high), json_string_length(high)}, .rows = number(o, "rows", 0)};
    }
    return ops->store_chunks(d->t, d->epoch, t, chunks, n, e);
}

static bool op_chunks(driver *d, const json_t *step, json_t *out, err *e)
{
    chunk *c;
    uint32_t n;
    if (!ops->read_chunks(d->t, d->catalog.tables[number(step, "table", 0)], &d->mem, &c, &n, e)) return false;
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++) {
        BUF_AUTO low = BUF_INIT;
        BUF_AUTO high = BUF_INIT;
        buf_add_hex(&low, c[i].low);
        buf_add_hex(&high, c[i].high);
        json_array_append_new(list, json_pack("{s:i,s:s,s:s,s:b,s:o,s:I,s:I}", "number", (int)c[i].number, "low_hex", buf_c(&low), "high_hex", buf_c(&high), "done",
                                              c[i].done, "position", jstr(c[i].at.text), "commit", (json_int_t)c[i].at.commit_us, "rows",
                                              (json_int_t)c[i].rows));
    }
    json_object_set_new(out, "chunks", list);
    return true;
}

static bool op_unload(driver *d, const json_t *step, json_t *out, err *e)
{
    chunk k = {.number = (uint32_t)number(step, "number", 0)};
    (void)out;
    return ops->unload_chunk(d->t, d->epoch, d->catalog.tables[number(step, "table", 0)], &k, e);
}

static bool tell_checkpoint(const checkpoint *k, json_t *out)
{
    json_object_set_new(out, "checkpoint", json_pack("{s:b,s:I,s:o,s:I,s:I,s:I,s:o}", "exists", k->exists, "epoch", (json_int_t)k->epoch, "position",
                                                     jstr(k->at.text), "commit", (json_int_t)k->at.commit_us, "txns", (json_int_t)k->txn_count, "rows",
                                                     (json_int_t)k->row_count, "phase", jstr(k->phase)));
    return true;
}

static bool op_claim(driver *d, const json_t *step, json_t *out, err *e)
{
    checkpoint k;
    d->epoch = number(step, "epoch", d->epoch);
    return ops->claim(d->t, d->epoch, &d->mem, &k, e) && tell_checkpoint(&k, out);
}

static bool op_read(driver *d, const json_t *step, json_t *out, err *e)
{
    checkpoint k;
    (void)step;
    return ops->read_checkpoint(d->t, &d->mem, &k, e) && tell_checkpoint(&k, out);
}

static bool op_save(driver *d, const json_t *step, json_t *out, err *e)
{
    (void)out;
    return ops->save_checkpoint(d->t, number(step, "epoch", d->epoch), text(step, "phase", "full"), (position){str_from_c(text(step, "position", "")), 7}, e);
}

static bool op_server(driver *d, const json_t *step, json_t *out, err *e)
{
    server_info i;
    (void)step;
    if (!ops->server(d->t, &d->mem, &i, e)) return false;
    json_object_set_new(out, "server", json_pack("{s:o,s:o,s:i,s:o,s:b}", "product", jstr(i.product), "version", jstr(i.version), "number",
                                                 (int)i.version_number, "identity", jstr(i.identity), "may_replicate", d->t->may_replicate));
    return true;
}

static bool op_remove(driver *d, const json_t *step, json_t *out, err *e)
{
    str removed;
    (void)step;
    if (!ops->remove_job(d->t, d->env.job_id, &d->mem, &removed, e)) return false;
    json_object_set_new(out, "removed", jstr(removed));
    return true;
}

/* ---- changes ---- */

static bool op_begin(driver *d, const json_t *step, json_t *out, err *e)
{
    json_t *ordered = json_array();
    server_info from = {.cascades_logged = !json_is_false(json_object_get(d->request, "cascades_logged"))};
    bool ok = ops->apply_begin(d->t, d->epoch, &d->catalog, &from, e);
    (void)step;
    for (uint32_t i = 0; ok && i < d->catalog.table_count; i++)
        if (d->catalog.tables[i]->target_has_triggers) json_array_append_new(ordered, jstr(d->catalog.tables[i]->name));
    json_object_set_new(out, "ordered", ordered);
    return ok;
}

static bool read_change(driver *d, const json_t *j, txn *t, err *e)
{
    change *c = txn_add_change(t);
    const char *kind = json_string_value(json_array_get(j, 0));
    const json_t *images[2] = {json_array_get(j, 2), json_array_get(j, 3)};
    const val *read[2] = {NULL, NULL};
    if (!c) return err_no_memory(e, "a change");
    c->table = d->catalog.tables[json_integer_value(json_array_get(j, 1))];
    c->kind = kind[0] == 'i' ? CHANGE_INSERT : kind[0] == 'u' ? CHANGE_UPDATE : kind[0] == 'd' ? CHANGE_DELETE : CHANGE_TRUNCATE;
    c->without_foreign_keys = flag(json_array_get(j, 4), "free");
    for (int i = 0; i < 2; i++) {
        if (!json_is_array(images[i])) continue;
        val *row = arena_array(&t->mem, c->table->column_count, sizeof *row);
        if (!row || !read_row(&t->mem, images[i], c->table, row)) return err_no_memory(e, "a change");
        read[i] = row;
    }
    c->before = read[0];
    c->after = read[1];
    return true;
}

static bool fill_window(driver *d, const json_t *txns, bool overlap, err *e)
{
    d->window.rank = overlap ? 1 : 2;
    for (size_t i = 0; i < json_array_size(txns); i++) {
        const json_t *list = json_array_get(txns, i);
        txn *t = txn_new(0);
        bool ok = t || err_no_memory(e, "a transaction");
        for (size_t k = 0; ok && k < json_array_size(list); k++) ok = read_change(d, json_array_get(list, k), t, e);
        if (!ok) return txn_free(t), false;
        if (!window_add(&d->window, t, e)) return false;
    }
    return true;
}

static position end_of(const json_t *step) { return (position){str_from_c(text(step, "end", "e1")), 11}; }

static bool op_apply(driver *d, const json_t *step, json_t *out, err *e)
{
    apply_window w;
    bool ok = fill_window(d, json_object_get(step, "txns"), flag(step, "overlap"), e) && window_build(&d->window, &d->spans, &w, e);
    if (ok) {
        w.end = end_of(step);
        json_object_set_new(out, "merged", json_integer(w.merged_count));
        json_object_set_new(out, "ordered", json_integer(w.ordered_count));
        ok = ops->apply(d->t, &w, e);
    }
    window_reset(&d->window);
    return ok;
}

typedef struct large {
    driver *d;
    const json_t *step;
    size_t next;
    uint32_t rewinds;
    apply_window w;
} large;

static bool large_rewind(void *ctx, err *e)
{
    large *l = ctx;
    (void)e;
    l->next = 0;
    l->rewinds++;
    return true;
}

static bool large_next(void *ctx, const apply_window **ret, err *e)
{
    large *l = ctx;
    const json_t *windows = json_object_get(l->step, "windows");
    *ret = NULL;
    window_reset(&l->d->window);
    if (l->next == json_array_size(windows)) return true;
    if (!fill_window(l->d, json_array_get(windows, l->next++), flag(l->step, "overlap"), e) || !window_build(&l->d->window, &l->d->spans, &l->w, e)) return false;
    *ret = &l->w;
    return true;
}

static bool op_large(driver *d, const json_t *step, json_t *out, err *e)
{
    large l = {.d = d, .step = step};
    window_feed feed = {large_rewind, large_next, &l};
    apply_window last = {.end = end_of(step), .txn_count = 1, .row_count = 2, .phase = "stream"};
    bool ok = ops->apply_large(d->t, &feed, &last, e);
    window_reset(&d->window);
    json_object_set_new(out, "rewinds", json_integer(l.rewinds));
    return ok;
}

/* One transaction that updates the second column of one row, its whole images as MySQL's log has them. */
static txn *bench_txn(const table_def *t, uint64_t id, uint64_t n)
{
    txn *x = txn_new(0);
    change *c = x ? txn_add_change(x) : NULL;
    val *before = c ? arena_array(&x->mem, 4, sizeof *before) : NULL, *after = c ? arena_array(&x->mem, 4, sizeof *after) : NULL;
    if (!before || !after || !generated_row(&x->mem, id, before)) return txn_free(x), NULL;
    memcpy(after, before, 4 * sizeof *after);
    str k = arena_printf(&x->mem, "%llu", (unsigned long long)n);
    after[1] = (val){.kind = VAL_NUMBER, .n = (uint32_t)k.n, .u.p = k.p};
    *c = (change){.table = t, .kind = CHANGE_UPDATE, .before = before, .after = after};
    return x;
}

static bool op_bench(driver *d, const json_t *step, json_t *out, err *e)
{
    const table_def *t = d->catalog.tables[number(step, "table", 0)];
    uint64_t rows = number(step, "rows", 1000), window_rows = number(step, "window_rows", 5000), id = 1;
    apply_window w;
    bool ok = true;
    (void)out;
    d->window.rank = 2;
    for (uint64_t n = 1; ok && n <= number(step, "txns", 1000); n++) {
        id = (id * 6364136223846793005u + 1442695040888963407u);
        txn *x = bench_txn(t, id % rows + 1, n);
        ok = x ? window_add(&d->window, x, e) : err_no_memory(e, "a transaction");
        if (!ok || (n % window_rows && n != number(step, "txns", 1000))) continue;
        ok = window_build(&d->window, &d->spans, &w, e);
        w.end = (position){STR("bench"), 1};
        ok = ok && ops->apply(d->t, &w, e);
        window_reset(&d->window);
    }
    return ok;
}

static bool op_reopen(driver *d, const json_t *step, json_t *out, err *e)
{
    (void)step, (void)out;
    ops->close(d->t);
    d->t = NULL;
    return ops->open(&d->ep, &d->env, &d->t, e);
}

static bool op_die(driver *d, const json_t *step, json_t *out, err *e)
{
    (void)d, (void)step, (void)out, (void)e;
    _exit(9);
}

static const struct {
    const char *name;
    bool (*run)(driver *d, const json_t *step, json_t *out, err *e);
} operations[] = {{"claim", op_claim}, {"read", op_read}, {"save", op_save}, {"server", op_server}, {"remove", op_remove}, {"reopen", op_reopen}, {"die", op_die},
                  {"store", op_store}, {"chunks", op_chunks}, {"load", op_load}, {"unload", op_unload}, {"begin", op_begin}, {"apply", op_apply},
                  {"large", op_large}, {"bench", op_bench}};

static bool run_step(driver *d, const json_t *step, err *e)
{
    json_t *out = json_object();
    bool ok = false, known = false;
    int64_t began = clk_mono_us(d->env.clock);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0] && !known; i++)
        if (!strcmp(operations[i].name, text(step, "op", ""))) {
            known = true;
            ok = operations[i].run(d, step, out, e);
        }
    if (!known) err_set(e, ERR_BAD_INPUT, "no such step: %s", text(step, "op", ""));
    json_object_set_new(out, "ok", json_boolean(ok));
    json_object_set_new(out, "code", json_string(ok ? "" : err_name(e->code)));
    json_object_set_new(out, "retry", json_integer(ok ? 0 : (json_int_t)e->retry));
    json_object_set_new(out, "text", json_stringn_nocheck(e->text, ok ? 0 : strlen(e->text)));
    json_object_set_new(out, "us", json_integer(clk_mono_us(d->env.clock) - began));
    json_array_append_new(d->results, out);
    return ok || flag(step, "may_fail");
}

static bool run_request(driver *d, err *e)
{
    const json_t *o = json_object_get(d->request, "target"), *steps = json_object_get(d->request, "steps");
    d->ep = (endpoint){.engine = STR("postgresql"), .host = str_from_c(text(o, "host", "127.0.0.1")), .port = (uint16_t)number(o, "port", 0),
                       .user = str_from_c(text(o, "user", "postgres")), .database = str_from_c(text(o, "database", ""))};
    if (!secret_set(&d->ep.password, str_from_c(text(o, "password", "")), e) || !read_tables(d, e) || !ops->open(&d->ep, &d->env, &d->t, e)) return false;
    for (size_t i = 0; i < json_array_size(steps); i++) {
        *e = ERR_INIT;
        if (!run_step(d, json_array_get(steps, i), e)) return false;
    }
    return true;
}

int main(void)
{
    cancel stop;
    err e = ERR_INIT;
    struct rusage u;
    driver d = {.request = json_loadf(stdin, JSON_ALLOW_NUL, NULL), .answer = json_object(), .ledger = json_array(), .results = json_array()};
    if (!d.request || !cancel_init(&stop, &e)) return 2;
    d.l = (ledger){.intend = ledger_intend, .created = ledger_created, .settle = ledger_settle, .ctx = &d};
    d.epoch = number(d.request, "epoch", 1);
    d.env = (engine_env){.clock = clk_system(), .cancel = &stop, .ledger = &d.l, .job_id = str_from_c(text(d.request, "job", "job1")), .budget_bytes = 64 << 20,
                         .connect_timeout_s = 5, .io_timeout_s = (uint32_t)number(d.request, "io_timeout_s", 60)};
    arena_init(&d.mem, 64 << 10, 0);
    bool ok = run_request(&d, &e);
    getrusage(RUSAGE_SELF, &u);
    json_object_set_new(d.answer, "ok", json_boolean(ok));
    json_object_set_new(d.answer, "text", json_stringn_nocheck(e.text, ok ? 0 : strlen(e.text)));
    json_object_set_new(d.answer, "results", d.results);
    json_object_set_new(d.answer, "ledger", d.ledger);
    json_object_set_new(d.answer, "cpu_us", json_integer((u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec));
    json_object_set_new(d.answer, "rss_kib", json_integer(u.ru_maxrss));
    json_object_set_new(d.answer, "rescued", json_integer(d.t && d.t->applier ? (json_int_t)d.t->applier->rescued : 0));
    ops->close(d.t);
    window_finish(&d.window);
    json_dumpf(d.answer, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(d.answer);
    json_decref((json_t *)(uintptr_t)d.request);
    secret_wipe(&d.ep.password);
    arena_finish(&d.mem);
    cancel_finish(&stop);
    return 0;
}
