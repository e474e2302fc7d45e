/* Tables, columns and keys as both ends and the pipeline see them. */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "model/type.h"

/* Limits of what a job may select. */
#define TABLE_MAX_COLUMNS 4096
#define TABLE_MAX_COUNT 100000

typedef struct column_def {
    str name;
    str target_name;   /* after mapping; equals name without one */
    str native_type;   /* the engine's full type text, "int(10) unsigned", "enum('a','b')" */
    col_type type;
    bool nullable, is_unsigned, auto_increment;
    char identity;     /* PostgreSQL: 'a' GENERATED ALWAYS, 'd' BY DEFAULT AS IDENTITY, 0 not an identity column */
    str identity_sql;  /* PostgreSQL: options of its sequence, p == NULL without any */
    bool inherited;    /* PostgreSQL: comes from the tables that INHERITS names */
    str not_null_name; /* PostgreSQL 18: of the NOT NULL constraint when it is not the default one, else p == NULL */
    str *attributes;   /* PostgreSQL: what ALTER COLUMN sets: "SET STORAGE EXTERNAL", "SET STATISTICS 100" */
    uint32_t attribute_count;
    bool generated;    /* computed by the server: never written */
    bool generated_stored;
    bool invisible;    /* hidden from SELECT * but present in row images */
    bool selected;     /* false: not carried (column subset) */
    uint32_t length;   /* characters for text, bytes for binary, bits for BIT, digits for DECIMAL */
    uint32_t scale;    /* DECIMAL scale, fraction digits of times */
    str charset;       /* column charset, empty for types without one */
    str collation;
    str default_sql;   /* DEFAULT as SQL text, p == NULL without one */
    str on_update_sql; /* ON UPDATE as SQL text, p == NULL without one */
    str generation_sql;
    str comment;
    str *labels;       /* ENUM and SET labels, in the column's charset */
    uint32_t label_count;
    const type_def *definition; /* PostgreSQL: the type and what it is made of; NULL for MySQL */
} column_def;

typedef struct key_def {
    str name;
    bool primary, unique;
    uint32_t *columns; /* indexes into table_def.columns; UINT32_MAX for an expression part */
    uint32_t count;
    bool has_prefix;   /* a part covers only a prefix of its column */
    str definition_sql;/* native text of the whole key, for creating it on a like engine */
    bool constraint;   /* PostgreSQL: definition_sql is that of a constraint (PRIMARY KEY, UNIQUE, EXCLUDE), not of an index */
} key_def;

/* What PostgreSQL's log says of a column: a change of the definition shows here. */
typedef struct column_identity {
    uint16_t number;   /* attnum */
    uint32_t type_oid;
    int32_t type_modifier;
} column_identity;

typedef struct foreign_key_def {
    str name;
    uint32_t *columns;
    uint32_t count;
    str parent_schema, parent_table; /* source names */
    str *parent_columns;
    str definition_sql;              /* PostgreSQL's text, p == NULL from MySQL */
    str on_delete, on_update;        /* "CASCADE", "SET NULL", "RESTRICT", "NO ACTION", "SET DEFAULT" */
} foreign_key_def;

/* Whose types and SQL the texts of a table are: native_type, default_sql, create_sql and so on. */
typedef enum sql_family { SQL_MYSQL /* and MariaDB */, SQL_POSTGRESQL } sql_family;

typedef struct table_def {
    sql_family sql;                  /* of the source */
    uint32_t id;                     /* index in the job's table list, stable for the job's life */
    str schema, name;                /* at the source */
    str target_schema, target_name;
    str filter_sql;                  /* row condition of the selection, p == NULL without one */
    column_def *columns;
    uint32_t column_count;
    key_def *keys;                   /* primary key first */
    uint32_t key_count;
    foreign_key_def *foreign_keys;
    uint32_t foreign_key_count;
    column_identity *identities;     /* of the columns, by index; NULL for MySQL */
    char replica_identity;           /* PostgreSQL: 'd' primary key, 'i' index, 'f' full, 'n' nothing; 0 elsewhere */
    check_def *checks;               /* PostgreSQL; in MySQL they stand in create_sql */
    uint32_t check_count;
    bool referenced;                 /* another selected table has a foreign key to it */
    uint32_t family;                 /* not 0: the tables of this number are joined by foreign keys with actions, see family.h */
    bool target_has_triggers;        /* filled when the target was inspected */
    uint32_t row_key;                /* index of the key that identifies a row (primary, else unique and not null), UINT32_MAX = none */
    uint64_t estimated_rows, estimated_bytes;
    str storage_engine, charset, collation, comment;
    str create_sql;                  /* native CREATE TABLE text, for like engines; PostgreSQL: what stands behind the columns, INHERITS, PARTITION BY */
    str *attributes;                 /* PostgreSQL: what ALTER TABLE sets: "SET (fillfactor=70)" */
    uint32_t attribute_count;
    str partition_of, partition_schema; /* PostgreSQL: the partitioned table (source names) whose rows it takes; p == NULL for no partition of a selected table */
    str partition_bound;             /* "FOR VALUES IN (1)", "DEFAULT" */
} table_def;

#define TABLE_NO_KEY UINT32_MAX

/* Index of the column with this source name (ASCII case ignored), UINT32_MAX when there is none. */
uint32_t table_find_column(const table_def *t, str name);
/* Appends to the empty buffer a column name that the table does not have: the stem, or the stem and a number from 2 on. */
void table_free_column_name(const table_def *t, const char *stem, buf *out);
/* Sets row_key: the primary key, else the first unique key of only NOT NULL whole columns. */
void table_choose_row_key(table_def *t);
/* True when row changes can be merged by key: has a row key that is selected, no other unique key, no foreign key in or out, no triggers at the target. */
bool table_is_mergeable(const table_def *t);

typedef struct view_def {
    str schema, name, target_schema, target_name;
    str create_sql; /* native text */
} view_def;

/* What like engines make from the source's own text: types, sequences, functions, views, triggers and so on; and the tables at their place among them. */
typedef struct object_def {
    str kind;                        /* "type", "sequence", "function", ... for progress and reports */
    str schema, name, target_schema, target_name;
    str create_sql;                  /* statements with target names; p == NULL: made by table, or not at all */
    str source_sql;                  /* the same as the source has them, for a report of what is not carried; p == NULL without */
    const table_def *table;          /* of the catalog, or a partition of one (not in catalog_def.tables); when no object names a table, all tables follow
                                        what is made before the load */
    bool after_load;
    str *roles;                      /* that create_sql names */
    uint32_t role_count;
    str *acting;                     /* roles that create_sql acts as, or gives to: the account must be a member of them */
    uint32_t acting_count;
    bool rights;                     /* it is the owner or the privileges of an object, or what objects get by default: an option of the job */
    str of_kind, of_name;            /* rights: of what is made, "table" and its name; p == NULL for none */
    str obstacle;                    /* why it is not carried, or not as it was; p == NULL without one */
} object_def;

typedef struct database_def {
    str name, target_name;
    str charset, collation;
} database_def;

/* Everything a job moves. Memory: the arena it was read into. */
typedef struct catalog_def {
    database_def *databases;
    uint32_t database_count;
    table_def **tables; /* tables[i]->id == i */
    uint32_t table_count;
    view_def *views;
    uint32_t view_count;
    object_def *objects;             /* in order of creation; only PostgreSQL fills them */
    uint32_t object_count;
} catalog_def;

/* The table with these source names or NULL (exact bytes). */
const table_def *catalog_find_table(const catalog_def *c, str schema, str name);
/* Makes one "owners" and one "privileges" of a schema of all its objects that are rights, which are not carried: their statements are the source text. False
 * without memory. */
ERR_MUST_USE bool catalog_leave_out_rights(catalog_def *c, arena *a, err *e);

#endif
