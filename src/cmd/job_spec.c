/* URLs, passwords and object lists of the command line. */
#include "cmd/job_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"

bool job_url_parse(const char *text, const char *option, job_url *ret, err *e)
{
    str s = str_from_c(text);
    size_t scheme = str_find(s, STR("://"));
    if (scheme == SIZE_MAX || scheme == 0)
        return err_set(e, ERR_BAD_INPUT, "%s is not valid: write ENGINE://USER@HOST:PORT/DATABASE, for example mysql://dts@10.0.0.5:3306/shop", option);
    job_url u = {.engine = str_sub(s, 0, scheme)};
    str rest = str_sub(s, scheme + 3, SIZE_MAX);
    size_t at = str_find_byte(rest, '@', 0);
    if (at != SIZE_MAX) {
        u.user = str_sub(rest, 0, at);
        rest = str_sub(rest, at + 1, SIZE_MAX);
    }
    if (str_find_byte(u.user, ':', 0) != SIZE_MAX)
        return err_set(e, ERR_BAD_INPUT, "%s holds a password, which every user of this host could read: leave it out and set SLUICE_SOURCE_PASSWORD or SLUICE_TARGET_PASSWORD", option);
    size_t slash = str_find_byte(rest, '/', 0);
    str host = str_sub(rest, 0, slash);
    u.database = slash == SIZE_MAX ? STR("") : str_sub(rest, slash + 1, SIZE_MAX);
    size_t colon = host.n && host.p[0] == '[' ? str_find_byte(host, ':', str_find_byte(host, ']', 0)) : str_find_byte(host, ':', 0);
    u.host = str_sub(host, 0, colon);
    if (u.host.n > 2 && u.host.p[0] == '[') u.host = str_sub(u.host, 1, u.host.n - 2);
    u.port = colon == SIZE_MAX ? (str_eq(u.engine, STR("postgresql")) ? STR("5432") : STR("3306")) : str_sub(host, colon + 1, SIZE_MAX);
    uint64_t port;
    if (u.host.n == 0) return err_set(e, ERR_BAD_INPUT, "%s is not valid: it names no host", option);
    if (!str_to_u64(u.port, &port) || port == 0 || port > 65535)
        return err_set(e, ERR_BAD_INPUT, "%s is not valid: \"%.*s\" is not a port from 1 to 65535", option, STR_ARG(u.port));
    *ret = u;
    return true;
}

static bool ask_password(const char *end, const job_url *u, secret *ret, err *e)
{
    struct termios old, silent;
    FILE *tty = fopen("/dev/tty", "r+");
    if (!tty)
        return err_set(e, ERR_BAD_INPUT, "no password for the %s: set SLUICE_%s_PASSWORD or give --%s-password-file", end, strcmp(end, "source") ? "TARGET" : "SOURCE", end);
    fprintf(tty, "Password of %.*s at the %s %.*s: ", STR_ARG(u->user), end, STR_ARG(u->host));
    fflush(tty);
    int fd = fileno(tty);
    bool quiet = tcgetattr(fd, &old) == 0;
    silent = old;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (quiet) tcsetattr(fd, TCSANOW, &silent);
    char line[SECRET_MAX_BYTES];
    bool got = fgets(line, sizeof line, tty) != NULL;
    if (quiet) tcsetattr(fd, TCSANOW, &old);
    fputc('\n', tty);
    fclose(tty);
    bool ok = got && secret_set(ret, (str){line, strcspn(line, "\n")}, e);
    secret_zero(line, sizeof line);
    return ok || (got ? false : err_set(e, ERR_BAD_INPUT, "no password given for the %s", end));
}

bool job_password(const args *a, const char *end, const job_url *u, secret *ret, err *e)
{
    char option[64];
    bool source = strcmp(end, "source") == 0;
    const char *value = getenv(source ? "SLUICE_SOURCE_PASSWORD" : "SLUICE_TARGET_PASSWORD");
    if (value) return secret_set(ret, str_from_c(value), e);
    snprintf(option, sizeof option, "%s-password-file", end);
    const char *path = args_get(a, option);
    if (!path) return ask_password(end, u, ret, e);
    arena mem;
    str text;
    arena_init(&mem, 4096, 0);
    bool ok = file_read(path, SECRET_MAX_BYTES, &mem, &text, e);
    if (ok) {
        while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r')) text.n--;
        ok = secret_set(ret, text, e);
        secret_zero((char *)(uintptr_t)text.p, text.n);
    }
    arena_finish(&mem);
    return ok;
}

/* name of a member object, created when missing */
static json_t *child(json_t *o, const char *key)
{
    json_t *c = json_object_get(o, key);
    if (!c) {
        c = json_object();
        json_object_set_new(o, key, c);
    }
    return c;
}

static void set_entry(json_t *o, const char *key, const char *name, bool all)
{
    json_t *entry = child(o, key);
    json_object_set_new(entry, "name", json_string(name));
    json_object_set_new(entry, "all", json_boolean(all));
}

static bool add_object(json_t *root, str item, arena *a, err *e)
{
    size_t eq = str_find_byte(item, '=', 0), dot = str_find_byte(str_sub(item, 0, eq), '.', 0);
    str left = str_trim(str_sub(item, 0, eq)), to = eq == SIZE_MAX ? STR_NULL : str_trim(str_sub(item, eq + 1, SIZE_MAX));
    char *db = arena_copy_c(a, str_sub(left, 0, dot)), *table = dot == SIZE_MAX ? NULL : arena_copy_c(a, str_sub(left, dot + 1, SIZE_MAX));
    if (!db || !*db || (table && !*table) || (to.p && !to.n))
        return err_set(e, ERR_BAD_INPUT, "--objects: \"%.*s\" is not DATABASE, DATABASE=NEW, DATABASE.TABLE or DATABASE.TABLE=NEW", STR_ARG(item));
    if (!table) {
        set_entry(root, db, to.p ? arena_copy_c(a, to) : db, true);
        return true;
    }
    if (!json_object_get(root, db)) set_entry(root, db, db, false);
    json_t *entry = json_object_get(root, db);
    json_object_set_new(entry, "all", json_false());
    set_entry(child(entry, "Table"), table, to.p ? arena_copy_c(a, to) : table, true);
    return true;
}

bool job_objects(const char *list, arena *a, str *ret, err *e)
{
    json_t *root = json_object();
    str rest = str_from_c(list), item;
    bool ok = true;
    while (ok && str_split_next(&rest, ',', &item)) ok = add_object(root, str_trim(item), a, e);
    if (ok) {
        char *text = json_dumps(root, JSON_COMPACT);
        *ret = arena_copy(a, str_from_c(text));
        free(text);
        ok = ret->p || err_no_memory(e, "the object list");
    }
    json_decref(root);
    return ok;
}

void job_endpoint_params(client_params *p, bool target, const job_url *u, const secret *password)
{
    client_param_c(p, target ? "DestinationEndpointInstanceType" : "SourceEndpointInstanceType", "OTHER");
    client_param(p, target ? "DestinationEndpointEngineName" : "SourceEndpointEngineName", u->engine);
    client_param(p, target ? "DestinationEndpointIP" : "SourceEndpointIP", u->host);
    client_param(p, target ? "DestinationEndpointPort" : "SourceEndpointPort", u->port);
    client_param(p, target ? "DestinationEndpointUserName" : "SourceEndpointUserName", u->user);
    client_param(p, target ? "DestinationEndpointPassword" : "SourceEndpointPassword", secret_str(password));
    if (u->database.n) client_param(p, target ? "DestinationEndpointDataBaseName" : "SourceEndpointDatabaseName", u->database);
}
