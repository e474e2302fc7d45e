/* The tables of the schema sluice in a target: made through the ledger, removed when no job uses them. */
#ifndef ENGINE_MYSQL_CHECKPOINT_TABLES_H
#define ENGINE_MYSQL_CHECKPOINT_TABLES_H

#include "engine/mysql/mysql.h"

typedef enum checkpoint_object { CHECKPOINT_NONE, CHECKPOINT_OURS, CHECKPOINT_FOREIGN /* same name, other columns */ } checkpoint_object;

typedef struct checkpoint_objects {
    bool schema;
    checkpoint_object checkpoint, chunk, object, shape;
} checkpoint_objects;

/* Which of our tables exist; a table is ours when it has a column job_id and its own mark of a column. */
ERR_MUST_USE bool checkpoint_tables_find(conn *c, checkpoint_objects *ret, err *e);
/* Short lock waits for the statements on our tables. */
ERR_MUST_USE bool checkpoint_session(conn *c, err *e);
/* The named lock 'sluice' of the server, held around making and removing. ERR_TARGET_BUSY when another job keeps it for 10 s. */
ERR_MUST_USE bool checkpoint_tables_lock(conn *c, err *e);
void checkpoint_tables_unlock(conn *c);
/* Makes a table of the schema by name and SQL, through the ledger. */
ERR_MUST_USE bool checkpoint_tables_make_one(target *t, const char *name, const char *create, err *e);
/* " WHERE job_id=… AND table_schema=… AND table_name=…": a job's rows of one table. */
void checkpoint_add_where_table(buf *sql, str job_id, const table_def *t);
/* Writes schema, tables and the job's rows into the ledger and makes what is missing. */
ERR_MUST_USE bool checkpoint_tables_make(target *t, err *e);
/* Tells the ledger that the job's rows exist. */
ERR_MUST_USE bool checkpoint_tables_made(target *t, err *e);

#endif
