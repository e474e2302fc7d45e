/* PostgreSQL to MySQL and MariaDB: what the files of this direction share. Values come in as the PostgreSQL engine delivers them, VAL_NUMBER or VAL_TEXT under
 * the settings of pg_conn (a domain's values are VAL_TEXT whatever its base), the same from load and stream. They leave in forms that engine/mysql's loader and
 * applier write alike: VAL_INT, VAL_NUMBER, VAL_TEXT and VAL_JSON (UTF-8), VAL_BYTES, VAL_BIT, VAL_DATE, VAL_TIME, VAL_DATETIME, VAL_GEOMETRY. */
#ifndef ENGINE_MAPPING_MAPPING_TO_MY_H
#define ENGINE_MAPPING_MAPPING_TO_MY_H

#include "base/buf.h"
#include "base/encode.h"
#include "base/map.h"
#include "engine/mapping/charset.h"
#include "engine/mapping/mapping_plan.h"

/* Characters of a name (MySQL manual, Identifier Length Limits), bytes of all parts of an index of InnoDB, of a row without its BLOBs and TEXTs, columns. */
#define MAPPING_MY_MAX_NAME_CHARS 64
#define MAPPING_MY_MAX_KEY_BYTES 3072
#define MAPPING_MY_MAX_ROW_BYTES 65535
#define MAPPING_MY_MAX_COLUMNS 1017
#define MAPPING_MY_BYTES_PER_CHAR 4

enum my_no_value { MY_NO_VALUE_ERROR, MY_NO_VALUE_NULL, MY_NO_VALUE_SENTINEL }; /* T42, T56 */

/* column_plan.detail of this direction. */
typedef struct my_column_detail {
    const type_def *type;      /* of the source, domains taken off: the type of the values */
    bool mariadb;
    str check_sql;             /* a check that belongs to the target's type ("json_valid(`c`)"), without parentheses; p == NULL: none */
    uint32_t srid;             /* of a GEOMETRY, 0: any */
    mapping_rule rule;         /* whose choices help when a text or bytea is too long */
    enum my_no_value no_value;
    str low, high;             /* MY_NO_VALUE_SENTINEL: whole texts for what is too early and too late */
    uint32_t most_chars;       /* of a text, 0: none of ours */
    uint32_t most_bytes;       /* of a text or bytea, 0: none of ours */
    const charset *charset;    /* T67=encoding: what the bytes of the database are, else NULL */
} my_column_detail;

/* mapping_maker.state of this direction. */
typedef struct my_state {
    my_column_detail ***details; /* by table id and column; NULL for columns that are not selected */
    charset_set charsets;
    bool no_encoding;            /* the source is in SQL_ASCII */
    /* utf8mb4, without padding, so that as much is equal as in PostgreSQL: by bytes; by letters for text outside of keys; the same without case (citext). */
    str collation_bytes, collation_text, collation_no_case;
} my_state;

/* One table at work. */
typedef struct my_work {
    mapping_maker *m;
    table_plan *p;
    const table_def *s;        /* the source's */
    table_def *t;              /* the target's */
    my_column_detail **details; /* by column, NULL for those that are not selected */
} my_work;

/* How a column of the source takes part in keys; decides between LONGTEXT and VARCHAR(n). Keys with a column that is not selected do not count. */
typedef enum my_key_use { MY_NO_KEY, MY_INDEXED /* by an index that only makes reading quick: a prefix will do */, MY_KEYED /* primary, unique, foreign key */ } my_key_use;

/* mapping_to_my.c */
my_work my_work_of(mapping_maker *m, table_plan *p);
/* The name, or when it is too long its beginning and a hash of it. For names that we compose. {NULL,0} without memory. */
str my_short_name(mapping_maker *m, str name);
/* A text that must be there: error of memory when p == NULL. */
ERR_MUST_USE bool my_made(str text, err *e);
/* `name` and 'literal' appended, quoted for MySQL; "name" for PostgreSQL. */
void my_add_name(buf *out, str name);
void my_add_literal(buf *out, str text);
void my_add_source_name(buf *out, str name);

/* mapping_to_my_column.c: of the target's column: type, native_type ("varchar(255)", "bigint unsigned", "enum('a','b')", without charset), length, scale, charset,
 * collation, labels; convert function, findings. */
ERR_MUST_USE bool my_plan_column(const my_work *w, uint32_t column, err *e);
my_key_use my_column_key_use(const table_def *t, uint32_t column);
/* The type of a column's values: its type or, of a domain, the base that is none. */
const type_def *my_base_type(const column_def *c);
/* Most bytes that the target's column takes in an index; 0: an index takes only a prefix of it (LONGTEXT, LONGBLOB), UINT32_MAX: it cannot be indexed (JSON,
 * GEOMETRY but by SPATIAL). */
uint32_t my_index_bytes(const column_def *c);

/* mapping_to_my_default.c: default_sql and auto_increment of the target's column (T68), after my_plan_column. */
ERR_MUST_USE bool my_plan_default(const my_work *w, uint32_t column, err *e);
/* A text of the source's column as SQL of the target's, as it may stand behind DEFAULT; *ret_null: the target has NULL for it. False with *t set. */
bool my_value_sql(const column_plan *p, str text, arena *a, buf *sql, bool *ret_null, mapping_trouble *t);
/* mapping_to_my_expression.c: generated columns and checks, after all columns of the table have their types. */
ERR_MUST_USE bool my_plan_expressions(const my_work *w, err *e);

/* mapping_to_my_translate.c: an expression of the source in the target's SQL (in the arena), a condition, or a value of the target's column unless that is NULL.
 * False: there is none that gives the same for every row of the source. */
bool my_translate(const my_work *w, str sql, const column_def *column, str *ret);

/* A table in the FROM of a view, under the name that its columns have there; the view's text as far as it is read. */
typedef struct my_scope {
    my_work w;
    str alias;
} my_scope;
typedef struct my_text {
    const my_scope *scope;
    uint32_t count;
    str sql;
    size_t at;
} my_text;
/* Of the same file. Each takes what stands next in the text, or leaves it there and returns false. */
bool my_at_end(my_text *t);
bool my_take_word(my_text *t, const char *word);
bool my_take_sign(my_text *t, const char *sign);
bool my_take_name(my_text *t, str *ret);
/* A column alone, of whatever type, is what it is in its table; ret_name: as the source has it. */
bool my_take_view_column(my_text *t, str *ret, str *ret_name);
/* A condition or a value, as my_translate; reads on in any case. */
bool my_translate_in_view(my_text *t, bool condition, str *ret);

/* mapping_to_my_view.c: the view in the form of SHOW CREATE VIEW, or a finding that it is not carried; after all tables. */
ERR_MUST_USE bool my_plan_view(mapping_maker *m, const view_def *v, err *e);

/* mapping_to_my_keys.c: keys (with row_key) and foreign keys, after all columns of all tables (T69). */
ERR_MUST_USE bool my_plan_keys(const my_work *w, err *e);
ERR_MUST_USE bool my_plan_foreign_keys(const my_work *w, err *e);

/* mapping_to_my_create.c: create_sql in the form of SHOW CREATE TABLE, which engine/mysql/ddl.c takes apart; the last step of a table. */
ERR_MUST_USE bool my_write_create(const my_work *w, err *e);
/* A column's type with its character set. */
void my_add_type(const column_def *c, buf *out);

/* mapping_to_my_alter.c */
bool my_alter_column(const column_plan *to, const column_def *was, column_alter *x, arena *a, bool *ret_same, err *e);

/* mapping_to_my_value.c: numbers, bits, bytes, addresses */
bool my_convert_number(const column_plan *p, arena *mem, val *v, mapping_trouble *t);    /* integers; VAL_TEXT of a domain too */
bool my_convert_boolean(const column_plan *p, arena *mem, val *v, mapping_trouble *t);   /* to TINYINT(1) */
bool my_convert_boolean_bit(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* to BIT(1) */
bool my_convert_decimal(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_money(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_float(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_double(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_bits(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_bytes(const column_plan *p, arena *mem, val *v, mapping_trouble *t);     /* bytea */
bool my_convert_raw(const column_plan *p, arena *mem, val *v, mapping_trouble *t);       /* any text, by its bytes */
bool my_convert_uuid(const column_plan *p, arena *mem, val *v, mapping_trouble *t);      /* to its 16 bytes */
bool my_convert_address(const column_plan *p, arena *mem, val *v, mapping_trouble *t);   /* inet to 4 or 16 bytes, macaddr to 6 or 8 */
/* A value that the column's type does not have. */
bool my_unexpected(const column_plan *p, arena *mem, const val *v, mapping_trouble *t);
/* v becomes these bytes of the arena; false and *t when there are none (no memory). */
bool my_set_bytes(val *v, val_kind kind, str bytes, mapping_trouble *t);
/* A value that MySQL does not have, by the column's choice in r: `what` says why. */
bool my_no_value(const column_plan *p, mapping_rule r, val_kind kind, bool early, arena *mem, val *v, const char *what, mapping_trouble *t);

/* mapping_to_my_text.c: texts with the limits of the column */
bool my_convert_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_char(const column_plan *p, arena *mem, val *v, mapping_trouble *t);      /* char(n): blanks at the end mean nothing */

/* mapping_to_my_time.c */
bool my_convert_date(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_datetime(const column_plan *p, arena *mem, val *v, mapping_trouble *t);  /* timestamp and timestamptz to DATETIME, in UTC */
bool my_convert_timestamp(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* to TIMESTAMP */
bool my_convert_time(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool my_convert_interval(const column_plan *p, arena *mem, val *v, mapping_trouble *t);  /* to ISO 8601, as the server writes it with intervalstyle iso_8601 */
bool my_convert_interval_us(const column_plan *p, arena *mem, val *v, mapping_trouble *t);

/* mapping_to_my_json.c: json, jsonb, arrays, composites and hstore as JSON that the target holds without loss */
bool my_convert_json(const column_plan *p, arena *mem, val *v, mapping_trouble *t);

/* mapping_to_my_geometry.c: EWKB in hex, as PostGIS prints it */
bool my_convert_geometry(const column_plan *p, arena *mem, val *v, mapping_trouble *t);  /* to MySQL's storage form */
bool my_convert_ewkb(const column_plan *p, arena *mem, val *v, mapping_trouble *t);      /* to its bytes */

#endif
