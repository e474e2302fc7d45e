/* Our own operations: leftovers and receipts of deletions. */
#include "api/api.h"

static const api_par leftovers_pars[] = {
    {"DtsJobId", PAR_STRING, 0, "Only leftovers of this deleted task."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_leftovers(api_call *c, json_t *answer, api_fault *f)
{
    ledger_record *list = NULL;
    uint32_t n = 0;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (!service_leftovers(c->svc, call_get(c, "DtsJobId"), c->mem, &list, &n, &e)) return call_failed(c, f, &sf, &e);
    json_t *all = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_t *o = json_pack("{s:I, s:I}", "Id", (json_int_t)list[i].id, "Attempts", (json_int_t)list[i].attempts);
        answer_set(o, "DtsJobId", list[i].job_id);
        answer_set(o, "End", list[i].end);
        answer_set(o, "Kind", list[i].kind);
        answer_set(o, "Name", list[i].name);
        answer_set(o, "Where", list[i].where);
        answer_set(o, "Undo", list[i].undo);
        answer_set(o, "State", list[i].state);
        answer_set(o, "LastError", list[i].last_error);
        json_array_append_new(all, o);
    }
    json_object_set_new(answer, "Leftovers", all);
    return true;
}

const api_op op_SluiceDescribeLeftovers = {"SluiceDescribeLeftovers", 'b', 'i', "Lists objects of deleted tasks that could not be removed yet.", leftovers_pars, run_leftovers};

static bool act(api_call *c, const char *verb, api_fault *f)
{
    service_fault sf = {.param = STR("LeftoverId")};
    err e = ERR_INIT;
    return service_leftover_act(c->svc, (uint64_t)call_int(c, "LeftoverId", 0), verb, call_get(c, "UserName"), call_get(c, "Password"), &e) || call_failed(c, f, &sf, &e);
}

static const api_par retry_pars[] = {
    {"LeftoverId", PAR_LONG, PAR_REQUIRED, "The number of the leftover."},
    {"UserName", PAR_STRING, 0, "Another account for the retry."},
    {"Password", PAR_STRING, PAR_SECRET, "Another password for the retry."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_retry(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act(c, "retry", f);
}

const api_op op_SluiceRetryLeftover = {"SluiceRetryLeftover", 'b', 'i', "Tries at once to remove a leftover, with other credentials if given.", retry_pars, run_retry};

static const api_par forget_pars[] = {
    {"LeftoverId", PAR_LONG, PAR_REQUIRED, "The number of the leftover."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_forget(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act(c, "forget", f);
}

const api_op op_SluiceForgetLeftover = {"SluiceForgetLeftover", 'b', 'i', "Takes a leftover off the list; the object stays where it is.", forget_pars, run_forget};

static const api_par receipt_pars[] = {
    {"DtsJobId", PAR_STRING, 0, "Only leftovers of this deleted task."},
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_receipt(api_call *c, json_t *answer, api_fault *f)
{
    str text;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (!service_receipt(c->svc, call_job_ref(c), c->mem, &text, &e)) return call_failed(c, f, &sf, &e);
    answer_set(answer, "Receipt", text);
    return true;
}

const api_op op_SluiceDescribeReceipt = {"SluiceDescribeReceipt", 'b', 'i', "Shows what a deletion removed and kept, as JSON text.", receipt_pars, run_receipt};
