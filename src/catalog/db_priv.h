/* Shared by the files that make up the store's connection. */
#ifndef CATALOG_DB_PRIV_H
#define CATALOG_DB_PRIV_H

#include <pthread.h>

#include "base/secret.h"
#include "catalog/db.h"

#define CATALOG_DIR_MAX_BYTES 1024
#define CATALOG_PATH_BYTES (CATALOG_DIR_MAX_BYTES + 64)
#define CATALOG_KEY_BYTES 32

struct catalog {
    sqlite3 *db;
    pthread_mutex_t lock; /* held from begin to commit or rollback */
    const clk *clock;
    char *dir;
    int lock_fd; /* flock of serve.lock, -1 when shared */
    unsigned char key[CATALOG_KEY_BYTES];
};

/* Fills e from the connection's last failure. Returns false. */
bool catalog_sqlite_error(const catalog *c, err *e, const char *what);
/* Loads the key file, creates it for a new store; checks that it is this store's key. Inside a transaction. */
ERR_MUST_USE bool catalog_load_key(catalog *c, err *e);

#endif
