/* sluice job cutover: makes the destination ready to be switched to. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/client.h"
#include "cmd/run.h"
#include "cmd/screen.h"

#define CALL_WAIT_S 10 /* of one call; --wait repeats it */

static void print_sequence(const json_t *o, buf *b)
{
    const char *outcome = answer_text(o, "Outcome");
    buf_printf(b, "%-9s", strcmp(outcome, "Set") == 0      ? "set"
                          : strcmp(outcome, "Right") == 0  ? "right"
                          : strcmp(outcome, "Ahead") == 0  ? "ahead"
                          : strcmp(outcome, "Absent") == 0 ? "absent"
                                                           : "FAILED");
    screen_add(b, str_from_c(answer_text(o, "Name")));
    if (*answer_text(o, "Next")) buf_printf(b, "  next %s", answer_text(o, "Next"));
    if (*answer_text(o, "Text")) {
        buf_add_c(b, ": ");
        screen_add(b, str_from_c(answer_text(o, "Text")));
    }
    buf_add_byte(b, '\n');
}

static void print_receipt(const json_t *answer, const char *job_id)
{
    BUF_AUTO b = BUF_INIT;
    size_t i;
    json_t *o;
    const json_t *n = json_object_get(answer, "Counts");
    if (strcmp(answer_text(answer, "State"), "Ready") != 0) {
        buf_printf(&b, "behind   the destination does not have what the source had when called, after %lld ms\nsource   ", (long long)answer_number(answer, "WaitedMilliseconds"));
        screen_add(&b, str_from_c(answer_text(answer, "SourcePosition")));
        buf_add_c(&b, "\nreached  ");
        screen_add(&b, str_from_c(answer_text(answer, "DestinationPosition")));
        buf_printf(&b, "\n\nStop writing at the source, then: sluice job cutover %s --wait 60\n", job_id);
    } else {
        buf_printf(&b, "ready    the destination has what the source had when called, after %lld ms\nposition ", (long long)answer_number(answer, "WaitedMilliseconds"));
        screen_add(&b, str_from_c(answer_text(answer, "SourcePosition")));
        buf_add_byte(&b, '\n');
        json_array_foreach(json_object_get(answer, "Sequences"), i, o) print_sequence(o, &b);
        buf_printf(&b, "\n%lld set, %lld right already, %lld further on than the source, %lld absent, %lld failed\n", (long long)answer_number(n, "Set"), (long long)answer_number(n, "Right"),
                   (long long)answer_number(n, "Ahead"), (long long)answer_number(n, "Absent"), (long long)answer_number(n, "Failed"));
        buf_printf(&b, "Was the source written to meanwhile? Call again. Then: sluice job stop %s, and switch.\n", job_id);
    }
    fwrite(b.p, 1, b.n, stdout);
}

static bool call_once(client *c, const char *job_id, int64_t wait_s, int64_t margin, json_t **ret, err *e)
{
    client_params p = {.count = 0};
    char wait[24], skip[24];
    snprintf(wait, sizeof wait, "%lld", (long long)wait_s);
    snprintf(skip, sizeof skip, "%lld", (long long)margin);
    client_param_c(&p, "DtsJobId", job_id);
    client_param_c(&p, "WaitSeconds", wait);
    client_param_c(&p, "SequenceMargin", skip);
    return client_call(c, "SluiceCutoverDtsJob", &p, ret, e);
}

/* Each call asks for what the source has by then. */
static bool call_until(client *c, const char *job_id, int64_t wait_s, int64_t margin, json_t **ret, err *e)
{
    int64_t deadline = clk_mono_us(clk_system()) + wait_s * 1000000;
    for (;;) {
        int64_t left_s = (deadline - clk_mono_us(clk_system())) / 1000000;
        if (!call_once(c, job_id, left_s < 0 ? 0 : left_s < CALL_WAIT_S ? left_s : CALL_WAIT_S, margin, ret, e)) return false;
        if (strcmp(answer_text(*ret, "State"), "Ready") == 0 || left_s <= CALL_WAIT_S) return true;
        json_decref(*ret);
        *ret = NULL;
    }
}

int run_job_cutover(const args *a)
{
    client c;
    err e = ERR_INIT;
    int64_t wait_s, margin;
    json_t *answer = NULL;
    const char *job_id = a->operands[0];
    if (!args_number(a, "wait", 0, 86400, CALL_WAIT_S, &wait_s, &e) || !args_number(a, "sequence-margin", 0, 1000000000, 0, &margin, &e) || !client_open(a, &c, &e)) return command_fail(&e);
    bool ok = call_until(&c, job_id, wait_s, margin, &answer, &e);
    if (ok && args_json(a)) json_dumpf(answer, stdout, JSON_INDENT(2)), putchar('\n');
    else if (ok) print_receipt(answer, job_id);
    bool ready = ok && strcmp(answer_text(answer, "State"), "Ready") == 0, whole = ready && answer_number(json_object_get(answer, "Counts"), "Failed") == 0;
    if (ok && !ready) ok = err_set(&e, ERR_TIMEOUT, "the destination of job %s is behind; sluice job watch --caught-up %s", job_id, job_id);
    else if (ok && !whole) ok = err_set(&e, ERR_TARGET_QUERY, "some numbers of job %s are not set; the lines marked FAILED say what helps", job_id);
    json_decref(answer);
    client_close(&c);
    return ok ? 0 : command_fail(&e);
}
