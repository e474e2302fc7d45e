/* Keeping, restoring and changing shapes. */
#include "pipeline/shapes.h"

bool shapes_carried(const run *r)
{
    const engine *from = r->job->source_engine, *to = r->job->target_engine;
    return r->job->incremental && from->source->shape && to->target->alter_table && from->sql == to->sql;
}

bool shapes_restore(run *r, dest *d, void *arg, err *e)
{
    (void)arg;
    const catalog_def *c = &r->catalog;
    str *kept = arena_array(&r->mem, c->table_count, sizeof *kept);
    if (!kept) return err_no_memory(e, "the columns of tables");
    if (!r->job->target_engine->target->read_shapes(d->t, c, &r->mem, kept, e)) return false;
    for (uint32_t i = 0; i < c->table_count; i++)
        if (kept[i].p && !r->job->source_engine->source->restore_shape(c->tables[i], kept[i], &r->mem, e)) return false;
    return true;
}

static bool keep(run *r, dest *d, arena *a, err *e)
{
    const catalog_def *c = &r->catalog;
    str *shapes = arena_array(a, c->table_count, sizeof *shapes);
    if (!shapes) return err_no_memory(e, "the columns of tables");
    if (!r->job->target_engine->target->read_shapes(d->t, c, a, shapes, e)) return false;
    for (uint32_t i = 0; i < c->table_count; i++) {
        BUF_AUTO text = BUF_INIT;
        if (shapes[i].p) {
            shapes[i] = STR_NULL;
            continue;
        }
        bool ok = r->job->source_engine->source->shape(c->tables[i], &text);
        shapes[i] = ok ? arena_copy(a, buf_str(&text)) : STR_NULL;
        if (!shapes[i].p) return err_no_memory(e, "the columns of tables");
    }
    return r->job->target_engine->target->keep_shapes(d->t, r->job->epoch, c, shapes, e);
}

bool shapes_keep(run *r, dest *d, err *e)
{
    arena a;
    if (!shapes_carried(r)) return true;
    arena_init(&a, 64 * 1024, 0);
    bool ok = keep(r, d, &a, e);
    arena_finish(&a);
    return ok;
}

bool shapes_alter(run *r, dest *d, void *arg, err *e)
{
    return r->job->target_engine->target->alter_table(d->t, r->job->epoch, arg, e);
}
