/* The INI file of --config: keys are option names, in [serve] or no section. */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "cmd/command.h"

#define CONFIG_MAX_BYTES (1024 * 1024)

/* Puts the values of the text into a->from_file; a key that stands several times gives one value joined by commas. name: the file, for messages.
 * ERR_BAD_INPUT: an unknown key, a line that is not "key = value" or is longer than the INI library takes, a zero byte. */
ERR_MUST_USE bool config_parse(str text, const char *name, args *a, err *e);
/* The same for the file of --config, when there is one. */
ERR_MUST_USE bool config_read(args *a, err *e);

#endif
