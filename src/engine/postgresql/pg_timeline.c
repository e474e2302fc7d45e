/* A promotion begins a new timeline, whose history names the place where it left the one before. What lies before that place is the same in both; what the old
 * primary wrote behind it is lost with it. A job that stands before it, and whose slot is there, goes on without a gap. */
#include "engine/postgresql/pg_timeline.h"

#include <stdio.h>

#include "codec/pg_timeline.h"
#include "engine/postgresql/pg_slot.h"

#define CARRY                                                                                                                                              \
    "for the next time set sync_replication_slots = on, hot_standby_feedback = on, primary_slot_name and a dbname in primary_conninfo at standbys, and "     \
    "synchronized_standby_slots at the primary"

static bool read_history(source *s, uint32_t timeline, const pg_place *at, pg_lsn *ret, err *e)
{
    pg_conn *c;
    PGresult *r;
    char sql[64];
    if (!pg_conn_open(s->ep, s->env, PG_SOURCE, true, &c, e)) return false;
    snprintf(sql, sizeof sql, "TIMELINE_HISTORY %u", timeline);
    bool ok = pg_conn_query(c, str_from_c(sql), &r, e);
    if (ok) {
        ok = pg_timeline_end(str_or_empty(pg_field(r, 0, 1)), at->timeline, ret, e);
        PQclear(r);
    }
    pg_conn_close(c);
    return ok || err_context(e, "reading the history of the source's timeline %u", timeline);
}

bool pg_timeline_follow(source *s, const pg_place *at, uint32_t have, pg_lsn *ret_switch, err *e)
{
    char stands[PG_LSN_TEXT_BYTES], left[PG_LSN_TEXT_BYTES];
    pg_lsn end = PG_LSN_NONE;
    if (s->conn->version < 170000)
        return err_set(e, ERR_SOURCE_CHANGED,
                       "the source was promoted or restored (timeline %u, the position is of %u), over which PostgreSQL before 17 carries no replication slot; reset the job", have, at->timeline);
    if (have > at->timeline && !read_history(s, have, at, &end, e)) return false;
    if (end == PG_LSN_NONE)
        return err_set(e, ERR_SOURCE_CHANGED,
                       "the source is on timeline %u, which does not come from the job's timeline %u: it is an old primary, or was restored to a moment before a promotion; point the job to "
                       "the server that took over, or reset it",
                       have, at->timeline);
    if (at->lsn > end)
        return err_set(e, ERR_SOURCE_CHANGED,
                       "the source's timeline %u left the job's timeline %u at %s, but the job stands at %s: the destination has changes that the server which took over never got; reset "
                       "the job; " CARRY,
                       have, at->timeline, pg_lsn_format(end, left), pg_lsn_format(at->lsn, stands));
    *ret_switch = end;
    return true;
}

bool pg_timeline_check_slot(source *s, uint32_t have, err *e)
{
    char name[PG_SLOT_NAME_BYTES];
    bool there;
    pg_lsn ignored;
    pg_slot_name(s->env->job_id, name);
    if (!pg_slot_read(s, name, &there, &ignored, e)) return false;
    return there || err_set(e, ERR_SOURCE_LOG_PURGED, "the replication slot %s did not come along when the source was promoted (timeline %u), and with it the log of what changed since is lost; reset the job; " CARRY,
                            name, have);
}
