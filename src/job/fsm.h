/* The state machine of jobs as one table (fsm.def). */
#ifndef JOB_FSM_H
#define JOB_FSM_H

#include "base/buf.h"
#include "catalog/job_record.h"

typedef enum job_event {
    EVENT_CONFIGURE,
    EVENT_START_CHECK, EVENT_START_INIT, EVENT_START_STREAM,
    EVENT_PRECHECK_PASSED, EVENT_PRECHECK_PASSED_RUN, EVENT_PRECHECK_REFUSED,
    EVENT_STREAM_BEGUN, EVENT_DONE,
    EVENT_RETRY, EVENT_RETRY_OVER_INIT, EVENT_RETRY_OVER_STREAM,
    EVENT_FAILED_INIT, EVENT_FAILED_STREAM,
    EVENT_SUSPEND, EVENT_STOP, EVENT_RESET,
    EVENT_COUNT
} job_event;

const char *fsm_event_name(job_event e);
/* The next state; false when the event is refused in this state. */
bool fsm_next(job_state from, job_event e, job_type type, job_state *ret);
/* Changes the record's state and generation; ERR_JOB_STATE naming state and event when refused. */
ERR_MUST_USE bool fsm_apply(job_record *r, job_event e, err *err_out);
/* How far the job has come: picks the variant of an event. */
job_event fsm_start_event(const job_record *r);
job_event fsm_failed_event(const job_record *r);
job_event fsm_retry_over_event(const job_record *r);
/* Does the state ask for a worker? For a probe that prechecks? */
bool fsm_wants_worker(job_state s);
bool fsm_wants_precheck(job_state s);
/* The table as a Mermaid diagram. */
void fsm_diagram(buf *out);

#endif
