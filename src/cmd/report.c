/* sluice job report: what a job changes, cannot carry or leaves out. */
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/run.h"
#include "cmd/screen.h"

static void add_line(buf *b, const char *before, const char *text)
{
    buf_add_c(b, before);
    screen_add(b, str_from_c(text));
    buf_add_byte(b, '\n');
}

static void print_report(const json_t *answer)
{
    BUF_AUTO b = BUF_INIT;
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(answer, "Findings"), i, o) add_line(&b, strcmp(answer_text(o, "State"), "Failed") == 0 ? "fails    " : "warning  ", answer_text(o, "Text"));
    if (i == 0) add_line(&b, "", strcmp(answer_text(answer, "State"), "NotStarted") == 0 ? "no prechecks yet: sluice job start" : "everything is carried as it is");
    json_array_foreach(json_object_get(answer, "Choices"), i, o) add_line(&b, i ? "" : "\n", json_string_value(o));
    fwrite(b.p, 1, b.n, stdout);
}

int run_job_report(const args *a)
{
    client c;
    err e = ERR_INIT;
    client_params p = {.count = 0};
    json_t *answer = NULL;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    client_param_c(&p, "DtsJobId", a->operands[0]);
    bool ok = client_call(&c, "SluiceDescribeReport", &p, &answer, &e);
    if (ok && args_json(a)) json_dumpf(answer, stdout, JSON_INDENT(2)), putchar('\n');
    else if (ok) print_report(answer);
    json_decref(answer);
    client_close(&c);
    return ok ? 0 : command_fail(&e);
}
