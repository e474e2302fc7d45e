/* The memory plan of a worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job/fence.h"

#define MIB ((size_t)1024 * 1024)

static void test_plan(void **state)
{
    (void)state;
    static const struct {
        size_t budget_mib;
        uint32_t lanes;
        size_t data_mib, row_mib;
    } rows[] = {
        {128, 2, 240, 24}, /* the defaults: under 256 MiB with the program's own pages */
        {128, 1, 236, 48}, {128, 8, 264, 16}, {128, 32, 360, 16}, {16, 2, 72, 16}, {512, 2, 816, 96}, {65536, 32, 98472, 768},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fence f = fence_plan(rows[i].budget_mib * MIB, rows[i].lanes);
        assert_int_equal(f.data_bytes, rows[i].data_mib * MIB);
        assert_int_equal(f.row_bytes, rows[i].row_mib * MIB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
