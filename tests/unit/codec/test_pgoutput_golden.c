/* Streams of real PostgreSQL servers: what our decoder reads is what the server's plugin test_decoding and its catalogue say; cuts and flipped bits. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "base/file.h"
#include "pgoutput_dump.h"

#define MAX_FILES 64

static str golden_path(arena *a, const char *name)
{
    const char *root = getenv("SLUICE_TEST_DATA");
    return arena_printf(a, "%s/pgoutput/%s", root ? root : "tests/golden", name);
}

static str read_golden(arena *a, const char *name)
{
    str bytes;
    err e = ERR_INIT;
    if (!file_read(golden_path(a, name).p, 1 << 26, a, &bytes, &e)) fail_msg("%s", e.text);
    return bytes;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Names of the golden streams without ".stream", such as "changes-15.18.p1". */
static size_t golden_names(arena *a, const char *names[MAX_FILES])
{
    DIR *d = opendir(golden_path(a, "").p);
    assert_non_null(d);
    size_t n = 0;
    for (struct dirent *f; (f = readdir(d));) {
        str s = str_from_c(f->d_name);
        assert_true(n < MAX_FILES);
        if (str_ends_with(s, STR(".stream"))) names[n++] = arena_copy_c(a, str_sub(s, 0, s.n - 7));
    }
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    assert_true(n >= 6);
    return n;
}

static str next_frame(cursor *c)
{
    str frame = cursor_take(c, cursor_be(c, 4));
    assert_false(c->failed);
    return frame;
}

/* The part of an .expect file: 0 types, 1 changes, 2 lines of the queries. */
static str expect_part(str all, int part)
{
    for (; part; part--) {
        size_t at = str_find(all, STR("\n==\n"));
        assert_true(at != SIZE_MAX);
        all = str_sub(all, at + 3, all.n); /* with the line end before the next part */
    }
    size_t end = str_find(all, STR("\n==\n"));
    return end == SIZE_MAX ? all : str_sub(all, 0, end + 1);
}

static str label_of(str name)
{
    size_t at = name.n;
    while (at && name.p[at - 1] != '.') at--;
    return str_sub(name, at, name.n);
}

static str read_expect(arena *a, const char *name)
{
    str whole = str_from_c(name);
    str base = str_sub(whole, 0, whole.n - label_of(whole).n - 1);
    return read_golden(a, arena_printf(a, "%.*s.expect", STR_ARG(base)).p);
}

static void dump_init(pgoutput_dump *d, const char *name)
{
    *d = (pgoutput_dump){0};
    str label = label_of(str_from_c(name));
    assert_true(label.n >= 2 && label.p[0] == 'p' && label.p[1] >= '1' && label.p[1] <= '4');
    pgoutput_decoder_init(&d->decoder, (unsigned)(label.p[1] - '0'));
    d->binary = label.n > 2 && label.p[2] == 'b';
}

/* Runs the whole stream through; each payload goes to `each` before, when there is one. */
static void replay(const char *name, pgoutput_dump *d, void (*each)(pgoutput_dump *d, str payload))
{
    arena a = {0};
    str bytes = read_golden(&a, arena_printf(&a, "%s.stream", name).p);
    cursor c = cursor_of(bytes);
    unsigned keepalives = 0;
    while (cursor_left(&c)) {
        err e = ERR_INIT;
        pg_replication_message frame;
        pgoutput_message m;
        if (!pg_replication_parse(next_frame(&c), &frame, &e)) fail_msg("%s: %s", name, e.text);
        assert_true(frame.sent_us > 1700000000000000 && frame.sent_us < 2600000000000000);
        if (frame.kind == PG_REPLICATION_KEEPALIVE) {
            keepalives++;
            assert_true(frame.wal_end != PG_LSN_NONE);
            continue;
        }
        if (each) each(d, frame.payload);
        if (!pgoutput_decode(&d->decoder, frame.payload, &d->a, &m, &e) || !dump_message(d, &m, &e)) fail_msg("%s: %s", name, e.text);
        assert_true(frame.wal_end >= frame.start);
        if (m.kind == PGOUTPUT_STREAM_ABORT) { /* the streams of protocol 4 have streaming 'parallel' */
            const pgoutput_stream_abort *s = &m.u.stream_abort;
            assert_true(s->has_place == (d->decoder.protocol == 4) && (!s->has_place || (s->abort_lsn && s->abort_us > 1700000000000000)));
        }
        if (m.kind == PGOUTPUT_COMMIT) assert_true(m.u.commit.commit_lsn < m.u.commit.end_lsn && frame.start <= m.u.commit.end_lsn);
    }
    assert_true(keepalives > 0 && !d->decoder.in_stream && d->stream_count == 0);
    arena_finish(&a);
}

static void same_text(const char *name, str got, str want)
{
    str got_line, want_line, got_rest = got, want_rest = want;
    while (str_split_next(&want_rest, '\n', &want_line)) {
        if (!str_split_next(&got_rest, '\n', &got_line)) got_line = STR("(nothing)");
        if (!str_eq(got_line, want_line)) fail_msg("%s:\n got %.*s\nwant %.*s", name, STR_ARG(str_sub(got_line, 0, 400)), STR_ARG(str_sub(want_line, 0, 400)));
    }
    assert_true(str_eq(got, want));
}

/* Each line of the queries was seen; BINARY lines are as many as the rows. */
static void lines_seen(const char *name, const pgoutput_dump *d, str lines)
{
    arena a = {0};
    str seen = arena_printf(&a, "\n%.*s", STR_ARG(buf_str(&d->seen))), line;
    unsigned rows = 0;
    while (str_split_next(&lines, '\n', &line)) {
        bool binary = str_starts_with(line, STR("BINARY "));
        if (line.n == 0 || binary != d->binary || str_starts_with(line, STR("CONFIRMED "))) continue;
        rows += binary;
        str whole = arena_printf(&a, "\n%.*s\n", STR_ARG(line));
        if (str_find(seen, whole) == SIZE_MAX) fail_msg("%s: not seen: %.*s", name, STR_ARG(line));
    }
    if (d->binary) assert_int_equal(rows, d->kinds[PGOUTPUT_INSERT]);
    arena_finish(&a);
}

static void test_streams(void **state)
{
    (void)state;
    arena a = {0};
    const char *names[MAX_FILES];
    size_t files = golden_names(&a, names);
    unsigned kinds[256] = {0}, taken_back = 0;
    for (size_t i = 0; i < files; i++) {
        pgoutput_dump d;
        dump_init(&d, names[i]);
        str expect = read_expect(&a, names[i]);
        d.types = expect_part(expect, 0);
        buf_add_byte(&d.out, '\n');
        replay(names[i], &d, NULL);
        if (!d.binary) same_text(names[i], buf_str(&d.out), expect_part(expect, 1));
        lines_seen(names[i], &d, expect_part(expect, 2));
        for (unsigned k = 0; k < 256; k++) kinds[k] += d.kinds[k];
        taken_back += d.aborts_of_parts;
        dump_finish(&d);
    }
    for (const char *k = "BCORYIUDTMSEcAbPKrp"; *k; k++)
        if (kinds[(uint8_t)*k] == 0) fail_msg("no golden stream has the message %s", pgoutput_kind_name((uint8_t)*k));
    assert_true(taken_back > 100);
    arena_finish(&a);
}

/* Built again from its fields, a status of PostgreSQL's own client is the same; the last one confirmed what the server has kept. */
static void test_status(void **state)
{
    (void)state;
    arena a = {0};
    const char *names[MAX_FILES];
    size_t files = golden_names(&a, names);
    for (size_t i = 0; i < files; i++) {
        cursor c = cursor_of(read_golden(&a, arena_printf(&a, "%s.status", names[i]).p));
        pg_replication_status s = {0};
        unsigned count = 0;
        for (; cursor_left(&c); count++) {
            str frame = next_frame(&c);
            assert_int_equal(frame.n, PG_REPLICATION_STATUS_BYTES);
            cursor f = cursor_of(str_sub(frame, 1, 33));
            s.written = cursor_be(&f, 8);
            s.flushed = cursor_be(&f, 8);
            s.applied = cursor_be(&f, 8);
            s.sent_us = (int64_t)cursor_be(&f, 8) + 946684800000000;
            s.reply_requested = cursor_u8(&f);
            assert_true(s.sent_us > 1700000000000000 && s.sent_us < 2600000000000000);
            char out[PG_REPLICATION_STATUS_BYTES];
            pg_replication_status_build(&s, out);
            assert_memory_equal(out, frame.p, sizeof out);
        }
        char lsn[PG_LSN_TEXT_BYTES];
        str label = label_of(str_from_c(names[i]));
        str line = arena_printf(&a, "\nCONFIRMED %.*s %s\n", STR_ARG(label), pg_lsn_format(s.flushed, lsn));
        assert_true(count > 0);
        if (str_find(read_expect(&a, names[i]), line) == SIZE_MAX) fail_msg("%s: %.*s", names[i], STR_ARG(line));
    }
    arena_finish(&a);
}

/* A copy of its own, so that the sanitizer sees a read past the end; true when it was taken. */
static bool decode_copy(const pgoutput_decoder *d, str bytes, size_t keep, size_t flip_bit)
{
    char *exact = malloc(keep ? keep : 1);
    memcpy(exact, bytes.p, keep);
    if (flip_bit != SIZE_MAX) exact[flip_bit / 8] = (char)(exact[flip_bit / 8] ^ 1 << flip_bit % 8);
    arena a = {0};
    pgoutput_decoder copy = *d;
    pgoutput_message m;
    err e = ERR_INIT;
    bool taken = pgoutput_decode(&copy, (str){exact, keep}, &a, &m, &e);
    if (!taken) assert_true(e.code == ERR_SOURCE_LOG_CORRUPT || e.code == ERR_SOURCE_LOG_UNKNOWN_EVENT);
    arena_finish(&a);
    free(exact);
    return taken;
}

/* Every cut is refused. The messages of large transactions are all alike: only some of them. */
static void cut_payload(pgoutput_dump *d, str payload)
{
    if (d->kinds[(uint8_t)payload.p[0]] > 60 && d->kinds[(uint8_t)payload.p[0]] % 97) return;
    for (size_t keep = 0; keep < payload.n; keep += keep < 600 ? 1 : 131) {
        if (payload.p[0] == PGOUTPUT_STREAM_ABORT && keep == 9) continue; /* whole without its place, too */
        if (decode_copy(&d->decoder, payload, keep, SIZE_MAX)) fail_msg("%s cut to %zu of %zu bytes was taken", pgoutput_kind_name((uint8_t)payload.p[0]), keep, payload.n);
    }
}

/* Flipped bits: no crash, and what is no value (lengths, marks, counts) is found. */
static unsigned flips_taken, flips_refused;
static void flip_payload(pgoutput_dump *d, str payload)
{
    if (d->kinds[(uint8_t)payload.p[0]] > 40 && d->kinds[(uint8_t)payload.p[0]] % 97) return;
    for (size_t bit = 0; bit < payload.n * 8 && bit < 2400; bit++) *(decode_copy(&d->decoder, payload, payload.n, bit) ? &flips_taken : &flips_refused) += 1;
}

static void each_payload(void (*each)(pgoutput_dump *d, str payload))
{
    arena a = {0};
    const char *names[MAX_FILES];
    size_t files = golden_names(&a, names);
    for (size_t i = 0; i < files; i++) {
        pgoutput_dump d;
        dump_init(&d, names[i]);
        replay(names[i], &d, each);
        dump_finish(&d);
    }
    arena_finish(&a);
}

static void test_cuts(void **state)
{
    (void)state;
    each_payload(cut_payload);
}

static void test_bit_flips(void **state)
{
    (void)state;
    flips_taken = flips_refused = 0;
    each_payload(flip_payload);
    assert_true(flips_taken > 1000 && flips_refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams), cmocka_unit_test(test_status), cmocka_unit_test(test_cuts), cmocka_unit_test(test_bit_flips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
