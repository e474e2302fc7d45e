/* The service's own store: one SQLite file (WAL, synchronous=FULL, STRICT tables), opened by serve alone.
 * One connection behind one lock: a transaction is taken by catalog_begin and ended by catalog_commit or catalog_rollback on the same thread. */
#ifndef CATALOG_DB_H
#define CATALOG_DB_H

#include <sqlite3.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

typedef struct catalog catalog;

/* Opens DIR/sluice.db (0600), takes the folder's lock file (ERR_CATALOG_BUSY when another serve has it), migrates the schema, loads or creates the
 * key file DIR/secret.key (0600). */
ERR_MUST_USE bool catalog_open(const char *dir, const clk *clock, catalog **ret, err *e);
/* Opens an existing folder without taking the serve lock, for `sluice key ...` beside a running serve (SQLite's own locking serialises writers). */
ERR_MUST_USE bool catalog_open_shared(const char *dir, const clk *clock, catalog **ret, err *e);
void catalog_close(catalog *c);
const clk *catalog_clock(const catalog *c);
const char *catalog_dir(const catalog *c);

/* Takes the lock and begins an immediate transaction. ERR_CATALOG when the store cannot answer. */
ERR_MUST_USE bool catalog_begin(catalog *c, err *e);
/* Durable when it returns true. Releases the lock in any case. */
ERR_MUST_USE bool catalog_commit(catalog *c, err *e);
void catalog_rollback(catalog *c);

/* Statements; only between begin and commit/rollback. format of `types`: one letter per following argument: i int64_t, s str (text), b str (blob), n nothing (NULL).
 * A str with p == NULL binds NULL. */
ERR_MUST_USE bool catalog_exec(catalog *c, err *e, const char *sql, const char *types, ...);
typedef struct catalog_rows {
    sqlite3_stmt *stmt;
} catalog_rows;
ERR_MUST_USE bool catalog_select(catalog *c, catalog_rows *ret, err *e, const char *sql, const char *types, ...);
/* false at the end or on failure (then e->code is set; it is ERR_NONE at the end). */
bool catalog_next(catalog *c, catalog_rows *r, err *e);
int64_t catalog_i64(const catalog_rows *r, int column);
/* A copy in the arena; p == NULL for NULL. */
str catalog_text(const catalog_rows *r, int column, arena *a);
void catalog_rows_end(catalog_rows *r);
int64_t catalog_changes(const catalog *c);
int64_t catalog_last_id(const catalog *c);

/* Secrets at rest: AES-256-GCM under the key file, with `context` ("job/<id>/src") bound as associated data. */
ERR_MUST_USE bool catalog_seal(catalog *c, str plain, str context, arena *a, str *ret_sealed, err *e);
ERR_MUST_USE bool catalog_unseal(catalog *c, str sealed, str context, arena *a, str *ret_plain, err *e);

#endif
