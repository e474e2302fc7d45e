/* GTID sets of MySQL. */
#include "codec/gtid_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

void gtid_set_finish(gtid_set *s)
{
    for (uint32_t i = 0; i < s->count; i++) free(s->sources[i].intervals);
    free(s->sources);
    *s = (gtid_set){0};
}

static int compare(const gtid_source *a, const uint8_t uuid[16], const char *tag)
{
    int c = memcmp(a->uuid, uuid, 16);
    return c ? c : strcmp(a->tag, tag);
}

/* Index of the first source not before (uuid, tag). */
static uint32_t find(const gtid_set *s, const uint8_t uuid[16], const char *tag)
{
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&s->sources[middle], uuid, tag) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const gtid_source *lookup(const gtid_set *s, const uint8_t uuid[16], const char *tag)
{
    uint32_t i = find(s, uuid, tag);
    return i < s->count && compare(&s->sources[i], uuid, tag) == 0 ? &s->sources[i] : NULL;
}

static gtid_source *source_for(gtid_set *s, const uint8_t uuid[16], const char *tag, err *e)
{
    uint32_t i = find(s, uuid, tag);
    if (i < s->count && compare(&s->sources[i], uuid, tag) == 0) return &s->sources[i];
    if (s->count >= GTID_SET_MAX_SOURCES) {
        err_set(e, ERR_LIMIT, "a GTID set has more than %d sources", GTID_SET_MAX_SOURCES);
        return NULL;
    }
    if (s->count == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 4;
        gtid_source *more = realloc(s->sources, cap * sizeof *more);
        if (!more) {
            err_no_memory(e, "a GTID set");
            return NULL;
        }
        s->sources = more;
        s->cap = cap;
    }
    memmove(&s->sources[i + 1], &s->sources[i], (s->count - i) * sizeof *s->sources);
    s->count++;
    gtid_source *src = &s->sources[i];
    *src = (gtid_source){0};
    memcpy(src->uuid, uuid, 16);
    memcpy(src->tag, tag, strnlen(tag, GTID_TAG_MAX_BYTES));
    return src;
}

/* Index of the first interval whose end is not before `number` - 1, i.e. that touches or follows it. */
static uint32_t touching(const gtid_source *src, uint64_t number)
{
    if (src->count && src->intervals[src->count - 1].last + 1 < number) return src->count; /* the usual case: at the end */
    uint32_t low = 0, high = src->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (src->intervals[middle].last + 1 < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert_interval(gtid_set *s, gtid_source *src, uint32_t at, gtid_interval v, err *e)
{
    if (s->interval_count >= GTID_SET_MAX_INTERVALS) return err_set(e, ERR_LIMIT, "a GTID set has more than %d intervals", GTID_SET_MAX_INTERVALS);
    if (src->count == src->cap) {
        uint32_t cap = src->cap ? src->cap * 2 : 2;
        gtid_interval *more = realloc(src->intervals, cap * sizeof *more);
        if (!more) return err_no_memory(e, "a GTID set");
        src->intervals = more;
        src->cap = cap;
    }
    memmove(&src->intervals[at + 1], &src->intervals[at], (src->count - at) * sizeof *src->intervals);
    src->intervals[at] = v;
    src->count++;
    s->interval_count++;
    return true;
}

bool gtid_set_add(gtid_set *s, const uint8_t uuid[16], const char *tag, uint64_t first, uint64_t last, err *e)
{
    if (first < 1 || last < first || last > GTID_MAX_NUMBER)
        return err_set(e, ERR_BAD_INPUT, "the GTID interval %llu-%llu is out of range", (unsigned long long)first, (unsigned long long)last);
    gtid_source *src = source_for(s, uuid, tag, e);
    if (!src) return false;
    uint32_t from = touching(src, first), to = from;
    gtid_interval v = {first, last};
    while (to < src->count && src->intervals[to].first <= v.last + 1) { /* swallow what it touches */
        if (src->intervals[to].first < v.first) v.first = src->intervals[to].first;
        if (src->intervals[to].last > v.last) v.last = src->intervals[to].last;
        to++;
    }
    if (to == from) return insert_interval(s, src, from, v, e);
    src->intervals[from] = v;
    memmove(&src->intervals[from + 1], &src->intervals[to], (src->count - to) * sizeof *src->intervals);
    src->count -= to - from - 1;
    s->interval_count -= to - from - 1;
    return true;
}

bool gtid_set_union(gtid_set *into, const gtid_set *from, err *e)
{
    for (uint32_t i = 0; i < from->count; i++) {
        const gtid_source *src = &from->sources[i];
        for (uint32_t j = 0; j < src->count; j++)
            if (!gtid_set_add(into, src->uuid, src->tag, src->intervals[j].first, src->intervals[j].last, e)) return false;
    }
    return true;
}

bool gtid_set_copy(const gtid_set *s, gtid_set *ret, err *e)
{
    gtid_set out = {0};
    if (!gtid_set_union(&out, s, e)) {
        gtid_set_finish(&out);
        return false;
    }
    *ret = out;
    return true;
}

static bool source_contains(const gtid_source *src, uint64_t first, uint64_t last)
{
    uint32_t low = 0, high = src->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (src->intervals[middle].last < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < src->count && src->intervals[low].first <= first && src->intervals[low].last >= last;
}

bool gtid_set_contains(const gtid_set *s, const uint8_t uuid[16], const char *tag, uint64_t number)
{
    const gtid_source *src = lookup(s, uuid, tag);
    return src && source_contains(src, number, number);
}

bool gtid_set_contains_set(const gtid_set *whole, const gtid_set *part)
{
    for (uint32_t i = 0; i < part->count; i++) {
        const gtid_source *p = &part->sources[i], *w = lookup(whole, p->uuid, p->tag);
        if (!w && p->count) return false;
        for (uint32_t j = 0; j < p->count; j++)
            if (!source_contains(w, p->intervals[j].first, p->intervals[j].last)) return false;
    }
    return true;
}

bool gtid_set_equal(const gtid_set *a, const gtid_set *b) { return gtid_set_contains_set(a, b) && gtid_set_contains_set(b, a); }

/* ---- text ---- */

void gtid_print_uuid(const uint8_t uuid[16], buf *out)
{
    static const unsigned parts[5] = {4, 2, 2, 2, 6};
    const char *p = (const char *)uuid;
    for (int i = 0; i < 5; i++) {
        if (i) buf_add_byte(out, '-');
        buf_add_hex(out, (str){p, parts[i]});
        p += parts[i];
    }
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

bool gtid_parse_uuid(str text, uint8_t ret[16])
{
    if (text.n == 38 && text.p[0] == '{' && text.p[37] == '}') text = str_sub(text, 1, 36);
    bool dashed = text.n == 36;
    if (!dashed && text.n != 32) return false;
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        if (dashed && (i == 4 || i == 6 || i == 8 || i == 10) && text.p[at++] != '-') return false;
        int high = hex_digit(text.p[at]), low = hex_digit(text.p[at + 1]);
        if (high < 0 || low < 0) return false;
        ret[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

void gtid_set_print(const gtid_set *s, buf *out)
{
    const gtid_source *last = NULL;
    for (uint32_t i = 0; i < s->count; i++) {
        const gtid_source *src = &s->sources[i];
        if (src->count == 0) continue;
        if (!last || memcmp(last->uuid, src->uuid, 16) != 0) {
            if (last) buf_add_byte(out, ',');
            gtid_print_uuid(src->uuid, out);
        }
        last = src;
        if (src->tag[0]) {
            buf_add_byte(out, ':');
            buf_add_c(out, src->tag);
        }
        for (uint32_t j = 0; j < src->count; j++) {
            buf_add_byte(out, ':');
            buf_add_u64(out, src->intervals[j].first);
            if (src->intervals[j].last == src->intervals[j].first) continue;
            buf_add_byte(out, '-');
            buf_add_u64(out, src->intervals[j].last);
        }
    }
}

static bool parse_tag(str text, char ret[GTID_TAG_MAX_BYTES + 1])
{
    char tag[GTID_TAG_MAX_BYTES + 1] = "";
    if (text.n < 1 || text.n > GTID_TAG_MAX_BYTES) return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || c == '_' || (i && c >= '0' && c <= '9'))) return false;
        tag[i] = c;
    }
    memcpy(ret, tag, sizeof tag);
    return true;
}

/* "5", "5-9". An empty interval (9-5) adds nothing, as at the server. */
static bool parse_interval(str text, uint64_t *ret_first, uint64_t *ret_last)
{
    str rest = text, first, last;
    if (!str_split_next(&rest, '-', &first)) return false;
    if (!str_split_next(&rest, '-', &last)) last = first;
    if (rest.p) return false;
    return str_to_u64(str_trim(first), ret_first) && str_to_u64(str_trim(last), ret_last) && *ret_first >= 1 && *ret_last <= GTID_MAX_NUMBER;
}

/* One "uuid:tag:1-5:7" piece. */
static bool parse_source(str piece, gtid_set *s, err *e)
{
    str rest = piece, part;
    uint8_t uuid[16];
    char tag[GTID_TAG_MAX_BYTES + 1] = "";
    if (!str_split_next(&rest, ':', &part) || !gtid_parse_uuid(str_trim(part), uuid) || !rest.p)
        return err_set(e, ERR_BAD_INPUT, "\"%.*s\" is not a GTID set: a UUID and ':' are expected", STR_ARG(str_sub(piece, 0, 80)));
    while (str_split_next(&rest, ':', &part)) {
        part = str_trim(part);
        uint64_t first, last;
        if (parse_tag(part, tag)) continue;
        if (!parse_interval(part, &first, &last))
            return err_set(e, ERR_BAD_INPUT, "\"%.*s\" in a GTID set is neither an interval nor a tag", STR_ARG(str_sub(part, 0, 80)));
        if (first <= last && !gtid_set_add(s, uuid, tag, first, last, e)) return false;
    }
    return true;
}

bool gtid_set_parse(str text, gtid_set *ret, err *e)
{
    *ret = (gtid_set){0};
    gtid_set s = {0};
    str rest = text.p ? text : STR(""), piece;
    while (str_split_next(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (piece.n && !parse_source(piece, &s, e)) {
            gtid_set_finish(&s);
            return false;
        }
    }
    *ret = s;
    return true;
}

/* ---- binary ---- */

static void put_le64(buf *out, uint64_t v)
{
    for (int i = 0; i < 8; i++) buf_add_byte(out, (char)(v >> 8 * i & 0xff));
}

void gtid_set_encode(const gtid_set *s, buf *out)
{
    uint64_t count = 0;
    bool tagged = false;
    for (uint32_t i = 0; i < s->count; i++) {
        count += s->sources[i].count > 0;
        tagged = tagged || (s->sources[i].count && s->sources[i].tag[0]);
    }
    put_le64(out, tagged ? count << 8 | 1ull << 56 | 1 : count);
    for (uint32_t i = 0; i < s->count; i++) {
        const gtid_source *src = &s->sources[i];
        if (src->count == 0) continue;
        buf_add(out, (str){(const char *)src->uuid, 16});
        if (tagged) { /* length 0..32: one byte of the serialization format, shifted by its one-bit prefix */
            buf_add_byte(out, (char)(strlen(src->tag) << 1));
            buf_add_c(out, src->tag);
        }
        put_le64(out, src->count);
        for (uint32_t j = 0; j < src->count; j++) {
            put_le64(out, src->intervals[j].first);
            put_le64(out, src->intervals[j].last + 1);
        }
    }
}

static bool decode_source(cursor *c, bool tagged, gtid_set *s, err *e)
{
    char tag[GTID_TAG_MAX_BYTES + 1] = "";
    str uuid = cursor_take(c, 16);
    if (tagged) {
        uint8_t length = cursor_u8(c);
        str text = cursor_take(c, length >> 1);
        if (c->failed || length & 1 || (text.n && !parse_tag(text, tag))) return err_set(e, ERR_CORRUPT, "a GTID set has a tag that is not well formed");
    }
    uint64_t intervals = cursor_u64(c);
    if (c->failed || intervals > cursor_left(c) / 16) return err_set(e, ERR_CORRUPT, "a binary GTID set is cut short");
    for (; intervals; intervals--) {
        uint64_t first = cursor_u64(c), end = cursor_u64(c);
        if (end <= first) return err_set(e, ERR_CORRUPT, "a binary GTID set has an empty interval");
        if (!gtid_set_add(s, (const uint8_t *)uuid.p, tag, first, end - 1, e)) return false;
    }
    return true;
}

bool gtid_set_decode(str bytes, gtid_set *ret, err *e)
{
    *ret = (gtid_set){0};
    gtid_set s = {0};
    cursor c = cursor_of(bytes);
    uint64_t head = cursor_u64(&c);
    bool tagged = head >> 56 == 1, ok = !c.failed && head >> 56 <= 1;
    uint64_t count = tagged ? head << 8 >> 16 : head;
    if (!ok || count > cursor_left(&c) / 24) return err_set(e, ERR_CORRUPT, "a binary GTID set of %zu bytes is not well formed", bytes.n);
    for (; ok && count; count--) ok = decode_source(&c, tagged, &s, e);
    if (ok && (c.failed || cursor_left(&c))) ok = err_set(e, ERR_CORRUPT, "a binary GTID set has %zu bytes too many", cursor_left(&c));
    if (!ok) {
        gtid_set_finish(&s);
        return false;
    }
    *ret = s;
    return true;
}
