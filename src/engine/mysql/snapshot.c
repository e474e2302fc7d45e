/* A consistent state of the source for several reader connections.
 * With the RELOAD right: FLUSH TABLES WITH READ LOCK stops commits for the few milliseconds in which every connection starts its snapshot and the log's end
 * is read: one position for all. Without it on MariaDB: each snapshot tells its own position by SHOW STATUS LIKE 'binlog_snapshot_%' (exact under writers,
 * measured on 10.11). MySQL has no such status: the right is needed. */
#include "engine/mysql/snapshot.h"

#include <stdlib.h>

#include "engine/mysql/binlog_position.h"

enum {
    LOCK_TRIES = 20,         /* of LOCK_WAIT_S each: a long query on the source holds the lock up, and everybody behind it */
    LOCK_WAIT_S = 1,
    LOCK_PAUSE_MS = 500,
    ERROR_LOCK_WAIT = 1205,
    QUIET_S = 7 * 24 * 3600, /* how long the server may wait for us while the target is slow */
};

#define START_SNAPSHOT STR("START TRANSACTION WITH CONSISTENT SNAPSHOT")

static bool prepare_lane(conn *c, err *e)
{
    /* Literals of a row filter are UTF-8 text; results are not converted. */
    return conn_exec(c, STR("SET NAMES utf8mb4"), NULL, e) && conn_exec(c, STR("SET SESSION character_set_results=NULL"), NULL, e) &&
           conn_execf(c, e, "SET SESSION net_write_timeout=%d, wait_timeout=%d, lock_wait_timeout=30", QUIET_S, QUIET_S) &&
           conn_exec(c, STR("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"), NULL, e);
}

static bool open_lanes(snapshot *n, err *e)
{
    for (uint32_t i = 0; i < n->count; i++)
        if (!conn_open(n->src->ep, n->src->env, CONN_SOURCE, false, &n->lanes[i].conn, e) || !prepare_lane(n->lanes[i].conn, e)) return false;
    return true;
}

/* *ret_denied: the account has no RELOAD right. */
static bool lock_source(source *s, bool *ret_denied, err *e)
{
    *ret_denied = false;
    if (!conn_execf(s->conn, e, "SET SESSION lock_wait_timeout=%d", LOCK_WAIT_S)) return false;
    for (int i = 0;; i++) {
        if (conn_exec(s->conn, STR("FLUSH TABLES WITH READ LOCK"), NULL, e)) return true;
        if (e->code == ERR_SOURCE_PRIVILEGE) {
            *ret_denied = true;
            return true;
        }
        if (e->native != ERROR_LOCK_WAIT) return false;
        if (i == LOCK_TRIES - 1)
            return err_set_native(e, ERR_SOURCE_QUERY, RETRY_LATER, ERROR_LOCK_WAIT,
                                  "the source's tables could not be locked for a moment (FLUSH TABLES WITH READ LOCK): a statement or an open "
                                  "LOCK TABLES has been running for long; see SHOW PROCESSLIST");
        if (s->env->cancel && cancel_wait_ms(s->env->cancel, LOCK_PAUSE_MS)) return cancel_error(e);
    }
}

static bool start_all(snapshot *n, binlog_place *ret, bool *ret_on, err *e)
{
    for (uint32_t i = 0; i < n->count; i++)
        if (!conn_exec(n->lanes[i].conn, START_SNAPSHOT, NULL, e)) return false;
    if (binlog_end(n->src->conn, &n->mem, ret, ret_on, e)) return true;
    if (e->code != ERR_SOURCE_PRIVILEGE) return false;
    *ret_on = false; /* may not see the log: good enough for a full load alone */
    return true;
}

static bool start_locked(snapshot *n, err *e)
{
    binlog_place p;
    bool on = false;
    bool ok = start_all(n, &p, &on, e);
    err unlock = ERR_INIT;
    if (!conn_exec(n->src->conn, STR("UNLOCK TABLES"), NULL, &unlock)) {
        if (ok) *e = unlock;
        return false;
    }
    if (!ok) return false;
    position at = {0};
    if (on && !(binlog_fill_created(n->src, &p, e) && binlog_place_format(&p, 0, &n->mem, &at, e))) return false;
    for (uint32_t i = 0; i < n->count; i++) n->lanes[i].at = at;
    return true;
}

/* The file and offset of the lane's own snapshot, empty file without a binary log. */
static bool snapshot_status(conn *c, arena *a, binlog_place *ret, err *e)
{
    MYSQL_RES *res;
    if (!conn_query(c, STR("SHOW STATUS LIKE 'binlog_snapshot_%'"), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
        str name = str_from_c(row[0]), value = str_from_c(row[1]);
        if (str_eq_nocase(name, STR("binlog_snapshot_file"))) ret->file = arena_copy(a, value);
        if (str_eq_nocase(name, STR("binlog_snapshot_position"))) ok = str_to_u64(value, &ret->pos);
    }
    mysql_free_result(res);
    return ok || err_set(e, ERR_PROTOCOL, "the source's binlog_snapshot_position is not a number");
}

static bool start_own(snapshot *n, snapshot_lane *lane, err *e)
{
    binlog_place p = {0};
    if (!conn_exec(lane->conn, START_SNAPSHOT, NULL, e) || !snapshot_status(lane->conn, &n->mem, &p, e)) return false;
    if (p.file.n == 0) return true;
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT BINLOG_GTID_POS(");
    conn_quote_literal(&sql, p.file, STR("utf8mb4"));
    buf_printf(&sql, ", %llu)", (unsigned long long)p.pos);
    return binlog_server_name(lane->conn, &n->mem, &p.server, e) && conn_query_value(lane->conn, buf_c(&sql), &n->mem, &p.gtid, e) &&
           binlog_fill_created(n->src, &p, e) && binlog_place_format(&p, 0, &n->mem, &lane->at, e);
}

static bool start_unlocked(snapshot *n, err *e)
{
    if (!n->src->conn->is_mariadb)
        return err_set(e, ERR_SOURCE_PRIVILEGE,
                       "the source account may not take a consistent snapshot; run on the source: GRANT RELOAD ON *.* TO the account '%.*s'",
                       STR_ARG(n->src->ep->user));
    for (uint32_t i = 0; i < n->count; i++)
        if (!start_own(n, &n->lanes[i], e)) return false;
    return true;
}

bool snapshot_begin(source *s, uint32_t lanes, snapshot **ret, err *e)
{
    snapshot *n = calloc(1, sizeof *n);
    if (!n) return err_no_memory(e, "a snapshot");
    n->src = s;
    arena_init(&n->mem, 4096, 0);
    n->count = lanes ? lanes : 1;
    n->lanes = arena_array(&n->mem, n->count, sizeof *n->lanes);
    bool denied = false;
    bool ok = n->lanes ? open_lanes(n, e) && lock_source(s, &denied, e) && (denied ? start_unlocked(n, e) : start_locked(n, e))
                       : err_no_memory(e, "a snapshot");
    if (!ok) {
        snapshot_end(n);
        return err_context(e, "starting a consistent snapshot");
    }
    *ret = n;
    return true;
}

void snapshot_end(snapshot *n)
{
    if (!n) return;
    for (uint32_t i = 0; n->lanes && i < n->count; i++) conn_close(n->lanes[i].conn);
    arena_finish(&n->mem);
    free(n);
}

position snapshot_at(const snapshot *n, uint32_t lane) { return lane < n->count ? n->lanes[lane].at : (position){0}; }
