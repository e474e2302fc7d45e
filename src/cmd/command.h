/* Commands and options as tables: parsing, help, man page and completion come from them. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "base/err.h"

#define COMMAND_MAX_OPTIONS 40
#define EXIT_USAGE 2
#define EXIT_INTERRUPTED 130 /* Ctrl-C; the job goes on */

typedef struct opt {
    const char *name;      /* long name without dashes; SLUICE_<NAME> and the INI key come from it */
    char letter;           /* short form, 0 = none */
    const char *argument;  /* name of its value, NULL for a switch */
    const char *help;      /* one sentence */
} opt;

typedef struct args args;

typedef struct command {
    const char *path;      /* "key create" */
    const char *operands;  /* "ID ..." or "" */
    int min_operands, max_operands; /* max -1: any */
    const char *summary;   /* one sentence */
    const opt *options;    /* ends with name == NULL */
    int (*run)(const args *a); /* returns the exit status */
    bool hidden;           /* roles that serve starts */
} command;

struct args {
    const command *cmd;
    const char *values[COMMAND_MAX_OPTIONS]; /* of the command line, by index of cmd->options; a switch that was given has "1" */
    char *from_file[COMMAND_MAX_OPTIONS];    /* of --config; owned */
    const char *const *operands;
    int operand_count;
};

/* The index of an option by its long name, -1 when the command has none of this name. */
int command_option(const command *c, const char *name);
/* From the command line, else the environment (SLUICE_NAME), else the file of --config; NULL when nowhere. A switch that environment or file set to
 * 0, no, off or false is not given. */
const char *args_get(const args *a, const char *name);
bool args_has(const args *a, const char *name);
/* A number in [low, high]; `absent` when not given. ERR_BAD_INPUT names the option. */
ERR_MUST_USE bool args_number(const args *a, const char *name, int64_t low, int64_t high, int64_t absent, int64_t *ret, err *e);
/* --output json? */
bool args_json(const args *a);
/* Every command, ended by path == NULL. */
extern const command commands[];
/* Finds the command of argv, parses, runs; returns the exit status. */
int command_main(int argc, char **argv);
/* Prints "error: ..., where/fix/code lines" of e on stderr; returns its exit status. */
int command_fail(const err *e);

#endif
