/* The chunks of a full load that wait for a lane: over all tables, largest table first, planned only a little ahead. Each lane keeps to a table of its own as
 * long as there is one: two lanes that insert into one B-tree wait for each other (measured on MariaDB 10.11: four tenths of their time). */
#ifndef PIPELINE_WORK_H
#define PIPELINE_WORK_H

#include <pthread.h>

#include "pipeline/run.h"

typedef struct table_load {
    const table_def *table;
    uint32_t chunks, done; /* chunks 0: not planned yet */
    uint64_t rows;         /* loaded by finished chunks */
    struct task *head, *tail; /* chunks that wait */
    struct table_load *next_open;
} table_load;

typedef struct task {
    table_load *load;
    chunk c;
    struct task *next;
} task;

#define WORK_MAX_LANES 32

typedef struct work {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    arena mem;             /* tasks and chunks; used by the planning lane only */
    table_load *loads;     /* in the order of planning */
    uint32_t load_count, next_load;
    table_load *open;      /* those with waiting chunks, in the order of planning */
    const table_load *at[WORK_MAX_LANES]; /* the table that a lane took its newest chunk of */
    uint32_t lane_count, open_count;
    uint32_t waiting, busy;/* chunks; busy: handed out and not finished */
    bool planning, closed;
    uint64_t finished;     /* chunks finished in this attempt */
} work;

/* lane_count: 1 to WORK_MAX_LANES. */
ERR_MUST_USE bool work_init(work *w, const catalog_def *c, uint32_t lane_count, err *e);
void work_finish(work *w);

typedef enum work_kind { WORK_END, WORK_PLAN, WORK_CHUNK } work_kind;

/* The next thing to do for a lane: WORK_PLAN (only for lane 0, while few chunks wait or fewer tables than lanes have any): plan *ret_load, then work_planned; WORK_CHUNK: load *ret_task,
 * then work_done or work_again; WORK_END: nothing is left, or closed. Waits while others may still give chunks back. */
work_kind work_next(work *w, uint32_t lane, table_load **ret_load, task **ret_task);
/* The tasks of the planned table that are not done (linked by next, may be NULL). */
void work_planned(work *w, task *tasks);
/* True when it was the table's last chunk. */
bool work_done(work *w, task *t, uint64_t rows);
/* Gives a chunk back. */
void work_again(work *w, task *t);
/* Wakes everybody with WORK_END. */
void work_close(work *w);

#endif
