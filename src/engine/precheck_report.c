/* Gathering of precheck findings. */
#include "engine/precheck_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool precheck_report_keeps(str item) { return str_eq(item, STR("CHECK_TYPES")) || str_eq(item, STR("CHECK_OBJECTS")); }

void precheck_report_init(precheck_report *r, const char *item)
{
    *r = (precheck_report){.item = item, .state = PRECHECK_PASSED};
    arena_init(&r->mem, 4096, 0);
}

static bool copy_text(arena *a, str *text)
{
    *text = arena_copy(a, str_or_empty(*text));
    return text->p != NULL;
}

static bool copy_finding(precheck_report *r, precheck_finding *f)
{
    str *const texts[] = {&f->text, &f->kind, &f->schema, &f->table, &f->column, &f->object, &f->source_type, &f->target_type, &f->rule, &f->options, &f->choice, &f->first_rows, &f->rows_sql,
                          &f->source_text};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!copy_text(&r->mem, texts[i])) return false;
    if (r->finding_count < r->room) return true;
    uint32_t room = r->room ? r->room * 2 : 16;
    precheck_finding *more = arena_array(&r->mem, room, sizeof *more);
    if (!more) return false;
    if (r->finding_count) memcpy(more, r->findings, r->finding_count * sizeof *more);
    r->findings = more;
    r->room = room;
    return true;
}

static void keep(precheck_report *r, const precheck_finding *f)
{
    precheck_finding copy = *f;
    if (!copy_finding(r, &copy)) r->failed = true;
    else r->findings[r->finding_count++] = copy;
}

void precheck_report_find(precheck_report *r, const precheck_finding *f, str repair)
{
    if (f->state > r->state) r->state = f->state;
    if (f->state == PRECHECK_PASSED) return;
    if (precheck_report_keeps(str_from_c(r->item))) keep(r, f);
    if (r->count++ >= PRECHECK_MAX_FINDINGS) return;
    if (r->detail.n) buf_add_byte(&r->detail, '\n');
    buf_add(&r->detail, f->text);
    precheck_report_add_repair(r, repair);
}

void precheck_report_add(precheck_report *r, precheck_state state, str detail, str repair)
{
    precheck_report_find(r, &(precheck_finding){.state = state, .effect = state == PRECHECK_FAILED ? EFFECT_OBSTACLE : EFFECT_CHANGE, .text = detail}, repair);
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
    if (r->count > PRECHECK_MAX_FINDINGS) buf_printf(&r->detail, "\n... and %u more%s", r->count - PRECHECK_MAX_FINDINGS, r->finding_count ? ": sluice job report" : "");
    bool ok = !r->detail.failed && !r->repair.failed && !r->failed;
    if (ok) sink->item(sink->ctx, r->item, r->state, buf_str(&r->detail), buf_str(&r->repair));
    for (uint32_t i = 0; ok && sink->finding && i < r->finding_count; i++) sink->finding(sink->ctx, r->item, &r->findings[i]);
    arena_finish(&r->mem);
    buf_finish(&r->detail);
    buf_finish(&r->repair);
    return ok || err_no_memory(e, "precheck findings");
}
