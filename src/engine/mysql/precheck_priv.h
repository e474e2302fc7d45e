/* What the precheck_*.c files of the MySQL engine share. */
#ifndef ENGINE_MYSQL_PRECHECK_PRIV_H
#define ENGINE_MYSQL_PRECHECK_PRIV_H

#include "base/map.h"
#include "engine/mysql/grants.h"
#include "engine/precheck_report.h"

/* The checks of a source under way; everything is borrowed for the run. */
typedef struct source_check {
    conn *c;
    const precheck_request *r;
    const catalog_def *catalog; /* NULL when it could not be read */
    const precheck_sink *sink;
    arena *a;
    grants grants;
    uint32_t replica_id;        /* of our binlog connection */
} source_check;

/* A variable's value; empty when the server has none of this name. */
ERR_MUST_USE bool precheck_variable(source_check *k, const char *name, str *ret, err *e);
/* precheck_log.c: the items of the binary log. */
ERR_MUST_USE bool precheck_log(source_check *k, err *e);

/* The checks of a target under way. */
typedef struct target_check {
    target *t;
    conn *c;
    const precheck_request *r;
    const precheck_sink *sink;
    arena *a;
    grants grants;
    map present; /* key of target_check_key → kind ("TABLE", "VIEW") of what the target has in the mapped schemas */
    map own;     /* the same keys, made by this job */
    map collations;
} target_check;

/* A table's or view's name as the target tells it from others: `schema`.`name`, without case where the target ignores it. Lives in the arena. */
ERR_MUST_USE bool target_check_key(target_check *k, str schema, str name, str *ret, err *e);
/* The kind of what has this name in the target, NULL when nothing has. ret_own: this job made it. */
ERR_MUST_USE bool target_check_find(target_check *k, str schema, str name, const char **ret_kind, bool *ret_own, err *e);
/* precheck_names.c: the item CHECK_NAMES. Needs present, own and r->catalog. */
ERR_MUST_USE bool precheck_names(target_check *k, err *e);

#endif
