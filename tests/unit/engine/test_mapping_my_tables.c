/* Tables of PostgreSQL as MySQL and MariaDB write them: types by rule, choice and key, definitions, and what is told on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/mysql/ddl.h"
#include "mapping_my_fixture.h"

typedef struct type_case {
    const char *type, *choices;
    my_key_use use;      /* of the column c */
    const char *mysql;   /* its line in the definition, or "!part of the error" */
    const char *mariadb; /* NULL: the same */
    const char *found;   /* a part of the findings, NULL: there are none */
} type_case;

#define EXACT " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"
#define LETTERS " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs"
#define EXACT_A " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
#define LETTERS_A " CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_nopad_as_cs"
#define JSON_A "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`c`))"

static const type_case cases[] = {
    {"bool", NULL, MY_NO_KEY, "tinyint(1) DEFAULT NULL", NULL, NULL},
    {"bool", "T40=bit", MY_NO_KEY, "bit(1) DEFAULT NULL", NULL, NULL},
    {"int8", NULL, MY_KEYED, "bigint NOT NULL", NULL, NULL},
    {"oid", NULL, MY_NO_KEY, "int unsigned DEFAULT NULL", NULL, NULL},
    {"numeric", NULL, MY_NO_KEY, "decimal(65,30) DEFAULT NULL", NULL,
     "T41 c! DECIMAL has at most 35 digits before and 30 behind the point | \"c\"::text NOT IN ('NaN', 'Infinity', '-Infinity') AND (pg_catalog.abs(\"c\") >= 1e35 OR \"c\" <> pg_catalog.trunc(\"c\", 30))"},
    {"numeric", "T41=text", MY_NO_KEY, "longtext" EXACT " DEFAULT NULL", "longtext" EXACT_A " DEFAULT NULL", "T42 c!"},
    {"numeric(66,2)", NULL, MY_NO_KEY, "decimal(65,30) DEFAULT NULL", NULL, "T41 c!"},
    {"numeric(5,-2)", NULL, MY_NO_KEY, "decimal(7,0) DEFAULT NULL", NULL, "T42 c!"},
    {"numeric(2,5)", "T42=null", MY_NO_KEY, "decimal(5,5) DEFAULT NULL", NULL, "T42 c MySQL"},
    {"float8", "T42=text", MY_NO_KEY, "varchar(32)" EXACT " DEFAULT NULL", "varchar(32)" EXACT_A " DEFAULT NULL", NULL},
    {"float4", "T42=null", MY_KEYED, "!a column of a key cannot lose its value", NULL, NULL},
    {"text", NULL, MY_NO_KEY, "longtext" LETTERS " DEFAULT NULL", "longtext" LETTERS_A " DEFAULT NULL", NULL},
    {"text", NULL, MY_INDEXED, "longtext" EXACT " DEFAULT NULL", "longtext" EXACT_A " DEFAULT NULL", NULL},
    {"text", NULL, MY_KEYED, "varchar(768)" EXACT " NOT NULL", "varchar(768)" EXACT_A " NOT NULL", "T43 c! a key of MySQL has at most 3072 bytes, so that longer texts do not fit | pg_catalog.char_length(\"c\"::text) > 768"},
    {"text", "T43=varchar:40", MY_KEYED, "varchar(40)" EXACT " NOT NULL", "varchar(40)" EXACT_A " NOT NULL", "pg_catalog.char_length(\"c\"::text) > 40"},
    {"text", "T43=mediumtext", MY_NO_KEY, "mediumtext" LETTERS " DEFAULT NULL", "mediumtext" LETTERS_A " DEFAULT NULL", "> 16777215"},
    {"text", "T43=varchar:0", MY_NO_KEY, "!varchar has 1 to 16383 characters, not '0'", NULL, NULL},
    {"text", "T44=collation:utf8mb4_unicode_ci", MY_KEYED, "varchar(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL", NULL, "T44 c! texts that the chosen collation takes as equal meet in the key"},
    {"text", "T44=collation:latin1_bin", MY_NO_KEY, "!'latin1_bin' is no collation of utf8mb4", NULL, NULL},
    {"varchar(30)", NULL, MY_KEYED, "varchar(30)" EXACT " NOT NULL", "varchar(30)" EXACT_A " NOT NULL", NULL},
    {"varchar(20000)", NULL, MY_NO_KEY, "longtext" LETTERS " DEFAULT NULL", "longtext" LETTERS_A " DEFAULT NULL", NULL},
    {"bpchar(255)", NULL, MY_NO_KEY, "char(255)" LETTERS " DEFAULT NULL", "char(255)" LETTERS_A " DEFAULT NULL", NULL},
    {"bpchar(256)", NULL, MY_NO_KEY, "varchar(256)" LETTERS " DEFAULT NULL", "varchar(256)" LETTERS_A " DEFAULT NULL", NULL},
    {"bytea", NULL, MY_KEYED, "varbinary(3072) NOT NULL", NULL, "T45 c!"},
    {"bytea", "T45=varbinary:16", MY_NO_KEY, "varbinary(16) DEFAULT NULL", NULL, "> 16"},
    {"jsonb", NULL, MY_NO_KEY, "json DEFAULT NULL", JSON_A, NULL},
    {"json", NULL, MY_NO_KEY, "json DEFAULT NULL", JSON_A, NULL},
    {"jsonb", "T46=text", MY_NO_KEY, "longtext" EXACT " DEFAULT NULL", "longtext" EXACT_A " DEFAULT NULL", NULL},
    {"int4[]", NULL, MY_KEYED, "varchar(768)" EXACT " NOT NULL", "varchar(768)" EXACT_A " NOT NULL", "T47 c keys of MySQL take no JSON"},
    {"uuid", NULL, MY_KEYED, "char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL", NULL, NULL},
    {"uuid", "T49=binary", MY_NO_KEY, "binary(16) DEFAULT NULL", NULL, NULL},
    {"uuid", "T49=native", MY_NO_KEY, "!only MariaDB 10.7 and later has a type UUID", "uuid DEFAULT NULL", NULL},
    {"citext", NULL, MY_KEYED, "varchar(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_ci NOT NULL", "varchar(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_nopad_as_ci NOT NULL", "T50 c!"},
    {"money", NULL, MY_NO_KEY, "decimal(20,2) DEFAULT NULL", NULL, NULL},
    {"interval", "T54=microseconds", MY_NO_KEY, "bigint DEFAULT NULL", NULL, "T54 c!"},
    {"timestamptz", NULL, MY_NO_KEY, "datetime(6) DEFAULT NULL", NULL, "T56 c!"},
    {"timestamp(3)", "T55=timestamp", MY_NO_KEY, "timestamp(3) NULL DEFAULT NULL", NULL, "T55 c!"},
    {"timestamp(0)", NULL, MY_NO_KEY, "datetime DEFAULT NULL", NULL, "T56 c!"},
    {"date", "T56=sentinel:2024-02-30", MY_NO_KEY, "!the sentinel '2024-02-30' is neither a day", NULL, NULL},
    {"date", "T56=text", MY_NO_KEY, "varchar(16)" EXACT " DEFAULT NULL", "varchar(16)" EXACT_A " DEFAULT NULL", NULL},
    {"time(3)", NULL, MY_NO_KEY, "time(3) DEFAULT NULL", NULL, NULL},
    {"enum:sad|it's", NULL, MY_NO_KEY, "enum('sad','it''s')" EXACT " DEFAULT NULL", "enum('sad','it''s')" EXACT_A " DEFAULT NULL", NULL},
    {"enum:sad|so ", NULL, MY_NO_KEY, "!the label 'so ' ends in a blank", NULL, NULL},
    {"enum:sad|\xF0\x9F\x98\x80", NULL, MY_NO_KEY, "!has a character beyond U+FFFF", NULL, NULL},
    {"row:a=int4", NULL, MY_NO_KEY, "json DEFAULT NULL", JSON_A, NULL},
    {"cidr", "T60=binary", MY_NO_KEY, "!'binary' has no effect there", NULL, NULL},
    {"inet", NULL, MY_KEYED, "varchar(43)" EXACT " NOT NULL", "varchar(43)" EXACT_A " NOT NULL", NULL},
    {"bit(64)", NULL, MY_NO_KEY, "bit(64) DEFAULT NULL", NULL, NULL},
    {"bit(65)", NULL, MY_NO_KEY, "varchar(65)" EXACT " DEFAULT NULL", "varchar(65)" EXACT_A " DEFAULT NULL", NULL},
    {"cube", NULL, MY_NO_KEY, "longtext" EXACT " DEFAULT NULL", "longtext" EXACT_A " DEFAULT NULL", "T62 c MySQL has no such type"},
    {"lo:oid", NULL, MY_NO_KEY, "!the column holds numbers of large objects", NULL, NULL},
    {"lo:oid", "T63=number", MY_NO_KEY, "int unsigned DEFAULT NULL", NULL, "T63 c the numbers"},
    {"geometry(Point,4326)", NULL, MY_NO_KEY, "geometry /*!80003 SRID 4326 */ DEFAULT NULL", "geometry DEFAULT NULL", "T64 c!"},
    {"domain:domain:varchar(5)", NULL, MY_NO_KEY, "varchar(5)" LETTERS " DEFAULT NULL", "varchar(5)" LETTERS_A " DEFAULT NULL", NULL},
};

/* A choice of the column itself. */
static const char *const *column_choice(const char *choices)
{
    const char **pairs = arena_array(&mem, 3, sizeof *pairs);
    pairs[0] = "shop.t.c";
    pairs[1] = choices;
    return pairs;
}

static void check_type(const type_case *k, bool mariadb)
{
    fixture f = {.choices = k->choices ? column_choice(k->choices) : NULL, .options = {.target_mariadb = mariadb}};
    err e = ERR_INIT;
    const char *wanted = mariadb && k->mariadb ? k->mariadb : k->mysql;
    bool keyed = k->use == MY_KEYED;
    table_def *t = fixture_add(&f, "shop", "t", arena_printf(&mem, "k int4 not null\nc %s%s", k->type, keyed ? " not null" : "").p);
    fixture_add_key(t, "t_pkey", true, true, 1, keyed ? 1 : 0, 0);
    if (k->use == MY_INDEXED) fixture_add_key(t, "i", false, false, 1, 1, 0);
    bool ok = fixture_make(&f, &e);
    if (wanted[0] == '!') {
        if (ok || !strstr(e.text, wanted + 1)) fail_msg("%s: '%s' is not '%s'", k->type, ok ? "taken" : e.text, wanted + 1);
    } else {
        if (!ok) fail_msg("%s: %s", k->type, e.text);
        const char *line = arena_printf(&mem, "\n  `c` %s,\n", wanted).p;
        ddl_table d;
        if (!strstr(fixture_target(&f, 0)->create_sql.p, line)) fail_msg("%s: %s lacks %s", k->type, fixture_target(&f, 0)->create_sql.p, line);
        assert_true(ddl_parse_table(fixture_target(&f, 0)->create_sql, &mem, &d, &e)); /* what the engine reads of it is what was planned */
        assert_true(str_eq(d.columns[1].type, fixture_target(&f, 0)->columns[1].native_type));
        if (k->found && !strstr(buf_c(&f.found), k->found)) fail_msg("%s: '%s' lacks '%s'", k->type, buf_c(&f.found), k->found);
    }
    fixture_finish(&f);
}

static void test_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int mariadb = 0; mariadb < 2; mariadb++) check_type(&cases[i], mariadb);
}

static const char *type_name(fixture *f, uint32_t column) { return arena_copy_c(&mem, fixture_target(f, 0)->columns[column].native_type); }

/* The bytes of a key are shared: what is short takes what it needs, the rest is divided. */
static void test_key_share(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *wanted_first, *wanted_second;
    } keys[] = {{"text", "int4", "varchar(758)", "int"}, {"text", "text", "varchar(384)", "varchar(384)"}, {"text", "varchar(10)", "varchar(758)", "varchar(10)"},
                {"varchar(400)", "text", "varchar(384)", "varchar(384)"}, {"bytea", "varchar(100)", "varbinary(2672)", "varchar(100)"}, {"varchar(800)", "uuid", "varchar(758)", "char(36)"}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        table_def *t = fixture_add(&f, "shop", "t", arena_printf(&mem, "a %s not null\nb %s not null", keys[i].first, keys[i].second).p);
        fixture_add_key(t, "t_pkey", true, true, 2, 0, 1);
        if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
        assert_string_equal(type_name(&f, 0), keys[i].wanted_first);
        assert_string_equal(type_name(&f, 1), keys[i].wanted_second);
        fixture_finish(&f);
    }
}

/* The longest VARCHARs make room, the others stay. */
static void test_row_size(void **state)
{
    (void)state;
    fixture f = {0};
    err e = ERR_INIT;
    fixture_add(&f, "shop", "t", "a varchar(10000)\nb varchar(6000)\nc varchar(4000)\nd varchar(3000)\ne int4");
    if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
    static const char *const wanted[] = {"longtext", "varchar(6000)", "varchar(4000)", "varchar(3000)", "int"};
    for (uint32_t i = 0; i < 5; i++) assert_string_equal(type_name(&f, i), wanted[i]);
    fixture_finish(&f);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *columns, *wanted;
    } names[] = {{"a int4\nA int4", "the columns a and A have one name in MySQL"}, {"\xF0\x9F\x98\x80 int4", "has a character beyond U+FFFF"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        fixture_add(&f, "shop", "t", names[i].columns);
        assert_false(fixture_make(&f, &e));
        if (!strstr(e.text, names[i].wanted)) fail_msg("%s", e.text);
        fixture_finish(&f);
    }
}

/* A database that tells no encoding: nothing of it passes by itself. */
static void test_sql_ascii(void **state)
{
    (void)state;
    static const char *const choices[] = {NULL, "T67=encoding:latin1", "T67=bytes"}, *const wanted[] = {"!declare it: sluice.types T67", "longtext", "longblob"};
    for (size_t i = 0; i < 3; i++) {
        fixture f = {.choices = split_choices(choices[i]), .database = {.name = STR("shop"), .target_name = STR("shop"), .charset = STR("SQL_ASCII")}};
        err e = ERR_INIT;
        fixture_add(&f, "shop", "t", "a text");
        bool ok = fixture_make(&f, &e);
        if (wanted[i][0] == '!') {
            assert_false(ok);
            if (!strstr(e.text, wanted[i] + 1)) fail_msg("%s", e.text);
        } else {
            assert_true(ok);
            assert_string_equal(type_name(&f, 0), wanted[i]);
            row_batch *b = row_batch_new(f.list[0], 0);
            row_batch_add(b)[0] = (val){.kind = VAL_TEXT, .u.p = "\xE4", .n = 1};
            assert_true(mapping_convert_rows(f.m, b, &e));
            assert_true(str_eq(val_bytes(&b->vals[0]), i == 1 ? STR("\xC3\xA4") : STR("\xE4")));
            row_batch_free(b);
        }
        fixture_finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_types, start, finish), cmocka_unit_test_setup_teardown(test_key_share, start, finish),
        cmocka_unit_test_setup_teardown(test_row_size, start, finish), cmocka_unit_test_setup_teardown(test_names, start, finish),
        cmocka_unit_test_setup_teardown(test_sql_ascii, start, finish),
    };
    return cmocka_run_group_tests_name("mapping_my_tables", tests, NULL, NULL);
}
