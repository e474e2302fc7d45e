/* A family (model/family.h) of a source whose log omits what foreign key actions changed is loaded at one position or not at all: what an attempt before this
 * one loaded of an unfinished family is taken back. */
#ifndef PIPELINE_RELOAD_H
#define PIPELINE_RELOAD_H

#include "pipeline/run.h"

/* Does any selected table have to be loaded at one position with others? */
bool reload_needs_one_position(const run *r);
/* Before the lanes start: families whose chunks do not all lie at one position are emptied of the chunks that do not lie at `at`, the position of this attempt. */
ERR_MUST_USE bool reload_families(run *r, dest *d, position at, err *e);
/* May the changes of the job's tables be followed at all? Asked before anything is made, when they will be. */
ERR_MUST_USE bool reload_check_families(const run *r, err *e);

#endif
