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

#define LONG_OPTION 1000 /* what getopt_long() returns for the first option of the table */

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

/* Fills the tables of getopt_long(3) from the options of a command. */
static void option_tables(const command *c, struct option *longs, char *shorts)
{
    size_t s = 0;
    int n = 0;
    shorts[s++] = ':'; /* a missing value is told from an unknown option */
    shorts[s++] = 'h';
    for (; c->options[n].name; n++) {
        longs[n] = (struct option){c->options[n].name, c->options[n].argument ? required_argument : no_argument, NULL, LONG_OPTION + n};
        if (!c->options[n].letter) continue;
        shorts[s++] = c->options[n].letter;
        if (c->options[n].argument) shorts[s++] = ':';
    }
    longs[n] = (struct option){"help", no_argument, NULL, 'h'};
}

/* The option that getopt_long() returned, -1 when the command has none such. */
static int option_of(const command *c, int returned)
{
    if (returned >= LONG_OPTION) return returned - LONG_OPTION;
    for (int i = 0; c->options[i].name; i++)
        if (c->options[i].letter && c->options[i].letter == returned) return i;
    return -1;
}

/* Says what is wrong with the word that getopt_long() stopped at; given is argv without the words of the command. */
static bool refuse_option(const command *c, int returned, char **given)
{
    int missing = returned == ':' ? option_of(c, optopt) : -1;
    if (missing >= 0) fprintf(stderr, "error: --%s needs a value: %s\n", c->options[missing].name, c->options[missing].argument);
    else if (optopt > 0 && optopt < LONG_OPTION && strncmp(given[optind - 1], "--", 2) != 0) fprintf(stderr, "error: sluice %s has no option -%c\n", c->path, optopt);
    else if (optopt >= LONG_OPTION || optopt == 'h') fprintf(stderr, "error: %s takes no value\n", given[optind - 1]);
    else fprintf(stderr, "error: sluice %s has no option %s, or several that begin so\n", c->path, given[optind - 1]);
    return false;
}

static bool check_operands(const command *c, const args *a)
{
    bool enough = a->operand_count >= c->min_operands, few = c->max_operands < 0 || a->operand_count <= c->max_operands;
    if (enough && few) return true;
    if (!*c->operands) fprintf(stderr, "error: sluice %s takes no operands, but \"%s\" is given\n", c->path, a->operands[0]);
    else if (!enough) fprintf(stderr, "error: sluice %s needs %s\n", c->path, c->operands);
    else fprintf(stderr, "error: sluice %s takes %s only, but \"%s\" is given, too\n", c->path, c->operands, a->operands[c->max_operands]);
    return false;
}

static bool check_output(const args *a)
{
    const char *v = command_option(a->cmd, "output") >= 0 ? args_get(a, "output") : NULL;
    if (!v || strcmp(v, "json") == 0 || strcmp(v, "text") == 0) return true;
    fprintf(stderr, "error: --output is not valid: \"%s\" is not text or json\n", v);
    return false;
}

/* Options and operands; argv[0] is the last word of the command. */
static bool parse(const command *c, int argc, char **argv, args *a)
{
    struct option longs[COMMAND_MAX_OPTIONS + 2] = {0};
    char shorts[COMMAND_MAX_OPTIONS * 2 + 4] = "";
    option_tables(c, longs, shorts);
    optind = 0;
    opterr = 0;
    for (int o; (o = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (o == 'h') {
            help_command(stdout, c);
            exit(0);
        }
        int index = option_of(c, o);
        if (index < 0) return refuse_option(c, o, argv);
        a->values[index] = c->options[index].argument ? optarg : "1";
    }
    a->operands = (const char *const *)(argv + optind);
    a->operand_count = argc - optind;
    return check_operands(c, a) && check_output(a);
}

/* True when a command's path begins with this word and has another. */
static bool is_noun(const char *word)
{
    size_t n = strlen(word);
    for (const command *c = commands; c->path; c++)
        if (n && strncmp(c->path, word, n) == 0 && c->path[n] == ' ') return true;
    return false;
}

static bool is_help(const char *word) { return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0; }

/* No command begins like the words that were given. */
static int refuse_command(int argc, char **argv)
{
    bool noun = is_noun(argv[1]);
    if (noun && argc > 2 && is_help(argv[2])) return help_overview(stdout, argv[1]), 0;
    if (noun && argc == 2) return help_overview(stderr, argv[1]), EXIT_USAGE;
    fprintf(stderr, "error: there is no command \"%s%s%s\"\n", argv[1], noun ? " " : "", noun ? argv[2] : "");
    fprintf(stderr, "  fix:   sluice %s%s--help lists the commands\n", noun ? argv[1] : "", noun ? " " : "");
    return EXIT_USAGE;
}

/* sluice help [COMMAND]: argv[1] is the first word of the command. */
static int show_help(int argc, char **argv)
{
    int words;
    const command *c = find_command(argc, argv, &words);
    if (c) return help_command(stdout, c), 0;
    if (argc == 1) return help_overview(stdout, NULL), 0;
    if (argc == 2 && is_noun(argv[1])) return help_overview(stdout, argv[1]), 0;
    return refuse_command(argc, argv);
}

int command_main(int argc, char **argv)
{
    int words;
    secret_protect_process();
    if (argc < 2) return help_overview(stderr, NULL), EXIT_USAGE;
    if (is_help(argv[1])) return show_help(argc - 1, argv + 1);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) return puts("sluice " SLUICE_VERSION), 0;
    const command *c = find_command(argc, argv, &words);
    if (!c) return refuse_command(argc, argv);
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
