/* Fuzz target: the INI file of --config, for sluice serve. What is taken must be values of its options; what is refused must say why. */
#include <stdlib.h>
#include <string.h>

#include "cmd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const command *c = commands;
    err e = ERR_INIT;
    while (strcmp(c->path, "serve") != 0) c++;
    args a = {.cmd = c};
    bool ok = config_parse((str){(const char *)data, size}, "file", &a, &e);
    if (ok != (e.code == ERR_NONE) || (!ok && !*e.text)) abort();
    for (int i = 0; ok && c->options[i].name; i++) {
        const char *v = args_get(&a, c->options[i].name);
        if (a.from_file[i] && (!v || strlen(v) > size + size / 2)) abort();
    }
    for (size_t i = 0; i < COMMAND_MAX_OPTIONS; i++) free(a.from_file[i]);
    return 0;
}
