/* sluice leftover ...: objects of deleted jobs that could not be removed yet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/job_spec.h"
#include "cmd/run.h"

static void print_leftovers(const json_t *list)
{
    size_t i;
    json_t *l;
    json_array_foreach((json_t *)(uintptr_t)list, i, l)
    {
        printf("%lld  job %s  %s %s at %s  tries %lld  %s\n    %s\n", (long long)answer_number(l, "Id"), answer_text(l, "DtsJobId"), answer_text(l, "Kind"), answer_text(l, "Name"),
               answer_text(l, "Where"), (long long)answer_number(l, "Attempts"), answer_text(l, "LastError"), answer_text(l, "Undo"));
    }
    if (json_array_size(list) == 0) puts("no leftovers");
}

int run_leftover_list(const args *a)
{
    client c;
    err e = ERR_INIT;
    client_params p = {.count = 0};
    json_t *answer = NULL;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    bool ok = client_call(&c, "SluiceDescribeLeftovers", &p, &answer, &e);
    json_t *list = json_object_get(answer, "Leftovers");
    if (ok && args_json(a)) json_dumpf(list, stdout, JSON_INDENT(2)), putchar('\n');
    else if (ok) print_leftovers(list);
    json_decref(answer);
    client_close(&c);
    return ok ? 0 : command_fail(&e);
}

static int act(const args *a, const char *action)
{
    client c;
    err e = ERR_INIT;
    client_params p = {.count = 0};
    json_t *answer = NULL;
    const char *password = getenv("SLUICE_LEFTOVER_PASSWORD");
    if (!client_open(a, &c, &e)) return command_fail(&e);
    client_param_c(&p, "LeftoverId", a->operands[0]);
    client_param_c(&p, "UserName", strcmp(action, "SluiceRetryLeftover") == 0 ? args_get(a, "user") : NULL);
    client_param_c(&p, "Password", strcmp(action, "SluiceRetryLeftover") == 0 ? password : NULL);
    bool ok = client_call(&c, action, &p, &answer, &e);
    if (ok) printf("ok\n");
    json_decref(answer);
    client_close(&c);
    return ok ? 0 : command_fail(&e);
}

int run_leftover_retry(const args *a) { return act(a, "SluiceRetryLeftover"); }
int run_leftover_forget(const args *a) { return act(a, "SluiceForgetLeftover"); }
