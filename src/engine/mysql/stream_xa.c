/* The set of open branches. */
#include "engine/mysql/stream_xa.h"

#include <stdlib.h>
#include <string.h>

/* Two parts of at most 64 bytes each in hex, quotes, format. */
#define ID_BYTES 320

static uint32_t find(const stream_xa *x, str id)
{
    uint32_t i = 0;
    while (i < x->count && !str_eq(str_from_c(x->open[i]), id)) i++;
    return i;
}

static bool add(stream_xa *x, str id, err *e)
{
    if (find(x, id) < x->count) return true;
    if (x->count == STREAM_XA_MAX_BRANCHES)
        return err_set(e, ERR_LIMIT, "more than %d XA transactions of the source are prepared at one time; commit them or roll them back (XA RECOVER)",
                       STREAM_XA_MAX_BRANCHES);
    char *own = strndup(id.p, id.n);
    if (!own) return err_no_memory(e, "a prepared XA transaction");
    x->open[x->count++] = own;
    x->changed = true;
    return true;
}

bool stream_xa_restore(stream_xa *x, str text, err *e)
{
    for (str rest = text, id; text.n && str_split_next(&rest, ';', &id);) {
        if (id.n == 0 || id.n > ID_BYTES) return err_set(e, ERR_SOURCE_POSITION, "the stored position's XA transactions are not well formed");
        if (!add(x, id, e)) return false;
    }
    return true;
}

void stream_xa_finish(stream_xa *x)
{
    for (uint32_t i = 0; i < x->count; i++) free(x->open[i]);
    x->count = 0;
    buf_finish(&x->text);
}

bool stream_xa_text(stream_xa *x, str *ret, err *e)
{
    if (x->changed) {
        buf_reset(&x->text);
        for (uint32_t i = 0; i < x->count; i++) {
            if (i) buf_add_byte(&x->text, ';');
            buf_add_c(&x->text, x->open[i]);
        }
        if (x->text.failed) return err_no_memory(e, "the prepared XA transactions");
        x->changed = false;
    }
    *ret = buf_str(&x->text);
    return true;
}

bool stream_xa_prepared(stream_xa *x, const binlog_xa_id *id, err *e)
{
    BUF_AUTO b = BUF_INIT;
    buf_add_c(&b, "x'");
    buf_add_hex(&b, id->gtrid);
    buf_add_c(&b, "',x'");
    buf_add_hex(&b, id->bqual);
    buf_printf(&b, "',%u", id->format_id);
    return b.failed ? err_no_memory(e, "a prepared XA transaction") : add(x, buf_str(&b), e);
}

bool stream_xa_ended(stream_xa *x, str id)
{
    char text[ID_BYTES];
    size_t k = 0;
    for (size_t i = 0; i < id.n; i++) { /* the servers write it in this form, but for case and spaces */
        char c = id.p[i];
        if (c == ' ') continue;
        if (k == sizeof text) return false;
        text[k++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    uint32_t at = find(x, (str){text, k});
    if (at == x->count) return false;
    free(x->open[at]);
    x->open[at] = x->open[--x->count];
    x->changed = true;
    return true;
}
