/* The ownership ledger: every object made outside the service, written down before it is made. */
#include "catalog/work.h"

#define LEDGER_COLUMNS "id, job_id, run_id, end, kind, name, undo, shared, state, attempts, created_us, next_try_us, last_error, place"

bool ledger_intend(catalog *c, const ledger_record *r, uint64_t *ret_id, err *e)
{
    if (!catalog_exec(
            c, e,
            "INSERT INTO ledger(job_id, run_id, end, kind, name, undo, shared, state, attempts, created_us, "
            "next_try_us, last_error, place) VALUES(?,?,?,?,?,?,?,'intended',0,?,0,'',?) "
            "ON CONFLICT(run_id, end, kind, name) DO UPDATE SET state='intended', last_error='' WHERE state='removed'",
            "ssssssiis", r->job_id, r->run_id, r->end, r->kind, r->name, str_or_empty(r->undo), (int64_t)r->shared,
            clk_wall_us(catalog_clock(c)), str_or_empty(r->where)))
        return false;
    catalog_rows rows;
    if (!catalog_select(c, &rows, e, "SELECT id FROM ledger WHERE run_id=? AND end=? AND kind=? AND name=?", "ssss", r->run_id,
                        r->end, r->kind, r->name))
        return false;
    bool ok = catalog_next(c, &rows, e);
    if (ok) *ret_id = (uint64_t)catalog_i64(&rows, 0);
    catalog_rows_end(&rows);
    return ok;
}

bool ledger_created(catalog *c, str run_id, uint64_t id, err *e)
{
    return catalog_exec(c, e, "UPDATE ledger SET state='created' WHERE id=? AND run_id=? AND state='intended'", "is", (int64_t)id,
                        run_id);
}

bool ledger_settle(catalog *c, const ledger_record *r, err *e)
{
    return catalog_exec(c, e,
                        "INSERT INTO ledger(job_id, run_id, end, kind, name, undo, shared, state, attempts, "
                        "created_us, next_try_us, last_error, place) "
                        "VALUES(?,?,?,?,?,?,0,?,0,?,0,?,?) ON CONFLICT(run_id, end, kind, name) DO UPDATE SET "
                        "state=excluded.state, last_error=excluded.last_error",
                        "sssssssiss", r->job_id, r->run_id, r->end, r->kind, r->name, str_or_empty(r->undo), r->state,
                        clk_wall_us(catalog_clock(c)), str_or_empty(r->last_error), str_or_empty(r->where));
}

static ledger_record read_entry(const catalog_rows *r, arena *a)
{
    return (ledger_record){
        .id = (uint64_t)catalog_i64(r, 0), .job_id = catalog_text(r, 1, a), .run_id = catalog_text(r, 2, a),
        .end = catalog_text(r, 3, a), .kind = catalog_text(r, 4, a), .name = catalog_text(r, 5, a),
        .undo = catalog_text(r, 6, a), .shared = catalog_i64(r, 7) != 0, .state = catalog_text(r, 8, a),
        .attempts = (uint32_t)catalog_i64(r, 9), .created_us = catalog_i64(r, 10), .next_try_us = catalog_i64(r, 11),
        .last_error = catalog_text(r, 12, a), .where = catalog_text(r, 13, a)};
}

#define LEDGER_WHERE " FROM ledger WHERE (?1 = '' OR run_id = ?1) AND (?2 = '' OR end = ?2) AND (?3 = '' OR state = ?3)"

bool ledger_list(catalog *c, str run_id, str end, str state, arena *a, ledger_record **ret, uint32_t *ret_count, err *e)
{
    catalog_rows rows;
    uint32_t room = 0, n = 0;
    if (!catalog_select(c, &rows, e, "SELECT count(*)" LEDGER_WHERE, "sss", str_or_empty(run_id), str_or_empty(end), str_or_empty(state))) return false;
    bool ok = catalog_next(c, &rows, e);
    if (ok) room = (uint32_t)catalog_i64(&rows, 0);
    catalog_rows_end(&rows);
    if (!ok) return false;
    ledger_record *list = arena_array(a, room, sizeof *list);
    if (!list) return err_no_memory(e, "the ledger");
    if (!catalog_select(c, &rows, e, "SELECT " LEDGER_COLUMNS LEDGER_WHERE " ORDER BY id", "sss", str_or_empty(run_id), str_or_empty(end), str_or_empty(state)))
        return false;
    while (catalog_next(c, &rows, e) && n < room) list[n++] = read_entry(&rows, a);
    catalog_rows_end(&rows);
    if (e->code != ERR_NONE) return false;
    *ret = list;
    *ret_count = n;
    return true;
}

#define DUE_MAX 64 /* more wait for the next call */

bool ledger_list_due(catalog *c, str end, job_state state, int64_t now_us, arena *a, ledger_record **ret, uint32_t *ret_count, err *e)
{
    catalog_rows rows;
    ledger_record *list = arena_array(a, DUE_MAX, sizeof *list);
    uint32_t n = 0;
    if (!list) return err_no_memory(e, "the ledger");
    if (!catalog_select(c, &rows, e,
                        "SELECT " LEDGER_COLUMNS " FROM ledger WHERE state IN ('intended', 'created') AND next_try_us <= ? AND end = ? AND "
                        "job_id IN (SELECT job_id FROM job WHERE state = ?) ORDER BY next_try_us, id LIMIT 64",
                        "isi", now_us, end, (int64_t)state))
        return false;
    while (n < DUE_MAX && catalog_next(c, &rows, e)) list[n++] = read_entry(&rows, a);
    catalog_rows_end(&rows);
    if (e->code != ERR_NONE) return false;
    *ret = list;
    *ret_count = n;
    return true;
}

bool ledger_find(catalog *c, uint64_t id, arena *a, ledger_record *ret, bool *ret_found, err *e)
{
    catalog_rows rows;
    if (!catalog_select(c, &rows, e, "SELECT " LEDGER_COLUMNS " FROM ledger WHERE id = ?", "i", (int64_t)id)) return false;
    *ret_found = catalog_next(c, &rows, e);
    if (*ret_found) *ret = read_entry(&rows, a);
    bool ok = *ret_found || e->code == ERR_NONE;
    catalog_rows_end(&rows);
    return ok;
}

bool ledger_find_object(catalog *c, const ledger_record *which, arena *a, ledger_record *ret, bool *ret_found, err *e)
{
    catalog_rows rows;
    if (!catalog_select(c, &rows, e,
                        "SELECT " LEDGER_COLUMNS " FROM ledger WHERE run_id=? AND end=? AND kind=? AND name=?", "ssss",
                        which->run_id, which->end, which->kind, which->name))
        return false;
    *ret_found = catalog_next(c, &rows, e);
    if (*ret_found) *ret = read_entry(&rows, a);
    bool ok = *ret_found || e->code == ERR_NONE;
    catalog_rows_end(&rows);
    return ok;
}

bool ledger_save(catalog *c, const ledger_record *r, err *e)
{
    return catalog_exec(c, e, "UPDATE ledger SET state=?, attempts=?, next_try_us=?, last_error=? WHERE id=?", "siisi", r->state,
                        (int64_t)r->attempts, r->next_try_us, str_or_empty(r->last_error), (int64_t)r->id);
}
