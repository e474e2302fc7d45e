/* The MySQL and MariaDB engine: its table of operations. */
#include "engine/engine.h"

extern const engine engine_mysql;
const engine engine_mysql = {.name = "mysql", .default_port = 3306};
