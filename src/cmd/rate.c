/* Rates of counters that are looked at now and then. */
#include "cmd/rate.h"

#include <stdio.h>
#include <string.h>

static int64_t last_look_us(const rate_counter *c) { return c->looks ? c->at_us[(c->looks - 1) % RATE_LOOKS] : INT64_MIN; }

static rate_counter *find(rate_meter *m, const char *name)
{
    rate_counter *oldest = &m->counters[0];
    for (rate_counter *c = m->counters; c < m->counters + RATE_COUNTERS; c++) {
        if (c->looks && strncmp(c->name, name, sizeof c->name - 1) == 0) return c;
        if (last_look_us(c) < last_look_us(oldest)) oldest = c;
    }
    *oldest = (rate_counter){.looks = 0};
    snprintf(oldest->name, sizeof oldest->name, "%s", name);
    return oldest;
}

double rate_of(rate_meter *m, const char *name, int64_t done, int64_t now_us)
{
    rate_counter *c = find(m, name);
    if (c->looks && done < c->done[(c->looks - 1) % RATE_LOOKS]) c->looks = 0; /* it began anew */
    unsigned slot = c->looks % RATE_LOOKS;
    c->done[slot] = done;
    c->at_us[slot] = now_us;
    c->looks++;
    unsigned first = c->looks > RATE_LOOKS ? c->looks % RATE_LOOKS : 0;
    int64_t passed = now_us - c->at_us[first];
    return passed > 0 ? (double)(done - c->done[first]) * 1e6 / (double)passed : 0;
}
