/* Statements that repair what prechecks of PostgreSQL find; see engine/repair.h for the form. */
#ifndef ENGINE_POSTGRESQL_PG_REPAIR_H
#define ENGINE_POSTGRESQL_PG_REPAIR_H

#include "engine/repair.h"

extern const repair_ops pg_repair_ops;

/* pg_row_count.c: repair_ops.count_rows */
bool pg_repair_count_rows(source *s, const table_def *t, const str *conditions, uint32_t n, arena *a, condition_rows *ret, bool *ret_lost, err *e);

#endif
