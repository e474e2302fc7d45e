/* The golden value texts of tests/golden/pg_text, for the tests of the value codecs. */
#ifndef TESTS_PG_GOLDEN_H
#define TESTS_PG_GOLDEN_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

static inline str golden_str(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) ? (str){json_string_value(v), json_string_length(v)} : STR_NULL;
}

static inline bool golden_has(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return v && !json_is_null(v);
}

static inline int64_t golden_int(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_string(v)) {
        int64_t i = 0;
        assert_true(str_to_i64(golden_str(object, key), &i));
        return i;
    }
    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

/* Calls `each` for every value of the kind in all files; at least `least` in each file. */
static inline void golden_each(const char *kind, unsigned least, void (*each)(const json_t *value))
{
    const char *root = getenv("SLUICE_TEST_DATA");
    arena a = {0};
    str folder = arena_printf(&a, "%s/pg_text", root ? root : "tests/golden");
    DIR *d = opendir(folder.p);
    assert_non_null(d);
    unsigned files = 0;
    for (struct dirent *f; (f = readdir(d));) {
        if (!str_ends_with(str_from_c(f->d_name), STR(".json"))) continue;
        json_error_t error;
        json_t *all = json_load_file(arena_printf(&a, "%.*s/%s", STR_ARG(folder), f->d_name).p, JSON_ALLOW_NUL, &error), *value;
        if (!all) fail_msg("%s: %s", f->d_name, error.text);
        size_t i;
        unsigned seen = 0;
        json_array_foreach(all, i, value)
        {
            if (strcmp(json_string_value(json_object_get(value, "kind")), kind) != 0) continue;
            each(value);
            seen++;
        }
        if (seen < least) fail_msg("%s has %u values of the kind %s", f->d_name, seen, kind);
        json_decref(all);
        files++;
    }
    closedir(d);
    arena_finish(&a);
    assert_true(files >= 3);
}

#endif
