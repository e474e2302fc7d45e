/* SHOW CREATE TABLE taken apart, texts as MariaDB 10.11 and MySQL 9.7 write them; SHOW GRANTS; collation names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/mysql/catalog.h"
#include "engine/mysql/grants.h"
#include "engine/mysql/schema_collation.h"

static arena mem;

static int start(void **state)
{
    (void)state;
    arena_init(&mem, 4096, 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&mem);
    return 0;
}

#define assert_str(got, wanted)                                                                                                             \
    do {                                                                                                                                    \
        str got_ = (got), wanted_ = STR(wanted);                                                                                            \
        if (!str_eq(got_, wanted_)) fail_msg("'%.*s' is not '%.*s'", STR_ARG(got_), STR_ARG(wanted_));                                      \
    } while (0)

static ddl_table parse(const char *text)
{
    ddl_table d;
    err e = ERR_INIT;
    if (!ddl_parse_table(str_from_c(text), &mem, &d, &e)) fail_msg("%s", e.text);
    return d;
}

static const char mysql_table[] =
    "CREATE TABLE `t` (\n"
    "  `id` bigint unsigned NOT NULL AUTO_INCREMENT,\n"
    "  `a` varchar(20) DEFAULT 'it''s\\\\n\\nx, (' COMMENT 'q\"`',\n"
    "  `j` json DEFAULT (json_object(_utf8mb3'a',_utf8mb3'b\\'c')),\n"
    "  `e` enum('a,b','x)''y') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'a,b',\n"
    "  `g` int GENERATED ALWAYS AS ((`fk` + 1)) VIRTUAL NOT NULL,\n"
    "  `ts` timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),\n"
    "  `inv` int DEFAULT NULL /*!80023 INVISIBLE */,\n"
    "  `pt` point NOT NULL /*!80003 SRID 4326 */,\n"
    "  `we``ird` int(5) unsigned zerofill DEFAULT NULL,\n"
    "  PRIMARY KEY (`id`),\n"
    "  UNIQUE KEY `u` ((lower(`a`)),`fk` DESC),\n"
    "  KEY `k` (`a`(3)) COMMENT 'c' /*!80000 INVISIBLE */,\n"
    "  FULLTEXT KEY `ft` (`a`) /*!50100 WITH PARSER `ngram` */ ,\n"
    "  CONSTRAINT `fk1` FOREIGN KEY (`id`) REFERENCES `o`.`p` (`pid`) ON DELETE CASCADE ON UPDATE SET NULL,\n"
    "  CONSTRAINT `c1` CHECK ((`fk` > 0)) /*!80016 NOT ENFORCED */\n"
    ") ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci ROW_FORMAT=DYNAMIC COMMENT='x'\n"
    "/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */";

static void test_columns(void **state)
{
    (void)state;
    ddl_table d = parse(mysql_table);
    assert_int_equal(d.column_count, 9);
    assert_str(d.columns[0].type, "bigint unsigned");
    assert_true(d.columns[0].auto_increment && d.columns[0].not_null && d.columns[0].is_unsigned);
    assert_str(d.columns[1].default_sql, "'it''s\\\\n\\nx, ('");
    assert_str(d.columns[1].comment_sql, "'q\"`'");
    assert_str(d.columns[2].default_sql, "(json_object(_utf8mb3'a',_utf8mb3'b\\'c'))");
    assert_str(d.columns[3].collation, "latin1_swedish_ci");
    assert_str(d.columns[4].generation_sql, "((`fk` + 1))");
    assert_true(d.columns[4].generated && !d.columns[4].stored && d.columns[4].not_null);
    assert_str(d.columns[5].on_update_sql, "CURRENT_TIMESTAMP(3)");
    assert_str(d.columns[6].default_sql, "NULL");
    assert_true(d.columns[6].invisible);
    assert_str(d.columns[7].srid, "4326");
    assert_str(d.columns[8].name, "we`ird");
    assert_true(d.columns[8].zerofill);
    for (uint32_t i = 0; i < d.column_count; i++) assert_null(d.columns[i].unknown.p);
}

static void test_keys_and_options(void **state)
{
    (void)state;
    ddl_table d = parse(mysql_table);
    assert_int_equal(d.key_count, 4);
    assert_int_equal(d.keys[0].kind, DDL_PRIMARY);
    assert_null(d.keys[1].parts[0].column.p);
    assert_str(d.keys[1].parts[0].expression, "(lower(`a`))");
    assert_true(d.keys[1].parts[1].descending);
    assert_int_equal(d.keys[2].parts[0].prefix, 3);
    assert_true(d.keys[2].invisible);
    assert_str(d.keys[3].parser, "ngram");
    assert_int_equal(d.foreign_key_count, 1);
    assert_str(d.foreign_keys[0].parent_schema, "o");
    assert_str(d.foreign_keys[0].on_update, "SET NULL");
    assert_int_equal(d.check_count, 1);
    assert_true(d.checks[0].not_enforced);
    assert_str(d.auto_increment, "17");
    assert_str(d.row_format, "DYNAMIC");
    assert_str(d.partition, "PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB)");
    assert_null(d.physical.p);
}

static void test_mariadb(void **state)
{
    (void)state;
    ddl_table d = parse("CREATE TABLE `t` (\n  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT json_object('a','b\\'c') CHECK (json_valid(`j`)),\n"
                        "  `inv` int(11) INVISIBLE DEFAULT NULL,\n  `cmp` text /*M!100301 COMPRESSED*/ DEFAULT NULL,\n  `n` int(11) DEFAULT -5,\n"
                        "  `s` bigint(20) DEFAULT nextval(`s1`.`sq`),\n  KEY `k` (`n`) IGNORED\n"
                        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci `ENCRYPTED`=YES WITH SYSTEM VERSIONING");
    assert_str(d.columns[0].default_sql, "json_object('a','b\\'c')");
    assert_str(d.columns[0].check_sql, "(json_valid(`j`))");
    assert_true(d.columns[1].invisible);
    assert_true(d.columns[2].compressed);
    assert_str(d.columns[3].default_sql, "-5");
    assert_str(d.columns[4].default_sql, "nextval(`s1`.`sq`)");
    assert_true(d.keys[0].invisible && d.versioned);
    assert_str(d.physical, "ENCRYPTED");
}

/* Cut anywhere, the text is refused or read, never read past its end. */
static void test_cut(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t n = 0; n < sizeof mysql_table - 1; n++) {
        char *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, mysql_table, n);
        ddl_table d;
        err e = ERR_INIT;
        refused += !ddl_parse_table((str){copy, n}, &mem, &d, &e);
        free(copy);
    }
    assert_true(refused > 900);
}

static void test_labels(void **state)
{
    (void)state;
    str *labels;
    uint32_t n;
    err e = ERR_INIT;
    assert_true(catalog_read_labels(STR("'a,b','x''y','z\\\\','\xc3\xa9',''"), &mem, &labels, &n, &e));
    assert_int_equal(n, 5);
    assert_str(labels[0], "a,b");
    assert_str(labels[1], "x'y");
    assert_str(labels[2], "z\\");
    assert_str(labels[4], "");
}

static void test_grants(void **state)
{
    (void)state;
    static const char *const lines[] = {"GRANT SELECT, INSERT, REPLICATION CLIENT ON *.* TO `u`@`%`", "GRANT ALL PRIVILEGES ON `my\\_db`.* TO `u`@`%`",
                                        "GRANT UPDATE ON `a`.`t` TO `u`@`%`", "REVOKE INSERT ON `secret`.* FROM `u`@`%`"};
    grant_line l[4];
    for (int i = 0; i < 4; i++) {
        assert_true(grants_parse_line(str_from_c(lines[i]), &mem, &l[i]));
        l[i].next = i ? &l[i - 1] : NULL;
    }
    grants g = {.first = &l[3]};
    assert_true(grants_have(&g, "REPLICATION CLIENT", STR_NULL, STR_NULL));
    assert_false(grants_have(&g, "RELOAD", STR_NULL, STR_NULL));
    assert_true(grants_have(&g, "SELECT", STR("any"), STR_NULL));
    assert_true(grants_have(&g, "DROP", STR("my_db"), STR_NULL));
    assert_false(grants_have(&g, "DROP", STR("myxdb"), STR_NULL));
    assert_true(grants_have(&g, "UPDATE", STR("a"), STR("t")));
    assert_false(grants_have(&g, "UPDATE", STR("a"), STR_NULL));
    assert_false(grants_have(&g, "INSERT", STR("secret"), STR_NULL));
    grant_line none;
    assert_false(grants_parse_line(STR("GRANT `role`@`%` TO `u`@`%`"), &mem, &none));
    assert_false(grants_parse_line(STR("GRANT SELECT (`a`) ON `d`.`t` TO `u`@`%`"), &mem, &none));
    assert_true(grants_like(STR("abc"), STR("a%c")) && !grants_like(STR("abd"), STR("a%c")) && grants_like(STR("a%"), STR("a\\%")));
}

static void test_collations(void **state)
{
    (void)state;
    static const char *const known[] = {"utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_uca1400_german2_nopad_ai_ci", "utf8mb3_general_ci", "utf8mb4_0900_as_cs",
                                        "utf8mb4_unicode_520_ci", "utf8mb4_nopad_bin"};
    static const struct {
        const char *from, *to;
        collation_fit fit;
    } cases[] = {
        {"utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_ai_ci", COLLATION_SIMILAR},
        {"utf8mb4_de_pb_0900_ai_ci", "utf8mb4_uca1400_german2_nopad_ai_ci", COLLATION_SIMILAR},
        {"utf8mb4_0900_bin", "utf8mb4_nopad_bin", COLLATION_SIMILAR},
        {"utf8_general_ci", "utf8mb3_general_ci", COLLATION_SAME},
        {"utf8mb4_uca1400_ai_ci", "utf8mb4_unicode_520_ci", COLLATION_SIMILAR},
        {"utf8mb4_uca1400_as_cs", "utf8mb4_0900_as_cs", COLLATION_SIMILAR},
        {"utf8mb4_ja_0900_as_cs", "utf8mb4_ja_0900_as_cs", COLLATION_UNKNOWN},
        {"latin1_nopad_bin", "latin1_nopad_bin", COLLATION_UNKNOWN},
    };
    map m = MAP_INIT;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) assert_true(map_put(&m, str_from_c(known[i]), &m));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        str now;
        collation_fit fit = collation_map(&m, str_from_c(cases[i].from), &mem, &now);
        if (fit != cases[i].fit || !str_eq(now, str_from_c(cases[i].to))) fail_msg("%s: %d %.*s", cases[i].from, fit, STR_ARG(now));
    }
    map_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns), cmocka_unit_test(test_keys_and_options), cmocka_unit_test(test_mariadb), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_labels), cmocka_unit_test(test_grants), cmocka_unit_test(test_collations),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
