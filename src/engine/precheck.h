/* Prechecks: the table of items (precheck.def) and the run over both ends of a job. */
#ifndef ENGINE_PRECHECK_H
#define ENGINE_PRECHECK_H

#include "engine/engine.h"

/* Place of an item in precheck.def, -1 when there is none. */
int precheck_order(str item);
bool precheck_can_skip(str item);

typedef struct precheck_job {
    const engine *source_engine, *target_engine;
    const endpoint *source, *target;
    const dblist *objects;
    bool schema, full, incremental, ignore_existing;
    bool rights; /* owners and privileges are carried */
    bool ddl;    /* changed definitions are carried */
    str (*type_choice)(void *ctx, str key); /* as pipeline_job.type_choice; may be NULL */
    void *type_ctx;
} precheck_job;

typedef struct precheck_outcome {
    bool source_reached, target_reached;
    server_info source, target; /* in the arena */
} precheck_outcome;

/* Connects to both ends, reads the catalog, runs the items of both engines and of the catalog. Items go to the sink; an end that cannot be reached is an item
 * that failed, not an error. False only when the run itself could not be done. */
ERR_MUST_USE bool precheck_run(const precheck_job *job, const engine_env *env, const precheck_sink *sink, arena *a, precheck_outcome *ret, err *e);

/* precheck_types.c: between families, what the mapping tells, with the rows that s has of each kind, as the item CHECK_TYPES. *ret: the catalog for the target,
 * NULL when it cannot be mapped. */
ERR_MUST_USE bool precheck_types(const precheck_job *job, source *s, const precheck_request *r, catalog_def *from, const precheck_sink *sink, arena *a, catalog_def **ret, err *e);
/* precheck_catalog.c: what the selected tables tell by themselves: foreign key closure, keys, filters. */
ERR_MUST_USE bool precheck_catalog(const precheck_request *r, const precheck_sink *sink, err *e);

#endif
