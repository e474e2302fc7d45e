/* The simulated engine: its table of operations. */
#include "engine/engine.h"

extern const engine engine_sim;
const engine engine_sim = {.name = "sim", .default_port = 0};
