/* Values: identity. */
#include "model/value.h"

#include <string.h>

bool val_equal(const val *a, const val *b)
{
    if (a->kind != b->kind || a->n != b->n) return false;
    if (a->kind <= VAL_UNCHANGED) return true;
    if (val_is_inline(a)) return memcmp(&a->u, &b->u, sizeof a->u) == 0;
    return a->n == 0 || memcmp(a->u.p, b->u.p, a->n) == 0;
}
