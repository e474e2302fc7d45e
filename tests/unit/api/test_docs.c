/* docs/API.md and docs/ERRORS.md say what the tables of operations and errors say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/file.h"

static const char *type_text(par_type t)
{
    static const char *const names[] = {[PAR_STRING] = "String", [PAR_BOOLEAN] = "Boolean", [PAR_INTEGER] = "Integer", [PAR_LONG] = "Long", [PAR_JSON] = "JSON text"};
    return names[t];
}

static const char *declared_text(char c) { return c == 's' ? "String" : c == 'b' ? "Boolean" : c == 'i' ? "Integer" : "absent"; }

/* Table cells: '|' would end one. */
static void cell(buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '|') buf_add_byte(b, '\\');
        buf_add_byte(b, *text);
    }
}

static void print_parameter(buf *b, const api_par *p)
{
    buf_printf(b, "| `%s` | %s | %s | ", p->name, type_text(p->type), p->flags & PAR_REQUIRED ? "yes" : "");
    cell(b, p->summary);
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
        cell(b, (*o)->summary);
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
        cell(b, fault_template(x));
        buf_add_c(b, " |\n");
    }
    buf_add_c(b, "\n## Codes of jobs and of the command line\n\nA job's `ErrorMessage` begins with the code. The last column is the exit status of the command line.\n\n"
                 "| Code | Meaning | What to do | Exit status |\n|---|---|---|---|\n");
    for (int i = 1; i < ERR_CODE_COUNT; i++) {
        err_code x = (err_code)i;
        buf_printf(b, "| `%s` | ", err_name(x));
        cell(b, err_meaning(x));
        buf_add_c(b, " | ");
        cell(b, err_fix(x));
        buf_printf(b, " | %d |\n", err_exit_status(x));
    }
}

static void check_page(const char *name, void (*print)(buf *b))
{
    BUF_AUTO page = BUF_INIT;
    err e = ERR_INIT;
    char path[1024];
    const char *data = getenv("SLUICE_TEST_DATA"), *update = getenv("SLUICE_UPDATE_DOCS");
    if (!data) fail_msg("SLUICE_TEST_DATA is not set: run the tests through meson");
    snprintf(path, sizeof path, "%s/../../docs/%s", data, name);
    print(&page);
    assert_false(page.failed);
    if (update && strcmp(update, "1") == 0 && !file_write_atomic(path, buf_str(&page), 0644, &e)) fail_msg("%s", e.text);
    arena a;
    str have = STR_NULL;
    arena_init(&a, 64 * 1024, 0);
    if (!file_read(path, 1 << 20, &a, &have, &e)) fail_msg("%s; write it with SLUICE_UPDATE_DOCS=1", e.text);
    if (!str_eq(have, buf_str(&page))) fail_msg("docs/%s differs from the tables; write it anew with SLUICE_UPDATE_DOCS=1", name);
    arena_finish(&a);
}

static void test_api_page(void **state)
{
    (void)state;
    check_page("API.md", print_api);
}

static void test_errors_page(void **state)
{
    (void)state;
    check_page("ERRORS.md", print_errors);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables_are_sound), cmocka_unit_test(test_api_page), cmocka_unit_test(test_errors_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
