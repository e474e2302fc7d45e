/* Statements that repair what prechecks of PostgreSQL find; see engine/repair.h for the form. */
#ifndef ENGINE_POSTGRESQL_PG_REPAIR_H
#define ENGINE_POSTGRESQL_PG_REPAIR_H

#include "engine/repair.h"

extern const repair_ops pg_repair_ops;

#endif
