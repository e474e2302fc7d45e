/* Messages of PostgreSQL's output plugin pgoutput. */
#include "codec/pgoutput.h"

#include "codec/pg_time.h"

/* Where a message may stand. */
enum place { OUTSIDE, INSIDE, ANYWHERE };

typedef struct kind_rule {
    const char *name;
    uint8_t protocol; /* the first that has it */
    uint8_t place;    /* relative to Stream Start and Stream Stop */
    bool has_xid;     /* inside a stream an xid comes first */
} kind_rule;

static const kind_rule rules[256] = {
    [PGOUTPUT_BEGIN] = {"Begin", 1, OUTSIDE, false},
    [PGOUTPUT_COMMIT] = {"Commit", 1, OUTSIDE, false},
    [PGOUTPUT_ORIGIN] = {"Origin", 1, ANYWHERE, false},
    [PGOUTPUT_RELATION] = {"Relation", 1, ANYWHERE, true},
    [PGOUTPUT_TYPE] = {"Type", 1, ANYWHERE, true},
    [PGOUTPUT_INSERT] = {"Insert", 1, ANYWHERE, true},
    [PGOUTPUT_UPDATE] = {"Update", 1, ANYWHERE, true},
    [PGOUTPUT_DELETE] = {"Delete", 1, ANYWHERE, true},
    [PGOUTPUT_TRUNCATE] = {"Truncate", 1, ANYWHERE, true},
    [PGOUTPUT_MESSAGE] = {"Message", 1, ANYWHERE, true},
    [PGOUTPUT_STREAM_START] = {"Stream Start", 2, OUTSIDE, false},
    [PGOUTPUT_STREAM_STOP] = {"Stream Stop", 2, INSIDE, false},
    [PGOUTPUT_STREAM_COMMIT] = {"Stream Commit", 2, OUTSIDE, false},
    [PGOUTPUT_STREAM_ABORT] = {"Stream Abort", 2, OUTSIDE, false},
    [PGOUTPUT_BEGIN_PREPARE] = {"Begin Prepare", 3, OUTSIDE, false},
    [PGOUTPUT_PREPARE] = {"Prepare", 3, OUTSIDE, false},
    [PGOUTPUT_COMMIT_PREPARED] = {"Commit Prepared", 3, OUTSIDE, false},
    [PGOUTPUT_ROLLBACK_PREPARED] = {"Rollback Prepared", 3, OUTSIDE, false},
    [PGOUTPUT_STREAM_PREPARE] = {"Stream Prepare", 3, OUTSIDE, false},
};

/* One message on its way; `what` names the part that was read last, `unknown` says that its value is not one of those this codec knows. */
typedef struct reading {
    cursor c;
    arena *a;
    const char *what;
    bool unknown, memory_out;
} reading;

void pgoutput_decoder_init(pgoutput_decoder *d, unsigned protocol) { *d = (pgoutput_decoder){.protocol = protocol}; }

const char *pgoutput_kind_name(unsigned kind) { return kind < 256 && rules[kind].name ? rules[kind].name : "unknown"; }

/* ---- parts ---- */

static uint32_t read_u32(reading *r) { return (uint32_t)cursor_be(&r->c, 4); }
static pg_lsn read_lsn(reading *r) { return cursor_be(&r->c, 8); }

/* A flag byte of which only the bits of `known` have a meaning. */
static uint8_t read_flags(reading *r, uint8_t known)
{
    uint8_t flags = cursor_u8(&r->c);
    if (flags & ~known) {
        r->what = "flags";
        r->unknown = r->c.failed = true;
    }
    return flags;
}

/* Schema names: the server sends "" for pg_catalog. */
static str read_schema(reading *r)
{
    str s = cursor_cstr(&r->c);
    return s.p && s.n == 0 ? STR("pg_catalog") : s;
}

static str read_gid(reading *r)
{
    str gid = cursor_cstr(&r->c);
    if (gid.n == 0 || gid.n > PGOUTPUT_MAX_GID_BYTES) {
        r->what = "the name of the prepared transaction";
        r->c.failed = true;
    }
    return gid;
}

/* Number of columns, each of which takes at least a byte of the input. */
static uint32_t read_column_count(reading *r)
{
    uint64_t count = cursor_be(&r->c, 2);
    if (count <= PGOUTPUT_MAX_COLUMNS && count <= cursor_left(&r->c)) return (uint32_t)count;
    r->what = "the number of columns";
    r->c.failed = true;
    return 0;
}

/* An array of the arena; a message may have none of something, the pointer tells apart. */
static void *read_array(reading *r, uint32_t count, size_t size)
{
    void *array = r->c.failed ? NULL : arena_array(r->a, count, size);
    if (!array && !r->c.failed) r->memory_out = r->c.failed = true;
    return array;
}

static void read_tuple(reading *r, pgoutput_tuple *ret)
{
    uint32_t count = read_column_count(r);
    pgoutput_value *values = read_array(r, count, sizeof *values);
    if (!values) return;
    for (uint32_t i = 0; i < count; i++) {
        values[i].kind = (pgoutput_value_kind)cursor_u8(&r->c);
        switch (values[i].kind) {
        case PGOUTPUT_NULL:
        case PGOUTPUT_UNCHANGED: break;
        case PGOUTPUT_TEXT:
        case PGOUTPUT_BINARY: values[i].bytes = cursor_take(&r->c, read_u32(r)); break;
        default:
            r->what = "a value of the row";
            r->unknown = !r->c.failed;
            r->c.failed = true;
            return;
        }
    }
    *ret = (pgoutput_tuple){count, values};
}

/* ---- kinds ---- */

static void read_begin(reading *r, pgoutput_begin *b)
{
    b->final_lsn = read_lsn(r);
    b->commit_us = pg_time_read(&r->c);
    b->xid = read_u32(r);
}

static void read_commit(reading *r, pgoutput_commit *m)
{
    read_flags(r, 0);
    m->commit_lsn = read_lsn(r);
    m->end_lsn = read_lsn(r);
    m->commit_us = pg_time_read(&r->c);
}

static void read_relation(reading *r, pgoutput_relation *m)
{
    m->oid = read_u32(r);
    m->schema = read_schema(r);
    m->name = cursor_cstr(&r->c);
    m->identity = (char)cursor_u8(&r->c);
    if (!r->c.failed && (m->identity == 0 || !strchr("dnfi", m->identity))) {
        r->what = "the replica identity";
        r->unknown = r->c.failed = true;
    }
    m->column_count = read_column_count(r);
    pgoutput_column *columns = read_array(r, m->column_count, sizeof *columns);
    for (uint32_t i = 0; columns && i < m->column_count && !r->c.failed; i++) {
        columns[i].key = read_flags(r, 1) != 0;
        columns[i].name = cursor_cstr(&r->c);
        columns[i].type_oid = read_u32(r);
        columns[i].type_modifier = (int32_t)read_u32(r);
    }
    m->columns = columns;
}

static void read_type(reading *r, pgoutput_type *m)
{
    m->oid = read_u32(r);
    m->schema = read_schema(r);
    m->name = cursor_cstr(&r->c);
}

static void read_change(reading *r, pgoutput_kind kind, pgoutput_change *m)
{
    m->relation_oid = read_u32(r);
    uint8_t tuple = cursor_u8(&r->c);
    if (kind != PGOUTPUT_INSERT && (tuple == 'K' || tuple == 'O')) {
        m->old_is_key = tuple == 'K';
        r->what = "the old row";
        read_tuple(r, &m->old);
        if (kind == PGOUTPUT_DELETE) return;
        tuple = cursor_u8(&r->c);
    }
    if (r->c.failed) return;
    r->what = "the new row";
    if (kind == PGOUTPUT_DELETE || tuple != 'N') {
        r->what = "the mark of a row";
        r->c.failed = true;
        return;
    }
    read_tuple(r, &m->new);
}

static void read_truncate(reading *r, pgoutput_truncate *m)
{
    m->count = read_u32(r);
    uint8_t options = read_flags(r, 3);
    m->cascade = options & 1;
    m->restart_identity = options & 2;
    if (m->count == 0 || m->count > cursor_left(&r->c) / 4) r->c.failed = true;
    uint32_t *oids = read_array(r, m->count, sizeof *oids);
    for (uint32_t i = 0; oids && i < m->count; i++) oids[i] = read_u32(r);
    m->relation_oids = oids;
}

static void read_logical_message(reading *r, pgoutput_logical_message *m)
{
    m->transactional = read_flags(r, 1) != 0;
    m->lsn = read_lsn(r);
    m->prefix = cursor_cstr(&r->c);
    m->content = cursor_take(&r->c, read_u32(r));
}

static void read_stream_start(reading *r, pgoutput_stream_start *m)
{
    m->xid = read_u32(r);
    m->first = read_flags(r, 1) != 0;
    if (m->xid == 0) r->c.failed = true;
}

/* Whether the place is told depends on the option streaming of the session, so it is told by the length. */
static void read_stream_abort(reading *r, unsigned protocol, pgoutput_stream_abort *m)
{
    m->xid = read_u32(r);
    m->sub_xid = read_u32(r);
    m->has_place = protocol >= 4 && cursor_left(&r->c) > 0;
    if (!m->has_place) return;
    m->abort_lsn = read_lsn(r);
    m->abort_us = pg_time_read(&r->c);
}

static void read_prepare(reading *r, pgoutput_prepare *m)
{
    m->lsn = read_lsn(r);
    m->end_lsn = read_lsn(r);
    m->at_us = pg_time_read(&r->c);
    m->xid = read_u32(r);
    m->gid = read_gid(r);
}

static void read_rollback_prepared(reading *r, pgoutput_rollback_prepared *m)
{
    read_flags(r, 0);
    m->prepare_end_lsn = read_lsn(r);
    m->rollback_end_lsn = read_lsn(r);
    m->prepare_us = pg_time_read(&r->c);
    m->rollback_us = pg_time_read(&r->c);
    m->xid = read_u32(r);
    m->gid = read_gid(r);
}

static void read_body(reading *r, const pgoutput_decoder *d, pgoutput_message *m)
{
    switch (m->kind) {
    case PGOUTPUT_BEGIN: read_begin(r, &m->u.begin); break;
    case PGOUTPUT_STREAM_COMMIT: m->u.commit.xid = read_u32(r); /* fall through */
    case PGOUTPUT_COMMIT: read_commit(r, &m->u.commit); break;
    case PGOUTPUT_ORIGIN:
        m->u.origin.commit_lsn = read_lsn(r);
        m->u.origin.name = cursor_cstr(&r->c);
        break;
    case PGOUTPUT_RELATION: read_relation(r, &m->u.relation); break;
    case PGOUTPUT_TYPE: read_type(r, &m->u.type); break;
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE: read_change(r, m->kind, &m->u.change); break;
    case PGOUTPUT_TRUNCATE: read_truncate(r, &m->u.truncate); break;
    case PGOUTPUT_MESSAGE: read_logical_message(r, &m->u.message); break;
    case PGOUTPUT_STREAM_START: read_stream_start(r, &m->u.stream_start); break;
    case PGOUTPUT_STREAM_STOP: break;
    case PGOUTPUT_STREAM_ABORT: read_stream_abort(r, d->protocol, &m->u.stream_abort); break;
    case PGOUTPUT_PREPARE:
    case PGOUTPUT_STREAM_PREPARE:
    case PGOUTPUT_COMMIT_PREPARED: read_flags(r, 0); /* fall through */
    case PGOUTPUT_BEGIN_PREPARE: read_prepare(r, &m->u.prepare); break;
    case PGOUTPUT_ROLLBACK_PREPARED: read_rollback_prepared(r, &m->u.rollback_prepared); break;
    }
}

/* The kind is known, belongs to the protocol that was asked for and may stand here. */
static bool kind_check(const pgoutput_decoder *d, str payload, err *e)
{
    if (payload.n == 0) return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the source sent an empty pgoutput message");
    unsigned kind = (uint8_t)payload.p[0];
    const kind_rule *rule = &rules[kind];
    if (!rule->name)
        return err_set(e, ERR_SOURCE_LOG_UNKNOWN_EVENT, "the source sent a pgoutput message of the unknown kind 0x%02x (%zu bytes)", kind, payload.n);
    if (rule->protocol > d->protocol)
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the source sent the pgoutput message %s, which protocol version %u does not have", rule->name, d->protocol);
    if (rule->place == (d->in_stream ? OUTSIDE : INSIDE))
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the source sent the pgoutput message %s %s of a streamed transaction", rule->name,
                       d->in_stream ? "within a segment" : "outside");
    return true;
}

bool pgoutput_decode(pgoutput_decoder *d, str payload, arena *a, pgoutput_message *ret, err *e)
{
    if (!kind_check(d, payload, e)) return false;
    reading r = {.c = cursor_of(payload), .a = a, .what = "its layout"};
    pgoutput_message m = {.kind = (pgoutput_kind)cursor_u8(&r.c)};
    const kind_rule *rule = &rules[m.kind];
    if (rule->has_xid && d->in_stream) m.xid = read_u32(&r);
    read_body(&r, d, &m);
    if (r.memory_out) return err_no_memory(e, "a pgoutput message");
    if (r.unknown)
        return err_set(e, ERR_SOURCE_LOG_UNKNOWN_EVENT, "the source sent the pgoutput message %s (%zu bytes) with a value that is not known: %s", rule->name,
                       payload.n, r.what);
    if (cursor_left(&r.c)) r.what = "bytes are left over";
    if (r.c.failed || cursor_left(&r.c))
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "the pgoutput message %s (%zu bytes) is not well formed: %s", rule->name, payload.n, r.what);
    if (m.kind == PGOUTPUT_STREAM_START) {
        d->in_stream = true;
        d->stream_xid = m.u.stream_start.xid;
    } else if (m.kind == PGOUTPUT_STREAM_STOP) {
        d->in_stream = false;
    }
    *ret = m;
    return true;
}

/* ---- relations ---- */

bool pgoutput_relation_copy(const pgoutput_relation *r, arena *a, pgoutput_relation *ret, err *e)
{
    pgoutput_relation own = *r;
    own.schema = arena_copy(a, r->schema);
    own.name = arena_copy(a, r->name);
    pgoutput_column *columns = arena_array(a, r->column_count, sizeof *columns);
    bool ok = own.schema.p && own.name.p && columns;
    for (uint32_t i = 0; ok && i < r->column_count; i++) {
        columns[i] = r->columns[i];
        columns[i].name = arena_copy(a, r->columns[i].name);
        ok = columns[i].name.p != NULL;
    }
    if (!ok) return err_no_memory(e, "the description of a published table");
    own.columns = columns;
    *ret = own;
    return true;
}

bool pgoutput_tuple_check(const pgoutput_tuple *t, const pgoutput_relation *r, err *e)
{
    if (!t->values || t->count == r->column_count) return true;
    return err_set(e, ERR_SOURCE_LOG_CORRUPT, "a row of table %.*s.%.*s has %u values where its description has %u columns", STR_ARG(r->schema),
                   STR_ARG(r->name), t->count, r->column_count);
}
