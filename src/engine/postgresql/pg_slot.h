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
/* How much of the log the slot `s` holds back; a standby counts from what it has replayed. */
#define PG_SLOT_HELD_SQL                                                                                               \
    "pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN "              \
    "pg_catalog.pg_last_wal_replay_lsn() ELSE "                                                                        \
    "pg_catalog.pg_current_wal_lsn() END, s.restart_lsn))"

/* The slot of that name and where it begins. ERR_SOURCE_LOG_PURGED with the reason when the server has given it up, ERR_SOURCE_CONFIG when it is another kind
 * of slot. */
ERR_MUST_USE bool pg_slot_read(source *s, const char *name, bool *ret_there, pg_lsn *ret_confirmed, err *e);
/* Can the slot deliver everything after lsn? ERR_SOURCE_LOG_PURGED when it is gone, was invalidated, made anew, or moved past it. What the answer is about
 * stays so only while our walsender holds the slot. */
ERR_MUST_USE bool pg_slot_check(source *s, pg_lsn lsn, err *e);
/* Does nobody read the slot? RETRY_LATER naming the reader. */
ERR_MUST_USE bool pg_slot_check_idle(source *s, const char *name, err *e);

#endif
