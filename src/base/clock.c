/* The system clock and time texts. */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t system_wall(void *ctx) { return (void)ctx, read_clock(CLOCK_REALTIME); }
static int64_t system_mono(void *ctx) { return (void)ctx, read_clock(CLOCK_MONOTONIC); }

static void system_sleep(void *ctx, int64_t us)
{
    (void)ctx;
    if (us <= 0) return;
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

const clk *clk_system(void)
{
    static const clk c = {system_wall, system_mono, system_sleep, NULL};
    return &c;
}

static void format_seconds(int64_t wall_us, char out[20])
{
    int64_t seconds = wall_us / 1000000;
    if (seconds < 0) seconds = 0;
    if (seconds > 253402300799) seconds = 253402300799; /* 9999-12-31T23:59:59Z */
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(out, 20, "%Y-%m-%dT%H:%M:%S", &tm);
}

void clock_format_iso(int64_t wall_us, char out[CLOCK_ISO_BYTES])
{
    format_seconds(wall_us, out);
    out[19] = 'Z';
    out[20] = 0;
}

void clock_format_iso_ms(int64_t wall_us, char out[CLOCK_ISO_MS_BYTES])
{
    char base[20];
    format_seconds(wall_us, base);
    int ms = (int)(wall_us > 0 ? wall_us / 1000 % 1000 : 0);
    snprintf(out, CLOCK_ISO_MS_BYTES, "%s.%03d+00:00", base, ms);
}

bool clock_parse_iso(str s, int64_t *ret_wall_us)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    if (s.n != sizeof shape - 1) return false;
    for (size_t i = 0; i < s.n; i++)
        if (shape[i] == 'd' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != shape[i]) return false;
    uint64_t f[6];
    static const uint8_t at[6] = {0, 5, 8, 11, 14, 17};
    for (int i = 0; i < 6; i++)
        if (!str_to_u64(str_sub(s, at[i], i ? 2 : 4), &f[i])) return false;
    struct tm tm = {.tm_year = (int)f[0] - 1900, .tm_mon = (int)f[1] - 1, .tm_mday = (int)f[2],
                    .tm_hour = (int)f[3], .tm_min = (int)f[4], .tm_sec = (int)f[5]};
    struct tm check = tm;
    time_t t = timegm(&check);
    if (check.tm_mon != tm.tm_mon || check.tm_mday != tm.tm_mday || check.tm_hour != tm.tm_hour || check.tm_min != tm.tm_min) return false;
    *ret_wall_us = (int64_t)t * 1000000;
    return true;
}
