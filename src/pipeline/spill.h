/* The changes of one large transaction in a file: written by the reader while the source sends them, read by the applier in parts.
 *
 * The file has no name (unlinked as soon as it is open), mode 0600: whatever ends the process, nothing stays. It is never read by another process, so it has
 * no format to keep and no checksum. Record: length of what follows 4, table id 4, kind 1, flags 1, then the values of before and after, each kind 1 and,
 * for inline kinds with a value, 8 bytes, for others length 4 and bytes. Host byte order. */
#ifndef PIPELINE_SPILL_H
#define PIPELINE_SPILL_H

#include "base/err.h"
#include "model/batch.h"

typedef struct spill spill;

/* Removes what a killed process left where files cannot be opened without a name; no folder is fine. Nobody else may be using the folder's names. */
void spill_clear(const char *folder);
/* Opens a file in the folder (borrowed), which is made when it is missing. keep_free_bytes: what must stay free on its disk; ERR_DISK_FULL (RETRY_LATER) otherwise, and
 * when a write finds no room. */
ERR_MUST_USE bool spill_new(const char *folder, uint64_t keep_free_bytes, spill **ret, err *e);
/* NULL is fine. */
void spill_free(spill *s);
/* Appends the changes; their memory may go afterwards. */
ERR_MUST_USE bool spill_add(spill *s, const txn *part, err *e);
/* Only the first `keep` changes remain (a savepoint was rolled back to). */
ERR_MUST_USE bool spill_keep(spill *s, uint64_t keep, err *e);
uint64_t spill_changes(const spill *s);
uint64_t spill_bytes(const spill *s);
/* The next spill_next gives the first part again. */
void spill_rewind(spill *s);
/* A transaction with the next changes, about part_bytes of them as stored and at least one; NULL at the end. tables: by id. Free it with txn_free. */
ERR_MUST_USE bool spill_next(spill *s, table_def *const *tables, uint32_t table_count, size_t part_bytes, txn **ret, err *e);

#endif
