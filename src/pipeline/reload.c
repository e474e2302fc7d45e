/* Taking back the chunks of families that would end up at two positions. */
#include "pipeline/reload.h"

#include "model/family.h"

#define SHOWN_BYTES 600 /* of the problems in a message */

bool reload_needs_one_position(const run *r)
{
    for (uint32_t i = 0; !r->source_info.cascades_logged && i < r->catalog.table_count; i++)
        if (r->catalog.tables[i]->family) return true;
    return false;
}

bool reload_check_families(const run *r, err *e)
{
    if (r->source_info.cascades_logged) return true;
    BUF_AUTO text = BUF_INIT;
    for (uint32_t i = 0; i < r->catalog.table_count && text.n < SHOWN_BYTES; i++)
        if (r->catalog.tables[i]->family) family_problems(&r->catalog, r->catalog.tables[i], &text);
    if (text.failed) return err_no_memory(e, "the foreign keys");
    return text.n == 0 || err_set(e, ERR_NOT_SUPPORTED,
                                  "the source does not log the child rows that foreign key actions change, so that only the destination's own foreign keys can "
                                  "change them: %.*s",
                                  STR_ARG(str_sub(buf_str(&text), 0, SHOWN_BYTES)));
}

/* What is known of a family, by its number. */
typedef struct family {
    bool unfinished; /* a chunk is not done, or a table not planned */
    bool apart;      /* done chunks lie at different positions */
    position at;     /* of a done chunk; none: there is no such chunk */
} family;

static bool look_at_table(run *r, dest *d, const table_def *t, family *f, arena *a, err *e)
{
    chunk *c;
    uint32_t count;
    if (!r->job->target_engine->target->read_chunks(d->t, run_target_table(r, t), a, &c, &count, e)) return false;
    if (count == 0) f->unfinished = true;
    for (uint32_t i = 0; i < count; i++) {
        int order = 0;
        if (!c[i].done) {
            f->unfinished = true;
        } else if (position_is_none(f->at)) {
            f->at = c[i].at;
        } else if (!r->job->source_engine->source->compare(c[i].at, f->at, &order, e)) {
            return false;
        }
        if (order) f->apart = true;
    }
    return true;
}

static bool unload_table(run *r, dest *d, const table_def *t, position at, arena *a, err *e)
{
    chunk *c;
    uint32_t count;
    const target_ops *ops = r->job->target_engine->target;
    if (!ops->read_chunks(d->t, run_target_table(r, t), a, &c, &count, e)) return false;
    for (uint32_t i = 0; i < count; i++) {
        int order;
        if (!c[i].done) continue;
        if (!r->job->source_engine->source->compare(c[i].at, at, &order, e)) return false;
        if (order && !ops->unload_chunk(d->t, r->job->epoch, run_target_table(r, t), &c[i], e)) return false;
        if (cancel_asked(d->env.cancel)) return cancel_error(e);
    }
    return true;
}

bool reload_families(run *r, dest *d, position at, err *e)
{
    if (!reload_needs_one_position(r)) return true;
    arena a;
    arena_init(&a, 64 * 1024, 0);
    const catalog_def *c = &r->catalog;
    family *families = arena_array(&a, (size_t)c->table_count + 1, sizeof *families);
    bool ok = families || err_no_memory(e, "the families of tables");
    for (uint32_t i = 0; ok && i < c->table_count; i++)
        if (c->tables[i]->family) ok = look_at_table(r, d, c->tables[i], &families[c->tables[i]->family], &a, e);
    for (uint32_t i = 0; ok && i < c->table_count; i++) {
        const family *f = &families[c->tables[i]->family];
        if (c->tables[i]->family && (f->unfinished || f->apart)) ok = unload_table(r, d, c->tables[i], at, &a, e);
    }
    arena_finish(&a);
    return ok;
}
