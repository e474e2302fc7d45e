/* Findings of one precheck item, gathered and given to the sink as one call. An item that both ends look at is given once by each: the worse state
 * counts, the texts belong together. */
#ifndef ENGINE_PRECHECK_REPORT_H
#define ENGINE_PRECHECK_REPORT_H

#include "base/buf.h"
#include "engine/engine.h"

/* Findings that are written out in an item's texts; the rest is counted there. The report has all of them. */
#define PRECHECK_MAX_FINDINGS 50

typedef struct precheck_report {
    const char *item;
    precheck_state state;
    uint32_t count;
    buf detail, repair; /* one line each per finding; equal repairs once */
    arena mem;          /* of the findings, which the report keeps */
    precheck_finding *findings;
    uint32_t finding_count, room;
    bool failed;        /* no memory */
} precheck_report;

/* The item is about rows and objects themselves, not about servers and rights: its findings are kept one by one. */
bool precheck_report_keeps(str item);
/* Starts as passed. */
void precheck_report_init(precheck_report *r, const char *item);
/* The effect of a failed finding is an obstacle, of others a change. */
void precheck_report_add(precheck_report *r, precheck_state state, str detail, str repair);
void precheck_report_addf(precheck_report *r, precheck_state state, const char *repair, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* With all that is known of it; copied. f->text is the detail, f->state counts. */
void precheck_report_find(precheck_report *r, const precheck_finding *f, str repair);
/* A repair that belongs to several findings. */
void precheck_report_add_repair(precheck_report *r, str repair);
/* Gives it to the sink and frees it. ERR_NO_MEMORY when texts were lost. */
ERR_MUST_USE bool precheck_report_emit(precheck_report *r, const precheck_sink *sink, err *e);

#endif
