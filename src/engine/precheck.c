/* The run of all prechecks of a job. */
#include "engine/precheck.h"

#include <stdio.h>

static const struct {
    const char *item, *meaning;
    bool skippable;
} items[] = {
#define PRECHECK(symbol, item, reference, skippable, meaning) {item, meaning, skippable},
#include "engine/precheck.def"
#undef PRECHECK
};

int precheck_order(str item)
{
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        if (str_eq(item, str_from_c(items[i].item))) return (int)i;
    return -1;
}

bool precheck_can_skip(str item)
{
    int at = precheck_order(item);
    return at >= 0 && items[at].skippable;
}

const char *precheck_meaning(str item)
{
    int at = precheck_order(item);
    return at >= 0 ? items[at].meaning : "";
}

static void tell(const precheck_sink *sink, const char *item, bool ok, const err *e, const char *repair)
{
    sink->item(sink->ctx, item, ok ? PRECHECK_PASSED : PRECHECK_FAILED, ok ? STR("") : str_from_c(e->text), ok ? STR("") : str_from_c(repair));
}

/* Opens an end and reads its facts, as the item CHECK_CONN_... */
static source *reach_source(const precheck_job *job, const engine_env *env, const precheck_sink *sink, arena *a, precheck_outcome *ret)
{
    source *s = NULL;
    err e = ERR_INIT;
    bool ok = job->source_engine->source->open(job->source, env, &s, &e) && job->source_engine->source->server(s, a, &ret->source, &e);
    tell(sink, "CHECK_CONN_SRC", ok, &e, err_fix(e.code));
    ret->source_reached = ok;
    return s;
}

static target *reach_target(const precheck_job *job, const engine_env *env, const precheck_sink *sink, arena *a, precheck_outcome *ret)
{
    target *t = NULL;
    err e = ERR_INIT;
    bool ok = job->target_engine->target->open(job->target, env, &t, &e) && job->target_engine->target->server(t, a, &ret->target, &e);
    tell(sink, "CHECK_CONN_DEST", ok, &e, err_fix(e.code));
    ret->target_reached = ok;
    return t;
}

/* Listed tables that the source does not have. */
static void check_listed(const precheck_request *r, const precheck_sink *sink)
{
    const str *databases = NULL;
    uint32_t n = dblist_databases(r->objects, &databases);
    char text[1024];
    bool missing = false;
    for (uint32_t i = 0; i < n; i++) {
        const str *tables = NULL;
        uint32_t count = dblist_tables(r->objects, databases[i], &tables);
        for (uint32_t k = 0; k < count; k++) {
            if (catalog_find_table(r->catalog, databases[i], tables[k])) continue;
            snprintf(text, sizeof text, "table %.*s.%.*s does not exist at the source", STR_ARG(databases[i]), STR_ARG(tables[k]));
            sink->item(sink->ctx, "CHECK_OBJECTS", PRECHECK_FAILED, str_from_c(text), STR("correct DbList, or create the table at the source"));
            missing = true;
        }
    }
    if (!missing && r->catalog->table_count == 0) {
        sink->item(sink->ctx, "CHECK_OBJECTS", PRECHECK_FAILED, STR("DbList selects no table of the source"), STR("correct DbList: names are case-sensitive"));
        missing = true;
    }
    if (!missing) sink->item(sink->ctx, "CHECK_OBJECTS", PRECHECK_PASSED, STR(""), STR(""));
}

bool precheck_run(const precheck_job *job, const engine_env *env, const precheck_sink *sink, arena *a, precheck_outcome *ret, err *e)
{
    catalog_def catalog = {0};
    err catalog_error = ERR_INIT;
    source *s = reach_source(job, env, sink, a, ret);
    target *t = reach_target(job, env, sink, a, ret);
    precheck_request r = {.objects = job->objects, .schema = job->schema, .full = job->full, .incremental = job->incremental, .ignore_existing = job->ignore_existing,
                          .source = ret->source_reached ? &ret->source : NULL, .target = ret->target_reached ? &ret->target : NULL};
    bool ok = true;
    if (ret->source_reached) {
        bool read = job->source_engine->source->read_catalog(s, job->objects, a, &catalog, &catalog_error);
        if (read) r.catalog = &catalog;
        else sink->item(sink->ctx, "CHECK_OBJECTS", PRECHECK_FAILED, str_from_c(catalog_error.text), str_from_c(err_fix(catalog_error.code)));
        if (read) check_listed(&r, sink);
        ok = job->source_engine->source->precheck(s, &r, sink, e);
    }
    if (ok && r.catalog) precheck_catalog(&r, sink);
    if (ok && ret->target_reached) ok = job->target_engine->target->precheck(t, &r, sink, e);
    job->source_engine->source->close(s);
    job->target_engine->target->close(t);
    return ok;
}
