/* Finding and running a command; options from command line, environment and INI file. */
#include "cmd/command.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/secret.h"
#include "cmd/config.h"
#include "cmd/help.h"

#define EXIT_USAGE 2

int command_fail(const err *e)
{
    fprintf(stderr, "error: %s\n  fix:   %s\n  code:  %s\n", e->text, err_fix(e->code), err_name(e->code));
    return err_exit_status(e->code);
}

int command_option(const command *c, const char *name)
{
    for (int i = 0; c->options[i].name; i++)
        if (strcmp(c->options[i].name, name) == 0) return i;
    return -1;
}

static const char *from_environment(const char *name)
{
    char variable[128] = "SLUICE_";
    size_t n = strlen(variable);
    for (; *name && n + 1 < sizeof variable; name++) variable[n++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    variable[n] = 0;
    const char *v = getenv(variable);
    return v && *v ? v : NULL;
}

static bool is_no(const char *v)
{
    static const char *const words[] = {"0", "no", "off", "false"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(v, words[i]) == 0) return true;
    return false;
}

const char *args_get(const args *a, const char *name)
{
    int i = command_option(a->cmd, name);
    const char *v = i >= 0 && a->values[i] ? a->values[i] : from_environment(name);
    if (!v && i >= 0) v = a->from_file[i];
    return v && i >= 0 && !a->cmd->options[i].argument && is_no(v) ? NULL : v;
}

bool args_has(const args *a, const char *name) { return args_get(a, name) != NULL; }

bool args_json(const args *a)
{
    const char *v = args_get(a, "output");
    return v && strcmp(v, "json") == 0;
}

bool args_number(const args *a, const char *name, int64_t low, int64_t high, int64_t absent, int64_t *ret, err *e)
{
    const char *v = args_get(a, name);
    if (!v) return *ret = absent, true;
    int64_t n;
    if (str_to_i64(str_from_c(v), &n) && n >= low && n <= high) return *ret = n, true;
    return err_set(e, ERR_BAD_INPUT, "--%s is not valid: \"%s\" is not a number from %lld to %lld", name, v, (long long)low, (long long)high);
}

/* The command with the longest path that argv begins with; *ret_words = words of its path. */
static const command *find_command(int argc, char **argv, int *ret_words)
{
    const command *best = NULL;
    *ret_words = 0;
    for (const command *c = commands; c->path; c++) {
        char path[64];
        int words = 0;
        snprintf(path, sizeof path, "%s", c->path);
        char *save = NULL;
        bool same = true;
        for (char *w = strtok_r(path, " ", &save); w && same; w = strtok_r(NULL, " ", &save), words++)
            same = words + 1 < argc && strcmp(argv[words + 1], w) == 0;
        if (same && words > *ret_words) {
            best = c;
            *ret_words = words;
        }
    }
    return best;
}

static bool parse(const command *c, int argc, char **argv, args *a)
{
    struct option longs[COMMAND_MAX_OPTIONS + 2] = {0};
    char shorts[COMMAND_MAX_OPTIONS * 2 + 3] = "h";
    int n = 0;
    size_t s = 1;
    for (; c->options[n].name; n++) {
        longs[n] = (struct option){c->options[n].name, c->options[n].argument ? required_argument : no_argument, NULL, 1000 + n};
        if (!c->options[n].letter) continue;
        shorts[s++] = c->options[n].letter;
        if (c->options[n].argument) shorts[s++] = ':';
    }
    longs[n] = (struct option){"help", no_argument, NULL, 'h'};
    optind = 0;
    for (int o; (o = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (o == 'h') {
            help_command(stdout, c);
            exit(0);
        }
        int index = o >= 1000 ? o - 1000 : -1;
        for (int i = 0; index < 0 && i < n; i++)
            if (c->options[i].letter == o) index = i;
        if (index < 0) return false;
        a->values[index] = c->options[index].argument ? optarg : "1";
    }
    a->operands = (const char *const *)(argv + optind);
    a->operand_count = argc - optind;
    if (a->operand_count >= c->min_operands && (c->max_operands < 0 || a->operand_count <= c->max_operands)) return true;
    fprintf(stderr, "error: sluice %s takes %s\n", c->path, *c->operands ? c->operands : "no operands");
    return false;
}

int command_main(int argc, char **argv)
{
    int words;
    secret_protect_process();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help_overview(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : 0;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) return puts("sluice " SLUICE_VERSION), 0;
    const command *c = find_command(argc, argv, &words);
    if (!c) {
        fprintf(stderr, "error: there is no command \"%s%s%s\"\n  fix:   sluice --help lists the commands\n", argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
        return EXIT_USAGE;
    }
    args a = {.cmd = c};
    err e = ERR_INIT;
    if (!parse(c, argc - words, argv + words, &a)) {
        fprintf(stderr, "  fix:   sluice %s --help\n", c->path);
        return EXIT_USAGE;
    }
    int status = config_read(&a, &e) ? c->run(&a) : command_fail(&e);
    for (size_t i = 0; i < COMMAND_MAX_OPTIONS; i++) free(a.from_file[i]);
    return status;
}
