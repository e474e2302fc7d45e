/* The object list of a job (DbList of the DTS API, map form): what is selected, under which target names, with which columns and filter. */
#ifndef MODEL_DBLIST_H
#define MODEL_DBLIST_H

#include "base/arena.h"
#include "base/err.h"
#include "model/table.h"

#define DBLIST_MAX_BYTES (1024 * 1024)
#define DBLIST_MAX_DEPTH 64
/* Characters of a database, table, view or column name (MySQL 8.0 manual, "Identifier Length Limits"). */
#define DBLIST_MAX_NAME_CHARS 64

typedef struct dblist dblist;

/* What the text says (the DTS API reference, DbList):
 * - database: `name` renames it; `all` true or absent selects everything in it, and `Table`/`View` entries then only rename, filter or narrow
 *   single objects; `all` false selects the listed objects alone.
 * - table: `name` renames it; `column` with `all` absent or false selects the listed columns, with `all` true every column and the list only renames.
 * - `dml_op` and `ddl_op` are accepted when they mean every operation.
 * Two listed tables or views that would meet in one target object are refused. Names compare by exact bytes, column names without ASCII case.
 * Parses the JSON text; lives in the arena. Fails with ERR_BAD_INPUT naming the path inside the list ("DbList.shop.Table.t1.filter ..."),
 * ERR_NOT_SUPPORTED for keys whose effect cannot be honoured. Unknown keys are kept by the caller, who echoes the text as it came. */
ERR_MUST_USE bool dblist_parse(str json, arena *a, dblist **ret, err *e);

typedef struct dblist_match {
    bool selected;
    str target_schema, target_name;
    str filter_sql; /* p == NULL without one */
} dblist_match;

/* Is the database selected (wholly or in part)? */
bool dblist_has_database(const dblist *l, str schema);
/* Target name of a selected database. */
str dblist_target_database(const dblist *l, str schema);
/* Source database names in list order; the array lives in the arena of the list. */
uint32_t dblist_databases(const dblist *l, const str **ret);
/* Table names listed one by one under a database (0 when the whole database is selected): to find listed tables that do not exist. */
uint32_t dblist_tables(const dblist *l, str schema, const str **ret);
/* The same of views. */
uint32_t dblist_views(const dblist *l, str schema, const str **ret);
/* True when all of a database is selected. */
bool dblist_whole_database(const dblist *l, str schema);
dblist_match dblist_match_table(const dblist *l, str schema, str table);
dblist_match dblist_match_view(const dblist *l, str schema, str view);
/* Sets selected and target_name of each column of t, t->filter_sql and the target names, from the list. Fails (ERR_BAD_INPUT, path named)
 * when a listed column does not exist. */
ERR_MUST_USE bool dblist_apply_to_table(const dblist *l, table_def *t, arena *a, err *e);

#endif
