/* What the applier knows of each table of the target: names as SQL, columns to write, and how exact a comparison must be. */
#ifndef ENGINE_MYSQL_APPLY_TABLE_H
#define ENGINE_MYSQL_APPLY_TABLE_H

#include "base/map.h"
#include "engine/mysql/mysql.h"

typedef struct apply_column {
    str name;          /* target name, quoted */
    bool written;      /* selected and not generated */
    bool same_charset; /* the target's column has the charset of the source's: stored bytes are equal */
    bool enumerated;   /* an ENUM at the source */
    bool json;         /* the target's column is of MySQL's type JSON */
    str charset;       /* of the target's column, empty for types without one */
} apply_column;

typedef struct apply_table {
    const table_def *def;
    str name;              /* `schema`.`table` of the target */
    apply_column *columns; /* as def->columns */
    const uint32_t *key;   /* columns of the row key */
    uint32_t key_count;    /* 0: no key, rows are found by all their columns */
    str insert_head;       /* " INTO `s`.`t` (`a`,`b`) VALUES " */
    str upsert_tail;       /* " ON DUPLICATE KEY UPDATE ..." of all columns but the key; empty when there are none */
    bool has_enum;
    bool unique_key_differs; /* the target has other unique keys than the row key, or lacks it */
} apply_table;

typedef struct apply_tables {
    apply_table *list; /* by table id */
    uint32_t count;
} apply_tables;

/* Looks at the target's tables: columns, unique keys, triggers. Sets target_has_triggers of tables that have triggers or whose unique keys differ from the
 * source's, so that their changes are applied in order. Memory: the arena. Errors: ERR_TARGET_QUERY naming a table or column that is missing,
 * ERR_NOT_SUPPORTED for an ENUM or SET with other labels. */
ERR_MUST_USE bool apply_tables_read(conn *c, catalog_def *catalog, arena *a, apply_tables *ret, err *e);

#endif
