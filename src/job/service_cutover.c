/* A cutover of a running job, by a probe beside its worker. */
#include <stdlib.h>

#include "job/message.h"
#include "job/role.h"
#include "job/service_priv.h"

#define PROBE_BUDGET_BYTES ((uint64_t)64 << 20)
#define BESIDE_WAIT_MS 60000 /* what reading catalogs and setting counters may take besides the waiting */

/* Inside a transaction: what the probe is told, of a job that follows its source now. */
static bool make_message(service *s, job_ref ref, const cutover_request *q, arena *a, str *ret_job, json_t **ret, service_fault *f, err *e)
{
    job_record r;
    secret pw[2] = {SECRET_INIT, SECRET_INIT};
    message_options o = {.lanes = 1, .budget_bytes = PROBE_BUDGET_BYTES, .policy = s->policy};
    if (!service_find(s, ref, a, &r, f, e)) return false;
    if (!r.incremental || !fsm_wants_worker(r.state) || !r.stream.started_us) {
        err_set(e, ERR_JOB_STATE, "job %.*s is %s%s: only a job that follows changes and runs can be cut over; its sequences were set behind the load", STR_ARG(r.job_id),
                job_state_text(r.state), r.incremental ? "" : " and carries no changes");
        return service_refuse(f, "DtsJobId", "InvalidJobStatus");
    }
    *ret_job = r.job_id;
    bool ok = jobs_secret_get(s->catalog, service_secret_context(r.job_id, "src", a), &pw[0], e) && jobs_secret_get(s->catalog, service_secret_context(r.job_id, "dest", a), &pw[1], e);
    if (ok) *ret = message_job("cutover", &r, &pw[0], &pw[1], &o, a);
    for (int i = 0; i < 2; i++) secret_wipe(&pw[i]);
    if (!ok) return false;
    json_object_set_new(*ret, "margin", json_integer((json_int_t)q->margin));
    json_object_set_new(*ret, "wait_ms", json_integer(q->wait_ms));
    return true;
}

/* Takes the message. */
static bool ask_probe(json_t *message, const cutover_request *q, json_t **ret, err *e)
{
    role_process p;
    if (!role_spawn("/proc/self/exe", "probe", &p, e)) {
        json_decref(message);
        return false;
    }
    int limit_ms = (int)q->wait_ms + BESIDE_WAIT_MS;
    bool ok = ctl_send_new(&p.ctl, message, e);
    if (ok && ctl_receive(&p.ctl, limit_ms, ret, e) != CTL_MESSAGE) {
        ok = false;
        if (e->code == ERR_NONE) err_set(e, ERR_TIMEOUT, "the cutover took longer than %d seconds; call again", limit_ms / 1000);
    }
    role_end(&p);
    return ok && (str_eq(ctl_str(*ret, "type"), STR("failed")) ? ctl_read_failed(*ret, e) : true);
}

static bool log_outcome(service *s, str job_id, const json_t *answer, arena *a, err *e)
{
    const json_t *n = json_object_get(answer, "counts");
    bool ready = ctl_flag(answer, "ready");
    str text = ready ? arena_printf(a, "cutover: everything up to %s is in the destination; sequences: %lld set, %lld right already, %lld further on than the source, %lld not set",
                                    ctl_text(answer, "marker"), (long long)ctl_number(n, "Set"), (long long)ctl_number(n, "Right"), (long long)ctl_number(n, "Ahead"),
                                    (long long)ctl_number(n, "Failed"))
                     : arena_printf(a, "cutover: not ready, the destination is at %s and the source was at %s", ctl_text(answer, "position"), ctl_text(answer, "marker"));
    if (!text.p) return err_no_memory(e, "a line of the log");
    if (!catalog_begin(s->catalog, e)) return false;
    return service_end(s, service_log_add(s->catalog, job_id, ready ? "INFO" : "WARN", text, e), e);
}

bool service_cutover(service *s, job_ref ref, const cutover_request *q, arena *a, str *ret_json, service_fault *f, err *e)
{
    json_t *message = NULL, *answer = NULL;
    str job_id = STR_NULL;
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = make_message(s, ref, q, a, &job_id, &message, f, e);
    catalog_rollback(s->catalog);
    ok = ok && ask_probe(message, q, &answer, e) && log_outcome(s, job_id, answer, a, e);
    if (ok) {
        char *text = json_dumps(answer, JSON_COMPACT);
        *ret_json = arena_copy(a, str_from_c(text));
        free(text);
        ok = ret_json->p || err_no_memory(e, "the outcome of a cutover");
    }
    json_decref(answer);
    return ok;
}
