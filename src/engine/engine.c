/* The list of engines. */
#include "engine/engine.h"

#define ENGINE(symbol) extern const engine engine_##symbol;
#include "engine/engines.def"
#undef ENGINE

static const engine *const engines[] = {
#define ENGINE(symbol) &engine_##symbol,
#include "engine/engines.def"
#undef ENGINE
    NULL,
};

const engine *engine_find(str name)
{
    if (str_eq_nocase(name, STR("mariadb"))) name = STR("mysql");
    for (size_t i = 0; engines[i]; i++)
        if (str_eq_nocase(name, str_from_c(engines[i]->name))) return engines[i];
    return NULL;
}

const engine *const *engine_all(void) { return engines; }
