/* Help texts from the command tables. */
#include "cmd/help.h"

#include <string.h>

void help_overview(FILE *out)
{
    fprintf(out, "sluice: moves data between databases, controlled through the DTS OpenAPI\n\nUsage: sluice COMMAND [OPTIONS]\n\nCommands:\n");
    for (const command *c = commands; c->path; c++)
        if (!c->hidden) fprintf(out, "  %-18s %s\n", c->path, c->summary);
    fprintf(out, "\nsluice COMMAND --help shows the options of a command. Every option may also stand in the environment as SLUICE_<NAME>.\n");
}

void help_command(FILE *out, const command *c)
{
    fprintf(out, "%s\n\nUsage: sluice %s [OPTIONS]%s%s\n\nOptions:\n", c->summary, c->path, *c->operands ? " " : "", c->operands);
    for (const opt *o = c->options; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "  ", o->letter ? o->letter : ' ', o->letter ? ", " : " ", o->name, o->argument ? " " : "",
                 o->argument ? o->argument : "");
        fprintf(out, "  %-34s %s\n", left, o->help);
    }
    fprintf(out, "  %-34s %s\n", "-h,  --help", "Show this text.");
}
