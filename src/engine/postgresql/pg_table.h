/* What a target's tables are: names as SQL, columns to write and their types, unique keys, triggers. Shared by the loader and the applier. */
#ifndef ENGINE_POSTGRESQL_PG_TABLE_H
#define ENGINE_POSTGRESQL_PG_TABLE_H

#include "engine/postgresql/pg_conn.h"

typedef struct pg_column {
    str name;         /* target name, quoted */
    bool written;     /* selected and not generated at the source */
    bool always;      /* GENERATED ALWAYS AS IDENTITY */
    bool indexed;     /* the first column of an index, so that comparing with equals is quick */
    str type;         /* as SQL, without a length: casting to it cuts nothing */
    str full_type;    /* with its length */
    str array_type;   /* of `type`; p == NULL where values go in as an array of texts */
    str equals;       /* "=", or the operator of the column's index when that is not one of pg_catalog */
} pg_column;

/* A unique index, or one of an EXCLUDE constraint that no row may share, as expressions over the table's column names. */
typedef struct pg_unique {
    str *elements;    /* SQL, in parentheses where needed */
    str *equals;      /* the operator of each */
    uint32_t count;
    str predicate;    /* of a partial index, else p == NULL */
} pg_unique;

typedef struct pg_table {
    const table_def *def;
    str name;             /* "schema"."table" of the target */
    str from;             /* the same for reading and changing rows: ONLY, but for partitioned tables */
    bool partitioned;
    bool exists;
    pg_column *columns;   /* as def->columns */
    uint32_t *written;    /* indexes of the written columns */
    uint32_t written_count;
    const uint32_t *key;  /* columns of the row key */
    uint32_t key_count;   /* 0: no key, rows are found by all their columns */
    bool has_row_key;     /* a unique index of exactly the row key's columns */
    pg_unique *uniques;   /* the other unique indexes */
    uint32_t unique_count;
    bool triggers, replica_triggers; /* that fire in a session of role origin, of role replica */
    bool rules, replica_rules;       /* that rewrite what is written, but by COPY */
    bool foreign_keys;    /* of the table or to it */
    str acting_foreign_key; /* the name of one that changes child rows; p == NULL: none does */
    bool foreign_keys_act; /* the applier lets it act: what is deleted takes child rows with it; set by the applier */
    bool deferrable;      /* a unique constraint that is checked later: never in a session of role replica (measured on 15) */
    str columns_sql;      /* "a", "b" of the written columns */
    str others_sql;       /* ", NULL::type AS "c"" for each column of the target that is not written */
    str kept_sql;         /* ", "d"" of those, but for generated ones */
    str kept_values_sql;  /* ", _sluice_t."d"" of the same */
    bool any_always;      /* a written column is GENERATED ALWAYS AS IDENTITY */
} pg_table;

/* Looks at the target's tables, which come back in the order of `tables`. Memory: the arena. ERR_TARGET_QUERY names a table or column that is missing. */
ERR_MUST_USE bool pg_tables_read(pg_conn *c, const table_def *const *tables, uint32_t count, arena *a, pg_table **ret, err *e);

#endif
