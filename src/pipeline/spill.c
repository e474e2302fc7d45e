/* Writing and reading the file. */
#include "pipeline/spill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"

#define BLOCK_BYTES ((size_t)1 << 20) /* written at once */
#define HEAD_BYTES 10                 /* of a record, with its length */
#define NAME "the file of a large transaction"

enum { FLAG_BEFORE = 1, FLAG_AFTER = 2, FLAG_WITHOUT_FOREIGN_KEYS = 4 };

/* Where the changes of one spill_add begin. */
typedef struct mark {
    uint64_t change;
    off_t at;
} mark;

struct spill {
    int fd;
    uint64_t keep_free_bytes;
    const char *folder; /* borrowed */
    buf block;       /* not yet written */
    off_t written;   /* bytes of the file */
    uint64_t changes;
    mark *marks;
    size_t mark_count, mark_cap;
    off_t read_at;
};

/* ---- the file ---- */

/* Some file systems have no files without a name. */
static int open_named(const char *folder)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/spill-XXXXXX", folder) >= sizeof path) return errno = ENAMETOOLONG, -1;
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

void spill_clear(const char *folder)
{
    DIR *d = opendir(folder);
    for (const struct dirent *entry; d && (entry = readdir(d));)
        if (str_starts_with(str_from_c(entry->d_name), STR("spill-"))) unlinkat(dirfd(d), entry->d_name, 0);
    if (d) closedir(d);
}

bool spill_new(const char *folder, uint64_t keep_free_bytes, spill **ret, err *e)
{
    spill *s = calloc(1, sizeof *s);
    if (!s) return err_no_memory(e, NAME);
    *s = (spill){.fd = -1, .keep_free_bytes = keep_free_bytes, .folder = folder};
    if (!file_make_dirs(folder, 0700, e)) {
        spill_free(s);
        return false;
    }
    s->fd = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) s->fd = open_named(folder);
    if (s->fd < 0) {
        int number = errno;
        char what[600];
        snprintf(what, sizeof what, "opening " NAME " in %s", folder);
        err_set_errno(e, number, what);
        spill_free(s);
        return false;
    }
    *ret = s;
    return true;
}

void spill_free(spill *s)
{
    if (!s) return;
    if (s->fd >= 0) close(s->fd);
    buf_finish(&s->block);
    free(s->marks);
    free(s);
}

uint64_t spill_changes(const spill *s) { return s->changes; }
uint64_t spill_bytes(const spill *s) { return (uint64_t)s->written + s->block.n; }

static bool check_room(const spill *s, err *e)
{
    struct statvfs v;
    if (fstatvfs(s->fd, &v) != 0) return err_set_errno(e, errno, "looking at the disk of " NAME);
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    if (free_bytes >= s->block.n && free_bytes - s->block.n >= s->keep_free_bytes) return true;
    return err_set_native(e, ERR_DISK_FULL, RETRY_LATER, ENOSPC,
                          "a transaction of the source is larger than memory and needs %llu MiB of %s so far, but its disk has %llu MiB free; free space there, or "
                          "raise the worker's memory",
                          (unsigned long long)(spill_bytes(s) >> 20), s->folder, (unsigned long long)(free_bytes >> 20));
}

static bool write_block(spill *s, err *e)
{
    if (s->block.failed) return err_no_memory(e, NAME);
    if (s->block.n == 0) return true;
    if (!check_room(s, e) || !fio_write_all(fio_system(), s->fd, buf_str(&s->block), s->written, NAME, e)) return false;
    s->written += (off_t)s->block.n;
    buf_reset(&s->block);
    return true;
}

/* ---- writing ---- */

static void put(buf *b, const void *p, size_t n) { buf_add(b, (str){p, n}); }

static void put_row(buf *b, const val *row, uint32_t columns)
{
    for (uint32_t i = 0; i < columns; i++) {
        const val *v = &row[i];
        buf_add_byte(b, (char)v->kind);
        if (v->kind <= VAL_UNCHANGED) continue;
        if (val_is_inline(v)) {
            put(b, &v->u, 8);
        } else {
            put(b, &v->n, 4);
            put(b, v->u.p, v->n);
        }
    }
}

static bool add_change(spill *s, const change *c, err *e)
{
    buf *b = &s->block;
    size_t start = b->n;
    uint8_t flags = (uint8_t)((c->before ? FLAG_BEFORE : 0) | (c->after ? FLAG_AFTER : 0) | (c->without_foreign_keys ? FLAG_WITHOUT_FOREIGN_KEYS : 0));
    uint8_t kind = (uint8_t)c->kind;
    uint32_t length = 0;
    put(b, &length, 4);
    put(b, &c->table->id, 4);
    put(b, &kind, 1);
    put(b, &flags, 1);
    if (c->before) put_row(b, c->before, c->table->column_count);
    if (c->after) put_row(b, c->after, c->table->column_count);
    if (b->failed) return err_no_memory(e, NAME);
    if (b->n - start > UINT32_MAX) return err_set(e, ERR_LIMIT, "a row of %.*s.%.*s is larger than 4 GiB", STR_ARG(c->table->schema), STR_ARG(c->table->name));
    length = (uint32_t)(b->n - start - 4);
    memcpy(b->p + start, &length, 4);
    s->changes++;
    return b->n < BLOCK_BYTES || write_block(s, e);
}

static bool add_mark(spill *s, err *e)
{
    if (s->mark_count == s->mark_cap) {
        size_t cap = s->mark_cap ? s->mark_cap * 2 : 64;
        mark *fresh = realloc(s->marks, cap * sizeof *fresh);
        if (!fresh) return err_no_memory(e, NAME);
        s->marks = fresh;
        s->mark_cap = cap;
    }
    s->marks[s->mark_count++] = (mark){s->changes, s->written + (off_t)s->block.n};
    return true;
}

bool spill_add(spill *s, const txn *part, err *e)
{
    if (!add_mark(s, e)) return false;
    for (uint32_t i = 0; i < part->change_count; i++)
        if (!add_change(s, &part->changes[i], e)) return false;
    return true;
}

static bool read_at(const spill *s, void *p, size_t n, off_t at, err *e) { return fio_read_all(fio_system(), s->fd, p, n, at, NAME, e); }

bool spill_keep(spill *s, uint64_t keep, err *e)
{
    if (keep >= s->changes) return true;
    if (!write_block(s, e)) return false;
    while (s->mark_count > 1 && s->marks[s->mark_count - 1].change > keep) s->mark_count--;
    mark m = s->mark_count ? s->marks[s->mark_count - 1] : (mark){0};
    for (; m.change < keep; m.change++) {
        uint32_t length;
        if (!read_at(s, &length, 4, m.at, e)) return false;
        m.at += 4 + (off_t)length;
    }
    if (ftruncate(s->fd, m.at) != 0) return err_set_errno(e, errno, "cutting " NAME);
    s->written = m.at;
    s->changes = keep;
    return true;
}

/* ---- reading ---- */

void spill_rewind(spill *s) { s->read_at = 0; }

static bool get_row(cursor *c, arena *a, uint32_t columns, const val **ret)
{
    val *row = arena_array(a, columns, sizeof *row);
    for (uint32_t i = 0; row && i < columns; i++) {
        val *v = &row[i];
        v->kind = cursor_u8(c);
        if (v->kind <= VAL_UNCHANGED) continue;
        if (val_is_inline(v)) {
            str bytes = cursor_take(c, 8);
            if (bytes.p) memcpy(&v->u, bytes.p, 8);
        } else {
            str length = cursor_take(c, 4);
            if (length.p) memcpy(&v->n, length.p, 4);
            v->u.p = cursor_take(c, v->n).p;
        }
    }
    *ret = row;
    return row != NULL;
}

/* record: after its length; its memory lives as long as the transaction. */
static bool get_change(str record, table_def *const *tables, uint32_t table_count, txn *t, err *e)
{
    cursor c = cursor_of(record);
    uint32_t id = UINT32_MAX;
    str bytes = cursor_take(&c, 4);
    if (bytes.p) memcpy(&id, bytes.p, 4);
    uint8_t kind = cursor_u8(&c), flags = cursor_u8(&c);
    if (c.failed || id >= table_count || kind > CHANGE_TRUNCATE) return err_set(e, ERR_CORRUPT, NAME " is not well formed");
    change *x = txn_add_change(t);
    if (!x) return err_no_memory(e, "a transaction");
    *x = (change){.table = tables[id], .kind = (change_kind)kind, .without_foreign_keys = (flags & FLAG_WITHOUT_FOREIGN_KEYS) != 0};
    if (((flags & FLAG_BEFORE) && !get_row(&c, &t->mem, tables[id]->column_count, &x->before)) ||
        ((flags & FLAG_AFTER) && !get_row(&c, &t->mem, tables[id]->column_count, &x->after)))
        return err_no_memory(e, "a transaction");
    return !c.failed || err_set(e, ERR_CORRUPT, NAME " is not well formed");
}

/* The records from read_at on that fit, at least one. */
static bool read_records(const spill *s, size_t part_bytes, arena *a, str *ret, err *e)
{
    uint32_t length;
    uint64_t left = (uint64_t)(s->written - s->read_at);
    if (left < HEAD_BYTES || !read_at(s, &length, 4, s->read_at, e)) return left >= HEAD_BYTES ? false : err_set(e, ERR_CORRUPT, NAME " ends in a record");
    size_t n = (size_t)length + 4 > part_bytes ? (size_t)length + 4 : part_bytes;
    if (n > left) n = (size_t)left;
    char *p = arena_bytes(a, n);
    if (!p) return err_no_memory(e, "a part of a large transaction");
    if (!read_at(s, p, n, s->read_at, e)) return false;
    *ret = (str){p, n};
    return true;
}

static bool fill(spill *s, table_def *const *tables, uint32_t table_count, size_t part_bytes, txn *t, err *e)
{
    str bytes;
    if (!read_records(s, part_bytes, &t->mem, &bytes, e)) return false;
    for (uint32_t length; bytes.n >= 4; bytes = str_sub(bytes, 4 + (size_t)length, SIZE_MAX)) {
        memcpy(&length, bytes.p, 4);
        if (length > bytes.n - 4) break;
        if (!get_change(str_sub(bytes, 4, length), tables, table_count, t, e)) return false;
        s->read_at += 4 + (off_t)length;
    }
    return t->change_count > 0 || err_set(e, ERR_CORRUPT, NAME " is not well formed");
}

bool spill_next(spill *s, table_def *const *tables, uint32_t table_count, size_t part_bytes, txn **ret, err *e)
{
    *ret = NULL;
    if (!write_block(s, e)) return false;
    if (s->read_at == s->written) return true;
    txn *t = txn_new(0);
    if (!t) return err_no_memory(e, "a part of a large transaction");
    if (!fill(s, tables, table_count, part_bytes, t, e)) {
        txn_free(t);
        return false;
    }
    t->bytes = sizeof *t + t->mem.used_bytes + (size_t)t->change_cap * sizeof(change);
    *ret = t;
    return true;
}
