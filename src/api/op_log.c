/* DescribeDtsServiceLog: what happened to a task. */
#include "api/api.h"

static const api_par describe_dts_service_log_pars[] = {
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"EndTime", PAR_LONG, 0, "Up to this time, Unix milliseconds."},
    {"Keyword", PAR_STRING, 0, "Only lines that hold this text."},
    {"PageNumber", PAR_INTEGER, 0, "From 1."},
    {"PageSize", PAR_INTEGER, 0, "1 to 500, default 20."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"StartTime", PAR_LONG, 0, "From this time, Unix milliseconds."},
    {"Status", PAR_STRING, 0, "NORMAL, WARN or ERROR."},
    {"SubJobType", PAR_STRING, PAR_IGNORED, "The module of the task."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

/* Milliseconds since 1970 or an ISO time, to microseconds; 0 when empty. */
static int64_t read_time(str text)
{
    int64_t v = 0;
    if (str_to_i64(text, &v)) return v < 0 ? 0 : v > INT64_MAX / 1000 ? INT64_MAX : v * 1000;
    return clock_parse_iso(text, &v) ? v : 0;
}

static bool run_describe_dts_service_log(api_call *c, json_t *answer, api_fault *f)
{
    int64_t page = call_int(c, "PageNumber", 1), size = call_int(c, "PageSize", 20);
    job_record r;
    log_record *list = NULL;
    uint32_t n = 0, total = 0;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (page < 1 || size < 1 || size > 500) return fault_set(f, API_ERROR_INVALID_PARAMETER, page < 1 ? STR("PageNumber") : STR("PageSize"), STR("pages count from 1, with 1 to 500 lines"));
    if (!service_get(c->svc, call_job_ref(c), c->mem, &r, &sf, &e) ||
        !service_log(c->svc, r.job_id, read_time(call_get(c, "StartTime")), read_time(call_get(c, "EndTime")), call_get(c, "Keyword"), (uint32_t)page, (uint32_t)size, c->mem, &list, &n, &total, &e))
        return call_failed(c, f, &sf, &e);
    json_t *lines = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_t *o = json_object();
        char at[CLOCK_ISO_BYTES];
        clock_format_iso(list[i].at_us, at);
        json_object_set_new(o, "Time", json_string(at));
        answer_set(o, "State", list[i].level);
        answer_set(o, "Context", list[i].text);
        json_array_append_new(lines, o);
    }
    json_object_set_new(answer, "PageNumber", json_integer(page));
    json_object_set_new(answer, "PageRecordCount", json_integer(n));
    json_object_set_new(answer, "TotalRecordCount", json_integer(total));
    json_object_set_new(answer, "ServiceLogContexts", lines);
    return true;
}

const api_op op_DescribeDtsServiceLog = {"DescribeDtsServiceLog", 'b', 'i', "Shows the log of a task, newest lines first.", describe_dts_service_log_pars, run_describe_dts_service_log};
