/* The columns of the source's tables at the job's position. The catalog is read from the source as it is now, which may
 * be later: what the tables were to the stream so far is kept in the target, and changes of columns that the log shows
 * are made there at a barrier, together with that. */
#ifndef PIPELINE_SHAPES_H
#define PIPELINE_SHAPES_H

#include "pipeline/run.h"

/* The source's log shows changes of columns, and the target can make them. */
bool shapes_carried(const run *r);
/* A dest_step: brings the run's catalog to what the target keeps. */
bool shapes_restore(run *r, dest *d, void *arg, err *e);
/* The stream begins: keeps the shape of each table of which none is kept. */
ERR_MUST_USE bool shapes_keep(run *r, dest *d, err *e);
/* Rewrites the change of columns of a transaction for a target of another family. */
ERR_MUST_USE bool shapes_convert(run *r, source *s, txn *t, err *e);
/* A dest_step; arg: the table_alter. Nothing may be under way in the target. */
bool shapes_alter(run *r, dest *d, void *arg, err *e);

#endif
