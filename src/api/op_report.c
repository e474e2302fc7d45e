/* SluiceDescribeReport: what a task changes, cannot carry or leaves out, as its last prechecks found it. */
#include "api/api.h"
#include "base/buf.h"

static const api_par report_pars[] = {
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "The ID of the task."},
    {"PageNumber", PAR_INTEGER, 0, "From 1."},
    {"PageSize", PAR_INTEGER, 0, "1 to 500, default 100."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool has_text(const json_t *list, const char *text)
{
    size_t i;
    const json_t *o;
    json_array_foreach(list, i, o)
        if (str_eq(str_from_c(json_string_value(o)), str_from_c(text))) return true;
    return false;
}

/* What may be chosen for the findings of the page, each once, and how to list their rows. */
static void add_choices(json_t *list, const json_t *finding)
{
    const char *rows = json_string_value(json_object_get(finding, "RowsSql")), *options = json_string_value(json_object_get(finding, "Options"));
    BUF_AUTO text = BUF_INIT;
    if (rows) buf_printf(&text, "%s; -- the rows concerned", rows);
    if (rows && !has_text(list, buf_c(&text))) json_array_append_new(list, json_string(buf_c(&text)));
    buf_reset(&text);
    if (options) buf_printf(&text, "-- choose in Reserve, %s", options);
    if (options && !has_text(list, buf_c(&text))) json_array_append_new(list, json_string(buf_c(&text)));
}

static bool run_report(api_call *c, json_t *answer, api_fault *f)
{
    int64_t page = call_int(c, "PageNumber", 1), size = call_int(c, "PageSize", 100);
    job_record r;
    str *list = NULL;
    uint32_t n = 0, total = 0;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (page < 1 || page > UINT32_MAX || size < 1 || size > 500)
        return fault_set(f, API_ERROR_INVALID_PARAMETER, size < 1 || size > 500 ? STR("PageSize") : STR("PageNumber"), STR("pages count from 1, with 1 to 500 findings"));
    if (!service_get(c->svc, call_job_ref(c), c->mem, &r, &sf, &e) || !service_findings(c->svc, r.job_id, (uint32_t)page, (uint32_t)size, c->mem, &list, &n, &total, &e))
        return call_failed(c, f, &sf, &e);
    json_t *findings = json_array(), *choices = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_t *o = json_loadb(list[i].p, list[i].n, 0, NULL);
        if (!o) continue;
        add_choices(choices, o);
        json_array_append_new(findings, o);
    }
    answer_set(answer, "DtsJobId", r.job_id);
    answer_set(answer, "State", r.precheck.status.n ? r.precheck.status : STR("NotStarted"));
    json_object_set_new(answer, "PageNumber", json_integer(page));
    json_object_set_new(answer, "PageRecordCount", json_integer(n));
    json_object_set_new(answer, "TotalRecordCount", json_integer(total));
    json_object_set_new(answer, "Findings", findings);
    json_object_set_new(answer, "Choices", choices);
    return true;
}

const api_op op_SluiceDescribeReport = {"SluiceDescribeReport", 'b', 'i', "Shows what a task changes, cannot carry or leaves out: each finding of its last prechecks about types and objects with its "
                                        "Effect (Obstacle: stops the task unless something is chosen or mended; Risk: may stop it; Change: is carried as something else; Omission: is not carried), "
                                        "Text, Kind, Schema, Table, Column, Object, SourceType, TargetType, Rule, Options, Choice, Rows or RowsAtMost, FirstRows, RowsSql and, of what is not carried, "
                                        "SourceText.", report_pars, run_report};
