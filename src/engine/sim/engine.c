/* The simulated engine: its table of operations. */
#include "engine/sim/sim.h"

extern const engine engine_sim;
const engine engine_sim = {.name = "sim", .default_port = 0, .source = &sim_source_ops, .target = &sim_target_ops};
