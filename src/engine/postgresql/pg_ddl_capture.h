/* Event triggers that write to a source's log what it does not tell by itself of changed definitions. All jobs at a database share them. */
#ifndef ENGINE_POSTGRESQL_PG_DDL_CAPTURE_H
#define ENGINE_POSTGRESQL_PG_DDL_CAPTURE_H

#include "engine/postgresql/postgresql.h"

/* The prefix of the messages. */
#define PG_DDL_PREFIX "sluice.ddl"

/* Makes what is missing and counts the job in, through the ledger. A source that does not let the account is no error: the ledger says why there are none. */
ERR_MUST_USE bool pg_ddl_capture_make(source *s, err *e);
/* What the triggers' messages have in them, and nobody else knows; in the arena, p == NULL where there are none, or they are another account's. */
ERR_MUST_USE bool pg_ddl_capture_token(source *s, arena *a, str *ret, err *e);
/* Takes the job out; what no other job needs goes. lines: what went. */
ERR_MUST_USE bool pg_ddl_capture_remove(source *s, str job_id, buf *lines, err *e);
/* Makes all of it and takes it back. *ret_why: why it cannot be made, p == NULL when it can; in the arena. */
ERR_MUST_USE bool pg_ddl_capture_try(pg_conn *c, arena *a, str *ret_why, err *e);

#endif
