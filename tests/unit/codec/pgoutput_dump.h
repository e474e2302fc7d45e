/* Prints a session of pgoutput in the words of the server's plugin test_decoding, streamed transactions at their end; for the golden tests. */
#ifndef TESTS_PGOUTPUT_DUMP_H
#define TESTS_PGOUTPUT_DUMP_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "codec/pg_replication.h"
#include "codec/pgoutput.h"

#define DUMP_MAX 64

typedef struct dump_part { /* what one message of a streamed transaction printed */
    uint32_t sub_xid;
    str text;
} dump_part;

typedef struct dump_stream {
    uint32_t xid;
    dump_part *parts;
    size_t count;
} dump_stream;

typedef struct pgoutput_dump {
    pgoutput_decoder decoder;
    bool binary;        /* rows as the bytes of each value, nothing else */
    str types;          /* "TYPE oid name" lines */
    arena a;
    pgoutput_relation relations[DUMP_MAX];
    size_t relation_count;
    dump_stream streams[DUMP_MAX];
    size_t stream_count;
    uint32_t xid;       /* of the transaction whose messages come now */
    buf out;            /* changes */
    buf seen;           /* "RELATION ...", "NAMED ...", "ORIGIN ...", lines */
    unsigned kinds[256];
    unsigned aborts_of_parts; /* parts of streamed transactions that were taken back */
} pgoutput_dump;

static inline str dump_type(const pgoutput_dump *d, uint32_t oid)
{
    arena a = {0};
    str key = arena_printf(&a, "TYPE %u ", oid);
    size_t at = str_find(d->types, key);
    str name = STR("unknown");
    if (at != SIZE_MAX) name = str_sub(d->types, at + key.n, str_find_byte(d->types, '\n', at) - at - key.n);
    arena_finish(&a);
    return name;
}

static inline const pgoutput_relation *dump_relation(const pgoutput_dump *d, uint32_t oid)
{
    for (size_t i = 0; i < d->relation_count; i++)
        if (d->relations[i].oid == oid) return &d->relations[i];
    return NULL;
}

/* As quote_identifier of the server, without its list of key words. */
static inline void dump_name(buf *out, str name)
{
    bool plain = name.n > 0;
    for (size_t i = 0; i < name.n; i++) plain = plain && ((name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_' || (i && name.p[i] >= '0' && name.p[i] <= '9'));
    if (!plain) buf_add_byte(out, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"') buf_add_byte(out, '"');
        buf_add_byte(out, name.p[i]);
    }
    if (!plain) buf_add_byte(out, '"');
}

static inline void dump_value(buf *out, const pgoutput_value *v, uint32_t type)
{
    static const uint32_t bare[] = {20, 21, 23, 26, 700, 701, 1700};
    if (v->kind == PGOUTPUT_NULL) {
        buf_add_c(out, "null");
    } else if (v->kind == PGOUTPUT_UNCHANGED) {
        buf_add_c(out, "unchanged-toast-datum");
    } else if (type == 16) {
        buf_add_c(out, str_eq(v->bytes, STR("t")) ? "true" : "false");
    } else {
        bool quoted = true;
        for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) quoted = quoted && type != bare[i];
        if (type == 1560 || type == 1562) buf_add_byte(out, 'B');
        if (quoted) buf_add_byte(out, '\'');
        for (size_t i = 0; i < v->bytes.n; i++) {
            if (quoted && v->bytes.p[i] == '\'') buf_add_byte(out, '\'');
            buf_add_byte(out, v->bytes.p[i]);
        }
        if (quoted) buf_add_byte(out, '\'');
    }
}

static inline void dump_tuple(const pgoutput_dump *d, buf *out, const pgoutput_relation *r, const pgoutput_tuple *t, bool skip_nulls)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (skip_nulls && t->values[i].kind == PGOUTPUT_NULL) continue;
        buf_add_byte(out, ' ');
        dump_name(out, r->columns[i].name);
        str type = dump_type(d, r->columns[i].type_oid);
        buf_printf(out, "[%.*s]:", STR_ARG(type));
        dump_value(out, &t->values[i], r->columns[i].type_oid);
    }
}

static inline void dump_time(buf *out, int64_t unix_us)
{
    char day[CLOCK_ISO_BYTES];
    clock_format_iso(unix_us, day);
    buf_printf(out, "%.10s %.8s", day, day + 11);
    int64_t micros = unix_us % 1000000;
    char fraction[8];
    snprintf(fraction, sizeof fraction, ".%06" PRId64, micros);
    size_t n = 7;
    while (n && (fraction[n - 1] == '0' || fraction[n - 1] == '.')) n--;
    buf_add(out, (str){fraction, n});
    buf_add_c(out, "+00");
}

/* "WORD xid LSN (at TIME)" and "WORD 'gid', txid xid LSN (at TIME)". */
static inline void dump_end(buf *out, const char *word, str gid, uint32_t xid, pg_lsn lsn, int64_t at_us)
{
    char text[PG_LSN_TEXT_BYTES];
    buf_add_c(out, word);
    if (gid.p) {
        buf_add_c(out, " '");
        for (size_t i = 0; i < gid.n; i++) {
            if (gid.p[i] == '\'') buf_add_byte(out, '\'');
            buf_add_byte(out, gid.p[i]);
        }
        buf_add_c(out, "', txid");
    }
    buf_printf(out, " %u %s (at ", xid, pg_lsn_format(lsn, text));
    dump_time(out, at_us);
    buf_add_c(out, ")\n");
}

static inline void dump_table(buf *out, const pgoutput_relation *r)
{
    dump_name(out, r->schema);
    buf_add_byte(out, '.');
    dump_name(out, r->name);
}

static inline bool dump_change(pgoutput_dump *d, buf *out, const pgoutput_message *m, err *e)
{
    const pgoutput_change *c = &m->u.change;
    const pgoutput_relation *r = dump_relation(d, c->relation_oid);
    if (!r) return err_set(e, ERR_INTERNAL, "relation %u was not described", c->relation_oid);
    if (!pgoutput_tuple_check(&c->old, r, e) || !pgoutput_tuple_check(&c->new, r, e)) return false;
    if (d->binary) {
        buf_printf(&d->seen, "BINARY %.*s", STR_ARG(r->name));
        for (uint32_t i = 0; i < c->new.count; i++) {
            buf_add_byte(&d->seen, ' ');
            if (c->new.values[i].kind == PGOUTPUT_BINARY) buf_add_hex(&d->seen, c->new.values[i].bytes);
            else buf_add_c(&d->seen, c->new.values[i].kind == PGOUTPUT_NULL ? "null" : "?");
        }
        buf_add_byte(&d->seen, '\n');
        return true;
    }
    buf_add_c(out, "table ");
    dump_table(out, r);
    buf_printf(out, ": %s:", m->kind == PGOUTPUT_INSERT ? "INSERT" : m->kind == PGOUTPUT_UPDATE ? "UPDATE" : "DELETE");
    if (m->kind == PGOUTPUT_UPDATE && c->old.values) buf_add_c(out, " old-key:");
    dump_tuple(d, out, r, &c->old, true);
    if (m->kind == PGOUTPUT_UPDATE && c->old.values) buf_add_c(out, " new-tuple:");
    dump_tuple(d, out, r, &c->new, false);
    buf_add_byte(out, '\n');
    return true;
}

static inline bool dump_truncate(pgoutput_dump *d, buf *out, const pgoutput_truncate *t, err *e)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const pgoutput_relation *r = dump_relation(d, t->relation_oids[i]);
        if (!r) return err_set(e, ERR_INTERNAL, "relation %u was not described", t->relation_oids[i]);
        buf_add_c(out, i ? ", " : "table ");
        dump_table(out, r);
    }
    buf_add_c(out, ": TRUNCATE:");
    if (t->restart_identity) buf_add_c(out, " restart_seqs");
    if (t->cascade) buf_add_c(out, " cascade");
    if (!t->restart_identity && !t->cascade) buf_add_c(out, " (no-flags)");
    buf_add_byte(out, '\n');
    return true;
}

/* Spaces of names become "_", as make.py's queries have it. */
static inline void dump_plain(buf *out, str name)
{
    for (size_t i = 0; i < name.n; i++) buf_add_byte(out, name.p[i] == ' ' ? '_' : name.p[i]);
}

static inline bool dump_described(pgoutput_dump *d, const pgoutput_relation *r, err *e)
{
    pgoutput_relation *own = (pgoutput_relation *)dump_relation(d, r->oid);
    if (!own) own = &d->relations[d->relation_count++];
    if (d->relation_count == DUMP_MAX) return err_set(e, ERR_LIMIT, "too many relations");
    buf_printf(&d->seen, "RELATION %u %.*s ", r->oid, STR_ARG(r->schema));
    dump_plain(&d->seen, r->name);
    buf_printf(&d->seen, " %c", r->identity);
    for (uint32_t i = 0; i < r->column_count; i++) {
        buf_add_byte(&d->seen, i ? ',' : ' ');
        dump_plain(&d->seen, r->columns[i].name);
        buf_printf(&d->seen, ":%u:%d%s", r->columns[i].type_oid, r->columns[i].type_modifier, r->columns[i].key ? ":key" : "");
    }
    buf_add_byte(&d->seen, '\n');
    return pgoutput_relation_copy(r, &d->a, own, e);
}

static inline dump_stream *dump_stream_of(pgoutput_dump *d, uint32_t xid)
{
    for (size_t i = 0; i < d->stream_count; i++)
        if (d->streams[i].xid == xid) return &d->streams[i];
    return NULL;
}

static inline void dump_stream_end(pgoutput_dump *d, uint32_t xid, bool print)
{
    dump_stream *s = dump_stream_of(d, xid);
    if (!s) return;
    if (print) {
        buf_printf(&d->out, "BEGIN %u\n", xid);
        for (size_t i = 0; i < s->count; i++) buf_add(&d->out, s->parts[i].text);
    }
    free(s->parts);
    *s = d->streams[--d->stream_count];
}

static inline void dump_stream_abort(pgoutput_dump *d, const pgoutput_stream_abort *m)
{
    dump_stream *s = dump_stream_of(d, m->xid);
    size_t kept = 0;
    for (size_t i = 0; s && i < s->count; i++) {
        if (s->parts[i].sub_xid == m->sub_xid || m->xid == m->sub_xid) d->aborts_of_parts++;
        else s->parts[kept++] = s->parts[i];
    }
    if (s) s->count = kept;
    if (m->xid == m->sub_xid) dump_stream_end(d, m->xid, false);
}

/* Where the text of this message goes: behind the others of its streamed transaction, or out at once. */
static inline bool dump_text(pgoutput_dump *d, const pgoutput_message *m, const buf *text, err *e)
{
    if (!d->decoder.in_stream) {
        buf_add(&d->out, buf_str(text));
        return true;
    }
    dump_stream *s = dump_stream_of(d, d->decoder.stream_xid);
    if (!s) return err_set(e, ERR_INTERNAL, "stream %u was not started", d->decoder.stream_xid);
    if (s->count % 256 == 0) s->parts = realloc(s->parts, (s->count + 256) * sizeof *s->parts);
    s->parts[s->count++] = (dump_part){m->xid, arena_copy(&d->a, buf_str(text))};
    return true;
}

static inline bool dump_content(pgoutput_dump *d, const pgoutput_message *m, err *e)
{
    BUF_AUTO text = BUF_INIT;
    bool ok = true;
    if (m->kind == PGOUTPUT_TRUNCATE) {
        ok = dump_truncate(d, &text, &m->u.truncate, e);
    } else if (m->kind == PGOUTPUT_MESSAGE) {
        const pgoutput_logical_message *l = &m->u.message;
        buf_printf(&text, "message: transactional: %d prefix: %.*s, sz: %zu content:%.*s\n", l->transactional, STR_ARG(l->prefix), l->content.n, STR_ARG(l->content));
    } else {
        ok = dump_change(d, &text, m, e);
    }
    return ok && dump_text(d, m, &text, e);
}

static inline bool dump_message(pgoutput_dump *d, const pgoutput_message *m, err *e)
{
    char lsn[PG_LSN_TEXT_BYTES];
    const pgoutput_prepare *p = &m->u.prepare;
    d->kinds[m->kind]++;
    switch (m->kind) {
    case PGOUTPUT_BEGIN:
        d->xid = m->u.begin.xid;
        buf_printf(&d->out, "BEGIN %u\n", d->xid);
        return true;
    case PGOUTPUT_BEGIN_PREPARE: buf_printf(&d->out, "BEGIN %u\n", p->xid); return true;
    case PGOUTPUT_COMMIT: dump_end(&d->out, "COMMIT", STR_NULL, d->xid, m->u.commit.end_lsn, m->u.commit.commit_us); return true;
    case PGOUTPUT_STREAM_COMMIT:
        dump_stream_end(d, m->u.commit.xid, true);
        dump_end(&d->out, "COMMIT", STR_NULL, m->u.commit.xid, m->u.commit.end_lsn, m->u.commit.commit_us);
        return true;
    case PGOUTPUT_STREAM_PREPARE: dump_stream_end(d, p->xid, true); /* fall through */
    case PGOUTPUT_PREPARE: dump_end(&d->out, "PREPARE TRANSACTION", p->gid, p->xid, p->end_lsn, p->at_us); return true;
    case PGOUTPUT_COMMIT_PREPARED: dump_end(&d->out, "COMMIT PREPARED", p->gid, p->xid, p->end_lsn, p->at_us); return true;
    case PGOUTPUT_ROLLBACK_PREPARED: {
        const pgoutput_rollback_prepared *r = &m->u.rollback_prepared;
        dump_end(&d->out, "ROLLBACK PREPARED", r->gid, r->xid, r->rollback_end_lsn, r->rollback_us);
        return true;
    }
    case PGOUTPUT_ORIGIN:
        buf_printf(&d->seen, "ORIGIN %.*s %s\n", STR_ARG(m->u.origin.name), pg_lsn_format(m->u.origin.commit_lsn, lsn));
        return true;
    case PGOUTPUT_RELATION: return dump_described(d, &m->u.relation, e);
    case PGOUTPUT_TYPE:
        buf_printf(&d->seen, "NAMED %u %.*s %.*s\n", m->u.type.oid, STR_ARG(m->u.type.schema), STR_ARG(m->u.type.name));
        return true;
    case PGOUTPUT_STREAM_START:
        if (m->u.stream_start.first != !dump_stream_of(d, m->u.stream_start.xid)) return err_set(e, ERR_INTERNAL, "first segment mark of %u is wrong", m->u.stream_start.xid);
        if (d->stream_count == DUMP_MAX) return err_set(e, ERR_LIMIT, "too many streams");
        if (m->u.stream_start.first) d->streams[d->stream_count++] = (dump_stream){.xid = m->u.stream_start.xid};
        return true;
    case PGOUTPUT_STREAM_STOP: return true;
    case PGOUTPUT_STREAM_ABORT: dump_stream_abort(d, &m->u.stream_abort); return true;
    default: return dump_content(d, m, e);
    }
}

static inline void dump_finish(pgoutput_dump *d)
{
    while (d->stream_count) dump_stream_end(d, d->streams[0].xid, false);
    buf_finish(&d->out);
    buf_finish(&d->seen);
    arena_finish(&d->a);
}

#endif
