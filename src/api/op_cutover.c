/* SluiceCutoverDtsJob: makes the destination ready to be switched to. */
#include "api/api.h"

static const api_par cutover_pars[] = {
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"WaitSeconds", PAR_INTEGER, 0, "How long to wait for the destination to have what the source has now, 0 to 30 (default 10)."},
    {"SequenceMargin", PAR_LONG, 0, "Numbers to leave out behind the source's next ones, 0 to 1000000000 (default 0)."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool check_range(const api_call *c, const char *name, int64_t absent, int64_t high, int64_t *ret, api_fault *f)
{
    *ret = call_int(c, name, absent);
    if (*ret >= 0 && *ret <= high) return true;
    return fault_set(f, API_ERROR_INVALID_PARAMETER, str_from_c(name), STR("the number is out of its range"));
}

static bool run_cutover(api_call *c, json_t *answer, api_fault *f)
{
    service_fault sf = {0};
    err e = ERR_INIT;
    str text;
    int64_t wait_s, margin;
    if (!check_range(c, "WaitSeconds", 10, 30, &wait_s, f) || !check_range(c, "SequenceMargin", 0, 1000000000, &margin, f)) return false;
    cutover_request q = {(uint64_t)margin, wait_s * 1000};
    if (!service_cutover(c->svc, call_job_ref(c), &q, c->mem, &text, &sf, &e)) return call_failed(c, f, &sf, &e);
    json_t *told = json_loadb(text.p, text.n, 0, NULL);
    json_object_set_new(answer, "State", json_string(json_is_true(json_object_get(told, "ready")) ? "Ready" : "Behind"));
    json_object_set(answer, "SourcePosition", json_object_get(told, "marker"));
    json_object_set(answer, "DestinationPosition", json_object_get(told, "position"));
    json_object_set(answer, "WaitedMilliseconds", json_object_get(told, "waited_ms"));
    json_object_set(answer, "Counts", json_object_get(told, "counts"));
    json_object_set(answer, "Sequences", json_object_get(told, "sequences"));
    json_decref(told);
    return true;
}

const api_op op_SluiceCutoverDtsJob = {
    "SluiceCutoverDtsJob", 'b', 'i',
    "Makes the destination of a running task ready to be switched to: waits until it has everything that the source had when called, then sets its sequences and AUTO_INCREMENT to where the "
    "source's stand, and tells of each: Set, Right, Ahead (used in the destination and further on: it stays), Absent, Failed. State is Ready, or Behind when the time was over first. Stop "
    "writing at the source before; the call may be repeated, and changes nothing at the source.",
    cutover_pars, run_cutover};
