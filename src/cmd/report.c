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

/* SQL of what is not carried, below its finding. */
static void add_source(buf *b, const char *text)
{
    str rest = str_from_c(text), line;
    while (rest.n && str_split_next(&rest, '\n', &line)) {
        buf_add_c(b, "           ");
        screen_add(b, line);
        buf_add_byte(b, '\n');
    }
}

static void print_findings(const json_t *findings)
{
    BUF_AUTO b = BUF_INIT;
    size_t i;
    json_t *o;
    json_array_foreach(findings, i, o)
    {
        char effect[16];
        snprintf(effect, sizeof effect, "%-9s  ", answer_text(o, "Effect"));
        add_line(&b, effect, answer_text(o, "Text"));
        add_source(&b, answer_text(o, "SourceText"));
    }
    if (b.n) fwrite(b.p, 1, b.n, stdout);
}

static void print_choices(const json_t *choices)
{
    BUF_AUTO b = BUF_INIT;
    size_t i;
    json_t *o;
    json_array_foreach(choices, i, o) add_line(&b, i ? "" : "\n", json_string_value(o));
    if (b.n) fwrite(b.p, 1, b.n, stdout);
}

/* Adds to the list what it does not have. */
static void gather(json_t *list, const json_t *more, bool once)
{
    size_t i, k;
    json_t *o, *known;
    json_array_foreach(more, i, o)
    {
        bool have = false;
        json_array_foreach(list, k, known) have = have || (once && json_equal(known, o));
        if (!have) json_array_append(list, o);
    }
}

/* All pages as one answer. */
static bool read_report(client *c, const char *job, json_t **ret, err *e)
{
    json_t *whole = NULL;
    for (int page = 1;; page++) {
        char number[16];
        client_params p = {.count = 0};
        json_t *answer = NULL;
        snprintf(number, sizeof number, "%d", page);
        client_param_c(&p, "DtsJobId", job);
        client_param_c(&p, "PageNumber", number);
        client_param_c(&p, "PageSize", "500");
        if (!client_call(c, "SluiceDescribeReport", &p, &answer, e)) {
            json_decref(whole);
            return false;
        }
        size_t n = json_array_size(json_object_get(answer, "Findings"));
        if (whole) {
            gather(json_object_get(whole, "Findings"), json_object_get(answer, "Findings"), false);
            gather(json_object_get(whole, "Choices"), json_object_get(answer, "Choices"), true);
            json_decref(answer);
        } else {
            whole = answer;
        }
        if (n < 500) break;
    }
    json_object_del(whole, "PageNumber");
    json_object_del(whole, "PageRecordCount");
    *ret = whole;
    return true;
}

int run_job_report(const args *a)
{
    client c;
    err e = ERR_INIT;
    json_t *answer = NULL;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    bool ok = read_report(&c, a->operands[0], &answer, &e);
    if (ok && args_json(a)) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (ok) {
        if (!json_array_size(json_object_get(answer, "Findings")))
            puts(strcmp(answer_text(answer, "State"), "NotStarted") == 0 ? "no prechecks yet: sluice job start" : "everything is carried as it is");
        print_findings(json_object_get(answer, "Findings"));
        print_choices(json_object_get(answer, "Choices"));
    }
    json_decref(answer);
    client_close(&c);
    return ok ? 0 : command_fail(&e);
}
