/* What changes or fails between families of databases, before the first row is read (the loss report). */
#include "engine/mapping/mapping.h"
#include "engine/precheck.h"
#include "engine/precheck_report.h"

static void add_finding(void *ctx, const mapping_finding *f)
{
    precheck_report *p = ctx;
    BUF_AUTO detail = BUF_INIT;
    BUF_AUTO repair = BUF_INIT;
    buf_printf(&detail, "%.*s: ", STR_ARG(f->rule));
    if (f->table) buf_printf(&detail, "%.*s.%.*s", STR_ARG(f->table->schema), STR_ARG(f->table->name));
    if (f->column) buf_printf(&detail, ".%.*s", STR_ARG(f->column->name));
    if (f->object.n) buf_printf(&detail, " %.*s", STR_ARG(f->object));
    buf_printf(&detail, ": %.*s", STR_ARG(f->what));
    if (f->condition_sql.n && f->table) buf_printf(&repair, "SELECT count(*) FROM %.*s.%.*s WHERE %.*s; -- the rows concerned", STR_ARG(f->table->schema), STR_ARG(f->table->name), STR_ARG(f->condition_sql));
    if (f->options.n) buf_printf(&repair, "%s-- %.*s", repair.n ? "\n" : "", STR_ARG(f->options));
    if (!detail.failed && !repair.failed) precheck_report_add(p, PRECHECK_WARNING, buf_str(&detail), buf_str(&repair));
    else p->detail.failed = true; /* told as memory that is out */
}

static str choice_of(void *ctx, str key)
{
    const precheck_job *job = ctx;
    return job->type_choice ? job->type_choice(job->type_ctx, key) : STR_NULL;
}

bool precheck_types(const precheck_job *job, const precheck_request *r, catalog_def *from, const precheck_sink *sink, arena *a, catalog_def **ret, err *e)
{
    if (job->source_engine->sql == job->target_engine->sql) return true;
    precheck_report p;
    mapping *map;
    err why = ERR_INIT;
    mapping_findings out = {add_finding, &p};
    mapping_options o = {.target = job->target_engine->sql, .target_mariadb = str_eq(r->target->product, STR("MariaDB")), .target_version = r->target->version_number,
                         .choice = choice_of, .ctx = (void *)(uintptr_t)job};
    precheck_report_init(&p, "CHECK_TYPES");
    *ret = NULL;
    if (mapping_make(from, job->source_engine->sql, &o, &out, a, &map, &why)) *ret = mapping_catalog(map);
    else precheck_report_addf(&p, PRECHECK_FAILED, "-- see the message", "%s", why.text);
    return precheck_report_emit(&p, sink, e);
}
