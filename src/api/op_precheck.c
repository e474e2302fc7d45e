/* DescribePreCheckStatus (prechecks and progress of the stages) and SkipPreCheck. */
#include "api/api.h"

#include <stdio.h>

static const api_par describe_pre_check_status_pars[] = {
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "The ID of the task."},
    {"JobCode", PAR_STRING, 0, "01 precheck, 02 schema, 03 full load, 04 stream."},
    {"Name", PAR_STRING, 0, "Only objects whose name holds this text."},
    {"PageNo", PAR_INTEGER, 0, "From 1."},
    {"PageSize", PAR_INTEGER, 0, "1 to 500, default 20."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"StructPhase", PAR_STRING, PAR_IGNORED, "The phase of the schema stage."},
    {"StructType", PAR_STRING, PAR_IGNORED, "before or after."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static void set_time(json_t *o, const char *name, int64_t at_us)
{
    char text[CLOCK_ISO_MS_BYTES] = "";
    if (at_us) clock_format_iso_ms(at_us, text);
    json_object_set_new(o, name, json_string(text));
}

static json_t *item_object(const precheck_record *p, str job_id)
{
    json_t *o = json_object();
    answer_set(o, "Item", p->item);
    answer_set(o, "Names", p->item);
    answer_set(o, "State", p->state);
    answer_set(o, "JobId", job_id);
    json_object_set_new(o, "OrderNum", json_integer(p->order));
    json_object_set_new(o, "CanSkip", json_boolean(p->can_skip));
    json_object_set_new(o, "Skip", json_boolean(p->skipped));
    json_object_set_new(o, "IgnoreFlag", json_string(p->skipped ? "Y" : "N"));
    answer_set(o, "ErrMsg", str_eq(p->state, STR("Success")) ? STR("") : p->item);
    answer_set(o, "ErrDetail", p->detail);
    answer_set(o, "RepairMethod", p->repair);
    set_time(o, "BootTime", p->started_us);
    set_time(o, "FinishTime", p->finished_us);
    return o;
}

static bool add_prechecks(api_call *c, const job_record *r, json_t *list, uint32_t *ret_errors, err *e)
{
    precheck_record *items = NULL;
    uint32_t n = 0;
    if (!service_prechecks(c->svc, r->job_id, c->mem, &items, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) {
        *ret_errors += str_eq(items[i].state, STR("Failed")) && !items[i].skipped;
        json_array_append_new(list, item_object(&items[i], r->job_id));
    }
    return true;
}

static json_t *table_object(api_call *c, const job_table_progress *p, str job_id)
{
    json_t *o = json_object();
    str name = p->schema.n && !str_eq(p->stage, STR("structure")) ? arena_printf(c->mem, "%.*s.%.*s", STR_ARG(p->schema), STR_ARG(p->name)) : p->name;
    answer_set(o, "Item", name);
    answer_set(o, "Names", name);
    answer_set(o, "State", p->state);
    answer_set(o, "JobId", job_id);
    answer_set(o, "SourceSchema", p->schema);
    answer_set(o, "DestSchema", p->target_schema);
    answer_set(o, "TargetNames", p->target_name);
    answer_set_count(o, "Current", p->done);
    json_object_set_new(o, "Total", json_integer(p->total > INT32_MAX ? INT32_MAX : (json_int_t)p->total));
    answer_set(o, "ErrMsg", p->error);
    set_time(o, "FinishTime", p->finished_us);
    return o;
}

static bool add_tables(api_call *c, const job_record *r, const char *stage, str name, json_t *list, uint32_t *ret_errors, err *e)
{
    job_table_progress *tables = NULL;
    uint32_t n = 0;
    if (!service_progress(c->svc, r->job_id, str_from_c(stage), c->mem, &tables, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if (name.n && str_find(tables[i].name, name) == SIZE_MAX) continue;
        *ret_errors += str_eq(tables[i].state, STR("Failed"));
        json_array_append_new(list, table_object(c, &tables[i], r->job_id));
    }
    return true;
}

/* The one item of the incremental stage. */
static json_t *stream_object(const job_record *r)
{
    json_t *o = json_object();
    answer_set(o, "Item", STR("incremental"));
    answer_set(o, "Names", STR("incremental"));
    answer_set(o, "State", r->stream.status);
    answer_set(o, "JobId", r->job_id);
    answer_set(o, "ErrMsg", r->stream.error);
    if (r->delay_ms >= 0) json_object_set_new(o, "DelaySeconds", json_integer(r->delay_ms / 1000));
    answer_set_count(o, "Current", r->applied_rows);
    set_time(o, "BootTime", r->stream.started_us);
    set_time(o, "FinishTime", r->stream.finished_us);
    return o;
}

/* The page of a list that is asked for. */
static json_t *cut_page(json_t *list, int64_t page, int64_t size)
{
    json_t *part = json_array();
    for (int64_t i = (page - 1) * size; i < page * size && i < (int64_t)json_array_size(list); i++) json_array_append(part, json_array_get(list, (size_t)i));
    json_decref(list);
    return part;
}

static bool run_describe_pre_check_status(api_call *c, json_t *answer, api_fault *f)
{
    str code = call_get(c, "JobCode");
    int64_t page = call_int(c, "PageNo", 1), size = call_int(c, "PageSize", 100);
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    uint32_t errors = 0;
    if (!code.n) code = STR("01");
    bool known = code.n == 2 && code.p[0] == '0' && code.p[1] >= '1' && code.p[1] <= '4';
    if (!known) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("JobCode"), STR("01 precheck, 02 structure, 03 full load, 04 incremental"));
    if (page < 1 || size < 1 || size > 500) return fault_set(f, API_ERROR_INVALID_PARAMETER, page < 1 ? STR("PageNo") : STR("PageSize"), STR("pages count from 1, with 1 to 500 rows"));
    if (!service_get(c->svc, call_job_ref(c), c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    const job_stage *stages[] = {&r.precheck, &r.structure, &r.load, &r.stream};
    const job_stage *stage = stages[code.p[1] - '1'];
    json_t *list = json_array();
    if (code.p[1] == '4' && r.stream.status.n) json_array_append_new(list, stream_object(&r));
    bool ok = code.p[1] == '1' ? add_prechecks(c, &r, list, &errors, &e)
                               : code.p[1] == '4' || add_tables(c, &r, code.p[1] == '2' ? "structure" : "full", call_get(c, "Name"), list, &errors, &e);
    if (!ok) {
        json_decref(list);
        return call_failed(c, f, &sf, &e);
    }
    json_object_set_new(answer, "Total", json_integer((json_int_t)json_array_size(list)));
    json_object_set_new(answer, "ErrorItem", json_integer(errors));
    json_object_set_new(answer, "PageNumber", json_integer(page));
    json_object_set_new(answer, "TotalRecordCount", json_integer((json_int_t)json_array_size(list)));
    list = cut_page(list, page, size);
    json_object_set_new(answer, "PageRecordCount", json_integer((json_int_t)json_array_size(list)));
    answer_set(answer, "State", stage->status.n ? stage->status : STR("NotStarted"));
    answer_set(answer, "Code", code);
    answer_set(answer, "JobId", r.job_id);
    answer_set(answer, "JobName", r.name);
    json_object_set_new(answer, "JobProgress", list);
    return true;
}

const api_op op_DescribePreCheckStatus = {"DescribePreCheckStatus", 'b', 'i', "Shows the items of a stage: precheck results, objects with their progress.", describe_pre_check_status_pars, run_describe_pre_check_status};

static const api_par skip_pre_check_pars[] = {
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "The ID of the task."},
    {"JobId", PAR_STRING, 0, "The ID of the precheck task."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"Skip", PAR_BOOLEAN, PAR_REQUIRED, "true: the items no longer stop the task; false: they count again."},
    {"SkipPreCheckItems", PAR_STRING, 0, "JSON array of items, for example [\"CHECK_DEST_TABLE_EMPTY\"]."},
    {"SkipPreCheckNames", PAR_STRING, 0, "JSON array of the items' names."},
    {NULL, PAR_STRING, 0, NULL},
};

/* A JSON array of texts, or a comma list. */
static str *read_items(api_call *c, str text, uint32_t *ret_count)
{
    json_t *list = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL, *v;
    size_t i;
    if (!json_is_array(list)) {
        json_decref(list);
        return call_list(c, "SkipPreCheckItems", ret_count);
    }
    str *items = arena_array(c->mem, json_array_size(list) + 1, sizeof *items);
    *ret_count = 0;
    json_array_foreach(list, i, v) if (items && json_is_string(v)) items[(*ret_count)++] = arena_copy(c->mem, str_from_c(json_string_value(v)));
    json_decref(list);
    return items;
}

static bool run_skip_pre_check(api_call *c, json_t *answer, api_fault *f)
{
    service_fault sf = {0};
    err e = ERR_INIT;
    uint32_t n = 0;
    str text = call_get(c, "SkipPreCheckItems"), *items = read_items(c, text, &n);
    if (!items || n == 0) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("SkipPreCheckItems"), STR("a JSON array of item names, for example [\"CHECK_KEYS\"]"));
    if (!service_skip_precheck(c->svc, call_job_ref(c), items, n, call_bool(c, "Skip", true), &sf, &e)) return call_failed(c, f, &sf, &e);
    answer_set(answer, "SkipItems", text);
    answer_set(answer, "SkipNames", call_get(c, "SkipPreCheckNames"));
    answer_set(answer, "MigrationJobId", call_get(c, "DtsJobId"));
    answer_set(answer, "ScheduleJobId", call_get(c, "DtsJobId"));
    return true;
}

const api_op op_SkipPreCheck = {"SkipPreCheck", 'b', 'i', "Lets a task start although skippable precheck items failed.", skip_pre_check_pars, run_skip_pre_check};
