/* Values: identity, plain texts. */
#include "model/value.h"

#include <string.h>

bool val_equal(const val *a, const val *b)
{
    if (a->kind != b->kind || a->n != b->n) return false;
    if (a->kind <= VAL_UNCHANGED) return true;
    if (val_is_inline(a)) return memcmp(&a->u, &b->u, sizeof a->u) == 0;
    return a->n == 0 || memcmp(a->u.p, b->u.p, a->n) == 0;
}

/* Sixteen bytes at a time, and no question in between but for each fourth of them: every text of a load goes through here. */
typedef uint8_t block __attribute__((vector_size(16)));

static inline block specials(block b) { return (block)((b - 0x20 > 0x7e - 0x20) | (b == '"') | (b == '\'') | (b == '\\')); }

static inline bool is_zero(block b)
{
    uint64_t half[2];
    memcpy(half, &b, sizeof half);
    return !(half[0] | half[1]);
}

/* Fewer bytes than a block: pieces of it that overlap. */
static bool short_is_plain(str s)
{
    block b;
    char bytes[sizeof b];
    if (s.n >= 8) {
        memcpy(bytes, s.p, 8);
        memcpy(bytes + 8, s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        for (int i = 0; i < 8; i += 4) memcpy(bytes + i, s.p, 4);
        for (int i = 8; i < 16; i += 4) memcpy(bytes + i, s.p + s.n - 4, 4);
    } else {
        memset(bytes, ' ', sizeof bytes);
        for (size_t i = 0; i < s.n; i++) bytes[i] = s.p[i];
    }
    memcpy(&b, bytes, sizeof b);
    return is_zero(specials(b));
}

bool val_is_plain(str s)
{
    block found = {0}, b;
    if (s.n < sizeof b) return short_is_plain(s);
    for (size_t i = 0; s.n - i >= sizeof b; i += sizeof b) {
        memcpy(&b, s.p + i, sizeof b);
        found |= specials(b);
        if (i % (4 * sizeof b) == 0 && !is_zero(found)) return false;
    }
    memcpy(&b, s.p + s.n - sizeof b, sizeof b);
    return is_zero(found | specials(b));
}
