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
    {"StructPhase", PAR_STRING, 0, "With JobCode 02: only objects of this kind: database, table, index, foreign key, view."},
    {"StructType", PAR_STRING, 0, "With JobCode 02: before (databases and tables, made before the load) or after (indexes, foreign keys and views)."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static void set_time(json_t *o, const char *name, int64_t at_us)
{
    char text[CLOCK_ISO_MS_BYTES] = "";
    if (at_us) clock_format_iso_ms(at_us, text);
    json_object_set_new(o, name, json_string(text));
}

/* An entry of JobProgress with every declared member, so that clients need not ask which are there. */
static json_t *new_entry(str item, str names, str state, str job_id, uint32_t number)
{
    static const char *const texts[] = {"ErrMsg", "ErrDetail", "RepairMethod", "DdlSql", "SourceSchema", "DestSchema", "ParentObj", "TargetNames", "BootTime", "FinishTime"};
    json_t *o = json_object();
    answer_set(o, "Item", item);
    answer_set(o, "Names", names);
    answer_set(o, "State", state);
    answer_set(o, "JobId", job_id);
    answer_set_count(o, "Id", number);
    json_object_set_new(o, "OrderNum", json_integer(number));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) json_object_set_new(o, texts[i], json_string(""));
    json_object_set_new(o, "CanSkip", json_false());
    json_object_set_new(o, "Skip", json_false());
    json_object_set_new(o, "IgnoreFlag", json_string("N"));
    json_object_set_new(o, "Current", json_string("0"));
    json_object_set_new(o, "Total", json_integer(1));
    json_object_set_new(o, "DelaySeconds", json_integer(0));
    json_object_set_new(o, "DiffRow", json_integer(0));
    json_object_set_new(o, "Sub", json_string("[]"));
    json_object_set_new(o, "Logs", json_array());
    return o;
}

/* One log line per finding. */
static void add_logs(json_t *o, str type, str level, str findings)
{
    json_t *logs = json_object_get(o, "Logs");
    for (str line; str_split_next(&findings, '\n', &line);) {
        if (!line.n) continue;
        json_t *l = json_object();
        answer_set(l, "ErrType", type);
        answer_set(l, "ErrMsg", line);
        answer_set(l, "ErrData", STR(""));
        answer_set(l, "LogLevel", level);
        json_array_append_new(logs, l);
    }
}

static json_t *item_object(api_call *c, const precheck_record *p, str job_id)
{
    bool failed = str_eq(p->state, STR("Failed")), bad = failed || str_eq(p->state, STR("Warning"));
    json_t *o = new_entry(p->item, arena_printf(c->mem, "%.*s_DETAIL", STR_ARG(p->item)), p->state, job_id, p->order + 1);
    json_object_set_new(o, "CanSkip", json_boolean(p->can_skip));
    json_object_set_new(o, "Skip", json_boolean(p->skipped));
    json_object_set_new(o, "IgnoreFlag", json_string(p->skipped ? "Y" : "N"));
    answer_set(o, "ErrMsg", bad ? p->item : STR(""));
    answer_set(o, "ErrDetail", p->detail);
    answer_set(o, "RepairMethod", p->repair);
    answer_set_count(o, "Current", p->finished_us != 0);
    set_time(o, "BootTime", p->started_us);
    set_time(o, "FinishTime", p->finished_us);
    if (bad) add_logs(o, p->item, failed ? STR("ERROR") : STR("WARN"), p->detail);
    return o;
}

/* The unreachable ends of a failed connection item. */
static void add_diagnosis(json_t *list, const precheck_record *p)
{
    bool source = str_eq(p->item, STR("CHECK_CONN_SRC"));
    if (!str_eq(p->state, STR("Failed")) || (!source && !str_eq(p->item, STR("CHECK_CONN_DEST")))) return;
    json_t *o = json_pack("{s:s, s:s, s:s}", "EndpointType", source ? "source" : "destination", "CnDocUrl", "", "InternationalDocUrl", "");
    answer_set(o, "Code", p->item);
    answer_set(o, "Result", p->detail);
    json_array_append_new(list, o);
}

static bool add_prechecks(api_call *c, const job_record *r, json_t *list, json_t *diagnosis, uint32_t *ret_errors, err *e)
{
    precheck_record *items = NULL;
    uint32_t n = 0;
    if (!service_prechecks(c->svc, r->job_id, c->mem, &items, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) {
        *ret_errors += str_eq(items[i].state, STR("Failed")) && !items[i].skipped;
        json_array_append_new(list, item_object(c, &items[i], r->job_id));
        add_diagnosis(diagnosis, &items[i]);
    }
    return true;
}

static json_t *table_object(api_call *c, const job_table_progress *p, str job_id, uint32_t number)
{
    bool structure = str_eq(p->stage, STR("structure")); /* its rows have the kind of object in place of the schema */
    str name = p->schema.n ? arena_printf(c->mem, structure ? "%.*s %.*s" : "%.*s.%.*s", STR_ARG(p->schema), STR_ARG(p->name)) : p->name;
    json_t *o = new_entry(name, name, p->state, job_id, number);
    answer_set(o, "SourceSchema", structure ? STR("") : p->schema);
    answer_set(o, "DestSchema", p->target_schema);
    answer_set(o, "TargetNames", p->target_name);
    answer_set_count(o, "Current", p->done);
    json_object_set_new(o, "Total", json_integer(p->total > INT32_MAX ? INT32_MAX : (json_int_t)p->total));
    answer_set(o, "ErrMsg", p->error);
    set_time(o, "BootTime", p->started_us);
    set_time(o, "FinishTime", p->finished_us);
    add_logs(o, STR("Table"), STR("ERROR"), p->error);
    return o;
}

/* Is a row of the schema stage of the part that the call asks for? */
static bool in_structure(api_call *c, const job_table_progress *p)
{
    str type = call_get(c, "StructType"), phase = call_get(c, "StructPhase");
    bool before = str_eq(p->schema, STR("database")) || str_eq(p->schema, STR("table"));
    if (!str_eq(p->stage, STR("structure"))) return true;
    if (type.n && before != str_eq_nocase(type, STR("before"))) return false;
    return !phase.n || str_eq_nocase(phase, p->schema);
}

static bool add_tables(api_call *c, const job_record *r, const char *stage, str name, json_t *list, uint32_t *ret_errors, err *e)
{
    job_table_progress *tables = NULL;
    uint32_t n = 0;
    if (!service_progress(c->svc, r->job_id, str_from_c(stage), c->mem, &tables, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if ((name.n && str_find(tables[i].name, name) == SIZE_MAX) || !in_structure(c, &tables[i])) continue;
        *ret_errors += str_eq(tables[i].state, STR("Failed"));
        json_array_append_new(list, table_object(c, &tables[i], r->job_id, (uint32_t)json_array_size(list) + 1));
    }
    return true;
}

/* The one item of the incremental stage. */
static json_t *stream_object(const job_record *r)
{
    json_t *o = new_entry(STR("incremental"), STR("incremental"), r->stream.status, r->job_id, 1);
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
    int64_t page = call_int(c, "PageNo", 1), size = call_int(c, "PageSize", 20);
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    uint32_t errors = 0;
    if (!code.n) code = STR("01");
    bool known = code.n == 2 && code.p[0] == '0' && code.p[1] >= '1' && code.p[1] <= '4';
    if (!known) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("JobCode"), STR("01 precheck, 02 structure, 03 full load, 04 incremental"));
    str type = call_get(c, "StructType");
    if (type.n && !str_eq_nocase(type, STR("before")) && !str_eq_nocase(type, STR("after")))
        return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("StructType"), STR("before or after"));
    if (page < 1 || size < 1 || size > 500) return fault_set(f, API_ERROR_INVALID_PARAMETER, page < 1 ? STR("PageNo") : STR("PageSize"), STR("pages count from 1, with 1 to 500 rows"));
    if (!service_get(c->svc, call_job_ref(c), c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    const job_stage *stages[] = {&r.precheck, &r.structure, &r.load, &r.stream};
    const job_stage *stage = stages[code.p[1] - '1'];
    json_t *list = json_array(), *diagnosis = json_array();
    if (code.p[1] == '4' && r.stream.status.n) json_array_append_new(list, stream_object(&r));
    bool ok = code.p[1] == '1' ? add_prechecks(c, &r, list, diagnosis, &errors, &e)
                               : code.p[1] == '4' || add_tables(c, &r, code.p[1] == '2' ? "structure" : "full", call_get(c, "Name"), list, &errors, &e);
    if (!ok) {
        json_decref(list);
        json_decref(diagnosis);
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
    /* No task of ours has an analysis, parts on other nodes or a network between regions. */
    json_object_set_new(answer, "AnalysisJobProgress", json_array());
    json_object_set_new(answer, "ErrorAnalysisItem", json_integer(0));
    json_object_set_new(answer, "SubDistributedJobStatus", json_array());
    json_object_set_new(answer, "FullNetCheckJobStatus", json_array());
    json_object_set_new(answer, "NetworkDiagnosisResult", json_pack("{s:s, s:o}", "ModelVersion", "", "Diagnosis", diagnosis));
    return true;
}

const api_op op_DescribePreCheckStatus = {"DescribePreCheckStatus", 'b', 'i', "Shows the items of a stage: precheck results, objects with their progress.", describe_pre_check_status_pars, run_describe_pre_check_status};

static const api_par skip_pre_check_pars[] = {
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "The ID of the task."},
    {"JobId", PAR_STRING, 0, "The JobId that DescribePreCheckStatus answers."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"Skip", PAR_BOOLEAN, PAR_REQUIRED, "true: the items no longer stop the task, and a task whose precheck failed checks again and goes on; false: they count again at the next precheck."},
    {"SkipPreCheckItems", PAR_STRING, 0, "JSON array of items, for example [\"CHECK_DEST_TABLE_EMPTY\"]; docs/PRECHECKS.md lists them."},
    {"SkipPreCheckNames", PAR_STRING, 0, "JSON array of the items' names, for example [\"CHECK_DEST_TABLE_EMPTY_DETAIL\"]; instead of the items or beside them."},
    {NULL, PAR_STRING, 0, NULL},
};

/* A JSON array of texts, or a comma list. */
static str *read_list(api_call *c, const char *name, uint32_t *ret_count)
{
    str text = call_get(c, name);
    json_t *list = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL, *v;
    size_t i;
    if (!json_is_array(list)) {
        json_decref(list);
        return call_list(c, name, ret_count);
    }
    str *items = arena_array(c->mem, json_array_size(list) + 1, sizeof *items);
    *ret_count = 0;
    json_array_foreach(list, i, v) if (items && json_is_string(v)) items[(*ret_count)++] = arena_copy(c->mem, str_from_c(json_string_value(v)));
    json_decref(list);
    return items;
}

/* The items meant, given by themselves or by their names (item_DETAIL), each once. NULL without memory. */
static str *read_items(api_call *c, uint32_t *ret_count)
{
    uint32_t n = 0, by_name = 0;
    str *items = read_list(c, "SkipPreCheckItems", &n), *names = read_list(c, "SkipPreCheckNames", &by_name);
    str *all = items && names ? arena_array(c->mem, (size_t)n + by_name + 1, sizeof *all) : NULL;
    *ret_count = 0;
    for (uint32_t i = 0; all && i < n + by_name; i++) {
        str one = i < n ? items[i] : names[i - n];
        if (i >= n && str_ends_with(one, STR("_DETAIL"))) one.n -= sizeof "_DETAIL" - 1;
        bool known = false;
        for (uint32_t k = 0; k < *ret_count; k++) known = known || str_eq(all[k], one);
        if (!known) all[(*ret_count)++] = one;
    }
    return all;
}

static str join_items(api_call *c, const str *items, uint32_t n, const char *suffix)
{
    str all = STR("");
    for (uint32_t i = 0; i < n && all.p; i++) all = arena_printf(c->mem, "%.*s%s%.*s%s", STR_ARG(all), i ? "," : "", STR_ARG(items[i]), suffix);
    return all;
}

static bool run_skip_pre_check(api_call *c, json_t *answer, api_fault *f)
{
    service_fault sf = {0};
    err e = ERR_INIT;
    uint32_t n = 0;
    str *items = read_items(c, &n), task = call_get(c, "DtsJobId"), precheck = call_get(c, "JobId");
    if (!items || n == 0) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("SkipPreCheckItems"), STR("a JSON array of item names, for example [\"CHECK_KEYS\"]"));
    if (precheck.n && !str_eq(precheck, task)) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("JobId"), STR("it is the JobId that DescribePreCheckStatus answers"));
    if (!service_skip_precheck(c->svc, call_job_ref(c), items, n, call_bool(c, "Skip", true), &sf, &e)) return call_failed(c, f, &sf, &e);
    answer_set(answer, "SkipItems", join_items(c, items, n, ""));
    answer_set(answer, "SkipNames", join_items(c, items, n, "_DETAIL"));
    answer_set(answer, "MigrationJobId", task);
    answer_set(answer, "ScheduleJobId", task);
    return true;
}

const api_op op_SkipPreCheck = {"SkipPreCheck", 'b', 'i', "Lets a task go on although skippable precheck items failed.", skip_pre_check_pars, run_skip_pre_check};
