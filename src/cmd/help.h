/* Help texts from the command tables. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

#include <stdio.h>

#include "cmd/command.h"

void help_overview(FILE *out);
void help_command(FILE *out, const command *c);

#endif
