/* The replay store over SQLite (WAL, synchronous=NORMAL): survives the end of the process; power loss may forget the last moment. */
#include "catalog/nonce.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define SWEEP_EVERY 1024
#define BUSY_MS 5000

struct nonce_store {
    pthread_mutex_t lock;
    sqlite3 *db;
    sqlite3_stmt *insert, *sweep;
    const clk *clock;
    uint32_t since_sweep;
};

static bool failed(nonce_store *n, err *e, const char *what)
{
    return err_set_native(e, sqlite3_errcode(n->db) == SQLITE_FULL ? ERR_DISK_FULL : ERR_CATALOG, RETRY_LATER, sqlite3_errcode(n->db), "nonce store: %s: %s", what, sqlite3_errmsg(n->db));
}

void nonce_close(nonce_store *n)
{
    if (!n) return;
    sqlite3_finalize(n->insert);
    sqlite3_finalize(n->sweep);
    sqlite3_close(n->db);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

bool nonce_open(const char *dir, const clk *clock, nonce_store **ret, err *e)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/nonce.db", dir) >= sizeof path) return err_set(e, ERR_LIMIT, "path too long: %s", dir);
    nonce_store *n = calloc(1, sizeof *n);
    if (!n) return err_no_memory(e, "the nonce store");
    pthread_mutex_init(&n->lock, NULL);
    n->clock = clock;
    static const char setup[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                                "CREATE TABLE IF NOT EXISTS nonce(hash BLOB PRIMARY KEY, expires_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
                                "CREATE INDEX IF NOT EXISTS nonce_expires ON nonce(expires_us);";
    static const char insert[] = "INSERT INTO nonce(hash, expires_us) VALUES(?1, ?2) ON CONFLICT(hash) DO UPDATE SET expires_us = excluded.expires_us "
                                 "WHERE nonce.expires_us < ?3";
    bool ok = sqlite3_open_v2(path, &n->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL) == SQLITE_OK &&
              sqlite3_exec(n->db, setup, NULL, NULL, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(n->db, insert, -1, &n->insert, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(n->db, "DELETE FROM nonce WHERE expires_us < ?1", -1, &n->sweep, NULL) == SQLITE_OK;
    if (!ok) {
        failed(n, e, "open");
        nonce_close(n);
        return false;
    }
    (void)chmod(path, 0600);
    *ret = n;
    return true;
}

/* One deadline for the wait on other threads and on other processes. */
static bool take(nonce_store *n, err *e)
{
    struct timespec deadline, now;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += BUSY_MS / 1000;
    if (pthread_mutex_clocklock(&n->lock, CLOCK_MONOTONIC, &deadline) != 0)
        return err_set_native(e, ERR_CATALOG, RETRY_LATER, 0, "nonce store: busy for more than %d s", BUSY_MS / 1000);
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left_ms = (int64_t)(deadline.tv_sec - now.tv_sec) * 1000 + (deadline.tv_nsec - now.tv_nsec) / 1000000;
    sqlite3_busy_timeout(n->db, left_ms > 1 ? (int)left_ms : 1);
    return true;
}

static bool run(nonce_store *n, sqlite3_stmt *s, err *e)
{
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE || failed(n, e, "write");
}

bool nonce_use(nonce_store *n, str key_id, str nonce, bool *ret_fresh, err *e)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char joined[NONCE_MAX_BYTES * 2 + 8];
    int len = snprintf(joined, sizeof joined, "%.*s\n%.*s", STR_ARG(str_sub(key_id, 0, NONCE_MAX_BYTES)), STR_ARG(str_sub(nonce, 0, NONCE_MAX_BYTES)));
    SHA256((const unsigned char *)joined, len < 0 ? 0 : (size_t)len, digest);
    int64_t now = clk_wall_us(n->clock);
    if (!take(n, e)) return false;
    sqlite3_bind_blob(n->insert, 1, digest, 16, SQLITE_STATIC);
    sqlite3_bind_int64(n->insert, 2, now + NONCE_KEEP_US);
    sqlite3_bind_int64(n->insert, 3, now);
    bool ok = run(n, n->insert, e);
    bool fresh = ok && sqlite3_changes(n->db) > 0;
    if (ok && ++n->since_sweep >= SWEEP_EVERY) {
        n->since_sweep = 0;
        sqlite3_bind_int64(n->sweep, 1, now);
        ok = run(n, n->sweep, e);
    }
    pthread_mutex_unlock(&n->lock);
    if (ok) *ret_fresh = fresh;
    return ok;
}

bool nonce_check(nonce_store *n, err *e)
{
    static const unsigned char none[16] = {0}; /* no digest of a nonce */
    if (!take(n, e)) return false;
    sqlite3_bind_blob(n->insert, 1, none, sizeof none, SQLITE_STATIC);
    sqlite3_bind_int64(n->insert, 2, 0);
    sqlite3_bind_int64(n->insert, 3, INT64_MAX);
    bool ok = run(n, n->insert, e);
    pthread_mutex_unlock(&n->lock);
    return ok;
}
