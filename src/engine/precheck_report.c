/* Gathering of precheck findings. */
#include "engine/precheck_report.h"

#include <stdarg.h>
#include <stdio.h>

void precheck_report_init(precheck_report *r, const char *item) { *r = (precheck_report){.item = item, .state = PRECHECK_PASSED}; }

void precheck_report_add(precheck_report *r, precheck_state state, str detail, str repair)
{
    if (state > r->state) r->state = state;
    if (state == PRECHECK_PASSED || r->count++ >= PRECHECK_MAX_FINDINGS) return;
    if (r->detail.n) buf_add_byte(&r->detail, '\n');
    buf_add(&r->detail, detail);
    precheck_report_add_repair(r, repair);
}

void precheck_report_add_repair(precheck_report *r, str repair)
{
    if (!repair.n || (r->repair.n && str_find(buf_str(&r->repair), repair) != SIZE_MAX)) return;
    if (r->repair.n) buf_add_byte(&r->repair, '\n');
    buf_add(&r->repair, repair);
}

void precheck_report_addf(precheck_report *r, precheck_state state, const char *repair, const char *format, ...)
{
    char text[ERR_TEXT_BYTES];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    precheck_report_add(r, state, str_from_c(text), str_from_c(repair));
}

bool precheck_report_emit(precheck_report *r, const precheck_sink *sink, err *e)
{
    if (r->count > PRECHECK_MAX_FINDINGS) buf_printf(&r->detail, "\n... and %u more", r->count - PRECHECK_MAX_FINDINGS);
    bool ok = !r->detail.failed && !r->repair.failed;
    if (ok) sink->item(sink->ctx, r->item, r->state, buf_str(&r->detail), buf_str(&r->repair));
    buf_finish(&r->detail);
    buf_finish(&r->repair);
    return ok || err_no_memory(e, "precheck findings");
}
