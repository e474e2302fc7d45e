/* Time through a replaceable clock, so that a simulator can run hours in milliseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

typedef struct clk {
    int64_t (*wall_us)(void *ctx); /* microseconds since 1970-01-01 UTC */
    int64_t (*mono_us)(void *ctx); /* microseconds, never goes back */
    void (*sleep_us)(void *ctx, int64_t us);
    void *ctx;
} clk;

const clk *clk_system(void);
static inline int64_t clk_wall_us(const clk *c) { return c->wall_us(c->ctx); }
static inline int64_t clk_mono_us(const clk *c) { return c->mono_us(c->ctx); }
static inline void clk_sleep_us(const clk *c, int64_t us) { c->sleep_us(c->ctx, us); }

/* "2021-03-16T08:01:19Z" (20 bytes and NUL; years 1970..9999). */
#define CLOCK_ISO_BYTES 21
void clock_format_iso(int64_t wall_us, char out[CLOCK_ISO_BYTES]);
/* "2022-03-16T08:01:31.000+00:00", the form of progress times in the DTS API. */
#define CLOCK_ISO_MS_BYTES 30
void clock_format_iso_ms(int64_t wall_us, char out[CLOCK_ISO_MS_BYTES]);
/* Parses "YYYY-MM-DDTHH:MM:SSZ" strictly. */
bool clock_parse_iso(str s, int64_t *ret_wall_us);

#endif
