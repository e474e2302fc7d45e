/* Floating point numbers as texts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/mapping/mapping_plan.h"

/* 15 (6) digits tell apart all numbers that were written with as many, 17 (9) all that there are. */
size_t mapping_float_text(double d, bool single, char *out)
{
    int n = 0;
    if (!isfinite(d)) return (size_t)snprintf(out, MAPPING_FLOAT_BYTES, isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
    for (int digits = single ? 6 : 15; digits <= (single ? 9 : 17); digits++) {
        n = snprintf(out, MAPPING_FLOAT_BYTES, "%.*g", digits, d);
        if (single ? strtof(out, NULL) == (float)d : strtod(out, NULL) == d) break;
    }
    return (size_t)n;
}
