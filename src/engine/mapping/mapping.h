/* Carrying tables and values from one family of databases to another: a source's catalog as the target's family writes it, and rows to match.
 * Facts and defaults: features.md 1.2 of the references, rows T1 to T69. */
#ifndef ENGINE_MAPPING_MAPPING_H
#define ENGINE_MAPPING_MAPPING_H

#include "engine/engine.h"
#include "model/alter.h"

/* What of a job's definition decides mappings. */
typedef struct mapping_options {
    sql_family target;
    bool target_mariadb;     /* MariaDB has its own UUID, INET, JSON */
    uint32_t target_version;
    str postgis_schema, pgvector_schema; /* PostgreSQL: where the target has these extensions, STR_NULL without */
    /* Reserve "sluice.types": a choice of the user by "T15" (all columns), "schema.table" or "schema.table.column" (source names); the text or STR_NULL. May be
     * NULL. */
    str (*choice)(void *ctx, str key);
    void *ctx;
} mapping_options;

/* A column whose values may change meaning or fail, or an object that is not carried; borrowed during the call. rule: "T15".
 * condition_sql: rows that are concerned, as a condition in the source's SQL for counting; empty when every row may be. */
typedef struct mapping_finding {
    const table_def *table;
    const column_def *column; /* NULL: the table or an object of it, named by object */
    str rule, object, what, options, condition_sql;
    str kind;                 /* of the object: "view", "index", "check"; empty for a column's values */
    str schema;               /* of an object that belongs to no table */
    str choice;               /* of the rule, as it holds here */
    str source_text;          /* SQL of what is not carried; p == NULL: it is carried, in whatever form */
    bool fails;               /* such a row stops the job; else its value is carried changed */
    bool rough;               /* condition_sql holds for rows that are fine as well: only the row itself tells */
} mapping_finding;

typedef struct mapping_findings {
    void (*add)(void *ctx, const mapping_finding *f);
    void *ctx;
} mapping_findings;

typedef struct mapping mapping;

/* Checks one member of "sluice.types" by itself: a rule and one of its words, or an object and words that some rule knows. ERR_BAD_INPUT names both. */
ERR_MUST_USE bool mapping_check_option(str key, str value, err *e);

/* Maps a whole catalog. The result's tables have the same ids and the same column indexes as the source's and are written in the target's terms: schema, name
 * and column names are the target's, types, defaults, keys, foreign keys, checks and objects are SQL of the target's family with those names; for MySQL also
 * create_sql. Everything lives in the arena. When both families are the same the catalog is used as it is and no value is touched. Else the source's catalog
 * changes in one thing: a generated column that the target cannot compute is no longer marked as generated, so that its values are read and carried.
 * ERR_BAD_INPUT: a choice that does not exist or has no effect. ERR_NOT_SUPPORTED names table, column and the choice that helps. */
ERR_MUST_USE bool mapping_make(catalog_def *from, sql_family source_family, const mapping_options *o, const mapping_findings *out, arena *a, mapping **ret, err *e);
/* The catalog for the target; not const because apply_begin notes facts of the target in it. */
catalog_def *mapping_catalog(mapping *m);
/* False when rows pass through untouched. */
bool mapping_converts(const mapping *m);
/* Rewrites a change of a table's columns in place for the target's family; from: the mapping of the table as it was, to: of the catalog with this one table as it
 * is afterwards. What changes nothing in the target goes. ERR_SOURCE_DDL, ERR_NOT_SUPPORTED name table and column. */
ERR_MUST_USE bool mapping_convert_alter(const mapping *from, const mapping *to, table_alter *x, arena *a, err *e);
/* Rewrites rows and changes in place: values into the target family's forms (texts in the batch's arena, which `bytes` then counts), table pointers to the
 * target's tables. After an error the batch is of no more use.
 * ERR_NOT_SUPPORTED names table, column, key of the row, the value's trouble and the option. Safe from several threads. */
ERR_MUST_USE bool mapping_convert_rows(const mapping *m, row_batch *b, err *e);
ERR_MUST_USE bool mapping_convert_txn(const mapping *m, txn *t, err *e);

#endif
