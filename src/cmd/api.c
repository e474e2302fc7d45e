/* sluice api and sluice sign: any action of the API from the shell. */
#include <stdio.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/run.h"

/* K=V operands behind the action. */
static bool read_params(const args *a, client_params *p, err *e)
{
    for (int i = 1; i < a->operand_count; i++) {
        const char *eq = strchr(a->operands[i], '=');
        if (!eq || eq == a->operands[i]) return err_set(e, ERR_BAD_INPUT, "\"%s\" is not NAME=VALUE", a->operands[i]);
        if (p->count == CLIENT_MAX_PARAMETERS) return err_set(e, ERR_LIMIT, "at most %d parameters", CLIENT_MAX_PARAMETERS);
        p->items[p->count++] = (name_value){{a->operands[i], (size_t)(eq - a->operands[i])}, str_from_c(eq + 1)};
    }
    return true;
}

int run_api(const args *a)
{
    client c;
    client_params p = {.count = 0};
    err e = ERR_INIT;
    int status;
    str body;
    if (!read_params(a, &p, &e) || !client_open(a, &c, &e)) return command_fail(&e);
    bool ok = client_call_raw(&c, a->operands[0], &p, &status, &body, &e);
    if (ok) {
        json_t *tree = json_loadb(body.n ? body.p : "", body.n, 0, NULL);
        if (tree) json_dumpf(tree, stdout, JSON_INDENT(2));
        else fwrite(body.p, 1, body.n, stdout);
        putchar('\n');
        json_decref(tree);
        if (status != 200) ok = client_refusal(status, body, &e);
    }
    client_close(&c);
    return ok ? 0 : command_fail(&e);
}

int run_sign(const args *a)
{
    client c;
    client_params p = {.count = 0};
    err e = ERR_INIT;
    str canonical, string_to_sign, authorization;
    if (!read_params(a, &p, &e) || !client_open(a, &c, &e)) return command_fail(&e);
    client_explain(&c, a->operands[0], &p, &canonical, &string_to_sign, &authorization);
    printf("canonical request:\n%.*s\n\nstring to sign:\n%.*s\n\nauthorization:\n%.*s\n", STR_ARG(canonical), STR_ARG(string_to_sign), STR_ARG(authorization));
    client_close(&c);
    return 0;
}
