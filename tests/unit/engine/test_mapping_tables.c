/* Definitions of MySQL and MariaDB as PostgreSQL's: types, defaults, checks, keys, foreign keys, objects, and what is told about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapping_fixture.h"

/* One line per fact of the mapped table. */
static void print_table(const table_def *t, buf *out)
{
    buf_printf(out, "table %.*s.%.*s\n", STR_ARG(t->schema), STR_ARG(t->name));
    for (uint32_t i = 0; i < t->column_count; i++) {
        const column_def *c = &t->columns[i];
        if (!c->selected) continue;
        buf_printf(out, "%.*s %.*s%s", STR_ARG(c->name), STR_ARG(c->native_type), c->nullable ? "" : " NOT NULL");
        if (c->collation.n) buf_printf(out, " COLLATE %.*s", STR_ARG(c->collation));
        if (c->identity) buf_printf(out, " IDENTITY %c", c->identity);
        if (c->default_sql.p) buf_printf(out, " DEFAULT %.*s", STR_ARG(c->default_sql));
        if (c->generated) buf_printf(out, " AS %.*s%s", STR_ARG(c->generation_sql), c->generated_stored ? " STORED" : "");
        buf_add_byte(out, '\n');
    }
    if (t->create_sql.n) buf_printf(out, "%.*s\n", STR_ARG(t->create_sql));
    for (uint32_t i = 0; i < t->check_count; i++) buf_printf(out, "check %.*s %.*s\n", STR_ARG(t->checks[i].name), STR_ARG(t->checks[i].condition_sql));
    for (uint32_t i = 0; i < t->key_count; i++)
        buf_printf(out, "key%s%s %.*s: %.*s\n", t->keys[i].constraint ? " constraint" : "", i == t->row_key ? " row" : "", STR_ARG(t->keys[i].name), STR_ARG(t->keys[i].definition_sql));
    for (uint32_t i = 0; i < t->foreign_key_count; i++)
        buf_printf(out, "foreign %.*s: %.*s\n", STR_ARG(t->foreign_keys[i].name), STR_ARG(t->foreign_keys[i].definition_sql));
}

static void print_all(fixture *f, buf *out)
{
    const catalog_def *c = mapping_catalog(f->m);
    for (uint32_t i = 0; i < c->table_count; i++) print_table(c->tables[i], out);
    for (uint32_t i = 0; i < c->object_count; i++)
        buf_printf(out, "%.*s%s %.*s: %.*s\n", STR_ARG(c->objects[i].kind), c->objects[i].after_load ? " (after load)" : "", STR_ARG(c->objects[i].name),
                   STR_ARG(c->objects[i].create_sql));
    buf_add(out, str_or_empty(buf_str(&f->found)));
}

typedef struct table_case {
    const char *body;       /* columns and keys of `t`; "," and line ends are the fixture's */
    const char *choices[8]; /* pairs */
    const char *wanted;     /* what is printed behind "table shop.t"; NULL: an error with `error` */
    const char *error;
} table_case;

static const table_case cases[] = {
    /* types */
    {"`a` tinyint NOT NULL DEFAULT '5',\n `b` tinyint(1) DEFAULT '1',\n `c` smallint unsigned,\n `d` mediumint unsigned,\n `e` int unsigned,\n `f` bigint unsigned", {0},
     "a smallint NOT NULL DEFAULT 5\nb smallint DEFAULT 1\nc integer\nd integer\ne bigint\nf numeric(20,0)\n", NULL},
    {"`a` smallint,\n `b` mediumint,\n `c` int DEFAULT -5,\n `d` bigint DEFAULT '-9223372036854775808'", {0},
     "a smallint\nb integer\nc integer DEFAULT -5\nd bigint DEFAULT -9223372036854775808\n", NULL},
    {"`f` bigint unsigned DEFAULT '7'", {"T1", "bigint", "T2", "check"},
     "f bigint DEFAULT 7\ncheck t_f_unsigned (\"f\" >= 0)\nT1 f! numbers over 9223372036854775807 are no bigint | `f` > 9223372036854775807\n", NULL},
    {"`b` tinyint(1) NOT NULL DEFAULT '1'", {"T3", "boolean"},
     "b boolean NOT NULL DEFAULT 't'\nT3 b! numbers other than 0 and 1 are no boolean | `b` NOT IN (0, 1)\n", NULL},
    {"`a` bit(1) DEFAULT b'1',\n `b` bit(10) DEFAULT b'101',\n `c` bit(64)", {0}, "a bit(1) DEFAULT '1'\nb bit(10) DEFAULT '0000000101'\nc bit(64)\n", NULL},
    {"`a` bit(1) DEFAULT b'1'", {"T4", "boolean"}, "a boolean DEFAULT 't'\n", NULL},
    {"`a` decimal(65,30) DEFAULT '1.500000000000000000000000000000',\n `b` decimal(10,0) unsigned zerofill", {0},
     "a numeric(65,30) DEFAULT 1.500000000000000000000000000000\nb numeric(10,0)\n", NULL},
    {"`a` float DEFAULT '0.1',\n `b` double DEFAULT '1e20',\n `c` double(10,2)", {0}, "a real DEFAULT 0.1\nb double precision DEFAULT 1e+20\nc double precision\n", NULL},
    {"`a` binary(4) DEFAULT 'a\\0\\0\\0',\n `b` varbinary(10) DEFAULT 'x''y',\n `c` blob,\n `d` binary(4) DEFAULT 0x6162", {0},
     "a bytea DEFAULT '\\x61000000'\nb bytea DEFAULT '\\x782779'\nc bytea\nd bytea DEFAULT '\\x61620000'\n", NULL},
    {"`a` longblob", {0}, "a bytea\nT11 a! a bytea is read as text of less than 1 GiB, two digits a byte | OCTET_LENGTH(`a`) > 536870908\n", NULL},
    {"`a` enum('x','it''s') NOT NULL DEFAULT 'it''s'", {"t", "t"},
     "a text NOT NULL DEFAULT 'it''s'\ncheck t_a_enum (\"a\" IN ('', 'x', 'it''s'))\n"
     "T9 a! PostgreSQL's texts have no character U+0000 | LOCATE(0x00, CONVERT(`a` USING binary)) > 0\n", NULL},
    {"`a` varchar(5) CHARACTER SET utf16", {0},
     "a character varying(5)\n"
     "T9 a! PostgreSQL's texts have no character U+0000 | LOCATE(0x00, CAST(CONVERT(`a` USING utf8mb4) AS BINARY)) > 0\n", NULL},
    {"`a` set('x','y') DEFAULT 'x,y'", {0},
     "a text[] DEFAULT '{\"x\",\"y\"}'\ncheck t_a_set (\"a\" <@ ARRAY['x', 'y']::text[])\n"
     "T9 a! PostgreSQL's texts have no character U+0000 | LOCATE(0x00, CONVERT(`a` USING binary)) > 0\n", NULL},
    {"`a` date NOT NULL DEFAULT '0000-00-00',\n `b` year DEFAULT '2024',\n `c` time(3) DEFAULT '-10:00:00.000'", {"T15", "text"},
     "a text NOT NULL DEFAULT '0000-00-00'\nb smallint DEFAULT 2024\nc interval(3) DEFAULT '-10:00:00.000'\n", NULL},
    {"`a` date NOT NULL DEFAULT '0000-00-00'", {"T15", "null"},
     "a date\nT15 a PostgreSQL has only days of the calendar | YEAR(`a`) = 0 OR MONTH(`a`) = 0 OR DAYOFMONTH(`a`) = 0 OR (`a` IS NOT NULL AND LAST_DAY(`a`) IS NULL) OR "
     "DAYOFMONTH(`a`) > DAYOFMONTH(LAST_DAY(`a`))\n", NULL},
    {"`a` timestamp NOT NULL DEFAULT '0000-00-00 00:00:00'", {0},
     "a timestamp(0) with time zone NOT NULL\nT15 a! PostgreSQL has only days of the calendar | YEAR(`a`) = 0\n"
     "T15 a DEFAULT '0000-00-00 00:00:00' is not carried: '0000-00-00 00:00:00' is no day of the calendar, which PostgreSQL needs | \n", NULL},
    {"`a` timestamp NOT NULL DEFAULT '0000-00-00 00:00:00'", {"T15", "sentinel:1970-01-01"},
     "a timestamp(0) with time zone NOT NULL DEFAULT '1970-01-01 00:00:00+00'\nT15 a PostgreSQL has only days of the calendar | YEAR(`a`) = 0\n", NULL},
    {"`a` datetime(6)", {"T15", "sentinel:1970-13-01"}, NULL, "the sentinel '1970-13-01' is neither a day"},
    {"`a` datetime(6)", {"T16", "timestamptz:'; DROP"}, NULL, "''; DROP' is no zone"},
    {"`a` date NOT NULL,\n PRIMARY KEY (`a`)", {"T15", "null"}, NULL, "a column of the key cannot be NULL"},
    {"`a` varchar(20)", {"shop.t.a", "T15=null"}, NULL, "shop.t.a: 'null' has no effect there"},
    {"`a` uuid DEFAULT uuid(),\n `b` inet6 DEFAULT '::1',\n `c` inet4", {0}, "a uuid DEFAULT gen_random_uuid()\nb inet DEFAULT '::1'\nc inet\n", NULL},
    {"`a` vector(3)", {0}, "a real[]\nT27 a the destination has no pgvector (CREATE EXTENSION vector): vectors become real[] | \n", NULL},
    {"`a` geometry NOT NULL", {0}, "a bytea NOT NULL\nT20 a the destination has no PostGIS (CREATE EXTENSION postgis): shapes become bytes, EWKB in bytea | \n", NULL},
    {"`a` geometry NOT NULL", {"T20", "text"}, "a text NOT NULL\n", NULL},
    {"`a` json DEFAULT (json_object())", {"T14", "text"}, "a text DEFAULT '{}'\n", NULL},
    /* AUTO_INCREMENT */
    {"`a` int NOT NULL AUTO_INCREMENT,\n PRIMARY KEY (`a`)", {0}, "a integer NOT NULL IDENTITY d\nkey constraint row t_pkey: PRIMARY KEY (\"a\")\n", NULL},
    {"`a` bigint unsigned NOT NULL AUTO_INCREMENT,\n PRIMARY KEY (`a`)", {0},
     "a numeric(20,0) NOT NULL DEFAULT nextval('\"shop\".\"t_a_seq\"'::regclass)\nkey constraint row t_pkey: PRIMARY KEY (\"a\")\n"
     "sequence t_a_seq: CREATE SEQUENCE \"shop\".\"t_a_seq\"\nsequence owner (after load) t_a_seq owner: ALTER SEQUENCE \"shop\".\"t_a_seq\" OWNED BY \"shop\".\"t\".\"a\"\n", NULL},
    {"`a` smallint NOT NULL AUTO_INCREMENT,\n PRIMARY KEY (`a`)", {"T22", "serial"},
     "a smallint NOT NULL DEFAULT nextval('\"shop\".\"t_a_seq\"'::regclass)\nkey constraint row t_pkey: PRIMARY KEY (\"a\")\n"
     "sequence t_a_seq: CREATE SEQUENCE \"shop\".\"t_a_seq\"\nsequence owner (after load) t_a_seq owner: ALTER SEQUENCE \"shop\".\"t_a_seq\" OWNED BY \"shop\".\"t\".\"a\"\n", NULL},
    /* defaults */
    {"`a` datetime(3) DEFAULT CURRENT_TIMESTAMP(3),\n `b` datetime DEFAULT (now()),\n `c` date DEFAULT (curdate()),\n `d` datetime NOT NULL DEFAULT current_timestamp()",
     {"T15", "sentinel:0001-01-01", "shop.t", "T16=timestamptz:UTC"},
     "a timestamp(3) with time zone DEFAULT CURRENT_TIMESTAMP(3)\nb timestamp(0) with time zone DEFAULT CURRENT_TIMESTAMP(0)\nc date DEFAULT CURRENT_DATE\n"
     "d timestamp(0) with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP(0)\n"
     "T15 a PostgreSQL has only days of the calendar | YEAR(`a`) = 0 OR MONTH(`a`) = 0 OR DAYOFMONTH(`a`) = 0 OR (`a` IS NOT NULL AND LAST_DAY(`a`) IS NULL) OR DAYOFMONTH(`a`) > DAYOFMONTH(LAST_DAY(`a`))\n"
     "T15 b PostgreSQL has only days of the calendar | YEAR(`b`) = 0 OR MONTH(`b`) = 0 OR DAYOFMONTH(`b`) = 0 OR (`b` IS NOT NULL AND LAST_DAY(`b`) IS NULL) OR DAYOFMONTH(`b`) > DAYOFMONTH(LAST_DAY(`b`))\n"
     "T15 c PostgreSQL has only days of the calendar | YEAR(`c`) = 0 OR MONTH(`c`) = 0 OR DAYOFMONTH(`c`) = 0 OR (`c` IS NOT NULL AND LAST_DAY(`c`) IS NULL) OR DAYOFMONTH(`c`) > DAYOFMONTH(LAST_DAY(`c`))\n"
     "T15 d PostgreSQL has only days of the calendar | YEAR(`d`) = 0 OR MONTH(`d`) = 0 OR DAYOFMONTH(`d`) = 0 OR (`d` IS NOT NULL AND LAST_DAY(`d`) IS NULL) OR DAYOFMONTH(`d`) > DAYOFMONTH(LAST_DAY(`d`))\n", NULL},
    {"`a` binary(16) DEFAULT (uuid_to_bin(uuid())),\n `b` int DEFAULT (1 + 2 * 3),\n `c` double DEFAULT (RAND()),\n `d` int DEFAULT (json_length('[]')),\n `e` datetime DEFAULT (a.b)", {"T15", "text"},
     "a bytea DEFAULT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')\nb integer DEFAULT (1 + (2 * 3))\nc double precision DEFAULT random()\nd integer\ne text\n"
     " d DEFAULT (json_length('[]')) is not carried: PostgreSQL has no expression that means the same | \n e DEFAULT (a.b) is not carried: PostgreSQL has no expression that means the same | \n", NULL},
    /* generated columns, checks */
    {"`a` int,\n `b` int GENERATED ALWAYS AS ((`a` + 1)) STORED,\n `c` int GENERATED ALWAYS AS ((`a` / 2)) VIRTUAL,\n `d` bigint GENERATED ALWAYS AS ((`b` * 2)) VIRTUAL", {0},
     "a integer\nb integer AS (\"a\"::bigint + 1::bigint) STORED\nc integer\nd bigint\n"
     "T21 c an ordinary column with the source's values, for PostgreSQL has no expression that means the same: AS ((`a` / 2)) | \n"
     "T21 d an ordinary column with the source's values, for PostgreSQL has no expression that means the same: AS ((`b` * 2)) | \n", NULL},
    {"`a` int,\n `b` int GENERATED ALWAYS AS ((`a` + 1)) STORED", {"T21", "plain"}, "a integer\nb integer\n", NULL},
    {"`a` int NOT NULL,\n `b` int GENERATED ALWAYS AS (`a` + 1) STORED NOT NULL,\n PRIMARY KEY (`b`)", {0},
     "a integer NOT NULL\nb integer NOT NULL\nkey constraint row t_pkey: PRIMARY KEY (\"b\")\n"
     "T21 b an ordinary column with the source's values, for PostgreSQL cannot find rows by it: AS (`a` + 1) | \n", NULL},
    {"`a` int,\n `b` decimal(10,2) CHECK (`b` > 0),\n CONSTRAINT `ab` CHECK (((`a` between 1 and 10) or (`a` is null))),\n CONSTRAINT `off` CHECK ((`a` > 5)) /*!80016 NOT ENFORCED */,\n"
     " CONSTRAINT `odd` CHECK (json_valid(`a`))", {0},
     "a integer\nb numeric(10,2)\ncheck t_b_check ((\"b\" > 0::bigint))\ncheck ab (((\"a\"::bigint BETWEEN 1::bigint AND 10::bigint) OR (\"a\"::bigint IS NULL)))\n"
     " odd the check is not carried, PostgreSQL has no condition that means the same: (json_valid(`a`)) | \n", NULL},
    /* keys */
    {"`a` int NOT NULL,\n `b` varbinary(300),\n PRIMARY KEY (`a`,`b`),\n UNIQUE KEY `u` (`b` DESC,`a`),\n KEY `i` (`a` DESC,`b`),\n KEY `p` (`b`(10)),\n UNIQUE KEY `up` (`b`(4)),\n KEY `x` ((`a` * 2)),\n"
     " KEY `inv` (`b`) /*!80000 INVISIBLE */", {0},
     "a integer NOT NULL\nb bytea\nkey constraint t_pkey: PRIMARY KEY (\"a\", \"b\")\nkey constraint t_u: UNIQUE (\"b\", \"a\")\n"
     "key t_i: CREATE INDEX \"t_i\" ON \"shop\".\"t\" USING btree (\"a\" DESC, \"b\")\nkey t_p: CREATE INDEX \"t_p\" ON \"shop\".\"t\" USING btree (substr(\"b\", 1, 10))\n"
     "key t_up: CREATE UNIQUE INDEX \"t_up\" ON \"shop\".\"t\" USING btree (substr(\"b\", 1, 4))\nkey t_x: CREATE INDEX \"t_x\" ON \"shop\".\"t\" USING btree (((\"a\"::bigint * 2::bigint)))\n"
     "key t_inv: CREATE INDEX \"t_inv\" ON \"shop\".\"t\" USING btree (\"b\")\n"
     "T25 up the unique prefix becomes a unique index on an expression, which compares exact letters | \nT25 inv PostgreSQL has no invisible index: it will be used | \n", NULL},
    {"`a` int NOT NULL,\n `b` varbinary(300),\n KEY `p` (`b`(10)),\n KEY `i` (`a`)", {"shop.t", "T25=skip"},
     "a integer NOT NULL\nb bytea\nkey t_i: CREATE INDEX \"t_i\" ON \"shop\".\"t\" USING btree (\"a\")\nT25 p not carried, as chosen | \n", NULL},
    {"`a` varbinary(3000),\n KEY `k` (`a`)", {0},
     "a bytea\nkey t_k: CREATE INDEX \"t_k\" ON \"shop\".\"t\" USING btree (\"a\")\n"
     "T25 k! an entry of an index has at most 2704 bytes in PostgreSQL (fewer may do when they compress well) | COALESCE(OCTET_LENGTH(CONVERT(`a` USING binary)), 0) > 2640\n", NULL},
    {"`a` geometry NOT NULL,\n SPATIAL KEY `s` (`a`)", {"T20", "bytea"}, "a bytea NOT NULL\nT25 s its column is no geometry of PostGIS | \n", NULL},
    /* names */
    {"`ctid` int,\n `ctid_` int,\n `a\"b` int", {0}, "ctid__ integer\nctid_ integer\na\"b integer\nT26 ctid PostgreSQL has a column of this name in every table; an underscore is appended | \n", NULL},
    {"`sixty-four-characters-long-sixty-four-characters-long-sixty-four-c` int", {0},
     "sixty-four-characters-long-sixty-four-characters-long-_1e89f3c3 integer\n"
     "T26 sixty-four-characters-long-sixty-four-characters-long-sixty-four-c the name has 66 bytes, PostgreSQL takes 63; it becomes sixty-four-characters-long-sixty-four-characters-long-_1e89f3c3 | \n", NULL},
};

static void test_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const table_case *k = &cases[i];
        fixture f = {.choices = k->choices};
        err e = ERR_INIT;
        BUF_AUTO out = BUF_INIT;
        str create = arena_printf(&mem, "CREATE TABLE `t` (\n  %s\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4", k->body);
        fixture_add(&f, "shop", "t", create.p);
        bool ok = fixture_make(&f, &e);
        if (!k->wanted) {
            if (ok || !strstr(e.text, k->error)) fail_msg("case %zu: '%s' has no '%s'", i, ok ? "taken" : e.text, k->error);
        } else {
            if (!ok) fail_msg("case %zu: %s", i, e.text);
            print_all(&f, &out);
            str wanted = arena_printf(&mem, "table shop.t\n%s", k->wanted);
            if (!str_eq(buf_str(&out), wanted)) fail_msg("case %zu:\n%s---- wanted ----\n%.*s", i, buf_c(&out), STR_ARG(wanted));
        }
        fixture_finish(&f);
    }
}

/* With the extensions there. */
static void test_extensions(void **state)
{
    (void)state;
    fixture f = {0};
    err e = ERR_INIT;
    BUF_AUTO out = BUF_INIT;
    f.options.postgis_schema = STR("gis");
    f.options.pgvector_schema = STR("public");
    fixture_add(&f, "shop", "t", "CREATE TABLE `t` (\n  `a` geometry NOT NULL,\n  `b` point NOT NULL /*!80003 SRID 4326 */,\n  `c` geomcollection,\n  `d` vector(3),\n  SPATIAL KEY `s` (`b`)\n)");
    assert_true(fixture_make(&f, &e));
    print_all(&f, &out);
    assert_string_equal(buf_c(&out), "table shop.t\na \"gis\".\"geometry\" NOT NULL\nb \"gis\".\"geometry\"(point,4326) NOT NULL\nc \"gis\".\"geometry\"(geometrycollection)\n"
                                     "d \"public\".\"vector\"(3)\nkey t_s: CREATE INDEX \"t_s\" ON \"shop\".\"t\" USING gist (\"b\")\n");
    fixture_finish(&f);
}

/* Keys of texts: what is told, and collations that ignore what MySQL's ignore. */
static void test_collations(void **state)
{
    (void)state;
    static const char create[] = "CREATE TABLE `t` (\n  `a` varchar(20) COLLATE utf8mb4_bin NOT NULL,\n  `b` varchar(20) NOT NULL,\n  `c` varchar(20) COLLATE utf8mb4_0900_as_ci,\n"
                                 "  `d` text,\n  PRIMARY KEY (`a`),\n  UNIQUE KEY `b` (`b`),\n  KEY `c` (`c`),\n  FULLTEXT KEY `d` (`d`,`c`)\n) DEFAULT CHARSET=utf8mb4";
    static const char *const icu[] = {"T24", "icu", NULL};
    for (int with_icu = 0; with_icu < 2; with_icu++) {
        fixture f = {.choices = with_icu ? icu : NULL};
        err e = ERR_INIT;
        BUF_AUTO out = BUF_INIT;
        fixture_add(&f, "shop", "t", create);
        assert_true(fixture_make(&f, &e));
        print_all(&f, &out);
        const char *text = buf_c(&out);
        assert_non_null(strstr(text, "a character varying(20) NOT NULL\n"));
        assert_non_null(strstr(text, "key t_d: CREATE INDEX \"t_d\" ON \"shop\".\"t\" USING gin (to_tsvector('pg_catalog.simple'::regconfig, coalesce(\"left\"(\"d\"::text, 200000), '')"
                                     " || ' ' || coalesce(\"left\"(\"c\"::text, 200000), '')))\n"));
        assert_int_equal(strstr(text, "b character varying(20) NOT NULL COLLATE \"shop\".\"sluice_ignore_case_accent\"\n") != NULL, with_icu);
        assert_int_equal(strstr(text, "c character varying(20) COLLATE \"shop\".\"sluice_ignore_case\"\n") != NULL, with_icu);
        assert_int_equal(strstr(text, "d text COLLATE") != NULL, 0);
        assert_int_equal(strstr(text, "collation sluice_ignore_case: CREATE COLLATION \"shop\".\"sluice_ignore_case\" (provider = icu, locale = 'und-u-ks-level2', deterministic = false)\n") != NULL, with_icu);
        assert_int_equal(strstr(text, "T24 b the column's collation takes letters of other case") != NULL, !with_icu);
        assert_null(strstr(text, "T24 a "));
        fixture_finish(&f);
    }
}

static void test_enum_type(void **state)
{
    (void)state;
    static const char *const native[] = {"T12", "enum", NULL};
    fixture f = {.choices = native};
    err e = ERR_INIT;
    BUF_AUTO out = BUF_INIT;
    fixture_add(&f, "shop", "t", "CREATE TABLE `t` (\n  `a` enum('x','y''z') NOT NULL DEFAULT 'x'\n) DEFAULT CHARSET=utf8mb4");
    assert_true(fixture_make(&f, &e));
    print_all(&f, &out);
    assert_true(str_starts_with(buf_str(&out), STR("table shop.t\na \"shop\".\"t_a_enum\" NOT NULL DEFAULT 'x'\ntype t_a_enum: CREATE TYPE \"shop\".\"t_a_enum\" AS ENUM ('', 'x', 'y''z')\n")));
    fixture_finish(&f);
}

/* Children before parents, names of two tables that meet in one schema, parents that cannot be one. */
static void test_foreign_keys(void **state)
{
    (void)state;
    fixture f = {0};
    err e = ERR_INIT;
    BUF_AUTO out = BUF_INIT;
    fixture_add(&f, "shop", "child",
                "CREATE TABLE `child` (\n  `id` int NOT NULL,\n  `p` int,\n  `q` int,\n  PRIMARY KEY (`id`),\n  KEY `p` (`p`),\n  KEY `q` (`q`),\n"
                "  CONSTRAINT `f1` FOREIGN KEY (`p`) REFERENCES `parent` (`id`) ON DELETE CASCADE ON UPDATE SET NULL,\n"
                "  CONSTRAINT `f2` FOREIGN KEY (`q`) REFERENCES `parent` (`loose`),\n  CONSTRAINT `f3` FOREIGN KEY (`q`) REFERENCES `elsewhere` (`id`)\n)");
    fixture_add(&f, "shop", "child_p", "CREATE TABLE `child_p` (\n  `a` int\n)");
    fixture_add(&f, "shop", "parent", "CREATE TABLE `parent` (\n  `id` int NOT NULL,\n  `loose` int,\n  PRIMARY KEY (`id`),\n  KEY `loose` (`loose`)\n)");
    assert_true(fixture_make(&f, &e));
    print_all(&f, &out);
    assert_non_null(strstr(buf_c(&out), "foreign f1: FOREIGN KEY (\"p\") REFERENCES \"shop\".\"parent\" (\"id\") ON UPDATE SET NULL ON DELETE CASCADE\n"));
    assert_null(strstr(buf_c(&out), "foreign f2"));
    assert_non_null(strstr(buf_c(&out), " f2 the foreign key is not carried: PostgreSQL wants a primary or unique key of just these columns at the parent | \n"));
    assert_non_null(strstr(buf_c(&out), " f3 the foreign key is not carried: its parent table is not selected | \n"));
    assert_non_null(strstr(buf_c(&f.sources), "ALTER TABLE `shop`.`child` ADD CONSTRAINT `f2` FOREIGN KEY ("));
    assert_non_null(strstr(buf_c(&out), "key child_p_2: CREATE INDEX \"child_p_2\" ON"));
    fixture_finish(&f);
}

/* A generated column that PostgreSQL does not compute is read from the source like any other. */
static void test_plain_generated_columns_are_read(void **state)
{
    (void)state;
    fixture f = {0};
    err e = ERR_INIT;
    fixture_add(&f, "shop", "t", "CREATE TABLE `t` (\n  `a` int,\n  `b` int GENERATED ALWAYS AS (`a` + 1) STORED,\n  `c` varchar(9) GENERATED ALWAYS AS (upper(`a`)) VIRTUAL\n)");
    assert_true(fixture_make(&f, &e));
    assert_true(f.tables[0].columns[1].generated && fixture_target(&f, 0)->columns[1].generated);
    assert_false(f.tables[0].columns[2].generated || fixture_target(&f, 0)->columns[2].generated);
    fixture_finish(&f);
}

/* ON UPDATE becomes a trigger that keeps still for the job; computed columns have no new value yet. */
static void test_on_update(void **state)
{
    (void)state;
    static const char create[] = "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `b\"` timestamp(3) NOT NULL DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3),\n"
                                 "  `c` datetime DEFAULT NULL ON UPDATE current_timestamp(),\n  `g` int GENERATED ALWAYS AS (`a` + 1) STORED,\n  PRIMARY KEY (`a`)\n)";
    static const char *const report[] = {"T15", "null", "shop.t.c", "T23=report", NULL};
    fixture f = {.choices = report};
    err e = ERR_INIT;
    BUF_AUTO out = BUF_INIT;
    fixture_add(&f, "shop", "t", create);
    if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
    print_all(&f, &out);
    static const char wanted[] =
        "on update trigger (after load) t: CREATE FUNCTION \"shop\".\"t_on_update\"() RETURNS trigger LANGUAGE plpgsql AS 'DECLARE was record; BEGIN was := OLD; was.\"g\" := NEW.\"g\";"
        " IF coalesce(current_setting(''sluice.apply'', true), '''') <> ''on'' AND NEW *<> was THEN IF NEW.\"b\"\"\" IS NOT DISTINCT FROM OLD.\"b\"\"\" THEN NEW.\"b\"\"\" := CURRENT_TIMESTAMP(3);"
        " END IF; END IF; RETURN NEW; END'; CREATE TRIGGER \"t_on_update\" BEFORE UPDATE ON \"shop\".\"t\" FOR EACH ROW EXECUTE FUNCTION \"shop\".\"t_on_update\"()\n";
    if (!strstr(buf_c(&out), wanted)) fail_msg("%s", buf_c(&out));
    assert_non_null(strstr(buf_c(&out), "T23 b\" a trigger sets it when a row changes;"));
    assert_non_null(strstr(buf_c(&out), "T23 c ON UPDATE CURRENT_TIMESTAMP is not carried, as chosen | \n"));
    fixture_finish(&f);
}

typedef struct partition_case {
    const char *columns, *clause;
    const char *wanted; /* the target's clause, or why it has none */
} partition_case;

#define PART(name) "; CREATE TABLE \"shop\".\"t_" name "\" PARTITION OF \"shop\".\"t\" FOR VALUES "
#define PLAIN "T28 t a plain table, its partitions are not carried: "

static const partition_case partition_cases[] = {
    {"`a` int NOT NULL", "RANGE (`a`)\n(PARTITION `p0` VALUES LESS THAN (-10) ENGINE = InnoDB,\n PARTITION `p1` VALUES LESS THAN (20) COMMENT = 'x' ENGINE = InnoDB,\n PARTITION `pm` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)",
     "PARTITION BY RANGE (\"a\")" PART("p0") "FROM (MINVALUE) TO (-10)" PART("p1") "FROM (-10) TO (20)" PART("pm") "FROM (20) TO (MAXVALUE)\n"},
    {"`a` bigint unsigned NOT NULL,\n `d` date NOT NULL", "RANGE  COLUMNS(a,d)\n(PARTITION p0 VALUES LESS THAN (5,'2020-02-29') ENGINE = InnoDB,\n PARTITION p1 VALUES LESS THAN (MAXVALUE,MAXVALUE) ENGINE = InnoDB)",
     "PARTITION BY RANGE (\"a\", \"d\")" PART("p0") "FROM (MINVALUE, MINVALUE) TO (5, '2020-02-29')" PART("p1") "FROM (5, '2020-02-29') TO (MAXVALUE, MAXVALUE)\n"},
    {"`d` datetime NOT NULL", "RANGE (year(`d`))\n(PARTITION p0 VALUES LESS THAN (2020) ENGINE = InnoDB)", "PARTITION BY RANGE (\"d\")" PART("p0") "FROM (MINVALUE) TO ('2020-01-01')\n"},
    {"`d` date NOT NULL", "RANGE (to_days(`d`))\n(PARTITION p0 VALUES LESS THAN (366) ENGINE = InnoDB,\n PARTITION p1 VALUES LESS THAN (737849) ENGINE = InnoDB,\n PARTITION p2 VALUES LESS THAN (739311) ENGINE = InnoDB)",
     "PARTITION BY RANGE (\"d\")" PART("p0") "FROM (MINVALUE) TO ('0001-01-01')" PART("p1") "FROM ('0001-01-01') TO ('2020-02-29')" PART("p2") "FROM ('2020-02-29') TO ('2024-03-01')\n"},
    {"`a` int", "LIST (`a`)\n(PARTITION p0 VALUES IN (1,-2) ENGINE = InnoDB,\n PARTITION p1 VALUES IN (NULL,3) ENGINE = InnoDB)",
     "PARTITION BY LIST (\"a\")" PART("p0") "IN (1, -2)" PART("p1") "IN (NULL, 3)\n"},
    {"`a` int", "HASH (`a`)\nPARTITIONS 2", "PARTITION BY HASH (\"a\")" PART("p0") "WITH (MODULUS 2, REMAINDER 0)" PART("p1") "WITH (MODULUS 2, REMAINDER 1)\n"},
    {"`a` int", "HASH (`a`)\n(PARTITION x ENGINE = InnoDB,\n PARTITION y ENGINE = InnoDB)", "PARTITION BY HASH (\"a\")" PART("p0") "WITH (MODULUS 2, REMAINDER 0)" PART("p1") "WITH (MODULUS 2, REMAINDER 1)\n"},
    {"`a` int NOT NULL,\n `b` varchar(9) NOT NULL,\n PRIMARY KEY (`a`,`b`)", "LINEAR KEY ALGORITHM = 2 () \nPARTITIONS 1", "PARTITION BY HASH (\"a\", \"b\")" PART("p0") "WITH (MODULUS 1, REMAINDER 0)\n"},
    {"`a` int", "RANGE (`a`)\n(PARTITION p0 VALUES LESS THAN (1))", PLAIN "it is by RANGE of a column that may be NULL, for which PostgreSQL has no range: PARTITION BY"},
    {"`a` int NOT NULL", "RANGE (`a` + 1)\n(PARTITION p0 VALUES LESS THAN (1))", PLAIN "it is by an expression that PostgreSQL does not have"},
    {"`a` int NOT NULL", "HASH (abs(`a`))\nPARTITIONS 2", PLAIN "it is by an expression"},
    {"`a` varchar(9) NOT NULL", "LIST  COLUMNS(`a`)\n(PARTITION p0 VALUES IN ('x'))", PLAIN "it is by a column that PostgreSQL compares in another way"},
    {"`a` int NOT NULL", "RANGE (`a`)\nSUBPARTITION BY HASH (`a`)\n(PARTITION p0 VALUES LESS THAN (1)\n (SUBPARTITION s0))", PLAIN "it has subpartitions"},
    {"`d` date NOT NULL", "RANGE (to_days(`d`))\n(PARTITION p0 VALUES LESS THAN (0))", PLAIN "a bound of it is no day of PostgreSQL's calendar"},
    {"`a` int NOT NULL,\n `b` varbinary(9),\n UNIQUE KEY `u` (`a`,`b`(4))", "HASH (`a`)\nPARTITIONS 2", PLAIN "a unique key of it is on a prefix"},
    {"`a` int NOT NULL", "SYSTEM_TIME\n(PARTITION p0 HISTORY)", PLAIN "its form is not known"},
};

static void test_partitions(void **state)
{
    (void)state;
    static const char *const plain[] = {"shop.t", "T28=plain", NULL}, *const carried[] = {"T15", "null", NULL};
    for (size_t i = 0; i < sizeof partition_cases / sizeof partition_cases[0]; i++) {
        for (int chosen_plain = 0; chosen_plain < 2; chosen_plain++) {
            const partition_case *k = &partition_cases[i];
            fixture f = {.choices = chosen_plain ? plain : carried};
            err e = ERR_INIT;
            BUF_AUTO out = BUF_INIT;
            str create = arena_printf(&mem, "CREATE TABLE `t` (\n  %s\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4\n PARTITION BY %s", k->columns, k->clause);
            fixture_add(&f, "shop", "t", create.p);
            if (!fixture_make(&f, &e)) fail_msg("case %zu: %s", i, e.text);
            print_all(&f, &out);
            if (!strstr(buf_c(&out), chosen_plain ? PLAIN "as chosen: PARTITION BY" : k->wanted)) fail_msg("case %zu:\n%s", i, buf_c(&out));
            bool has = fixture_target(&f, 0)->create_sql.n > 0;
            assert_int_equal(has, !chosen_plain && strncmp(k->wanted, "PARTITION", 9) == 0);
            fixture_finish(&f);
        }
    }
}

/* Renamed and left out columns and tables come in their target's names. */
static void test_target_names(void **state)
{
    (void)state;
    fixture f = {0};
    err e = ERR_INIT;
    BUF_AUTO out = BUF_INIT;
    fixture_add(&f, "shop", "t", "CREATE TABLE `t` (\n  `a` int NOT NULL,\n  `b` int GENERATED ALWAYS AS (`a` + 1) STORED,\n  `c` int,\n  PRIMARY KEY (`a`),\n  KEY `c` (`c`)\n)");
    f.tables[0].target_schema = STR("store");
    f.tables[0].target_name = STR("things");
    f.tables[0].columns[0].target_name = STR("number");
    f.tables[0].columns[2].selected = false;
    assert_true(fixture_make(&f, &e));
    print_all(&f, &out);
    assert_string_equal(buf_c(&out), "table store.things\nnumber integer NOT NULL\nb integer AS (\"number\"::bigint + 1::bigint) STORED\nkey constraint row things_pkey: PRIMARY KEY (\"number\")\n"
                                     "T25 c a column of it is not selected | \n");
    assert_true(str_eq(fixture_target(&f, 0)->name, STR("things")) && fixture_target(&f, 0)->id == 0 && fixture_target(&f, 0)->sql == SQL_POSTGRESQL);
    fixture_finish(&f);
}

static void test_bad_names(void **state)
{
    (void)state;
    fixture f = {0};
    err e = ERR_INIT;
    database_def d = {.name = STR("pg_data"), .target_name = STR("pg_data")};
    f.source.databases = &d;
    f.source.database_count = 1;
    assert_false(fixture_make(&f, &e));
    assert_non_null(strstr(e.text, "pg_data"));
    assert_int_equal(e.code, ERR_NOT_SUPPORTED);
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tables, start, finish),       cmocka_unit_test_setup_teardown(test_extensions, start, finish),
        cmocka_unit_test_setup_teardown(test_collations, start, finish),   cmocka_unit_test_setup_teardown(test_enum_type, start, finish),
        cmocka_unit_test_setup_teardown(test_foreign_keys, start, finish), cmocka_unit_test_setup_teardown(test_plain_generated_columns_are_read, start, finish),
        cmocka_unit_test_setup_teardown(test_target_names, start, finish), cmocka_unit_test_setup_teardown(test_bad_names, start, finish),
        cmocka_unit_test_setup_teardown(test_on_update, start, finish),    cmocka_unit_test_setup_teardown(test_partitions, start, finish),
    };
    return cmocka_run_group_tests_name("mapping_tables", tests, NULL, NULL);
}
