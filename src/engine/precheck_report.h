/* Findings of one precheck item, gathered and given to the sink as one call. An item that both ends look at is given once by each: the worse state
 * counts, the texts belong together. */
#ifndef ENGINE_PRECHECK_REPORT_H
#define ENGINE_PRECHECK_REPORT_H

#include "base/buf.h"
#include "engine/engine.h"

/* Findings that are written out; the rest is counted. */
#define PRECHECK_MAX_FINDINGS 50

typedef struct precheck_report {
    const char *item;
    precheck_state state;
    uint32_t count;
    buf detail, repair; /* one line each per finding; equal repairs once */
} precheck_report;

/* Starts as passed. */
void precheck_report_init(precheck_report *r, const char *item);
void precheck_report_add(precheck_report *r, precheck_state state, str detail, str repair);
void precheck_report_addf(precheck_report *r, precheck_state state, const char *repair, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A repair that belongs to several findings. */
void precheck_report_add_repair(precheck_report *r, str repair);
/* Gives it to the sink and frees it. ERR_NO_MEMORY when texts were lost. */
ERR_MUST_USE bool precheck_report_emit(precheck_report *r, const precheck_sink *sink, err *e);

#endif
