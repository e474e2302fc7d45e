/* The run of all prechecks of a job. */
#include "engine/precheck.h"

#include "engine/precheck_report.h"
#include "engine/repair.h"

static const struct {
    const char *item;
    bool skippable;
} items[] = {
#define PRECHECK(symbol, item, reference, skippable, state, meaning, repair) {item, skippable},
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

static bool tell(const precheck_sink *sink, const char *item, bool reached, const engine *g, const endpoint *ep, const err *why, err *e)
{
    precheck_report p;
    precheck_report_init(&p, item);
    if (!reached) {
        BUF_AUTO repair = BUF_INIT;
        buf_printf(&repair, "-- %s\n", err_fix(why->code));
        if (g->repair) g->repair->login(ep, why, &repair);
        if (repair.failed) return err_no_memory(e, "a repair");
        precheck_report_add(&p, PRECHECK_FAILED, str_from_c(why->text), str_trim(buf_str(&repair)));
    }
    return precheck_report_emit(&p, sink, e);
}

/* Opens an end and reads its facts, as the item CHECK_CONN_... An end that cannot be reached is a finding; false only without memory. */
static bool reach_source(const precheck_job *job, const engine_env *env, const precheck_sink *sink, arena *a, source **ret, precheck_outcome *o, err *e)
{
    err why = ERR_INIT;
    o->source_reached = job->source_engine->source->open(job->source, env, ret, &why) && job->source_engine->source->server(*ret, a, &o->source, &why);
    return tell(sink, "CHECK_CONN_SRC", o->source_reached, job->source_engine, job->source, &why, e);
}

static bool reach_target(const precheck_job *job, const engine_env *env, const precheck_sink *sink, arena *a, target **ret, precheck_outcome *o, err *e)
{
    err why = ERR_INIT;
    o->target_reached = job->target_engine->target->open(job->target, env, ret, &why) && job->target_engine->target->server(*ret, a, &o->target, &why);
    return tell(sink, "CHECK_CONN_DEST", o->target_reached, job->target_engine, job->target, &why, e);
}

static bool has_view(const catalog_def *c, str schema, str name)
{
    for (uint32_t i = 0; i < c->view_count; i++)
        if (str_eq(c->views[i].schema, schema) && str_eq(c->views[i].name, name)) return true;
    return false;
}

/* Listed tables and views that the source does not have, or does not show to the account. */
static bool check_listed(const precheck_request *r, const precheck_sink *sink, err *e)
{
    const str *databases = NULL;
    uint32_t n = dblist_databases(r->objects, &databases);
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    for (uint32_t i = 0; i < n; i++) {
        const str *tables = NULL;
        uint32_t count = dblist_tables(r->objects, databases[i], &tables);
        for (uint32_t k = 0; k < count; k++)
            if (!catalog_find_table(r->catalog, databases[i], tables[k]))
                precheck_report_addf(&p, PRECHECK_FAILED, "correct DbList, or create the table at the source", "table %.*s.%.*s does not exist at the source", STR_ARG(databases[i]),
                                     STR_ARG(tables[k]));
        count = dblist_views(r->objects, databases[i], &tables);
        for (uint32_t k = 0; k < count; k++)
            if (!has_view(r->catalog, databases[i], tables[k]))
                precheck_report_addf(&p, PRECHECK_FAILED, "correct DbList, or grant what CHECK_PRIVILEGE_SRC shows", "view %.*s.%.*s does not exist at the source or is not visible to the account",
                                     STR_ARG(databases[i]), STR_ARG(tables[k]));
    }
    if (!p.count && r->catalog->table_count == 0 && r->catalog->view_count == 0)
        precheck_report_addf(&p, PRECHECK_FAILED, "correct DbList: names are case-sensitive", "DbList selects no table and no view of the source");
    return precheck_report_emit(&p, sink, e);
}

/* Two ends of one place: a table that becomes itself. */
static bool check_same_place(const precheck_request *r, const precheck_sink *sink, err *e)
{
    precheck_report p;
    bool same = r->source->identity.n && str_eq(r->source->identity, r->target->identity);
    precheck_report_init(&p, "CHECK_SAME_PLACE");
    for (uint32_t i = 0; same && i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        if (str_eq(t->schema, t->target_schema) && str_eq(t->name, t->target_name))
            precheck_report_addf(&p, PRECHECK_FAILED, "-- name another destination (ModifyDtsJobEndpoint), or map the table to another name in DbList",
                                 "source and destination are the same server: %.*s.%.*s would be written onto itself", STR_ARG(t->schema), STR_ARG(t->name));
    }
    return precheck_report_emit(&p, sink, e);
}

static bool carries_rights(const precheck_job *job) { return job->rights && job->source_engine->sql == SQL_POSTGRESQL && job->target_engine->sql == SQL_POSTGRESQL; }

/* An option that has no effect must be told. */
static bool check_rights(const precheck_job *job, const precheck_sink *sink, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    if (job->rights && !carries_rights(job))
        precheck_report_find(&p, &(precheck_finding){.state = PRECHECK_WARNING, .effect = EFFECT_OMISSION, .kind = STR("privileges"),
                                                     .text = STR("accounts and privileges are not carried: Reserve privilegeMigration has an effect from PostgreSQL to PostgreSQL alone")},
                             STR("-- create the accounts in the destination and grant them what they need"));
    return precheck_report_emit(&p, sink, e);
}

/* Without the catalog most items have nothing to look at. */
static bool check_catalog(const precheck_job *job, source *s, precheck_request *r, catalog_def *catalog, const precheck_sink *sink, arena *a, err *e)
{
    err why = ERR_INIT;
    if (job->source_engine->source->read_catalog(s, job->objects, a, catalog, &why) && (carries_rights(job) || catalog_leave_out_rights(catalog, a, &why))) {
        r->catalog = catalog;
        return check_rights(job, sink, e) && check_listed(r, sink, e) && precheck_catalog(r, sink, e);
    }
    precheck_report p;
    precheck_report_init(&p, "CHECK_OBJECTS");
    precheck_report_add(&p, PRECHECK_FAILED, str_from_c(why.text), str_from_c(err_fix(why.code)));
    return precheck_report_emit(&p, sink, e);
}

bool precheck_run(const precheck_job *job, const engine_env *env, const precheck_sink *sink, arena *a, precheck_outcome *ret, err *e)
{
    catalog_def catalog = {0};
    source *s = NULL;
    target *t = NULL;
    *ret = (precheck_outcome){.source_reached = false};
    bool ok = reach_source(job, env, sink, a, &s, ret, e) && reach_target(job, env, sink, a, &t, ret, e);
    precheck_request r = {.objects = job->objects, .schema = job->schema, .full = job->full, .incremental = job->incremental, .ignore_existing = job->ignore_existing, .rights = job->rights, .ddl = job->ddl,
                          .source = ret->source_reached ? &ret->source : NULL, .target = ret->target_reached ? &ret->target : NULL, .repair = job->source_engine->repair};
    if (ok && ret->source_reached) ok = check_catalog(job, s, &r, &catalog, sink, a, e) && job->source_engine->source->precheck(s, &r, sink, e);
    catalog_def *mapped = &catalog;
    if (ok && r.catalog && r.target) ok = check_same_place(&r, sink, e) && precheck_types(job, s, &r, &catalog, sink, a, &mapped, e);
    if (r.catalog) r.catalog = mapped;
    if (ok && ret->target_reached) ok = job->target_engine->target->precheck(t, &r, sink, e);
    job->source_engine->source->close(s);
    job->target_engine->target->close(t);
    return ok;
}
