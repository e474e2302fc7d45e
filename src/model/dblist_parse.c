/* Reading the JSON text of the object list; every refusal names its path. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "model/dblist_priv.h"
#include "model/filter.h"

/* Where the parser stands; `name` of the outermost is "DbList". */
typedef struct path {
    const struct path *up;
    const char *name;
} path;

typedef struct reader {
    arena *a;
    err *e;
    uint32_t object_count; /* tables and views so far */
} reader;

static void add_path(buf *b, const path *p)
{
    if (p->up) {
        add_path(b, p->up);
        buf_add_byte(b, '.');
    }
    buf_add_c(b, p->name);
}

/* Fills the error with "path text"; `key` (may be NULL) is the last part of the path. Returns false. */
static bool refuse(const reader *r, err_code code, const path *at, const char *key, const char *text)
{
    BUF_AUTO b = {.limit = ERR_TEXT_BYTES};
    add_path(&b, at);
    if (key) {
        buf_add_byte(&b, '.');
        buf_add_c(&b, key);
    }
    return err_set(r->e, code, "%s %s", buf_c(&b), text);
}

static bool no_memory(const reader *r) { return err_no_memory(r->e, "the object list"); }

static bool check_name(const reader *r, const path *at, const char *key, const char *name)
{
    size_t chars = 0, n = strlen(name);
    for (size_t i = 0; i < n; i++) chars += ((uint8_t)name[i] & 0xc0) != 0x80;
    if (n == 0) return refuse(r, ERR_BAD_INPUT, at, key, "is an empty name");
    if (chars > DBLIST_MAX_NAME_CHARS) return refuse(r, ERR_LIMIT, at, key, "is a name of more than 64 characters");
    if (name[n - 1] == ' ') return refuse(r, ERR_BAD_INPUT, at, key, "is a name that ends with a space, which MySQL does not allow");
    return true;
}

/* The target name: member `name`, or the key itself when it is absent or null. */
static bool read_names(const reader *r, const path *at, json_t *object, str *ret_name, str *ret_target)
{
    if (!check_name(r, at, NULL, at->name)) return false;
    const char *target = at->name;
    json_t *name = json_object_get(object, "name");
    if (name && !json_is_null(name)) {
        if (!json_is_string(name)) return refuse(r, ERR_BAD_INPUT, at, "name", "must be a string");
        target = json_string_value(name);
        if (!check_name(r, at, "name", target)) return false;
    }
    *ret_name = arena_copy(r->a, str_from_c(at->name));
    *ret_target = arena_copy(r->a, str_from_c(target));
    return (ret_name->p && ret_target->p) || no_memory(r);
}

/* Member `all`: true, false, or the same as text. */
static bool read_all(const reader *r, const path *at, json_t *object, bool *ret_given, bool *ret_all)
{
    json_t *all = json_object_get(object, "all");
    *ret_given = all && !json_is_null(all);
    *ret_all = true;
    if (!*ret_given) return true;
    if (json_is_boolean(all)) {
        *ret_all = json_is_true(all);
        return true;
    }
    if (json_is_string(all) && str_to_bool(str_from_c(json_string_value(all)), ret_all)) return true;
    return refuse(r, ERR_BAD_INPUT, at, "all", "must be true or false");
}

/* A member that says nothing: absent, null, "", {} or []. */
static bool is_blank(json_t *member)
{
    return !member || json_is_null(member) || (json_is_string(member) && json_string_length(member) == 0) ||
           (json_is_object(member) && json_object_size(member) == 0) || (json_is_array(member) && json_array_size(member) == 0);
}

/* Does the comma list name inserts, updates and deletes? ("i,u,d", "insert,update,delete", "all") */
static bool means_every_change(const char *list)
{
    unsigned seen = 0;
    str rest = str_from_c(list), piece;
    while (str_split_next(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_eq_nocase(piece, STR("all")) || str_eq(piece, STR("*"))) seen |= 7;
        else if (str_eq_nocase(piece, STR("i")) || str_eq_nocase(piece, STR("insert"))) seen |= 1;
        else if (str_eq_nocase(piece, STR("u")) || str_eq_nocase(piece, STR("update"))) seen |= 2;
        else if (str_eq_nocase(piece, STR("d")) || str_eq_nocase(piece, STR("delete"))) seen |= 4;
        else return false;
    }
    return seen == 7;
}

static bool check_operations(const reader *r, const path *at, json_t *object)
{
    json_t *dml = json_object_get(object, "dml_op"), *ddl = json_object_get(object, "ddl_op");
    if (!is_blank(dml)) {
        if (!json_is_string(dml)) return refuse(r, ERR_BAD_INPUT, at, "dml_op", "must be a string");
        if (!means_every_change(json_string_value(dml)))
            return refuse(r, ERR_NOT_SUPPORTED, at, "dml_op", "selects some operations only; all are replicated: write \"i,u,d\" or remove it");
    }
    if (!is_blank(ddl)) {
        if (!json_is_string(ddl)) return refuse(r, ERR_BAD_INPUT, at, "ddl_op", "must be a string");
        str text = str_trim(str_from_c(json_string_value(ddl)));
        if (!str_eq_nocase(text, STR("all")) && !str_eq(text, STR("*")))
            return refuse(r, ERR_NOT_SUPPORTED, at, "ddl_op", "selects schema changes one by one, which is not possible: remove it");
    }
    return true;
}

/* Keys of the format that change what is selected or written and have no counterpart here. `harmless` is a value that means the normal case. */
static const struct {
    const char *key, *harmless;
} refused_keys[] = {
    {"patternType", "BARE_NAME"}, {"filterType", "WHITE"},   {"grayName", NULL},       {"grayNameMatchWay", "EXACT"}, {"attachColumn", NULL},
    {"attach_column", NULL},      {"part_db_key", NULL},     {"part_tab_key", NULL},   {"tab_num_eachdb", NULL},      {"defaultValue", NULL},
    {"value", NULL},              {"Synonym", NULL},         {"Procedure", NULL},      {"Function", NULL},            {"Type", NULL},
    {"Rule", NULL},               {"Default", NULL},         {"Plan", NULL},           {"Package", NULL},             {"Sequence", NULL},
    {"Domain", NULL},             {"Aggregate", NULL},       {"Operator", NULL},       {"Extension", NULL},           {"Job", NULL},
    {"Trigger", NULL},            {"Event", NULL},
};

static const char *const steering_keys[] = {"name", "all", "Table", "View", "column", "filter", "dml_op", "ddl_op", "patternType", "filterType"};

/* Refuses members that would be dropped silently: unsupported keys and known keys in another case. */
static bool check_keys(const reader *r, const path *at, json_t *object)
{
    for (size_t i = 0; i < sizeof refused_keys / sizeof *refused_keys; i++) {
        json_t *member = json_object_get(object, refused_keys[i].key);
        if (is_blank(member)) continue;
        if (refused_keys[i].harmless && json_is_string(member) && strcmp(json_string_value(member), refused_keys[i].harmless) == 0) continue;
        return refuse(r, ERR_NOT_SUPPORTED, at, refused_keys[i].key,
                      "changes what is selected or written in a way that is not supported: remove it and list the objects one by one");
    }
    const char *key;
    json_t *member;
    json_object_foreach(object, key, member) {
        for (size_t i = 0; i < sizeof steering_keys / sizeof *steering_keys; i++) {
            if (strcmp(key, steering_keys[i]) == 0 || !str_eq_nocase(str_from_c(key), str_from_c(steering_keys[i]))) continue;
            char text[80];
            snprintf(text, sizeof text, "is not a key of the object list: write %s", steering_keys[i]);
            return refuse(r, ERR_BAD_INPUT, at, key, text);
        }
    }
    return check_operations(r, at, object);
}

/* Refuses a member that has its meaning on another level only. */
static bool refuse_member(const reader *r, const path *at, json_t *object, const char *key, const char *text)
{
    return is_blank(json_object_get(object, key)) || refuse(r, ERR_BAD_INPUT, at, key, text);
}

static bool read_columns(const reader *r, const path *table, json_t *columns, listed_object *o)
{
    path list = {table, "column"};
    if (!json_is_object(columns)) return refuse(r, ERR_BAD_INPUT, &list, NULL, "must be an object: {\"source column\": {\"name\": \"target column\"}}");
    size_t count = json_object_size(columns);
    if (count > TABLE_MAX_COLUMNS) return refuse(r, ERR_LIMIT, &list, NULL, "lists more than 4096 columns");
    o->columns = arena_array(r->a, count, sizeof *o->columns);
    if (!o->columns) return no_memory(r);
    const char *key;
    json_t *member;
    json_object_foreach(columns, key, member) {
        path at = {&list, key};
        if (!json_is_object(member)) return refuse(r, ERR_BAD_INPUT, &at, NULL, "must be an object: {\"name\": \"target column\"}");
        listed_column *c = &o->columns[o->column_count];
        if (!check_keys(r, &at, member) || !read_names(r, &at, member, &c->name, &c->target)) return false;
        if (!refuse_member(r, &at, member, "filter", "belongs to the table, not to a column")) return false;
        o->column_count++;
    }
    return true;
}

static bool read_filter(const reader *r, const path *at, json_t *object, str *ret)
{
    json_t *member = json_object_get(object, "filter");
    *ret = STR_NULL;
    if (is_blank(member)) return true;
    if (!json_is_string(member)) return refuse(r, ERR_BAD_INPUT, at, "filter", "must be a string with a SQL condition");
    str text = {json_string_value(member), json_string_length(member)};
    if (text.n > FILTER_MAX_BYTES) return refuse(r, ERR_LIMIT, at, "filter", "has more than 65536 bytes");
    text = str_trim(text);
    if (text.n == 0) return true;
    *ret = arena_copy(r->a, text);
    return ret->p || no_memory(r);
}

static bool read_object(const reader *r, const path *at, json_t *object, bool is_view, listed_object *o)
{
    if (!json_is_object(object)) return refuse(r, ERR_BAD_INPUT, at, NULL, "must be an object: {\"name\": \"target name\"}");
    bool given, all;
    if (!check_keys(r, at, object) || !read_names(r, at, object, &o->name, &o->target) || !read_all(r, at, object, &given, &all)) return false;
    json_t *columns = json_object_get(object, "column");
    if (is_view) {
        o->every_column = true;
        return refuse_member(r, at, object, "column", "is not possible for a view: change the view's definition") &&
               refuse_member(r, at, object, "filter", "is not possible for a view: change the view's definition") &&
               (all || refuse(r, ERR_BAD_INPUT, at, "all", "is false: a view is moved whole or not listed"));
    }
    if (!read_filter(r, at, object, &o->filter)) return false;
    o->every_column = given ? all : is_blank(columns);
    if (!is_blank(columns)) return read_columns(r, at, columns, o);
    return o->every_column || refuse(r, ERR_BAD_INPUT, at, NULL, "selects nothing: all is false and no column is listed");
}

static bool read_objects(reader *r, const path *database, json_t *object, const char *kind, bool is_view, listed_objects *ret)
{
    json_t *map = json_object_get(object, kind);
    if (is_blank(map)) return true;
    path list = {database, kind};
    if (!json_is_object(map)) return refuse(r, ERR_BAD_INPUT, &list, NULL, "must be an object: {\"source name\": {\"name\": \"target name\"}}");
    size_t count = json_object_size(map);
    if (count > TABLE_MAX_COUNT - r->object_count) return refuse(r, ERR_LIMIT, &list, NULL, "brings the list over 100000 objects");
    r->object_count += (uint32_t)count;
    ret->items = arena_array(r->a, count, sizeof *ret->items);
    ret->names = arena_array(r->a, count, sizeof *ret->names);
    if (!ret->items || !ret->names) return no_memory(r);
    const char *key;
    json_t *member;
    json_object_foreach(map, key, member) {
        path at = {&list, key};
        if (!read_object(r, &at, member, is_view, &ret->items[ret->count])) return false;
        ret->names[ret->count] = ret->items[ret->count].name;
        ret->count++;
    }
    return dblist_sort_names(r->a, ret->names, ret->count, &ret->index) || no_memory(r);
}

static bool read_database(reader *r, const path *at, json_t *object, listed_database *d)
{
    if (!json_is_object(object)) return refuse(r, ERR_BAD_INPUT, at, NULL, "must be an object: {\"name\": \"target database\", \"all\": true}");
    bool given;
    if (!check_keys(r, at, object) || !read_names(r, at, object, &d->name, &d->target) || !read_all(r, at, object, &given, &d->whole)) return false;
    if (!refuse_member(r, at, object, "filter", "belongs to a table, not to a database")) return false;
    if (!refuse_member(r, at, object, "column", "belongs to a table, not to a database")) return false;
    if (!read_objects(r, at, object, "Table", false, &d->tables) || !read_objects(r, at, object, "View", true, &d->views)) return false;
    return d->whole || d->tables.count || d->views.count ||
           refuse(r, ERR_BAD_INPUT, at, NULL, "selects nothing: all is false and no Table or View is listed");
}

/* Tables and views of one target database share its names: no two listed ones may meet. */
static bool check_collisions(const reader *r, const dblist *l)
{
    uint32_t count = r->object_count, at = 0, *order;
    str *targets = arena_array(r->a, count, sizeof *targets), *sources = arena_array(r->a, count, sizeof *sources);
    if (!targets || !sources) return no_memory(r);
    for (uint32_t i = 0; i < l->count; i++) {
        const listed_database *d = &l->items[i];
        for (uint32_t k = 0; k < d->tables.count + d->views.count; k++) {
            const listed_object *o = k < d->tables.count ? &d->tables.items[k] : &d->views.items[k - d->tables.count];
            /* The length before them keeps a dot in a name from moving the border. */
            targets[at] = arena_printf(r->a, "%zu:%.*s.%.*s", d->target.n, STR_ARG(d->target), STR_ARG(o->target));
            sources[at] = arena_printf(r->a, "%.*s.%.*s", STR_ARG(d->name), STR_ARG(o->name));
            if (!targets[at].p || !sources[at].p) return no_memory(r);
            at++;
        }
    }
    if (!dblist_sort_names(r->a, targets, count, &order)) return no_memory(r);
    for (uint32_t i = 1; i < count; i++) {
        str target = targets[order[i]];
        if (!str_eq(target, targets[order[i - 1]])) continue;
        target = str_sub(target, str_find_byte(target, ':', 0) + 1, SIZE_MAX);
        return err_set(r->e, ERR_BAD_INPUT, "DbList maps both %.*s and %.*s to %.*s: give one of them another name", STR_ARG(sources[order[i - 1]]),
                       STR_ARG(sources[order[i]]), STR_ARG(target));
    }
    return true;
}

static bool read_list(reader *r, json_t *root, dblist **ret)
{
    path top = {NULL, "DbList"};
    if (!json_is_object(root)) return refuse(r, ERR_BAD_INPUT, &top, NULL, "must be a JSON object: {\"database\": {\"name\": \"database\", \"all\": true}}");
    size_t count = json_object_size(root);
    if (count == 0) return refuse(r, ERR_BAD_INPUT, &top, NULL, "selects nothing: list a database");
    if (count > TABLE_MAX_COUNT) return refuse(r, ERR_LIMIT, &top, NULL, "lists more than 100000 databases");
    dblist *l = arena_alloc(r->a, sizeof *l);
    if (!l || !(l->items = arena_array(r->a, count, sizeof *l->items)) || !(l->names = arena_array(r->a, count, sizeof *l->names))) return no_memory(r);
    const char *key;
    json_t *member;
    json_object_foreach(root, key, member) {
        path at = {&top, key};
        if (!read_database(r, &at, member, &l->items[l->count])) return false;
        l->names[l->count] = l->items[l->count].name;
        l->count++;
    }
    if (!dblist_sort_names(r->a, l->names, l->count, &l->index)) return no_memory(r);
    if (!check_collisions(r, l)) return false;
    *ret = l;
    return true;
}

/* Nesting of the text, so that no parser recurses deeper than the limit. */
static bool too_deep(str json)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (quoted) {
            if (c == '\\') i++;
            else if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DBLIST_MAX_DEPTH) return true;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return false;
}

bool dblist_parse(str json, arena *a, dblist **ret, err *e)
{
    if (json.n > DBLIST_MAX_BYTES) return err_set(e, ERR_LIMIT, "DbList has %zu bytes, at most %d are allowed", json.n, DBLIST_MAX_BYTES);
    if (too_deep(json)) return err_set(e, ERR_LIMIT, "DbList is nested deeper than %d levels", DBLIST_MAX_DEPTH);
    json_error_t problem;
    json_t *root = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!root)
        return err_set(e, ERR_BAD_INPUT, "DbList is not valid JSON: %s (line %d, column %d)", problem.text, problem.line, problem.column);
    reader r = {.a = a, .e = e};
    bool ok = read_list(&r, root, ret);
    json_decref(root);
    return ok;
}
