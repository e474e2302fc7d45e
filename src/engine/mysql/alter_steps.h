/* A change of a table's columns as steps of one ALTER TABLE each. The server commits each by itself: what the table's columns were before a step tells, after a
 * crash, whether it was done. No I/O. */
#ifndef ENGINE_MYSQL_ALTER_STEPS_H
#define ENGINE_MYSQL_ALTER_STEPS_H

#include "engine/mysql/ddl.h"
#include "model/alter.h"

/* The first steps are those of alter_kind. Dropping and adding, or renaming and adding, columns of one name in one step could not be told from nothing done. */
#define ALTER_STEP_DEFAULTS (ALTER_ADD_COLUMN + 1) /* new columns had the old rows' value as their default */
#define ALTER_STEP_END (ALTER_STEP_DEFAULTS + 1)

/* The changes as text, for keeping, and back; slices are borrowed from the text. ERR_CORRUPT. */
void alter_steps_write(const table_alter *x, buf *out);
ERR_MUST_USE bool alter_steps_read(str text, arena *a, table_alter *ret, err *e);
/* Names and types of a table's columns as text; equal texts: equal columns. */
void alter_steps_columns(const ddl_table *d, buf *out);
/* The table, whose columns were `before` the step, is what the step makes of it. False also without memory. */
bool alter_steps_is_done(const table_alter *x, uint32_t step, str before, const ddl_table *now, arena *a);
/* "DROP COLUMN `a`, DROP COLUMN `b`": what follows ALTER TABLE t; nothing when the step has nothing to do. now: the table before the step. ERR_TARGET_CONFLICT:
 * it has no column of the name. */
ERR_MUST_USE bool alter_steps_sql(const table_alter *x, uint32_t step, const ddl_table *now, buf *out, err *e);

#endif
