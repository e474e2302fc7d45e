/* Reading definitions: what the files of the catalog share. */
#ifndef ENGINE_POSTGRESQL_PG_CATALOG_H
#define ENGINE_POSTGRESQL_PG_CATALOG_H

#include "base/map.h"
#include "engine/postgresql/postgresql.h"

typedef struct pg_catalog_reading {
    pg_conn *c;
    const dblist *objects;
    arena *a;
    map by_oid;       /* oid text → table_def * of the selected tables */
    catalog_def *out;
    table_def **partitions; /* of selected tables; in by_oid, not in out->tables */
    uint32_t partition_count, partition_cap;
    uint32_t table_cap, view_cap;
} pg_catalog_reading;

/* A query over the tables of one schema: %s in `sql` stands where the schema's name literal goes. */
ERR_MUST_USE bool pg_catalog_query(pg_catalog_reading *r, const char *sql, str schema, PGresult **ret, err *e);
/* A copy of a field in the arena, STR_NULL for NULL; *ok turns false without memory. */
str pg_catalog_cell(pg_catalog_reading *r, const PGresult *res, int row, int column, bool *ok);
/* The selected table of an oid, NULL when it is not selected. */
table_def *pg_catalog_table(pg_catalog_reading *r, const PGresult *res, int row, int column);
/* pg_catalog_columns.c: columns, with their types. */
ERR_MUST_USE bool pg_catalog_read_columns(pg_catalog_reading *r, str schema, err *e);
/* pg_catalog_types.c: column_def.definition of the schema's selected tables. */
ERR_MUST_USE bool pg_catalog_read_types(pg_catalog_reading *r, str schema, err *e);
/* The common name of a type by pg_type: typtype, whether it lies in pg_catalog, typname. */
col_type pg_catalog_type(str kind, bool builtin, str name);
/* What a type's modifier says; a negative one says nothing. */
void pg_catalog_lengths(col_type type, int32_t modifier, uint32_t *length, uint32_t *scale);
/* SQL that writes one line of pg_catalog_lines. */
#define PG_CATALOG_LINE(text) "pg_catalog.replace(pg_catalog.replace(" text ", '\\', '\\\\'), pg_catalog.chr(10), '\\n')"
/* Lines of a query that escapes \ and line feeds in them; none when lines.p == NULL. */
ERR_MUST_USE bool pg_catalog_lines(pg_catalog_reading *r, str lines, str **ret, uint32_t *ret_count, err *e);
/* First version that knows the privilege MAINTAIN, which has objects of its own: "privileges on table (MAINTAIN)". */
#define PG_MAINTAIN 170000
/* pg_catalog_keys.c: primary, unique and other indexes, checks, foreign keys; row_key by the replica identity. */
ERR_MUST_USE bool pg_catalog_read_keys(pg_catalog_reading *r, str schema, err *e);
/* pg_catalog_inheritance.c: INHERITS of the selected tables, whose target names are known. */
ERR_MUST_USE bool pg_catalog_read_inheritance(pg_catalog_reading *r, err *e);
/* pg_catalog_objects.c: out->objects; all tables are read. */
ERR_MUST_USE bool pg_catalog_read_objects(pg_catalog_reading *r, err *e);
/* pg_catalog_sequence.c: a sequence's text, and the defaults that name it, under the job's names. */
ERR_MUST_USE bool pg_catalog_rename_sequence(const catalog_def *c, object_def *o, arena *a, err *e);
/* The text that says which column owns it; p == NULL afterwards when the column is not carried. */
ERR_MUST_USE bool pg_catalog_rename_owner(const table_def *t, object_def *o, arena *a, err *e);
/* Splits "1 3 2", PostgreSQL's vector form. Returns how many; at most `cap` are stored. */
uint32_t pg_catalog_numbers(str text, int32_t *ret, uint32_t cap);
/* pg_catalog, information_schema, pg_toast, pg_temp_*, and our own schema sluice are never carried. */
bool pg_catalog_is_system_schema(str schema);

#endif
