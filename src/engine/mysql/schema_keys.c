/* Building keys in parallel: each thread has a connection and takes the next table until none is left or one failed. */
#include "engine/mysql/schema_keys.h"

#include <pthread.h>
#include <stdlib.h>

#define SCRATCH_BYTES (64 * 1024)

/* Keys and foreign keys that the target's table has by now. */
static bool read_present(conn *c, const table_def *t, arena *a, ddl_table *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SHOW CREATE TABLE ");
    conn_quote_table(&sql, t->target_schema, t->target_name);
    MYSQL_RES *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(c, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    str text = row && row[1] ? arena_copy(a, (str){row[1], mysql_fetch_lengths(res)[1]}) : STR_NULL;
    mysql_free_result(res);
    if (!text.p) return err_set(e, ERR_TARGET_QUERY, "table %.*s.%.*s has no definition", STR_ARG(t->target_schema), STR_ARG(t->target_name));
    return ddl_parse_table(text, a, ret, e);
}

static bool has_key(const ddl_table *d, str name)
{
    for (uint32_t i = 0; i < d->key_count; i++)
        if (str_eq_nocase(d->keys[i].name, name)) return true;
    return false;
}

static bool has_foreign_key(const ddl_table *d, str name)
{
    for (uint32_t i = 0; i < d->foreign_key_count; i++)
        if (d->foreign_keys[i].name.p && str_eq_nocase(d->foreign_keys[i].name, name)) return true;
    return false;
}

static void begin_alter(buf *sql, const table_def *t)
{
    buf_reset(sql);
    buf_add_c(sql, "ALTER TABLE ");
    conn_quote_table(sql, t->target_schema, t->target_name);
    buf_add_byte(sql, ' ');
}

/* Ordinary keys in one ALTER, which reads the table once; FULLTEXT keys one by one (InnoDB builds one at a time) with SPATIAL ones. */
static bool make_keys(const key_work *w, conn *c, const table_def *t, arena *a, err *e)
{
    ddl_table d, present;
    BUF_AUTO sql = BUF_INIT;
    uint32_t plain = 0;
    if (!ddl_parse_table(t->create_sql, a, &d, e) || !read_present(c, t, a, &present, e)) return false;
    begin_alter(&sql, t);
    for (uint32_t i = 0; i < d.key_count; i++) {
        if (d.keys[i].kind != DDL_PLAIN || schema_key_is_early(t, &d, i) || !schema_key_is_whole(t, i) || has_key(&present, d.keys[i].name)) continue;
        if (plain++) buf_add_c(&sql, ", ");
        if (!schema_add_key(w->pair, t, &d.keys[i], a, &sql, e)) return false;
    }
    if (plain && !conn_exec(c, buf_str(&sql), NULL, e)) return false;
    for (uint32_t i = 0; i < d.key_count; i++) {
        if (d.keys[i].kind < DDL_FULLTEXT || !schema_key_is_whole(t, i) || has_key(&present, d.keys[i].name)) continue;
        begin_alter(&sql, t);
        if (!schema_add_key(w->pair, t, &d.keys[i], a, &sql, e) || !conn_exec(c, buf_str(&sql), NULL, e)) return false;
    }
    return true;
}

/* ---- several tables at once ---- */

typedef struct building {
    const key_work *w;
    pthread_mutex_t lock; /* next, failed, error, and the calls of w->built */
    uint32_t next;
    bool failed;
    err error;
} building;

typedef struct builder {
    building *b;
    conn *c;
    pthread_t thread;
    bool runs;
} builder;

static const table_def *take_table(building *b)
{
    const table_def *t = NULL;
    pthread_mutex_lock(&b->lock);
    if (!b->failed && b->next < b->w->count) t = b->w->tables[b->next++];
    pthread_mutex_unlock(&b->lock);
    return t;
}

static void note_built(building *b, const table_def *t, const err *failure)
{
    pthread_mutex_lock(&b->lock);
    if (!failure) {
        b->w->built(b->w->ctx, "index", t);
    } else if (!b->failed) {
        b->failed = true;
        b->error = *failure;
        err_context(&b->error, "making the keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
    }
    pthread_mutex_unlock(&b->lock);
}

static void *build_main(void *arg)
{
    builder *me = arg;
    arena scratch;
    arena_init(&scratch, SCRATCH_BYTES, 0);
    for (const table_def *t; (t = take_table(me->b));) {
        err e = ERR_INIT;
        arena_reset(&scratch);
        bool ok = make_keys(me->b->w, me->c, t, &scratch, &e);
        note_built(me->b, t, ok ? NULL : &e);
    }
    arena_finish(&scratch);
    return NULL;
}

static bool start_builder(builder *me, building *b, err *e)
{
    const target *t = b->w->t;
    me->b = b;
    if (!conn_open(t->ep, t->env, CONN_TARGET, false, &me->c, e) || !schema_pin_session(me->c, e)) return false;
    int failed = pthread_create(&me->thread, NULL, build_main, me);
    me->runs = !failed;
    return !failed || err_set_errno(e, failed, "pthread_create");
}

static uint32_t builder_count(const key_work *w)
{
    uint32_t n = w->t->env->lanes ? w->t->env->lanes : 1;
    return n < w->count ? n : w->count;
}

bool schema_build_keys(const key_work *w, err *e)
{
    building b = {.w = w, .error = ERR_INIT};
    uint32_t n = builder_count(w);
    builder *all = calloc(n + 1, sizeof *all);
    if (!all) return err_no_memory(e, "index builders");
    pthread_mutex_init(&b.lock, NULL);
    bool started = true;
    for (uint32_t i = 0; i < n && started; i++) started = start_builder(&all[i], &b, e);
    if (!started) { /* those that run end after the table they are at */
        pthread_mutex_lock(&b.lock);
        b.next = w->count;
        pthread_mutex_unlock(&b.lock);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (all[i].runs) pthread_join(all[i].thread, NULL);
        conn_close(all[i].c);
    }
    pthread_mutex_destroy(&b.lock);
    free(all);
    if (started && b.failed) *e = b.error;
    return started && !b.failed;
}

/* ---- foreign keys ---- */

static bool make_foreign_keys(const key_work *w, const table_def *t, arena *a, err *e)
{
    ddl_table present;
    BUF_AUTO sql = BUF_INIT;
    if (!t->foreign_key_count) return true;
    if (!read_present(w->t->conn, t, a, &present, e)) return false;
    for (uint32_t i = 0; i < t->foreign_key_count; i++) {
        const foreign_key_def *f = &t->foreign_keys[i];
        if (!schema_foreign_key_is_whole(t, i) || has_foreign_key(&present, f->name)) continue;
        const table_def *parent = catalog_find_table(w->c, f->parent_schema, f->parent_table);
        if (!parent)
            return err_set(e, ERR_NOT_SUPPORTED, "foreign key %.*s of %.*s.%.*s refers to %.*s.%.*s, which is not selected", STR_ARG(f->name),
                           STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(f->parent_schema), STR_ARG(f->parent_table));
        begin_alter(&sql, t);
        if (!schema_add_foreign_key(t, f, parent, &sql, e) || !conn_exec(w->t->conn, buf_str(&sql), NULL, e)) return false;
    }
    return true;
}

bool schema_build_foreign_keys(const key_work *w, err *e)
{
    bool ok = true;
    arena scratch;
    arena_init(&scratch, SCRATCH_BYTES, 0);
    for (uint32_t i = 0; ok && i < w->count; i++) {
        const table_def *t = w->tables[i];
        arena_reset(&scratch);
        ok = make_foreign_keys(w, t, &scratch, e) ||
             err_context(e, "making the foreign keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
        if (ok) w->built(w->ctx, "foreign key", t);
    }
    arena_finish(&scratch);
    return ok;
}
