/* Rows of a full load and changes of a stream, in batches that own their memory. */
#ifndef MODEL_BATCH_H
#define MODEL_BATCH_H

#include "model/alter.h"
#include "model/ddl.h"
#include "model/position.h"
#include "model/table.h"
#include "model/value.h"

/* Rows of one table, read by a chunk. vals holds row_count * column_count values in the table's column order (unselected and generated: VAL_ABSENT); or, where
 * chunk.raw was asked for, raw holds the rows as their engine carries them. */
typedef struct row_batch {
    arena mem;
    const table_def *table;
    val *vals;
    str raw;      /* in mem; p == NULL: the rows are in vals */
    uint32_t row_count, row_cap;
    size_t bytes; /* what it counts in a queue: values and their bytes */
} row_batch;

/* CHANGE_TRUNCATE: all rows of the table go; no image. Tables that the source truncated by one statement stand one after the other. */
typedef enum change_kind { CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE, CHANGE_TRUNCATE } change_kind;

/* One change. before: UPDATE, DELETE; after: INSERT, UPDATE; each table->column_count values in column order, in the transaction's arena. */
typedef struct change {
    const table_def *table;
    change_kind kind;
    bool without_foreign_keys; /* the source's session had foreign_key_checks=0: no cascade ran there, none may run at the target */
    const val *before, *after;
} change;

/* A transaction that is too large for memory comes in parts, in order. What comes after a part and is not its next one makes the parts so far void: the source
 * rolled the transaction back, or begins anew on another connection. */
typedef enum txn_part { TXN_WHOLE, TXN_FIRST_PART, TXN_NEXT_PART, TXN_LAST_PART } txn_part;

/* One source transaction (or a part of a huge one) with the position after it. Freed with txn_free. */
typedef struct txn {
    arena mem;
    change *changes;
    uint32_t change_count, change_cap;
    position before;  /* where the transaction starts: a restart from here sees it again */
    position end;     /* after its commit; none in parts but the last */
    txn_part part;
    uint64_t keep;    /* next and last part: of the changes in the parts before it only so many remain (a savepoint was rolled back to) */
    void *spilled;    /* the changes, when they are kept elsewhere; owned */
    void (*spilled_free)(void *spilled);
    int64_t commit_us;/* source commit time */
    const table_alter *alter; /* in mem; no transaction: before what follows, the columns of a table change. Nothing follows on this connection */
    const ddl_list *ddl;      /* in mem; no transaction: definitions that the one which ends at `end` changes; it follows, unless it has no rows, then the list again */
    bool heartbeat;   /* no changes: only moves the position (foreign transactions, idle source) */
    size_t bytes;     /* memory it holds, for queue accounting */
} txn;

/* NULL without memory. */
txn *txn_new(size_t limit_bytes);
/* NULL is fine. */
void txn_free(txn *t);
/* Room for one more change, zeroed; NULL without memory. */
change *txn_add_change(txn *t);

/* NULL without memory. limit_bytes bounds its arena (0 = none). */
row_batch *row_batch_new(const table_def *table, size_t limit_bytes);
void row_batch_free(row_batch *b);
/* column_count values of a new row, zeroed (VAL_ABSENT); NULL without memory. */
val *row_batch_add(row_batch *b);

#endif
