/* The store's connection: opening, schema versions, transactions and statements. */
#include "catalog/db_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "catalog/schema.h"

#define BUSY_MS 5000

bool catalog_sqlite_error(const catalog *c, err *e, const char *what)
{
    int code = c->db ? sqlite3_extended_errcode(c->db) : SQLITE_CANTOPEN;
    const char *text = c->db ? sqlite3_errmsg(c->db) : "out of memory";
    int primary = code & 0xff;
    err_code kind = primary == SQLITE_FULL ? ERR_DISK_FULL : ERR_CATALOG;
    err_retry retry = primary == SQLITE_FULL || primary == SQLITE_BUSY || primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? RETRY_LATER : RETRY_NEVER;
    return err_set_native(e, kind, retry, code, "%s in %s/sluice.db: %s", what, c->dir, text);
}

static bool run(catalog *c, const char *sql, err *e)
{
    if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK) return true;
    return catalog_sqlite_error(c, e, sql);
}

static bool take_lock_file(catalog *c, err *e)
{
    char path[CATALOG_PATH_BYTES];
    snprintf(path, sizeof path, "%s/serve.lock", c->dir);
    c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock_fd < 0) return err_set_errno(e, errno, path);
    if (flock(c->lock_fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK)
        return err_set(e, ERR_CATALOG_BUSY, "another sluice serve uses the data folder %s", c->dir);
    return err_set_errno(e, errno, path);
}

static bool schema_version(catalog *c, int64_t *ret, err *e)
{
    catalog_rows rows;
    if (!catalog_select(c, &rows, e, "PRAGMA user_version", "")) return false;
    bool ok = catalog_next(c, &rows, e);
    if (ok) *ret = catalog_i64(&rows, 0);
    catalog_rows_end(&rows);
    return ok;
}

static bool migrate(catalog *c, err *e)
{
    int64_t known = 0, version = 0;
    for (size_t i = 0; catalog_schema[i].sql; i++) known = catalog_schema[i].version;
    if (!schema_version(c, &version, e)) return false;
    if (version > known)
        return err_set(e, ERR_CATALOG, "%s/sluice.db was written by a newer Sluice (schema %lld, this program knows %lld)",
                       c->dir, (long long)version, (long long)known);
    for (size_t i = 0; catalog_schema[i].sql; i++)
        if (catalog_schema[i].version > version && !run(c, catalog_schema[i].sql, e)) return false;
    char set[64];
    snprintf(set, sizeof set, "PRAGMA user_version=%lld", (long long)known);
    return version == known || run(c, set, e);
}

/* Private from the start: SQLite gives its -wal and -shm files the mode of the main file. */
static bool open_database(catalog *c, err *e)
{
    char path[CATALOG_PATH_BYTES];
    snprintf(path, sizeof path, "%s/sluice.db", c->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_set_errno(e, errno, path);
    close(fd);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &c->db, flags, NULL) != SQLITE_OK) return catalog_sqlite_error(c, e, "open");
    sqlite3_busy_timeout(c->db, BUSY_MS);
    return run(c, "PRAGMA journal_mode=WAL", e) && run(c, "PRAGMA synchronous=FULL", e) &&
           run(c, "PRAGMA foreign_keys=ON", e) && run(c, "PRAGMA secure_delete=ON", e);
}

static bool open_any(const char *dir, const clk *clock, bool lock, catalog **ret, err *e)
{
    if (strlen(dir) > CATALOG_DIR_MAX_BYTES)
        return err_set(e, ERR_LIMIT, "the path of the data folder has more than %d bytes", CATALOG_DIR_MAX_BYTES);
    catalog *c = calloc(1, sizeof *c);
    if (!c) return err_no_memory(e, "the catalog");
    c->lock_fd = -1;
    c->clock = clock;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&c->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    c->dir = strdup(dir);
    bool begun = false;
    bool ok = c->dir || err_no_memory(e, "the catalog");
    ok = ok && file_make_dirs(dir, 0700, e) && (!lock || take_lock_file(c, e)) && open_database(c, e) &&
         (begun = catalog_begin(c, e)) && migrate(c, e) && catalog_load_key(c, e);
    if (begun && ok) ok = catalog_commit(c, e);
    else if (begun) catalog_rollback(c);
    if (!ok) {
        catalog_close(c);
        return false;
    }
    *ret = c;
    return true;
}

bool catalog_open(const char *dir, const clk *clock, catalog **ret, err *e) { return open_any(dir, clock, true, ret, e); }

bool catalog_open_shared(const char *dir, const clk *clock, catalog **ret, err *e)
{
    return open_any(dir, clock, false, ret, e);
}

void catalog_close(catalog *c)
{
    if (!c) return;
    if (c->db) sqlite3_close_v2(c->db);
    if (c->lock_fd >= 0) close(c->lock_fd);
    pthread_mutex_destroy(&c->lock);
    secret_zero(c->key, sizeof c->key);
    free(c->dir);
    free(c);
}

const clk *catalog_clock(const catalog *c) { return c->clock; }
const char *catalog_dir(const catalog *c) { return c->dir; }

static int64_t ms_until(const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)(deadline->tv_sec - now.tv_sec) * 1000 + (deadline->tv_nsec - now.tv_nsec) / 1000000;
}

/* One deadline for both waits: on the other threads of this process, and on other processes. Callers that queue up behind a locked file do not wait in turns. */
bool catalog_begin(catalog *c, err *e)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += BUSY_MS / 1000;
    int rc = pthread_mutex_clocklock(&c->lock, CLOCK_MONOTONIC, &deadline);
    if (rc == ETIMEDOUT) return err_set_native(e, ERR_CATALOG, RETRY_LATER, 0, "%s/sluice.db is busy: no transaction could begin within %d s", c->dir, BUSY_MS / 1000);
    if (rc != 0) return err_set(e, ERR_INTERNAL, "a catalog transaction was begun inside another one");
    int64_t left_ms = ms_until(&deadline);
    sqlite3_busy_timeout(c->db, left_ms > 1 ? (int)left_ms : 1);
    if (run(c, "BEGIN IMMEDIATE", e)) return true;
    pthread_mutex_unlock(&c->lock);
    return false;
}

bool catalog_commit(catalog *c, err *e)
{
    bool ok = run(c, "COMMIT", e);
    if (!ok && !sqlite3_get_autocommit(c->db)) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&c->lock);
    return ok;
}

void catalog_rollback(catalog *c)
{
    if (!sqlite3_get_autocommit(c->db)) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&c->lock);
}

static int bind_one(sqlite3_stmt *s, int at, char type, va_list *args)
{
    if (type == 'i') return sqlite3_bind_int64(s, at, va_arg(*args, int64_t));
    if (type == 'n') return sqlite3_bind_null(s, at);
    if (type != 's' && type != 'b') return SQLITE_MISUSE;
    str v = va_arg(*args, str);
    if (!v.p) return sqlite3_bind_null(s, at);
    if (type == 's') return sqlite3_bind_text64(s, at, v.p, v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    return sqlite3_bind_blob64(s, at, v.p, v.n, SQLITE_TRANSIENT);
}

static bool prepare(catalog *c, const char *sql, const char *types, va_list *args, sqlite3_stmt **ret, err *e)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(c->db, sql, -1, &s, NULL) != SQLITE_OK) return catalog_sqlite_error(c, e, sql);
    for (int i = 0; types[i]; i++) {
        if (bind_one(s, i + 1, types[i], args) == SQLITE_OK) continue;
        catalog_sqlite_error(c, e, sql);
        sqlite3_finalize(s);
        return false;
    }
    *ret = s;
    return true;
}

bool catalog_exec(catalog *c, err *e, const char *sql, const char *types, ...)
{
    sqlite3_stmt *s = NULL;
    va_list args;
    va_start(args, types);
    bool ok = prepare(c, sql, types, &args, &s, e);
    va_end(args);
    if (!ok) return false;
    int code;
    do code = sqlite3_step(s);
    while (code == SQLITE_ROW);
    ok = code == SQLITE_DONE || catalog_sqlite_error(c, e, sql);
    sqlite3_finalize(s);
    return ok;
}

bool catalog_select(catalog *c, catalog_rows *ret, err *e, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    ret->stmt = NULL;
    bool ok = prepare(c, sql, types, &args, &ret->stmt, e);
    va_end(args);
    return ok;
}

bool catalog_next(catalog *c, catalog_rows *r, err *e)
{
    if (e) e->code = ERR_NONE;
    int code = sqlite3_step(r->stmt);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) catalog_sqlite_error(c, e, sqlite3_sql(r->stmt));
    return false;
}

int64_t catalog_i64(const catalog_rows *r, int column) { return sqlite3_column_int64(r->stmt, column); }

str catalog_text(const catalog_rows *r, int column, arena *a)
{
    if (sqlite3_column_type(r->stmt, column) == SQLITE_NULL) return STR_NULL;
    const char *p = sqlite3_column_blob(r->stmt, column);
    size_t n = (size_t)sqlite3_column_bytes(r->stmt, column);
    return arena_copy(a, (str){p ? p : "", n});
}

void catalog_rows_end(catalog_rows *r)
{
    sqlite3_finalize(r->stmt);
    r->stmt = NULL;
}

int64_t catalog_changes(const catalog *c) { return sqlite3_changes64(c->db); }
int64_t catalog_last_id(const catalog *c) { return sqlite3_last_insert_rowid(c->db); }
