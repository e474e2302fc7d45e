/* A world in memory: one source with a log, one target, faults by seed. Every operation locks the world, every commit is judged against the log.
 * The engine's position text is "sim:<n>": the state after transaction n of the log. */
#ifndef ENGINE_SIM_SIM_H
#define ENGINE_SIM_SIM_H

#include <pthread.h>

#include "base/random.h"
#include "engine/engine.h"

#define SIM_COLUMNS 4
#define SIM_WORKERS 128 /* worker starts per world */

enum { SIM_PLAIN, SIM_UNIQUE, SIM_NO_KEY, SIM_PARENT, SIM_CHILD, SIM_TEXT, SIM_PAIR, SIM_TABLES };

typedef struct sim_row {
    val v[SIM_COLUMNS]; /* bytes are string literals */
} sim_row;

typedef struct sim_rows {
    sim_row *rows; /* owned */
    uint32_t count, cap;
} sim_rows;

/* What deleting a parent row or changing its key does to child rows; the log does not tell of it. */
typedef enum sim_action { SIM_RESTRICT, SIM_CASCADE, SIM_SET_NULL } sim_action;

/* The contents of a server. */
typedef struct sim_state {
    sim_action action;
    sim_rows tables[SIM_TABLES];
} sim_state;

typedef struct sim_change {
    uint32_t table;
    change_kind kind;
    sim_row before, after;
} sim_change;

typedef struct sim_txn {
    sim_change *changes; /* owned; none: a transaction on tables that are not selected */
    uint32_t count;
} sim_txn;

/* Planted bugs, to show that the simulator finds them. */
typedef enum sim_bug {
    SIM_BUG_NONE,
    SIM_BUG_CHECKPOINT_FIRST, /* the position is durable before the rows */
    SIM_BUG_OVERLAP_SKIPPED,  /* overlapping changes are dropped */
    SIM_BUG_OVERLAP_STRICT,   /* overlapping changes are applied as if exact */
    SIM_BUG_START_MOVED,      /* a later attempt of the load replaces the start position */
    SIM_BUG_WINDOW_LOST,      /* a window that failed with a deadlock is passed over */
    SIM_BUG_CHUNK_FIRST,      /* a chunk is marked done before its rows are durable */
    SIM_BUG_STALE_CHECKPOINT, /* the checkpoint read back is the one before */
    SIM_BUG_ACTIONS_LOGGED,   /* the source claims that its log holds what foreign key actions change */
    SIM_BUG_SAVEPOINT_LOST,   /* a large transaction keeps what was rolled back to a savepoint */
    SIM_BUG_CHUNK_KEPT,       /* a chunk that was taken back leaves a row behind */
    SIM_BUG_CONFIRMED_SENT,   /* the source takes what it has sent for durable in the target */
    SIM_BUG_COUNT
} sim_bug;

typedef enum sim_mode { SIM_FULL_AND_STREAM, SIM_FULL_ONLY, SIM_STREAM_ONLY } sim_mode;

typedef struct sim_world {
    char name[32];
    pthread_mutex_t lock;
    rng random;
    sim_bug bug;
    sim_mode mode;
    sim_action action;     /* of the foreign key */
    arena mem;
    catalog_def catalog;
    sim_txn *log;
    uint32_t log_count;    /* transactions 1..log_count */
    uint32_t head;         /* the newest that has happened; grows as the world is used */
    uint32_t start;        /* head when the world began */
    uint32_t purged;       /* transactions up to here are gone from the log */
    bool purges;           /* the log is purged at some time: the run must stop with that code, if it still needs it */
    uint32_t lost_after;   /* not 0: the source was promoted from a standby that had transactions up to here only */
    bool keeps_log;        /* keep_log was called in a world whose log otherwise goes at once */
    bool forgets;          /* such a world: the log goes up to what was confirmed, all of it before keep_log */
    uint32_t confirmed;    /* newest position that a stream confirmed, or where keep_log began */
    /* target */
    sim_state target;
    bool schema_made;
    checkpoint ck;         /* texts in place below */
    uint32_t at, previous_at, first_at; /* position of the checkpoint as a number */
    bool has_at;
    bool unsettled;        /* a COMMIT whose answer was lost is still under way: reads see the checkpoint before it, a claim waits for it */
    char phase[16];
    chunk *chunks[SIM_TABLES];
    uint32_t chunk_at[SIM_TABLES][8]; /* position of done chunks */
    uint32_t chunk_count[SIM_TABLES];
    /* faults */
    unsigned fault_percent;
    uint32_t faults_left, snapshots;
    uint32_t calls, crash_at; /* the newest worker dies at this call; 0 = never */
    bool uneven_lanes;
    cancel *workers[SIM_WORKERS]; /* by replica_id */
    bool dead[SIM_WORKERS];
    bool finished;         /* the target has all of the log */
    char violation[512];   /* the first broken promise */
} sim_world;

/* A world by seed, registered under its name. NULL without memory. */
sim_world *sim_world_new(uint64_t seed, sim_bug bug);
void sim_world_free(sim_world *w);
/* A worker starts: replica_id identifies it in its calls; it may crash (c is asked and nothing it does has an effect any more). */
void sim_worker_start(sim_world *w, uint32_t replica_id, cancel *c, bool may_crash);
/* Its cancel goes away. */
void sim_worker_end(sim_world *w, uint32_t replica_id);
/* Calls made so far. */
uint32_t sim_calls(sim_world *w);
/* Judges the end. False with a text. */
bool sim_world_judge(sim_world *w, char *text, size_t text_bytes);
/* source.c: the chunk's range holds the row. */
bool sim_in_chunk(const chunk *c, const sim_row *r);
/* world.c: text values point to literals again, so that the row may outlive the batch it came in. */
void sim_keep_words(sim_row *row);
/* rows.c: removes the rows of the chunk's range but for `keep` of them; how many there were. */
uint32_t sim_unload(sim_state *s, uint32_t table, const chunk *c, uint32_t keep);
/* NULL when there is no such world. */
sim_world *sim_world_find(str name);

/* rows.c: what a server does. state_replay makes the source's contents after transaction n. */
bool sim_state_replay(const sim_world *w, uint32_t n, sim_state *ret);
bool sim_state_copy(const sim_state *from, sim_state *ret);
void sim_state_finish(sim_state *s);
/* NULL or the reason of refusal. foreign_keys: enforce them. */
const char *sim_apply_strict(sim_state *s, const sim_change *c, bool foreign_keys);
const char *sim_apply_overlap(sim_state *s, const sim_change *c);
/* Loads a row; with `replace` a row with the same unique value goes away. */
const char *sim_load_row(sim_state *s, uint32_t table, const sim_row *r, bool replace);
/* NULL or the name of the first table that differs. */
const char *sim_state_differs(const sim_state *a, const sim_state *b);

/* fault.c */
typedef enum sim_site { SIM_AT_SOURCE, SIM_AT_TARGET, SIM_AT_TARGET_TXN } sim_site;
/* Begins a call: counts, may crash the worker, may fail. *broken: of the object; set by a lost connection, and fails every later call. The world is locked
 * when true is returned; sim_leave unlocks. */
bool sim_enter(sim_world *w, const engine_env *env, sim_site site, bool *broken, err *e);
void sim_leave(sim_world *w);
/* For callers that hold the lock: is the worker dead now (it may die here too)? */
bool sim_dies(sim_world *w, const engine_env *env);
bool sim_lost(sim_site site, bool *broken, err *e);
void sim_violate(sim_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The log goes on. */
void sim_tick(sim_world *w);

position sim_position(uint32_t n, arena *a);
bool sim_position_parse(position p, uint32_t *ret, err *e);

extern const source_ops sim_source_ops;
extern const target_ops sim_target_ops;

#endif
