/* Changed definitions that a source's log tells as such: what a transaction of the source made and dropped of keys, constraints, defaults and comments. Columns
 * are a matter of model/alter.h. */
#ifndef MODEL_DDL_H
#define MODEL_DDL_H

#include "model/table.h"

typedef enum ddl_kind {
    DDL_DROP_CONSTRAINT, DDL_DROP_INDEX,     /* before the rows of the transaction: less is asked of them then */
    DDL_KEY, DDL_CHECK, DDL_FOREIGN_KEY,     /* all others behind them, in this order */
    DDL_COLUMN,                              /* default and NOT NULL of a column as they are now */
    DDL_COMMENT,
} ddl_kind;

/* Texts of SQL are the source's. */
typedef struct ddl_change {
    ddl_kind kind;
    const table_def *table;      /* of the source; NULL in DROP_INDEX, of which the log no longer tells the table */
    str target_schema;           /* DROP_INDEX */
    str name;                    /* of key, constraint or index; the same in the target */
    key_def key;                 /* KEY */
    check_def check;             /* CHECK */
    foreign_key_def foreign_key; /* FOREIGN_KEY */
    const table_def *parent;
    uint32_t column;             /* COLUMN, COMMENT; UINT32_MAX in COMMENT: the table's */
    str default_sql;             /* COLUMN; p == NULL without one */
    bool not_null;
    str comment;                 /* COMMENT; p == NULL without one */
    str text;                    /* all of it, for messages */
} ddl_change;

/* Of one transaction, in the order of ddl_kind. */
typedef struct ddl_list {
    ddl_change *changes;
    uint32_t count;
    str *notes;                  /* what the source did and is not carried */
    uint32_t note_count;
    bool over;                   /* the transaction is there: comes a second time, behind it */
} ddl_list;

static inline bool ddl_is_drop(ddl_kind k) { return k <= DDL_DROP_INDEX; }

#endif
