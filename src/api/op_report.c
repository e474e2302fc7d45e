/* SluiceDescribeReport: what a task changes, cannot carry or leaves out, as its last prechecks found it. */
#include "api/api.h"

static const api_par report_pars[] = {
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "The ID of the task."},
    {NULL, PAR_STRING, 0, NULL},
};

/* Items about the rows and objects themselves, not about servers and rights. */
static bool reports(str item) { return str_eq(item, STR("CHECK_TYPES")) || str_eq(item, STR("CHECK_OBJECTS")); }

static void add_findings(json_t *list, const precheck_record *p)
{
    str rest = p->detail;
    for (str line; str_split_next(&rest, '\n', &line);) {
        if (!line.n) continue;
        json_t *o = json_object();
        answer_set(o, "Item", p->item);
        answer_set(o, "State", p->state);
        answer_set(o, "Text", line);
        json_array_append_new(list, o);
    }
}

static void add_choices(json_t *list, str rest)
{
    for (str line; str_split_next(&rest, '\n', &line);)
        if (line.n) json_array_append_new(list, json_stringn(line.p, line.n));
}

static bool run_report(api_call *c, json_t *answer, api_fault *f)
{
    job_record r;
    precheck_record *items = NULL;
    uint32_t n = 0;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (!service_get(c->svc, call_job_ref(c), c->mem, &r, &sf, &e) || !service_prechecks(c->svc, r.job_id, c->mem, &items, &n, &e)) return call_failed(c, f, &sf, &e);
    json_t *findings = json_array(), *choices = json_array();
    for (uint32_t i = 0; i < n; i++) {
        if (!reports(items[i].item) || str_eq(items[i].state, STR("Success"))) continue;
        add_findings(findings, &items[i]);
        add_choices(choices, items[i].repair);
    }
    answer_set(answer, "DtsJobId", r.job_id);
    answer_set(answer, "State", r.precheck.status.n ? r.precheck.status : STR("NotStarted"));
    json_object_set_new(answer, "Findings", findings);
    json_object_set_new(answer, "Choices", choices);
    return true;
}

const api_op op_SluiceDescribeReport = {"SluiceDescribeReport", 'b', 'i', "Shows what a task changes, cannot carry or leaves out, with the rows concerned and what may be chosen: the findings of its last prechecks about types and objects.", report_pars, run_report};
