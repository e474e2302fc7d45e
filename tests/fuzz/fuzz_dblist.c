/* Fuzz target: the object list. Input: the JSON text. Look-ups on what was accepted must hold together. */
#include <stdlib.h>

#include "model/dblist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) abort();
}

static void check_database(const dblist *l, str name, arena *a)
{
    require(dblist_has_database(l, name));
    require(dblist_target_database(l, name).n > 0);
    const str *tables;
    uint32_t count = dblist_tables(l, name, &tables);
    for (uint32_t i = 0; i < count; i++) {
        dblist_match m = dblist_match_table(l, name, tables[i]);
        require(m.selected && m.target_name.n > 0 && m.target_schema.n > 0);
        column_def columns[2] = {{.name = STR("id")}, {.name = STR("a")}};
        table_def t = {.schema = name, .name = tables[i], .columns = columns, .column_count = 2};
        err e = ERR_INIT;
        if (dblist_apply_to_table(l, &t, a, &e)) require(columns[0].selected || columns[1].selected);
        else require(e.code != ERR_NONE);
    }
    require(dblist_match_table(l, name, STR("\x01 not listed")).selected == dblist_whole_database(l, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    arena_init(&a, 4096, 16 * 1024 * 1024);
    err e = ERR_INIT;
    dblist *l = NULL;
    if (dblist_parse((str){(const char *)data, size}, &a, &l, &e)) {
        const str *names;
        uint32_t count = dblist_databases(l, &names);
        require(count > 0);
        for (uint32_t i = 0; i < count; i++) check_database(l, names[i], &a);
    } else {
        require(e.code != ERR_NONE && e.text[0]);
    }
    arena_finish(&a);
    return 0;
}
