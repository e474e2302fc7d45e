/* What changes rows of a job's tables, or hides changes of them, without a word in the log: somebody else alters or makes anew the publication; a partition is
 * attached with rows, detached, dropped, truncated by itself. All of it leaves marks in the catalog, and a job's position says up to where they were looked at. */
#ifndef ENGINE_POSTGRESQL_PG_WATCH_H
#define ENGINE_POSTGRESQL_PG_WATCH_H

#include "codec/pg_lsn.h"
#include "engine/postgresql/postgresql.h"

/* "1234.0123456789abcdef.0123456789abcdef.0123456789abcdef.0/16B3748": a transaction number, before which all had ended; over what those had left, hashes of the
 * publication, of the partitions of selected tables and of the files these are in; where the log ended then (older versions of Sluice did not note it). */
#define PG_SEEN_BYTES 104

typedef enum pg_watch_found {
    PG_WATCH_FINE,
    PG_WATCH_EMPTIED /* partitions have other files and no old rows: one was truncated, unless all were with their root, which the log tells */
} pg_watch_found;

/* Tables with partitions that one transaction truncated, as the log says. Those that have no room here stop the job. */
#define PG_WATCH_MAX_EMPTIED 64
typedef struct pg_watch_told {
    const table_def *emptied[PG_WATCH_MAX_EMPTIED];
    uint32_t count;
} pg_watch_told;

/* Remembers in s which tables of the catalog have partitions: for all that follows with s. */
ERR_MUST_USE bool pg_watch_select(source *s, const catalog_def *c, err *e);
/* What is there now, as the transaction of c sees it. RETRY_LATER while a transaction older than the publication is open. */
ERR_MUST_USE bool pg_watch_first(source *s, pg_conn *c, char ret[PG_SEEN_BYTES], err *e);
/* Looks at what has happened since `seen`, and moves it when all is fine. ERR_SOURCE_LOG_PURGED: the publication is another one. ERR_SOURCE_DDL: partitions have
 * rows that the log does not have, or have gone. told: what the newest
 * transaction of the log emptied, NULL for nothing. shared: PG_LSN_NONE, or up to where the log is the one in which `seen` was looked at; when that was behind,
 * transactions before the number may be others now, and nothing at all may have changed: ERR_SOURCE_CHANGED. */
ERR_MUST_USE bool pg_watch_look(source *s, char seen[PG_SEEN_BYTES], pg_lsn shared, const pg_watch_told *told, pg_watch_found *ret, err *e);
/* What PG_WATCH_EMPTIED means once the log has told no truncation that explains it. Returns false. */
bool pg_watch_emptied(const source *s, err *e);

#endif
