/* The tables of the schema sluice in a target: made through the ledger, removed when no job uses them. */
#ifndef ENGINE_POSTGRESQL_PG_CHECKPOINT_TABLES_H
#define ENGINE_POSTGRESQL_PG_CHECKPOINT_TABLES_H

#include "engine/postgresql/postgresql.h"

typedef enum pg_checkpoint_object { PG_CHECKPOINT_NONE, PG_CHECKPOINT_OURS, PG_CHECKPOINT_FOREIGN /* same name, other columns */ } pg_checkpoint_object;

typedef struct pg_checkpoint_objects {
    bool schema, schema_ours; /* ours: made by a job, which its comment says */
    pg_checkpoint_object checkpoint, chunk, object, shape, ddl;
} pg_checkpoint_objects;

/* Which of our tables exist; a table is ours when it has a column job_id and its own mark of a column. */
ERR_MUST_USE bool pg_checkpoint_tables_find(pg_conn *c, pg_checkpoint_objects *ret, err *e);
/* An advisory lock of the session, held around making and removing. ERR_TARGET_BUSY when another job keeps it for 10 s. */
ERR_MUST_USE bool pg_checkpoint_tables_lock(pg_conn *c, err *e);
void pg_checkpoint_tables_unlock(pg_conn *c);
/* Makes the schema, or a table of it by name and SQL, through the ledger, unless it exists. The ledger's entry is
 * written either way; a schema that no job made is adopted: it will be kept. */
ERR_MUST_USE bool pg_checkpoint_tables_make_schema(target *t, const pg_checkpoint_objects *have, err *e);
ERR_MUST_USE bool pg_checkpoint_tables_make_one(target *t, bool exists, const char *name, const char *create, err *e);
/* ERR_TARGET_CONFLICT for a table of the name that is not Sluice's. */
ERR_MUST_USE bool pg_checkpoint_tables_not_foreign(pg_checkpoint_object o, const char *name, err *e);
/* Makes a table that not every job has, under the lock; which: its offset in pg_checkpoint_objects. */
ERR_MUST_USE bool pg_checkpoint_tables_make_later(target *t, size_t which, const char *name, const char *create, err *e);
/* Writes schema, tables and the job's rows into the ledger and makes what is missing. */
ERR_MUST_USE bool pg_checkpoint_tables_make(target *t, err *e);
/* Tells the ledger that the job's rows exist. */
ERR_MUST_USE bool pg_checkpoint_tables_made(target *t, err *e);

#endif
