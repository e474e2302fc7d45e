/* Escapes. COPY text: backslash, tab, line feed, carriage return (PostgreSQL 15 manual, COPY, "Text Format"). Literals with standard_conforming_strings: the
 * quote is doubled. Elements of arrays: quote and backslash get a backslash, within a literal (manual, 8.15.6). */
#include "engine/postgresql/pg_value.h"

#include <string.h>

#define ONES 0x0101010101010101ULL
#define HIGH 0x8080808080808080ULL

/* Bit 7 of each byte of x that is zero; may mark more above one, never less. */
static inline uint64_t zeros(uint64_t x) { return (x - ONES) & ~x & HIGH; }
static inline uint64_t any_of(uint64_t x, unsigned char c) { return zeros(x ^ ONES * c); }
/* Bytes below 0x0e, backslashes. */
static inline uint64_t copy_specials(uint64_t x) { return ((x - ONES * 0x0e) & ~x & HIGH) | any_of(x, '\\'); }
static inline uint64_t literal_specials(uint64_t x) { return zeros(x) | any_of(x, '\''); }
static inline uint64_t element_specials(uint64_t x) { return zeros(x) | any_of(x, '\'') | any_of(x, '"') | any_of(x, '\\'); }

/* Each returns how many bytes it wrote, 0 for a byte that cannot be. */
static inline unsigned copy_byte(char c, char *at)
{
    char name = c == '\\' ? '\\' : c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : 0;
    at[0] = name ? '\\' : c;
    at[1] = name;
    return name ? 2 : 1;
}

static inline unsigned literal_byte(char c, char *at)
{
    at[0] = at[1] = c;
    return c == '\'' ? 2 : c != 0;
}

static inline unsigned element_byte(char c, char *at)
{
    bool escaped = c == '"' || c == '\\';
    at[0] = escaped ? '\\' : c;
    at[1] = c;
    return escaped || c == '\'' ? 2 : c != 0;
}

typedef uint64_t specials_of(uint64_t);
typedef unsigned write_byte(char, char *);

/* Sixteen bytes at a time: this is the loop that a full load spends its time in. */
typedef uint8_t block __attribute__((vector_size(16)));

static inline bool is_plain(block b)
{
    block special = (block)((b < 0x0e) | (b == '\\'));
    uint64_t half[2];
    memcpy(half, &special, sizeof half);
    return !(half[0] | half[1]);
}

/* Fewer bytes than a block: halves that overlap. Returns s.n, or 0 when one may be special. */
static inline size_t copy_short(str s, char *at)
{
    uint64_t low = 0, high = 0;
    size_t n = s.n >= 8 ? 8 : 4;
    if (s.n < 4) return 0;
    memcpy(&low, s.p, n);
    memcpy(&high, s.p + s.n - n, n);
    if (n == 4 ? copy_specials(low | high << 32) : copy_specials(low) | copy_specials(high)) return 0;
    memcpy(at, &low, n);
    memcpy(at + s.n - n, &high, n);
    return s.n;
}

/* Copies whole blocks, the last one over the end of the one before it, as long as no byte of them is special to COPY; returns how many bytes. */
static inline size_t copy_blocks(str s, char *at)
{
    size_t i = 0;
    block b;
    if (s.n < sizeof b) return copy_short(s, at);
    for (; s.n - i >= sizeof b; i += sizeof b) {
        memcpy(&b, s.p + i, sizeof b);
        if (!is_plain(b)) return i;
        memcpy(at + i, &b, sizeof b);
    }
    size_t last = s.n - sizeof b;
    memcpy(&b, s.p + last, sizeof b);
    if (!is_plain(b)) return i;
    memcpy(at + last, &b, sizeof b);
    return s.n;
}

/* Eight bytes at a time where none is special. Inlined with its two functions. */
static inline __attribute__((always_inline)) bool escape(buf *out, str s, specials_of *specials, write_byte *put)
{
    char *at = buf_reserve(out, s.n * 2 + 8), *begin = at;
    if (!at) return true; /* out->failed is seen by the caller */
    for (size_t i = 0; i < s.n;) {
        uint64_t x = 0;
        if (s.n - i >= 8) {
            memcpy(&x, s.p + i, 8);
            if (!specials(x)) {
                memcpy(at, &x, 8);
                at += 8;
                i += 8;
                continue;
            }
        }
        for (size_t end = s.n - i >= 8 ? i + 8 : s.n; i < end; i++) {
            unsigned n = put(s.p[i], at);
            if (!n) return false;
            at += n;
        }
    }
    out->n += (size_t)(at - begin);
    return true;
}

static inline bool has_text(const val *v) { return v->kind == VAL_TEXT || v->kind == VAL_NUMBER; }

/* A value of VAL_PLAIN between two marks, which may be empty. */
static inline void add_plain(buf *out, str mark, str s)
{
    char *at = buf_reserve(out, s.n + 2 * mark.n);
    if (!at) return;
    if (mark.n) *at++ = *mark.p;
    if (s.n >= 4 && s.n <= 16) {
        size_t n = s.n >= 8 ? 8 : 4;
        uint64_t low = 0, high = 0;
        memcpy(&low, s.p, n);
        memcpy(&high, s.p + s.n - n, n);
        memcpy(at, &low, n);
        memcpy(at + s.n - n, &high, n);
    } else if (s.n > 16) {
        memcpy(at, s.p, s.n);
    } else {
        for (size_t i = 0; i < s.n; i++) at[i] = s.p[i];
    }
    if (mark.n) at[s.n] = *mark.p;
    out->n += s.n + 2 * mark.n;
}

bool pg_value_copy(buf *out, const val *v)
{
    if (has_text(v)) {
        if (v->flags & VAL_PLAIN) {
            add_plain(out, STR(""), val_bytes(v));
            return true;
        }
        str s = val_bytes(v);
        char *at = buf_reserve(out, s.n * 2 + 8);
        if (!at) return true; /* out->failed is seen by the caller */
        size_t plain = copy_blocks(s, at);
        out->n += plain;
        return plain == s.n || escape(out, str_sub(s, plain, SIZE_MAX), copy_specials, copy_byte);
    }
    if (v->kind != VAL_NULL) return false;
    buf_add(out, STR("\\N"));
    return true;
}

static bool between(buf *out, const char *mark, str s, specials_of *specials, write_byte *put)
{
    size_t before = out->n;
    buf_add_c(out, mark);
    if (!escape(out, s, specials, put)) {
        out->n = before;
        return false;
    }
    buf_add_c(out, mark);
    return true;
}

bool pg_value_literal(buf *out, const val *v)
{
    if (has_text(v) && v->flags & VAL_PLAIN) {
        add_plain(out, STR("'"), val_bytes(v));
        return true;
    }
    if (has_text(v)) return between(out, "'", val_bytes(v), literal_specials, literal_byte);
    if (v->kind != VAL_NULL) return false;
    buf_add(out, STR("NULL"));
    return true;
}

bool pg_value_element(buf *out, const val *v)
{
    if (has_text(v) && v->flags & VAL_PLAIN) {
        add_plain(out, STR("\""), val_bytes(v));
        return true;
    }
    if (has_text(v)) return between(out, "\"", val_bytes(v), element_specials, element_byte);
    if (v->kind != VAL_NULL) return false;
    buf_add(out, STR("NULL"));
    return true;
}
