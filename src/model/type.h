/* Types of columns: the common names, and what a type of PostgreSQL is made of. */
#ifndef MODEL_TYPE_H
#define MODEL_TYPE_H

#include "base/str.h"

/* The column's type, engine-neutral. */
typedef enum col_type {
    COL_TINYINT, COL_SMALLINT, COL_MEDIUMINT, COL_INT, COL_BIGINT,
    COL_FLOAT, COL_DOUBLE, COL_DECIMAL, COL_BIT,
    COL_CHAR, COL_VARCHAR, COL_TEXT, COL_BINARY, COL_VARBINARY, COL_BLOB,
    COL_DATE, COL_TIME, COL_DATETIME, COL_TIMESTAMP, COL_YEAR,
    COL_ENUM, COL_SET, COL_JSON, COL_GEOMETRY, COL_VECTOR, COL_UUID, COL_INET, COL_OTHER,
} col_type;

typedef struct check_def {
    str name;
    str condition_sql;               /* without the word CHECK, in parentheses */
    bool inherited;                  /* comes with INHERITS */
} check_def;

/* A type of PostgreSQL and what it is made of. Types of the catalog may be behind several columns. */
typedef struct type_def type_def;
struct type_def {
    char kind;               /* 'b' base, 'a' array, 'c' composite, 'd' domain, 'e' enum, 'r' range, 'm' multirange */
    col_type type;           /* COL_OTHER for all that col_type does not name */
    uint32_t length, scale;  /* as in column_def */
    str schema, name;        /* pg_type.typname, "int4", "_int4" */
    str sql;                 /* with its modifiers: "numeric(10,2)", "public.posint" */
    str extension;           /* that it belongs to, empty for none */
    const type_def *of;      /* element of an array, base of a domain (with its modifiers), bounds of a range, range of a multirange; else NULL */
    char delimiter;          /* between the elements of an array of it */
    str *names;              /* fields of a composite, labels of an enum */
    const type_def **fields; /* of a composite */
    uint32_t count;          /* of names */
    bool not_null;           /* domain: refuses NULL */
    str default_sql;         /* domain, p == NULL without one */
    check_def *checks;       /* domain: conditions on the word VALUE */
    uint32_t check_count;
};

#endif
