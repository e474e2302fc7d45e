/* Fuzz target: the text of SHOW CREATE TABLE and lines of SHOW GRANTS, as a hostile server could send them. */
#include "engine/mysql/catalog.h"
#include "engine/mysql/grants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    err e = ERR_INIT;
    ddl_table d;
    grant_line g;
    map none = MAP_INIT;
    str text = {(const char *)data, size};
    table_def t = {.schema = STR("s"), .name = STR("t"), .create_sql = text};
    arena_init(&a, 64 * 1024, 64 << 20);
    if (ddl_parse_table(text, &a, &d, &e)) (void)!catalog_fill_table(&d, &none, &a, &t, &e);
    (void)!grants_parse_line(text, &a, &g);
    map_finish(&none);
    arena_finish(&a);
    return 0;
}
