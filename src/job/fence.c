/* How much memory a worker may take.
 *
 * Measured (MariaDB 10.11, 2 lanes, budget 128 MiB): 160 MiB of data for rows of 16 MiB, of which a lane holds about four copies: the packet, a batch at the reader, one
 * at the writer, the text being sent. Narrow rows took 136 MiB while a lane's queue held half of the budget, and take 17 MiB since it holds eight batches. */
#include "job/fence.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

#define BASE_BYTES ((size_t)40 * 1024 * 1024)
#define LANE_BYTES ((size_t)4 * 1024 * 1024) /* two threads and two connections */
#define STACK_BYTES ((size_t)1024 * 1024)
#define COPIES_OF_A_ROW 4

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

fence fence_plan(size_t budget_bytes, uint32_t lanes)
{
    size_t rows = budget_bytes + budget_bytes / 2, each = rows / ((size_t)COPIES_OF_A_ROW * (lanes ? lanes : 1));
    return (fence){.data_bytes = rows + BASE_BYTES + lanes * LANE_BYTES, .row_bytes = each > FENCE_ROW_BYTES ? each : FENCE_ROW_BYTES};
}

void fence_raise(const fence *f)
{
    struct rlimit now, want = {f->data_bytes, f->data_bytes};
    pthread_attr_t attr;
    if (SANITIZED) return;
    if (getrlimit(RLIMIT_DATA, &now) == 0 && now.rlim_max < want.rlim_max) want = (struct rlimit){now.rlim_max, now.rlim_max};
    setrlimit(RLIMIT_DATA, &want);
    if (pthread_attr_init(&attr) != 0) return;
    if (pthread_attr_setstacksize(&attr, STACK_BYTES) == 0) pthread_setattr_default_np(&attr);
    pthread_attr_destroy(&attr);
}
