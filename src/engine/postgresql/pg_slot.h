/* What a job makes at a PostgreSQL source: its publication and its replication slot. */
#ifndef ENGINE_POSTGRESQL_PG_SLOT_H
#define ENGINE_POSTGRESQL_PG_SLOT_H

#include "codec/pg_lsn.h"
#include "engine/postgresql/postgresql.h"

#define PG_SLOT_NAME_BYTES 64 /* NAMEDATALEN */

/* The name of both: "sluice_" and the job's id in the letters that a slot may have. */
void pg_slot_name(str job_id, char out[PG_SLOT_NAME_BYTES]);
/* Is there a row of pg_catalog.`from` whose `column` is the name? */
ERR_MUST_USE bool pg_slot_exists(pg_conn *c, const char *from, const char *column, const char *name, bool *ret, err *e);
/* The ledger's side of publication and slot (kind): the intent before one is made; did this job make it? one that was
 * there before the job is kept. */
ERR_MUST_USE bool pg_slot_intend(source *s, const char *kind, const char *name, const char *undo, uint64_t *ret_id,
                                 err *e);
ERR_MUST_USE bool pg_slot_is_ours(source *s, const char *kind, const char *name, bool *ret, err *e);
ERR_MUST_USE bool pg_slot_adopt(source *s, const char *kind, const char *name, err *e);
/* How long making a slot may take: it waits for every transaction that was open before it. */
uint32_t pg_slot_wait_s(const pg_conn *c);
/* Can the slot deliver everything after lsn? ERR_SOURCE_LOG_PURGED when it is gone, was invalidated, or was moved past it. */
ERR_MUST_USE bool pg_slot_check(source *s, pg_lsn lsn, err *e);

#endif
