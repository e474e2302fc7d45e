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
         "SLUICE\\_SOURCE\\_PASSWORD, SLUICE\\_TARGET\\_PASSWORD, SLUICE\\_LEFTOVER\\_PASSWORD. A switch is not given when its variable is 0, no, off or "
         "false. The command line wins over the environment, the environment over the file of --config.\n\n*sluice serve* tells the service manager "
         "READY=1 and STOPPING=1 (NOTIFY\\_SOCKET), and WATCHDOG=1 as often as WATCHDOG\\_USEC asks while its supervisor works.\n\n# EXIT STATUS\n");
    static const char *const meanings[] = {[0] = "done", [1] = "internal error", [2] = "bad usage or input", [3] = "differences found", [4] = "precheck failed",
                                           [5] = "the service cannot be reached", [6] = "signature or permission refused", [7] = "source database",
                                           [8] = "destination database", [9] = "not found or wrong state", [10] = "timed out"};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) printf("*%zu*\n\t%s\n\n", i, meanings[i]);
    puts("*130*\n\tinterrupted; the job goes on");
    return 0;
}

#define COMPLETION_NAME_BYTES 64
#define COMPLETION_WORDS 4 /* longest path of a command */

static size_t count_words(const char *path)
{
    size_t n = 1;
    for (; *path; path++) n += *path == ' ';
    return n;
}

/* Is path the first words of another command ("job" of "job list"), with `first` as these words? */
static bool begins_with_words(const char *path, const char *first)
{
    size_t n = strlen(first);
    return strncmp(path, first, n) == 0 && path[n] == ' ';
}

/* The words that may follow `first`, each once; "" is the beginning of the line. */
static void put_next_words(const char *first)
{
    char last[COMPLETION_NAME_BYTES] = "";
    for (const command *c = commands; c->path; c++) {
        if (c->hidden || (*first && !begins_with_words(c->path, first))) continue;
        const char *rest = *first ? c->path + strlen(first) + 1 : c->path;
        char word[COMPLETION_NAME_BYTES];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(rest, " "), rest);
        if (strcmp(word, last) != 0) printf(" %s", word);
        snprintf(last, sizeof last, "%s", word);
    }
}

/* One case of the line so far: a whole command, alone or before more words, gives its options. */
static void put_command_case(const command *c)
{
    printf("    \"%s\"|\"%s \"*) words=\"", c->path, c->path);
    for (const opt *o = c->options; o->name; o++) printf("--%s ", o->name);
    printf("--help\" values=\"");
    for (const opt *o = c->options; o->name; o++) {
        if (o->argument) printf(" --%s", o->name);
        if (o->argument && o->letter) printf(" -%c", o->letter);
    }
    printf(" \" ;;\n");
}

/* The cases of nouns ("job"): commands of a noun stand side by side in the table, so a noun is printed at its first command. */
static void put_noun_cases(void)
{
    char last[COMPLETION_NAME_BYTES] = "";
    for (const command *c = commands; c->path; c++) {
        char noun[COMPLETION_NAME_BYTES];
        size_t n = strcspn(c->path, " ");
        snprintf(noun, sizeof noun, "%.*s", (int)n, c->path);
        if (c->hidden || !c->path[n] || strcmp(last, noun) == 0) continue;
        printf("    \"%s\") words=\"", noun);
        put_next_words(noun);
        printf("\" ;;\n");
        snprintf(last, sizeof last, "%s", noun);
    }
}

int run_completion(const args *a)
{
    if (strcmp(a->operands[0], "bash") != 0) {
        fprintf(stderr, "error: completion for \"%s\" is not known\n  fix:   sluice completion bash\n", a->operands[0]);
        return 2;
    }
    printf("# bash completion of sluice; put it into /etc/bash_completion.d or eval it\n_sluice() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" words=\"\" values=\"\"\n"
           "    case \"$line\" in\n    \"\") words=\"");
    put_next_words("");
    printf(" help version\" ;;\n");
    put_noun_cases();
    for (size_t words = COMPLETION_WORDS; words > 0; words--) /* the first matching case counts: longer paths come first */
        for (const command *c = commands; c->path; c++)
            if (!c->hidden && count_words(c->path) == words) put_command_case(c);
    printf("    esac\n    COMPREPLY=()\n    case \"$values\" in *\" $before \"*) return ;; esac # the value of an option: file names\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _sluice sluice\n");
    return 0;
}
