/* The state machine: looking up fsm.def. */
#include "job/fsm.h"

#include <string.h>

enum { M = 1, S = 2, MS = 3 };

static const struct {
    job_state from;
    job_event event;
    int kinds;
    job_state to;
} rows[] = {
#define FSM(from, event, kinds, to) {JOB_STATE_##from, EVENT_##event, kinds, JOB_STATE_##to},
#include "job/fsm.def"
#undef FSM
};

static const char *const event_names[EVENT_COUNT] = {
    [EVENT_CONFIGURE] = "configure", [EVENT_START_CHECK] = "start", [EVENT_START_INIT] = "start", [EVENT_START_STREAM] = "start",
    [EVENT_PRECHECK_PASSED] = "precheck passed", [EVENT_PRECHECK_PASSED_RUN] = "precheck passed, run", [EVENT_PRECHECK_REFUSED] = "precheck failed",
    [EVENT_STREAM_BEGUN] = "stream begins", [EVENT_DONE] = "all done", [EVENT_RETRY] = "transient failure", [EVENT_RETRY_OVER_INIT] = "failure over",
    [EVENT_RETRY_OVER_STREAM] = "failure over", [EVENT_FAILED_INIT] = "failure", [EVENT_FAILED_STREAM] = "failure", [EVENT_SUSPEND] = "suspend",
    [EVENT_STOP] = "stop", [EVENT_RESET] = "reset",
};

const char *fsm_event_name(job_event e) { return e < EVENT_COUNT ? event_names[e] : ""; }

bool fsm_next(job_state from, job_event e, job_type type, job_state *ret)
{
    int kind = type == JOB_MIGRATION ? M : type == JOB_SYNC ? S : 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].from == from && rows[i].event == e && (rows[i].kinds & kind)) return *ret = rows[i].to, true;
    return false;
}

bool fsm_apply(job_record *r, job_event event, err *e)
{
    job_state next;
    if (!fsm_next(r->state, event, r->type, &next))
        return err_set(e, ERR_JOB_STATE, "job %.*s is %s, which does not allow: %s", STR_ARG(r->job_id), job_state_text(r->state), fsm_event_name(event));
    if (next != r->state) r->generation++;
    r->state = next;
    return true;
}

static bool stream_begun(const job_record *r) { return r->stream.started_us != 0; }
static bool precheck_passed(const job_record *r) { return str_eq(r->precheck.status, STR("Finished")); }

job_event fsm_start_event(const job_record *r)
{
    if (!precheck_passed(r)) return EVENT_START_CHECK;
    return stream_begun(r) ? EVENT_START_STREAM : EVENT_START_INIT;
}

job_event fsm_failed_event(const job_record *r) { return stream_begun(r) ? EVENT_FAILED_STREAM : EVENT_FAILED_INIT; }
job_event fsm_retry_over_event(const job_record *r) { return stream_begun(r) ? EVENT_RETRY_OVER_STREAM : EVENT_RETRY_OVER_INIT; }

bool fsm_wants_worker(job_state s)
{
    return s == JOB_STATE_MIGRATING || s == JOB_STATE_INITIALIZING || s == JOB_STATE_SYNCHRONIZING || s == JOB_STATE_RETRYING;
}

bool fsm_wants_precheck(job_state s) { return s == JOB_STATE_PRECHECKING; }

void fsm_diagram(buf *out)
{
    static const char *const kinds[] = {"", " (migration)", " (sync)", ""};
    buf_add_c(out, "stateDiagram-v2\n    [*] --> NotConfigured : CreateDtsInstance\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool repeat = rows[i].from == rows[i].to;
        for (size_t k = 0; k < i && !repeat; k++) /* variants of one event draw one arrow */
            repeat = rows[k].from == rows[i].from && rows[k].to == rows[i].to && strcmp(event_names[rows[k].event], event_names[rows[i].event]) == 0;
        if (!repeat)
            buf_printf(out, "    %s --> %s : %s%s\n", job_state_text(rows[i].from), job_state_text(rows[i].to), event_names[rows[i].event], kinds[rows[i].kinds]);
    }
}
