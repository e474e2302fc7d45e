/* Prechecks over the selected tables alone, whatever the engines. An item that fails for several objects is told once per object; serve joins them. */
#include <stdarg.h>
#include <stdio.h>

#include "base/map.h"
#include "engine/precheck.h"
#include "model/family.h"
#include "model/filter.h"

#define NAME_MAX_CHARS 64

typedef struct check {
    const precheck_sink *sink;
    const char *item;
    bool bad;
} check;

static void fail(check *c, precheck_state state, const char *repair, const char *format, ...) __attribute__((format(printf, 4, 5)));

static void fail(check *c, precheck_state state, const char *repair, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    c->bad = true;
    c->sink->item(c->sink->ctx, c->item, state, str_from_c(text), str_from_c(repair));
}

static void finish(check *c)
{
    if (!c->bad) c->sink->item(c->sink->ctx, c->item, PRECHECK_PASSED, STR(""), STR(""));
}

/* What a source that does not log the work of foreign key actions adds. */
static void check_actions(check *c, const precheck_request *r, const table_def *t)
{
    BUF_AUTO text = BUF_INIT;
    if (!r->incremental || !r->source || r->source->cascades_logged || !t->family) return;
    family_problems(r->catalog, t, &text);
    if (text.n) fail(c, PRECHECK_FAILED, "change DbList as the text says", "the source does not log the child rows that foreign key actions change: %.*s", STR_ARG(buf_str(&text)));
}

static void check_foreign_keys(const precheck_request *r, const precheck_sink *sink)
{
    check c = {sink, "CHECK_FK_CLOSURE", false};
    for (uint32_t i = 0; i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        for (uint32_t k = 0; k < t->foreign_key_count; k++) {
            const foreign_key_def *fk = &t->foreign_keys[k];
            if (!catalog_find_table(r->catalog, fk->parent_schema, fk->parent_table))
                fail(&c, PRECHECK_FAILED, "add the parent table to DbList, or take the child table out", "%.*s.%.*s has the foreign key %.*s to %.*s.%.*s, which is not selected",
                     STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(fk->name), STR_ARG(fk->parent_schema), STR_ARG(fk->parent_table));
        }
        check_actions(&c, r, t);
    }
    finish(&c);
}

static void check_keys(const precheck_request *r, const precheck_sink *sink)
{
    check c = {sink, "CHECK_KEYS", false};
    char repair[512];
    for (uint32_t i = 0; i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        if (t->row_key != TABLE_NO_KEY) continue;
        snprintf(repair, sizeof repair, "ALTER TABLE `%.*s`.`%.*s` ADD PRIMARY KEY (...)", STR_ARG(t->schema), STR_ARG(t->name));
        fail(&c, PRECHECK_WARNING, repair, "%.*s.%.*s has neither a primary key nor a unique key of NOT NULL columns: it is loaded in one piece and its changes are applied row by row",
             STR_ARG(t->schema), STR_ARG(t->name));
    }
    finish(&c);
}

static size_t chars_of(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
    return n;
}

static str fold_case(arena *a, str s)
{
    char *p = arena_copy_c(a, s);
    for (size_t i = 0; p && i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
    return (str){p, s.n};
}

static void check_names(const precheck_request *r, const precheck_sink *sink)
{
    check c = {sink, "CHECK_NAMES", false};
    arena a;
    map seen = MAP_INIT;
    arena_init(&a, 64 * 1024, 0);
    bool fold = r->target && r->target->name_case != 0;
    for (uint32_t i = 0; i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        if (chars_of(t->target_name) > NAME_MAX_CHARS || chars_of(t->target_schema) > NAME_MAX_CHARS)
            fail(&c, PRECHECK_FAILED, "map the name to a shorter one in DbList", "the name %.*s.%.*s is longer than %d characters", STR_ARG(t->target_schema), STR_ARG(t->target_name), NAME_MAX_CHARS);
        str key = arena_printf(&a, "%.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
        if (fold) key = fold_case(&a, key);
        const table_def *other = key.p ? map_get(&seen, key) : NULL;
        if (other)
            fail(&c, PRECHECK_FAILED, "map one of the two tables to another name in DbList", "%.*s.%.*s and %.*s.%.*s would both become %.*s in the destination%s", STR_ARG(other->schema),
                 STR_ARG(other->name), STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(key), fold ? ", which does not tell capitals apart" : "");
        if (!key.p || !map_put(&seen, key, (void *)(uintptr_t)t)) fail(&c, PRECHECK_FAILED, "free memory on the host", "out of memory while comparing names");
    }
    map_finish(&seen);
    arena_finish(&a);
    finish(&c);
}

static void check_filters(const precheck_request *r, const precheck_sink *sink)
{
    check c = {sink, "CHECK_FILTERS", false};
    arena a;
    arena_init(&a, 64 * 1024, 0);
    for (uint32_t i = 0; i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        filter *f;
        err e = ERR_INIT;
        bool key_lost = false;
        for (uint32_t k = 0; k < t->key_count; k++)
            for (uint32_t p = 0; t->keys[k].primary && p < t->keys[k].count; p++)
                key_lost = key_lost || (t->keys[k].columns[p] < t->column_count && !t->columns[t->keys[k].columns[p]].selected);
        if (key_lost)
            fail(&c, PRECHECK_FAILED, "select all columns of the primary key", "the column list of %.*s.%.*s leaves out a column of its primary key", STR_ARG(t->schema), STR_ARG(t->name));
        if (r->incremental && t->filter_sql.p && !filter_compile(t, &a, &f, &e))
            fail(&c, PRECHECK_FAILED, "write the condition with the forms that docs/FILTERS.md lists", "%.*s.%.*s: %s", STR_ARG(t->schema), STR_ARG(t->name), e.text);
        arena_reset(&a);
    }
    arena_finish(&a);
    finish(&c);
}

void precheck_catalog(const precheck_request *r, const precheck_sink *sink)
{
    check_foreign_keys(r, sink);
    check_keys(r, sink);
    check_names(r, sink);
    check_filters(r, sink);
}
