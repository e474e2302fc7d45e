/* The roles that serve starts. */
#include "cmd/run.h"
#include "job/roles.h"

int run_worker(const args *a)
{
    (void)a;
    return worker_main();
}

int run_probe(const args *a)
{
    (void)a;
    return probe_main();
}
