/* What the log of a source shows of a table's columns: their shape, and the changes that lead from one to the next. */
#ifndef MODEL_ALTER_H
#define MODEL_ALTER_H

#include "model/table.h"

typedef enum alter_kind { ALTER_DROP_COLUMN, ALTER_RENAME_COLUMN, ALTER_COLUMN_TYPE, ALTER_ADD_COLUMN } alter_kind;

/* Names are the target's. Texts of SQL are the source's; mapping_convert_alter makes them the target's where that is of another family. */
typedef struct column_alter {
    alter_kind kind;
    str column;      /* RENAME: as it was; all others: as it is afterwards */
    str new_name;    /* RENAME */
    str type_sql;    /* ADD, TYPE */
    str collation;   /* ADD, TYPE: as SQL, empty for the type's own */
    str value;       /* ADD: what rows have that were there before, as text of the source's type; p == NULL: NULL */
    str value_sql;   /* ADD, of another family: the same as SQL of the target, p == NULL: NULL */
    str default_sql; /* ADD: for rows to come; p == NULL without one */
    str check_sql;   /* ADD, of another family: the condition that belongs to the type, in parentheses; p == NULL: none */
    bool not_null;   /* ADD */
} column_alter;

typedef struct table_alter {
    const table_def *table; /* of the source, as it was */
    column_alter *columns;  /* in the order of alter_kind */
    uint32_t count;
    str shape;              /* of the table afterwards: the source engine's own text */
} table_alter;

#endif
