/* Positions: text, order, and whether the log can still be read from one. */
#include "engine/postgresql/pg_position.h"

#include "engine/postgresql/pg_slot.h"
#include "engine/postgresql/pg_timeline.h"

static bool take(str *rest, str what)
{
    if (!str_starts_with(*rest, what)) return false;
    *rest = str_sub(*rest, what.n, SIZE_MAX);
    return true;
}

/* Up to the next byte `end`, which is taken too. */
static bool take_until(str *rest, char end, str *ret)
{
    size_t at = str_find_byte(*rest, end, 0);
    if (at == SIZE_MAX) return false;
    *ret = str_sub(*rest, 0, at);
    *rest = str_sub(*rest, at + 1, SIZE_MAX);
    return true;
}

bool pg_place_parse(str text, pg_place *ret, err *e)
{
    pg_place p = {0};
    str rest = text, timeline, lsn;
    uint64_t number = 0;
    err ignored = ERR_INIT;
    bool ok = take(&rest, STR("{\"system\":\"")) && take_until(&rest, '"', &p.system) && str_to_u64(p.system, &number) && take(&rest, STR(",\"timeline\":")) &&
              take_until(&rest, ',', &timeline) && str_to_u64(timeline, &number) && number && number <= UINT32_MAX && take(&rest, STR("\"lsn\":\"")) &&
              take_until(&rest, '"', &lsn) && pg_lsn_parse(lsn, &p.lsn, &ignored);
    if (ok && take(&rest, STR(",\"seen\":\""))) ok = take_until(&rest, '"', &p.seen);
    ok = ok && str_eq(rest, STR("}"));
    if (!ok) return err_set(e, ERR_SOURCE_POSITION, "'%.*s' is not a position of PostgreSQL", STR_ARG(text));
    p.timeline = (uint32_t)number;
    *ret = p;
    return true;
}

bool pg_place_format(const pg_place *p, int64_t commit_us, arena *a, position *ret, err *e)
{
    char lsn[PG_LSN_TEXT_BYTES];
    str text = arena_printf(a, "{\"system\":\"%.*s\",\"timeline\":%u,\"lsn\":\"%s\"%s%.*s%s}", STR_ARG(p->system), p->timeline, pg_lsn_format(p->lsn, lsn),
                            p->seen.p ? ",\"seen\":\"" : "", STR_ARG(p->seen), p->seen.p ? "\"" : "");
    *ret = (position){text, commit_us};
    return text.p || err_no_memory(e, "a position");
}

/* The current timeline stands in the name of the newest WAL file: the control file's may lag behind a promotion. */
bool pg_place_read(pg_conn *c, arena *a, pg_place *ret, err *e)
{
    PGresult *r;
    uint64_t timeline = 0;
    if (!pg_conn_query(c,
                       STR("SELECT s.system_identifier, CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_current_wal_lsn() END, "
                           "CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), "
                           "1, 8))::bit(32)::bigint END FROM pg_catalog.pg_control_system() s"),
                       &r, e))
        return false;
    pg_place p = {.system = arena_copy(a, pg_field(r, 0, 0))};
    bool standby = !pg_field(r, 0, 1).p;
    bool ok = p.system.p || err_no_memory(e, "a position");
    if (ok && standby) ok = err_set_native(e, ERR_SOURCE_CONFIG, RETRY_LATER, 0, "the source is a standby in recovery; name its primary, or promote it");
    ok = ok && pg_lsn_parse(pg_field(r, 0, 1), &p.lsn, e) &&
         (str_to_u64(pg_field(r, 0, 2), &timeline) || err_set(e, ERR_PROTOCOL, "the source does not tell its timeline"));
    PQclear(r);
    p.timeline = (uint32_t)timeline;
    if (ok) *ret = p;
    return ok;
}

bool pg_position_now(source *s, arena *a, position *ret, err *e)
{
    pg_place p;
    return pg_place_read(s->conn, a, &p, e) && pg_place_format(&p, 0, a, ret, e);
}

static bool compare_places(const pg_place *a, const pg_place *b, int *ret, err *e)
{
    if (!str_eq(a->system, b->system))
        return err_set(e, ERR_SOURCE_CHANGED, "positions of two clusters (%.*s and %.*s) cannot be compared", STR_ARG(a->system), STR_ARG(b->system));
    *ret = pg_lsn_compare(a->lsn, b->lsn);
    return true;
}

bool pg_position_compare(position a, position b, int *ret, err *e)
{
    pg_place x, y;
    return pg_place_parse(a.text, &x, e) && pg_place_parse(b.text, &y, e) && compare_places(&x, &y, ret, e);
}

bool pg_position_check(source *s, position p, err *e)
{
    arena mem;
    pg_place want, have;
    pg_lsn shared;
    char ends[PG_LSN_TEXT_BYTES], stands[PG_LSN_TEXT_BYTES];
    arena_init(&mem, 1024, 0);
    bool ok = pg_place_parse(p.text, &want, e) && pg_place_read(s->conn, &mem, &have, e);
    if (ok && !str_eq(want.system, have.system))
        ok = err_set(e, ERR_SOURCE_CHANGED, "the position belongs to the cluster %.*s, the source is %.*s (another server, or one that was built anew); point the job to the right server, or reset it",
                     STR_ARG(want.system), STR_ARG(have.system));
    if (ok && want.timeline != have.timeline) ok = pg_timeline_follow(s, &want, have.timeline, &shared, e) && pg_timeline_check_slot(s, have.timeline, e);
    if (ok && want.lsn > have.lsn)
        ok = err_set(e, ERR_SOURCE_CHANGED, "the source's log ends at %s, the job stands at %s: an older copy of the source was restored; reset the job", pg_lsn_format(have.lsn, ends),
                     pg_lsn_format(want.lsn, stands));
    ok = ok && pg_slot_check(s, want.lsn, e);
    arena_finish(&mem);
    return ok;
}
