/* Help texts from the command tables, as wide as the terminal. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include <stdio.h>

#include "cmd/command.h"

/* The commands of one noun ("job"), of all when it is NULL. */
void help_overview(FILE *out, const char *noun);
void help_command(FILE *out, const command *c);

#endif
