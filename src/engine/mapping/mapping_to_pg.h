/* MySQL and MariaDB to PostgreSQL: what the files of this direction share. Values come in the two shapes of the MySQL engine (texts of the full load, what the
 * log holds) and leave in one: VAL_NUMBER or VAL_TEXT, the text form that PostgreSQL 15 reads under the settings of pg_conn. */
#ifndef ENGINE_MAPPING_MAPPING_TO_PG_H
#define ENGINE_MAPPING_MAPPING_TO_PG_H

#include "base/buf.h"
#include "base/encode.h"
#include "base/map.h"
#include "engine/mapping/charset.h"
#include "engine/mapping/mapping_plan.h"
#include "engine/mysql/ddl.h"

/* Bytes of one value's text: a field is at most 1 GiB less its header (MaxAllocSize, src/include/utils/memutils.h). */
#define MAPPING_PG_MAX_FIELD_BYTES 1073741819u
/* Bytes of a name: NAMEDATALEN - 1. */
#define MAPPING_PG_MAX_NAME_BYTES 63

enum pg_bad_bytes { PG_BAD_ERROR, PG_BAD_REPLACE };               /* T8; raw bytes are another convert function */
enum pg_nul { PG_NUL_ERROR, PG_NUL_STRIP, PG_NUL_REPLACE };       /* T9 */
enum pg_no_day { PG_NO_DAY_ERROR, PG_NO_DAY_NULL, PG_NO_DAY_SENTINEL }; /* T15; text is another convert function */

/* mapping_maker.state of this direction. */
typedef struct pg_state {
    charset_set charsets;
    ddl_table *definitions;    /* by table id: create_sql taken apart */
    uint32_t object_cap, check_cap;
} pg_state;

/* One table at work. */
typedef struct pg_work {
    mapping_maker *m;
    table_plan *p;
    const table_def *s;        /* the source's */
    table_def *t;              /* the target's */
    const ddl_table *d;
} pg_work;

/* column_plan.detail of this direction: what the convert function of the column needs. */
typedef struct pg_column_detail {
    const charset *charset;    /* texts, ENUM, SET */
    enum pg_bad_bytes bad_bytes;
    enum pg_nul nul;
    const str *labels;         /* ENUM, SET: in UTF-8; ENUM: [0] is the error value '' */
    uint32_t label_count;
    enum pg_no_day no_day;
    str sentinel;              /* the whole text, zone included */
    bool no_on_update;         /* T23=report */
    bool computed;             /* a generated column that PostgreSQL is to compute, if it can */
    str suffix;                /* behind a date and time: "+00", " Asia/Shanghai", empty */
} pg_column_detail;

/* mapping_to_pg.c */
pg_work pg_work_of(mapping_maker *m, table_plan *p);
/* The name, or when it is too long its beginning and a hash of it, told as a finding of T26. {NULL,0} without memory. */
str pg_short_name(mapping_maker *m, const table_def *t, str name);
/* Adds a check of the target's table; condition in parentheses. */
ERR_MUST_USE bool pg_add_check(const pg_work *w, str name, str condition, err *e);
ERR_MUST_USE bool pg_add_object(mapping_maker *m, object_def o, err *e);
/* A text that must be there: error of memory when p == NULL. */
ERR_MUST_USE bool pg_made(str text, err *e);
/* "name" and 'literal' appended, quoted for PostgreSQL; `name` for MySQL. */
void pg_add_name(buf *out, str name);
void pg_add_qualified(buf *out, str schema, str name);
void pg_add_literal(buf *out, str text);
void pg_add_source_name(buf *out, str name);

/* mapping_to_pg_column.c: type, convert function, checks and findings of a column. */
ERR_MUST_USE bool pg_plan_column(const pg_work *w, uint32_t column, err *e);
/* The column is part of the primary key or of the row key. */
bool pg_is_key_column(const table_def *t, uint32_t column);

/* mapping_to_pg_default.c: DEFAULT, AUTO_INCREMENT; whether a generated column stays one. */
ERR_MUST_USE bool pg_plan_default(const pg_work *w, uint32_t column, err *e);
/* The moment of the transaction as a column of the target's type holds it; digits: of the second. */
str pg_now(const column_def *t, str digits, arena *a);
/* The SQL is CURRENT_TIMESTAMP or current_timestamp(3); "0" digits when none are written. */
bool pg_is_now(str sql, str *ret_digits);
/* Generated columns and checks, after all columns have their types. */
ERR_MUST_USE bool pg_plan_expressions(const pg_work *w, err *e);

/* mapping_to_pg_on_update.c: ON UPDATE CURRENT_TIMESTAMP, after all columns have their types (T23). The trigger is an object that bears the table's name. */
ERR_MUST_USE bool pg_plan_on_update(const pg_work *w, err *e);

/* mapping_to_pg_partition.c: the clause and its partitions into create_sql of the target's table, or a finding (T28). */
ERR_MUST_USE bool pg_plan_partitions(const pg_work *w, map *names, err *e);

/* mapping_to_pg_expression.c */
typedef enum pg_expression_use { PG_FOR_DEFAULT /* no columns */, PG_FOR_VALUE, PG_FOR_CHECK, PG_FOR_INDEX /* may tell apart less than the source does */, PG_FOR_VIEW } pg_expression_use;
/* A table in the FROM of a view, under the name that its columns have there. */
typedef struct pg_scope {
    pg_work w;
    str alias;
    bool aliased;
} pg_scope;
/* The expression in PostgreSQL's SQL (in the arena); as a value of the target's column unless that is NULL. False: it is none that gives the same everywhere. */
bool pg_translate(const pg_work *w, str sql, pg_expression_use use, const column_def *column, str *ret);

/* The same of an expression in a view, which is read from *l on, up to a token that is no part of it: a condition or a value. */
bool pg_translate_in_view(const pg_scope *scope, uint32_t count, ddl_lexer *l, bool condition, str *ret);
/* A column alone, of whatever type, is what it is in its table. */
bool pg_take_view_column(const pg_scope *scope, uint32_t count, ddl_lexer *l, str *ret);

/* mapping_to_pg_view.c: the view as an object, or a finding that it is not carried; after all tables. */
ERR_MUST_USE bool pg_plan_view(mapping_maker *m, const view_def *v, err *e);

/* mapping_to_pg_keys.c: keys and foreign keys, after all columns. names: of the relations of each schema, "schema.name" → anything. */
/* A name that no relation of the schema has yet; it is taken then. */
ERR_MUST_USE bool pg_relation_name(const pg_work *w, map *names, str wish, str *ret, err *e);
ERR_MUST_USE bool pg_plan_keys(const pg_work *w, map *names, err *e);
ERR_MUST_USE bool pg_plan_foreign_keys(const pg_work *w, err *e);

/* mapping_to_pg_value.c */
bool pg_convert_integer(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_bigint(const column_plan *p, arena *mem, val *v, mapping_trouble *t);  /* BIGINT UNSIGNED to bigint (T1) */
bool pg_convert_boolean(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* TINYINT(1), BIT(1) */
bool pg_convert_decimal(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_float(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_double(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_bits(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_bytes(const column_plan *p, arena *mem, val *v, mapping_trouble *t);   /* any bytes, texts too, to bytea */
bool pg_convert_vector(const column_plan *p, arena *mem, val *v, mapping_trouble *t);  /* floats to pgvector's "[1,2]" */
bool pg_convert_floats(const column_plan *p, arena *mem, val *v, mapping_trouble *t);  /* the same to real[], "{1,2}" */
/* A value of a kind that the column's type does not have. */
bool pg_unexpected(const column_plan *p, arena *mem, const val *v, mapping_trouble *t);
/* v becomes a text of the arena; false and *t when there is none (p == NULL: no memory) or it is larger than a field may be. */
#define PG_TOO_LARGE ((str){"", (size_t)MAPPING_PG_MAX_FIELD_BYTES + 1})
bool pg_set_text(val *v, val_kind kind, str text, mapping_trouble *t);

/* mapping_to_pg_text.c */
bool pg_convert_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_enum(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_set(const column_plan *p, arena *mem, val *v, mapping_trouble *t);      /* to text[] */
bool pg_convert_set_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* to its comma list */
/* The text of bytes in the column's character set, by the choices T8 and T9. */
ERR_MUST_USE bool pg_text_of(const pg_column_detail *d, str bytes, arena *mem, str *ret, mapping_trouble *t);

/* mapping_to_pg_time.c */
bool pg_convert_date(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_datetime(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* DATETIME, TIMESTAMP */
bool pg_convert_moment_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* T15=text */
bool pg_convert_interval(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_time(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_year(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
/* The text begins with YYYY-MM-DD, a day of the calendar in the years 1 to 9999. */
bool pg_is_day(str text);

/* mapping_to_pg_json.c */
bool pg_convert_jsonb(const column_plan *p, arena *mem, val *v, mapping_trouble *t);
bool pg_convert_json(const column_plan *p, arena *mem, val *v, mapping_trouble *t);

/* mapping_to_pg_geometry.c: from MySQL's storage form, SRID and WKB. X is the longitude in both servers and in PostGIS: nothing is swapped (measured on 9.7). */
bool pg_convert_geometry(const column_plan *p, arena *mem, val *v, mapping_trouble *t);      /* hex of EWKB, as PostGIS reads it */
bool pg_convert_geometry_bytes(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* EWKB as bytea */
bool pg_convert_geometry_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t); /* EWKT */

#endif
