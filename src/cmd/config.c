/* The INI file of --config. */
#include "cmd/config.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* inih as Debian builds it cuts longer lines in two (INI_MAX_LINE 200 with the NUL and the line's end; measured on 56-1). */
#define LINE_BYTES 198

typedef struct reading {
    args *a;
    const char *name;
    err *e;
    bool bad;
} reading;

static int on_value(void *user, const char *section, const char *name, const char *value)
{
    reading *r = user;
    if (r->bad || (*section && strcmp(section, "serve") != 0)) return 1;
    int i = command_option(r->a->cmd, name);
    if (i < 0 || strcmp(name, "config") == 0) {
        r->bad = true;
        err_set(r->e, ERR_BAD_INPUT, "%s has the unknown key \"%.100s\": the keys are the option names of sluice %s --help", r->name, name, r->a->cmd->path);
        return 0;
    }
    char *before = r->a->from_file[i], *joined = NULL;
    if (asprintf(&joined, "%s%s%s", before ? before : "", before ? "," : "", value) < 0) {
        r->bad = true;
        err_no_memory(r->e, "the configuration");
        return 0;
    }
    free(before);
    r->a->from_file[i] = joined;
    return 1;
}

static bool check_lines(str text, const char *name, err *e)
{
    str line;
    if (str_find_byte(text, 0, 0) != SIZE_MAX) return err_set(e, ERR_BAD_INPUT, "%s is not a text: it holds a zero byte", name);
    for (size_t n = 1; str_split_next(&text, '\n', &line); n++)
        if (line.n > LINE_BYTES)
            return err_set(e, ERR_BAD_INPUT, "%s line %zu is longer than %d bytes: spread a list over several lines with the same key", name, n, LINE_BYTES);
    return true;
}

bool config_parse(str text, const char *name, args *a, err *e)
{
    reading r = {a, name, e, false};
    if (!check_lines(text, name, e)) return false;
    char *copy = strndup(text.n ? text.p : "", text.n);
    if (!copy) return err_no_memory(e, "the configuration");
    int line = ini_parse_string(copy, on_value, &r);
    free(copy);
    if (line == 0 || r.bad) return !r.bad;
    return line < 0 ? err_no_memory(e, "the configuration") : err_set(e, ERR_BAD_INPUT, "%s line %d is not \"key = value\"", name, line);
}

bool config_read(args *a, err *e)
{
    const char *path = command_option(a->cmd, "config") >= 0 ? args_get(a, "config") : NULL;
    arena mem;
    str text;
    if (!path) return true;
    arena_init(&mem, 16 * 1024, 0);
    bool ok = file_read(path, CONFIG_MAX_BYTES, &mem, &text, e) && config_parse(text, path, a, e);
    arena_finish(&mem);
    return ok;
}
