/* A role process of the supervisor and what it has told so far. */
#ifndef JOB_CHILD_H
#define JOB_CHILD_H

#include "job/role.h"
#include "job/service_priv.h"

typedef enum child_kind { CHILD_WORKER, CHILD_PRECHECK, CHILD_CLEANUP } child_kind;

typedef struct child {
    struct child *next;
    child_kind kind;
    char job_id[JOB_ID_CHARS + 1];
    char run_id[64];
    char end[8];              /* cleanup: "src" or "dest" */
    role_process process;
    uint64_t config_version, limits_version;
    int64_t started_us;       /* monotonic */
    bool wanted, stop_asked, killed;
    int64_t stop_asked_us;
    bool advanced;            /* it did something since its start */
    bool finished;            /* its last word came: done, checked, cleaned or failed */
    bool failed;
    err error;
    /* worker: progress told but not yet in the catalog */
    json_t *tables;           /* object by "schema.name" of table messages */
    json_t *applied;
    uint64_t base_txns, base_rows; /* the job's totals at its start */
    uint64_t last_rows, last_bytes; int64_t last_flush_us;
    bool rates_move; /* the stored rates are not 0: they are stored again, as 0, when nothing more is told */
    bool caught_up;
    bool retrying;            /* it told of a failure that is not over */
    json_t *pending;          /* array of messages that the catalog could not take yet, oldest first */
    json_t *told;             /* rows done by "schema.name" as told last */
    uint64_t load_rows, load_bytes, last_load_rows, last_load_bytes; /* loaded since its start */
    /* cleanup */
    json_t *cleaned;
    json_t *settled;          /* array of settled messages */
    uint32_t failed_items;    /* precheck: items that failed and are not skipped */
} child;

/* One message of a child; catalog changes are made in transactions of its own. What the catalog cannot take now (full, locked) is kept and comes again, in order. */
void child_message(service *s, child *c, const json_t *m);
/* Tries again what the catalog could not take. */
void child_catch_up(service *s, child *c);
/* Writes collected progress; inside a transaction. After its commit: child_flushed. */
ERR_MUST_USE bool child_flush(service *s, child *c, err *e);
void child_flushed(child *c);
bool child_has_news(const child *c);
void child_free(child *c);

#endif
