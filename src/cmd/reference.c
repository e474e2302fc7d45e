/* The man page (scdoc source) and the bash completion, printed from the command tables. */
#include <stdio.h>
#include <string.h>

#include "cmd/run.h"

/* scdoc marks: letters that would start markup are escaped. */
static void put_escaped(const char *s)
{
    for (; *s; s++) {
        if (*s == '_' || *s == '*' || *s == '\\' || *s == '#') putchar('\\');
        putchar(*s);
    }
}

static void put_option(const opt *o)
{
    fputs("*--", stdout);
    put_escaped(o->name);
    putchar('*');
    if (o->argument) {
        fputs(" _", stdout);
        fputs(o->argument, stdout);
        putchar('_');
    }
    if (o->letter) printf(", *-%c*", o->letter);
    fputs("\n\t", stdout);
    put_escaped(o->help);
    fputs("\n\n", stdout);
}

int run_man(const args *a)
{
    (void)a;
    puts("sluice(1)\n\n# NAME\n\nsluice - moves data between databases, controlled through the DTS OpenAPI\n\n# SYNOPSIS\n\n*sluice* _COMMAND_ [_OPTIONS_]\n\n# COMMANDS\n");
    for (const command *c = commands; c->path; c++) {
        if (c->hidden) continue;
        printf("## sluice ");
        put_escaped(c->path);
        if (*c->operands) putchar(' '), put_escaped(c->operands);
        fputs("\n\n", stdout);
        put_escaped(c->summary);
        fputs("\n\n", stdout);
        for (const opt *o = c->options; o->name; o++) put_option(o);
    }
    puts("# ENVIRONMENT\n\nEvery option may stand in the environment as SLUICE\\_ and its name in capitals, dashes as underscores. Keys: "
         "ALIBABA\\_CLOUD\\_ACCESS\\_KEY\\_ID, ALIBABA\\_CLOUD\\_ACCESS\\_KEY\\_SECRET, ALIBABA\\_CLOUD\\_SECURITY\\_TOKEN. Passwords: "
         "SLUICE\\_SOURCE\\_PASSWORD, SLUICE\\_TARGET\\_PASSWORD, SLUICE\\_LEFTOVER\\_PASSWORD.\n\n# EXIT STATUS\n");
    static const char *const meanings[] = {[0] = "done", [1] = "internal error", [2] = "bad usage or input", [3] = "differences found", [4] = "precheck failed",
                                           [5] = "the service cannot be reached", [6] = "signature or permission refused", [7] = "source database",
                                           [8] = "destination database", [9] = "not found or wrong state", [10] = "timed out"};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) printf("*%zu*\n\t%s\n\n", i, meanings[i]);
    puts("*130*\n\tinterrupted; the job goes on");
    return 0;
}

/* The words of the second place after a first word, or all first words when it is NULL. */
static void put_words(const char *first)
{
    char last[64] = "";
    for (const command *c = commands; c->path; c++) {
        if (c->hidden) continue;
        size_t n = strcspn(c->path, " ");
        if (!first && strncmp(last, c->path, n + 1) != 0) printf(" %.*s", (int)n, c->path);
        if (first && strncmp(c->path, first, strlen(first)) == 0 && c->path[strlen(first)] == ' ') printf(" %s", c->path + strlen(first) + 1);
        snprintf(last, sizeof last, "%.*s ", (int)n, c->path);
    }
}

int run_completion(const args *a)
{
    if (strcmp(a->operands[0], "bash") != 0) {
        fprintf(stderr, "error: completion for \"%s\" is not known\n  fix:   sluice completion bash\n", a->operands[0]);
        return 2;
    }
    printf("# bash completion of sluice; put it into /etc/bash_completion.d or eval it\n_sluice() {\n    local cur=${COMP_WORDS[COMP_CWORD]} line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\"\n"
           "    local words=\"\"\n    case \"$line\" in\n");
    char last[64] = "";
    for (const command *c = commands; c->path; c++) { /* options of a command, then the nouns' second words */
        if (c->hidden) continue;
        printf("    \"%s\"*) words=\"", c->path);
        for (const opt *o = c->options; o->name; o++) printf(" --%s", o->name);
        printf(" --help\" ;;\n");
    }
    for (const command *c = commands; c->path; c++) {
        size_t n = strcspn(c->path, " ");
        char noun[64];
        snprintf(noun, sizeof noun, "%.*s", (int)n, c->path);
        if (c->hidden || !c->path[n] || strcmp(last, noun) == 0) continue;
        printf("    %s) words=\"", noun);
        put_words(noun);
        printf("\" ;;\n");
        snprintf(last, sizeof last, "%s", noun);
    }
    printf("    \"\") words=\"");
    put_words(NULL);
    printf(" help version\" ;;\n    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _sluice sluice\n");
    return 0;
}
