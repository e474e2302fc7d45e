/* Rates of counters that are looked at now and then: rows per second over the last looks. */
#ifndef CMD_RATE_H
#define CMD_RATE_H

#include <stdint.h>

#define RATE_COUNTERS 64 /* that are followed at a time; the one looked at longest ago gives way */
#define RATE_LOOKS 16

typedef struct rate_counter {
    char name[200];
    int64_t done[RATE_LOOKS], at_us[RATE_LOOKS];
    unsigned looks; /* all that were made; the last RATE_LOOKS are kept */
} rate_counter;

/* Zeroed at first. */
typedef struct rate_meter {
    rate_counter counters[RATE_COUNTERS];
} rate_meter;

/* Notes that the counter stands at done (monotonic microseconds) and returns its rate per second; 0 at its first look and when it went back. */
double rate_of(rate_meter *m, const char *name, int64_t done, int64_t now_us);

#endif
