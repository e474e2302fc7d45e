/* Work on many tables on several connections side by side: each thread has a connection and takes the next table until none is left or one failed. */
#ifndef ENGINE_TABLE_WORK_H
#define ENGINE_TABLE_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

typedef struct table_work {
    uint32_t count;                                               /* of tables, which run and done know by their place */
    uint32_t lanes;                                               /* connections at most; 0 = 1 */
    bool (*open)(void *ctx, void **ret, err *e);                  /* by the calling thread */
    void (*close)(void *connection);
    bool (*run)(void *ctx, void *connection, uint32_t i, err *e); /* several at once, each on a connection of its own */
    void (*done)(void *ctx, uint32_t i);                          /* run was successful; calls do not overlap */
    void *ctx;
} table_work;

/* In the order of the tables. After a failure, whose first error is given, no further table is begun and those under way end. */
ERR_MUST_USE bool table_work_run(const table_work *w, err *e);

#endif
