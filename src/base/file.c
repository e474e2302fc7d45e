/* File I/O: the system table, whole-file reads and atomic writes. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int sys_open(void *ctx, const char *path, int flags, mode_t mode) { return (void)ctx, open(path, flags | O_CLOEXEC, mode); }
static ssize_t sys_pread(void *ctx, int fd, void *p, size_t n, off_t at) { return (void)ctx, pread(fd, p, n, at); }
static ssize_t sys_pwrite(void *ctx, int fd, const void *p, size_t n, off_t at) { return (void)ctx, pwrite(fd, p, n, at); }
static int sys_fsync(void *ctx, int fd) { return (void)ctx, fsync(fd); }
static int sys_close(void *ctx, int fd) { return (void)ctx, close(fd); }
static int sys_unlink(void *ctx, const char *path) { return (void)ctx, unlink(path); }

const fio *fio_system(void)
{
    static const fio f = {sys_open, sys_pread, sys_pwrite, sys_fsync, sys_close, sys_unlink, NULL};
    return &f;
}

static bool failed(err *e, const char *verb, const char *name)
{
    int number = errno;
    char what[512];
    snprintf(what, sizeof what, "%s %s", verb, name);
    return err_set_errno(e, number, what);
}

bool fio_write_all(const fio *f, int fd, str bytes, off_t at, const char *name, err *e)
{
    while (bytes.n) {
        ssize_t w = f->pwrite(f->ctx, fd, bytes.p, bytes.n, at);
        if (w < 0 && errno == EINTR) continue;
        if (w == 0) errno = EIO;
        if (w <= 0) return failed(e, "write", name);
        bytes = str_sub(bytes, (size_t)w, SIZE_MAX);
        at += w;
    }
    return true;
}

bool fio_read_all(const fio *f, int fd, void *p, size_t n, off_t at, const char *name, err *e)
{
    char *to = p;
    while (n) {
        ssize_t r = f->pread(f->ctx, fd, to, n, at);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return failed(e, "read", name);
        if (r == 0) return err_set(e, ERR_CORRUPT, "%s ends %zu bytes too early", name, n);
        to += r;
        n -= (size_t)r;
        at += r;
    }
    return true;
}

bool file_read(const char *path, size_t limit_bytes, arena *a, str *ret, err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed(e, "open", path);
    struct stat st;
    bool ok = false;
    if (fstat(fd, &st) != 0) {
        failed(e, "stat", path);
    } else if (!S_ISREG(st.st_mode)) {
        err_set(e, ERR_BAD_INPUT, "%s is not a regular file", path);
    } else if ((uint64_t)st.st_size > limit_bytes) {
        err_set(e, ERR_LIMIT, "%s has %lld bytes, at most %zu are allowed", path, (long long)st.st_size, limit_bytes);
    } else {
        size_t n = (size_t)st.st_size;
        char *p = arena_bytes(a, n + 1);
        if (!p) {
            err_no_memory(e, path);
        } else if (fio_read_all(fio_system(), fd, p, n, 0, path, e)) {
            p[n] = 0;
            *ret = (str){p, n};
            ok = true;
        }
    }
    close(fd);
    return ok;
}

static bool sync_folder_of(const char *path, err *e)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed(e, "open", folder);
    bool ok = fsync(fd) == 0 || failed(e, "fsync", folder);
    close(fd);
    return ok;
}

bool file_write_atomic(const char *path, str bytes, mode_t mode, err *e)
{
    char tmp[4096];
    if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp) return err_set(e, ERR_LIMIT, "path too long: %s", path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return failed(e, "create", tmp);
    bool ok = fchmod(fd, mode) == 0 || failed(e, "chmod", tmp);
    ok = ok && fio_write_all(fio_system(), fd, bytes, 0, tmp, e);
    ok = ok && (fsync(fd) == 0 || failed(e, "fsync", tmp));
    close(fd);
    ok = ok && (rename(tmp, path) == 0 || failed(e, "rename to", path));
    if (!ok) unlink(tmp);
    return ok && sync_folder_of(path, e);
}

bool file_make_dirs(const char *path, mode_t mode, err *e)
{
    char part[4096];
    if ((size_t)snprintf(part, sizeof part, "%s", path) >= sizeof part) return err_set(e, ERR_LIMIT, "path too long: %s", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != 0) continue;
        char keep = *p;
        *p = 0;
        if (mkdir(part, mode) != 0 && errno != EEXIST) return failed(e, "create folder", part);
        if (!keep) return true;
        *p = keep;
    }
}
