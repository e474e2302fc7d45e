/* Names of databases and tables for a server that ignores case (lower_case_table_names is not 0). */
#ifndef ENGINE_MYSQL_NAME_FOLD_H
#define ENGINE_MYSQL_NAME_FOLD_H

#include "engine/mysql/conn.h"

/* The name in small letters as this server makes them; it is asked for names that are not ASCII, since it alone knows its letters. Lives in the arena. */
ERR_MUST_USE bool name_fold(conn *c, str name, arena *a, str *ret, err *e);

#endif
