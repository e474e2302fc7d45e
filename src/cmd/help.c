/* Help texts from the command tables. */
#include "cmd/help.h"

#include <string.h>

#include "cmd/screen.h"

#define COMMAND_COLUMNS 21
#define OPTION_COLUMNS 37

static int columns_of(FILE *out)
{
    screen s = screen_of(out);
    return s.columns > 110 ? 110 : s.columns;
}

static void put_words(FILE *out, const char *text, size_t at, int columns)
{
    BUF_AUTO b = BUF_INIT;
    screen_add_words(&b, str_from_c(text), at, (size_t)columns);
    fprintf(out, "%s\n", buf_c(&b));
}

static bool belongs(const command *c, const char *noun)
{
    size_t n = noun ? strlen(noun) : 0;
    return !c->hidden && (!noun || (strncmp(c->path, noun, n) == 0 && c->path[n] == ' '));
}

void help_overview(FILE *out, const char *noun)
{
    int columns = columns_of(out);
    if (!noun) fputs("sluice moves data between databases, controlled through the DTS OpenAPI.\n\n", out);
    fprintf(out, "Usage: sluice %s%s [OPTIONS]\n\nCommands:\n", noun ? noun : "COMMAND", noun ? " COMMAND" : "");
    for (const command *c = commands; c->path; c++) {
        if (!belongs(c, noun)) continue;
        fprintf(out, "  %-*s ", COMMAND_COLUMNS - 3, c->path);
        put_words(out, c->summary, COMMAND_COLUMNS, columns);
    }
    fputc('\n', out);
    put_words(out, "sluice COMMAND --help shows the options of a command. Every option may also stand in the environment as SLUICE_<NAME>.", 0, columns);
}

void help_command(FILE *out, const command *c)
{
    int columns = columns_of(out);
    put_words(out, c->summary, 0, columns);
    fprintf(out, "\nUsage: sluice %s [OPTIONS]%s%s\n\nOptions:\n", c->path, *c->operands ? " " : "", c->operands);
    for (const opt *o = c->options; o->name; o++) {
        char left[64], letter[8] = "    ";
        if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        fprintf(out, "  %-*s ", OPTION_COLUMNS - 3, left);
        put_words(out, o->help, OPTION_COLUMNS, columns);
    }
    fprintf(out, "  %-*s Show this text.\n", OPTION_COLUMNS - 3, "-h, --help");
}
