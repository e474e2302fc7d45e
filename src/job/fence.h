/* How much memory a worker may take: planned from its budget of rows in flight, held by the kernel. */
#ifndef JOB_FENCE_H
#define JOB_FENCE_H

#include <stddef.h>
#include <stdint.h>

/* The smallest row limit, whatever the budget. */
#define FENCE_ROW_BYTES ((size_t)16 * 1024 * 1024)

typedef struct fence {
    size_t data_bytes; /* heap, thread stacks, buffers of libraries: 240 MiB for the defaults (128 MiB, 2 lanes) */
    size_t row_bytes;  /* largest row that each lane can hold in all the copies it makes: 24 MiB for the defaults */
} fence;

fence fence_plan(size_t budget_bytes, uint32_t lanes);
/* From now on an allocation beyond it fails (RLIMIT_DATA), so that a worker ends with an error of its own and not by the system's out-of-memory killer. Also gives
 * later threads stacks of 1 MiB. Does nothing in a build with a sanitizer, whose own memory would count. */
void fence_raise(const fence *f);

#endif
