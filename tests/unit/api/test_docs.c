/* docs/API.md, ERRORS.md, PRECHECKS.md and METRICS.md say what the tables of operations, errors, prechecks and metrics say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../docs_page.h"
#include "api/api.h"

static const char *type_text(par_type t)
{
    static const char *const names[] = {[PAR_STRING] = "String", [PAR_BOOLEAN] = "Boolean", [PAR_INTEGER] = "Integer", [PAR_LONG] = "Long", [PAR_JSON] = "JSON text"};
    return names[t];
}

static const char *declared_text(char c) { return c == 's' ? "String" : c == 'b' ? "Boolean" : c == 'i' ? "Integer" : "absent"; }

static void print_parameter(buf *b, const api_par *p)
{
    buf_printf(b, "| `%s` | %s | %s | ", p->name, type_text(p->type), p->flags & PAR_REQUIRED ? "yes" : "");
    docs_cell(b, p->summary);
    if (p->flags & PAR_SECRET) buf_add_c(b, " Never answered, logged or stored in the clear.");
    if (p->flags & PAR_IGNORED) buf_add_c(b, " Accepted, without effect.");
    buf_add_c(b, " |\n");
}

static void print_api(buf *b)
{
    buf_add_c(b, "# API\n\nPrinted from the tables of `src/api` by a test (`SLUICE_UPDATE_DOCS=1` rewrites this page). Version `" API_VERSION "`, path `/`, GET or POST,\n"
                 "parameters in the query or in a form body, signatures V1 (HMAC-SHA1) and V3 (ACS3-HMAC-SHA256). V3 answers JSON, V1 what `Format`\n"
                 "says (XML when it is absent). Every answer has `RequestId`. Errors: [ERRORS.md](ERRORS.md). Any other action: `InvalidAction.NotFound`.\n"
                 "Actions that begin with `Sluice` are our own.\n");
    for (const api_op *const *o = api_op_all(); *o; o++) {
        buf_printf(b, "\n## %s\n\n", (*o)->name);
        docs_cell(b, (*o)->summary);
        buf_printf(b, " `Success`: %s, `HttpStatusCode`: %s.\n\n| Parameter | Type | Required | Meaning |\n|---|---|---|---|\n", declared_text((*o)->success_type),
                   declared_text((*o)->status_type));
        for (const api_par *p = (*o)->pars; p->name; p++) print_parameter(b, p);
    }
}

static void print_errors(buf *b)
{
    buf_add_c(b, "# Errors\n\nPrinted from `src/api/errors.def` and `src/base/errors.def` by a test (`SLUICE_UPDATE_DOCS=1` rewrites this page).\n\n## Answers of the API\n\n"
                 "`Message` has the dynamic part in place of `%s` and, behind it, what exactly is wrong; `DynamicMessage` is that part alone.\n\n"
                 "| Code | HTTP | ErrCode | Message |\n|---|---|---|---|\n");
    for (int i = 0; i < API_ERROR_COUNT; i++) {
        api_error x = (api_error)i;
        buf_printf(b, "| `%s` | %d | `%s` | ", fault_code(x), fault_http_status(x), fault_err_code(x));
        docs_cell(b, fault_template(x));
        buf_add_c(b, " |\n");
    }
    buf_add_c(b, "\n## Codes of jobs and of the command line\n\nA job's `ErrorMessage` begins with the code. The last column is the exit status of the command line.\n\n"
                 "| Code | Meaning | What to do | Exit status |\n|---|---|---|---|\n");
    for (int i = 1; i < ERR_CODE_COUNT; i++) {
        err_code x = (err_code)i;
        buf_printf(b, "| `%s` | ", err_name(x));
        docs_cell(b, err_meaning(x));
        buf_add_c(b, " | ");
        docs_cell(b, err_fix(x));
        buf_printf(b, " | %d |\n", err_exit_status(x));
    }
}

static void print_prechecks(buf *b)
{
    static const struct {
        const char *item, *state, *meaning, *repair;
        bool skippable;
    } items[] = {
#define PRECHECK(symbol, item, reference, skippable, state, meaning, repair) {item, state, meaning, repair, skippable},
#include "engine/precheck.def"
#undef PRECHECK
    };
    buf_add_c(b, "# Prechecks\n\nPrinted from `src/engine/precheck.def` by a test (`SLUICE_UPDATE_DOCS=1` rewrites this page). Every start of a task runs them; `sluice job show ID` and\n"
                 "`DescribePreCheckStatus` (`JobCode=01`) show each item with what is wrong (`ErrDetail`: object and reason, one line per finding) and what repairs\n"
                 "it (`RepairMethod`: the SQL to run; lines that begin with `--` are words, the side is said where it is not plain). A task starts when no item has\n"
                 "failed; warnings do not stop it. `SkipPreCheck` takes the items that may be skipped out of the count.\n\n"
                 "| Item | What is checked | State of a finding | May be skipped | Repair |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        buf_printf(b, "| `%s` | ", items[i].item);
        docs_cell(b, items[i].meaning);
        buf_printf(b, " | %s | %s | ", items[i].state, items[i].skippable ? "yes" : "");
        docs_cell(b, items[i].repair);
        buf_add_c(b, " |\n");
    }
}

static void print_metrics(buf *b)
{
    static const struct {
        const char *name, *type, *labels, *help;
    } metrics[] = {
#define METRIC(symbol, name, type, labels, help) {name, type, labels, help},
#include "http/metrics.def"
#undef METRIC
    };
    buf_add_c(b, "# Metrics\n\nPrinted from `src/http/metrics.def` by a test (`SLUICE_UPDATE_DOCS=1` rewrites this page). `GET /metrics` answers them in the text format of\n"
                 "Prometheus, without a signature. `job` is the task's id.\n\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        buf_printf(b, "| `%s` | %s | %s | ", metrics[i].name, metrics[i].type, metrics[i].labels);
        docs_cell(b, metrics[i].help);
        buf_add_c(b, " |\n");
    }
}

static void test_api_page(void **state)
{
    (void)state;
    docs_check_page("API.md", print_api);
}

static void test_errors_page(void **state)
{
    (void)state;
    docs_check_page("ERRORS.md", print_errors);
}

static void test_prechecks_page(void **state)
{
    (void)state;
    docs_check_page("PRECHECKS.md", print_prechecks);
}

static void test_metrics_page(void **state)
{
    (void)state;
    docs_check_page("METRICS.md", print_metrics);
}

/* A parameter twice, or one without words, would be a mistake in a table. */
static void test_tables_are_sound(void **state)
{
    (void)state;
    for (const api_op *const *o = api_op_all(); *o; o++) {
        assert_ptr_equal(api_op_find(str_from_c((*o)->name)), *o);
        assert_true(*(*o)->summary && strchr("bs-", (*o)->success_type) && strchr("is-", (*o)->status_type));
        for (const api_par *p = (*o)->pars; p->name; p++) {
            if (!*p->summary) fail_msg("%s.%s has no words", (*o)->name, p->name);
            bool secret_name = strstr(p->name, "Password") != NULL;
            if (secret_name && !(p->flags & PAR_SECRET)) fail_msg("%s.%s is not marked as a secret", (*o)->name, p->name);
            for (const api_par *q = p + 1; q->name; q++)
                if (str_eq_nocase(str_from_c(p->name), str_from_c(q->name))) fail_msg("%s.%s stands twice", (*o)->name, p->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables_are_sound), cmocka_unit_test(test_api_page), cmocka_unit_test(test_errors_page),
                                       cmocka_unit_test(test_prechecks_page), cmocka_unit_test(test_metrics_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
