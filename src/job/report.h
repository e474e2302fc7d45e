/* What a worker tells serve: pipeline events, coalesced to a few messages a second, and ledger calls, which wait for serve's answer. */
#ifndef JOB_REPORT_H
#define JOB_REPORT_H

#include <pthread.h>

#include "base/map.h"
#include "job/ctl.h"
#include "pipeline/pipeline.h"

#define REPORT_EVERY_MS 200

typedef struct report {
    ctl *ctl;             /* borrowed */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    arena mem;            /* table counters */
    map tables;           /* by "schema\0name" → table counter */
    uint64_t txns, rows, bytes;
    int64_t commit_us;
    buf position;
    bool applied_changed, caught_up, caught_up_changed;
    bool connected, ended;
    uint64_t next_seq, answered_seq; /* ledger calls, one at a time */
    bool answer_ok, answer_later;
    uint64_t answer_id;
    ledger_state answer_state;
    char answer_text[ERR_TEXT_BYTES];
    pthread_mutex_t ledger_lock;
} report;

void report_init(report *r, ctl *c);
void report_finish(report *r);
/* The callbacks that feed this report; valid while it lives. */
void report_bind(report *r, pipeline_events *ret_events, ledger *ret_ledger);
/* Sends what changed since the last call. */
void report_flush(report *r);
/* serve's answer to a ledger call. */
void report_ledger_answer(report *r, const json_t *message);
/* serve is gone: ledger calls fail from now on, messages are dropped. */
void report_disconnect(report *r);
/* The pipeline has ended. */
void report_end(report *r);
bool report_ended(report *r);
/* Waits until it ended or the time is over. */
void report_wait_end(report *r, int timeout_ms);

#endif
