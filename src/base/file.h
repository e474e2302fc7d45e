/* The service's own file I/O behind a replaceable table: short writes, EIO, ENOSPC and lost fsyncs can be injected by tests. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct fio {
    int (*open)(void *ctx, const char *path, int flags, mode_t mode);
    ssize_t (*pread)(void *ctx, int fd, void *p, size_t n, off_t at);
    ssize_t (*pwrite)(void *ctx, int fd, const void *p, size_t n, off_t at);
    int (*fsync)(void *ctx, int fd);
    int (*close)(void *ctx, int fd);
    int (*unlink)(void *ctx, const char *path);
    void *ctx;
} fio;

const fio *fio_system(void);
/* All n bytes or an error; EINTR is retried. `name` is for the message. */
ERR_MUST_USE bool fio_write_all(const fio *f, int fd, str bytes, off_t at, const char *name, err *e);
/* Exactly n bytes, ERR_CORRUPT on end of file. */
ERR_MUST_USE bool fio_read_all(const fio *f, int fd, void *p, size_t n, off_t at, const char *name, err *e);

/* The whole file into the arena; ERR_LIMIT when it is larger than limit_bytes. */
ERR_MUST_USE bool file_read(const char *path, size_t limit_bytes, arena *a, str *ret, err *e);
/* Writes path.tmp, fsyncs, renames over path, fsyncs the folder. mode like 0600. */
ERR_MUST_USE bool file_write_atomic(const char *path, str bytes, mode_t mode, err *e);
/* mkdir -p with mode for the missing parts. */
ERR_MUST_USE bool file_make_dirs(const char *path, mode_t mode, err *e);

#endif
