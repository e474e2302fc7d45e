/* Keeping, restoring and changing shapes. */
#include "pipeline/shapes.h"

bool shapes_carried(const run *r)
{
    return r->job->incremental && r->job->source_engine->source->shape && r->job->target_engine->target->alter_table;
}

bool shapes_restore(run *r, dest *d, void *arg, err *e)
{
    (void)arg;
    const catalog_def *c = &r->catalog;
    str *kept = arena_array(&r->mem, c->table_count, sizeof *kept);
    if (!kept) return err_no_memory(e, "the columns of tables");
    if (!r->job->target_engine->target->read_shapes(d->t, r->job->epoch, c, &r->mem, kept, e)) return false;
    for (uint32_t i = 0; i < c->table_count; i++)
        if (kept[i].p && !r->job->source_engine->source->restore_shape(c->tables[i], kept[i], &r->mem, e)) return false;
    return true;
}

static bool keep(run *r, dest *d, arena *a, err *e)
{
    const catalog_def *c = &r->catalog;
    str *shapes = arena_array(a, c->table_count, sizeof *shapes);
    if (!shapes) return err_no_memory(e, "the columns of tables");
    if (!r->job->target_engine->target->read_shapes(d->t, r->job->epoch, c, a, shapes, e)) return false;
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

/* The table as the log says it is after the change: what the log does not tell comes from the source's catalog of now. */
static bool read_after(run *r, source *s, const table_alter *x, arena *a, catalog_def *ret, err *e)
{
    catalog_def now = {0};
    table_def **tables = arena_alloc(a, sizeof(table_def *));
    if (!tables) return err_no_memory(e, "a changed table");
    if (!r->job->source_engine->source->read_catalog(s, r->job->objects, a, &now, e)) return false;
    const table_def *found = catalog_find_table(&now, x->table->schema, x->table->name);
    if (!found)
        return err_set(e, ERR_SOURCE_DDL, "%.*s.%.*s, whose columns were changed, is not there any more at the source; reset the job", STR_ARG(x->table->schema), STR_ARG(x->table->name));
    tables[0] = now.tables[found->id];
    tables[0]->id = 0;
    *ret = (catalog_def){.databases = now.databases, .database_count = now.database_count, .tables = tables, .table_count = 1};
    return r->job->source_engine->source->restore_shape(tables[0], x->shape, a, e);
}

bool shapes_convert(run *r, source *s, txn *t, err *e)
{
    catalog_def after;
    mapping *map;
    table_alter *x = (table_alter *)(uintptr_t)t->alter; /* the transaction's own memory: const is a promise to readers */
    if (!mapping_converts(r->map)) return true;
    return read_after(r, s, x, &t->mem, &after, e) && run_map(r, &after, &t->mem, &map, e) && mapping_convert_alter(r->map, map, x, &t->mem, e);
}
