/* Statements that repair what prechecks of MySQL and MariaDB find; see engine/repair.h for the form. */
#ifndef ENGINE_MYSQL_REPAIR_H
#define ENGINE_MYSQL_REPAIR_H

#include "engine/mysql/ddl.h"
#include "engine/repair.h"

extern const repair_ops repair_table;

/* At the source: the foreign key gets another name. */
void repair_rename_foreign_key(const table_def *t, const foreign_key_def *f, str name, buf *out);
/* At the source: the check gets another name. */
void repair_rename_check(const table_def *t, const ddl_check *c, str name, buf *out);

/* row_count.c: repair_ops.count_rows */
bool repair_count_rows(source *s, const table_def *t, const str *conditions, uint32_t n, arena *a, condition_rows *ret, bool *ret_lost, err *e);

#endif
