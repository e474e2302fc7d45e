/* Fuzz target: a session of pgoutput. Input: protocol 1 byte, then messages as length 2 (big endian), bytes. Every slice and array of a decoded message is
 * touched; relations are copied. A refused message changes nothing, so the session goes on. */
#include <stdlib.h>

#include "base/cursor.h"
#include "codec/pgoutput.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;
static void touch(str s)
{
    for (size_t i = 0; i < s.n; i++) sink += (unsigned char)s.p[i];
}

static void touch_tuple(const pgoutput_tuple *t)
{
    if (!t->values && t->count) abort();
    for (uint32_t i = 0; i < t->count; i++) {
        bool has_bytes = t->values[i].kind == PGOUTPUT_TEXT || t->values[i].kind == PGOUTPUT_BINARY;
        if (has_bytes != (t->values[i].bytes.p != NULL)) abort();
        touch(t->values[i].bytes);
    }
}

static void touch_relation(const pgoutput_relation *r, arena *a)
{
    pgoutput_relation copy;
    err e = ERR_INIT;
    if (!pgoutput_relation_copy(r, a, &copy, &e)) return;
    touch(copy.schema);
    touch(copy.name);
    for (uint32_t i = 0; i < copy.column_count; i++) touch(copy.columns[i].name);
}

static void touch_message(const pgoutput_message *m, arena *a)
{
    switch (m->kind) {
    case PGOUTPUT_ORIGIN: touch(m->u.origin.name); break;
    case PGOUTPUT_RELATION: touch_relation(&m->u.relation, a); break;
    case PGOUTPUT_TYPE:
        touch(m->u.type.schema);
        touch(m->u.type.name);
        break;
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        touch_tuple(&m->u.change.old);
        touch_tuple(&m->u.change.new);
        break;
    case PGOUTPUT_TRUNCATE:
        for (uint32_t i = 0; i < m->u.truncate.count; i++) sink += m->u.truncate.relation_oids[i];
        break;
    case PGOUTPUT_MESSAGE:
        touch(m->u.message.prefix);
        touch(m->u.message.content);
        break;
    case PGOUTPUT_BEGIN_PREPARE:
    case PGOUTPUT_PREPARE:
    case PGOUTPUT_STREAM_PREPARE:
    case PGOUTPUT_COMMIT_PREPARED: touch(m->u.prepare.gid); break;
    case PGOUTPUT_ROLLBACK_PREPARED: touch(m->u.rollback_prepared.gid); break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    arena_init(&a, 4096, 64 << 20);
    cursor c = cursor_of((str){(const char *)data, size});
    pgoutput_decoder d;
    pgoutput_decoder_init(&d, cursor_u8(&c) % PGOUTPUT_PROTOCOL_NEWEST + 1);
    while (cursor_left(&c)) {
        uint64_t bytes = cursor_be(&c, 2);
        str payload = cursor_take(&c, bytes < cursor_left(&c) ? bytes : cursor_left(&c));
        pgoutput_decoder before = d;
        pgoutput_message m;
        err e = ERR_INIT;
        if (pgoutput_decode(&d, payload, &a, &m, &e)) {
            if (m.xid && !before.in_stream) abort();
            touch_message(&m, &a);
        } else if (e.code == ERR_NONE || d.in_stream != before.in_stream || d.stream_xid != before.stream_xid) {
            abort();
        }
    }
    arena_finish(&a);
    return 0;
}
