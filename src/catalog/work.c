/* Prechecks, progress and the service log of jobs in the store. */
#include "catalog/work.h"

/* Counts first so that the list is one array. */
static bool count_rows(catalog *c, uint32_t *ret, err *e, const char *sql, str a1, str a2)
{
    catalog_rows rows;
    if (!catalog_select(c, &rows, e, sql, "ss", str_or_empty(a1), str_or_empty(a2))) return false;
    bool ok = catalog_next(c, &rows, e);
    if (ok) *ret = (uint32_t)catalog_i64(&rows, 0);
    catalog_rows_end(&rows);
    return ok;
}

bool precheck_save(catalog *c, str job_id, const precheck_record *r, bool set_skip, err *e)
{
    return catalog_exec(
        c, e,
        "INSERT INTO precheck(job_id, item, ord, state, detail, repair, can_skip, skipped, started_us, finished_us) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT(job_id, item) DO UPDATE SET ord=?3, state=?4, detail=?5, repair=?6,"
        " can_skip=?7, skipped=CASE WHEN ?11 THEN ?8 ELSE skipped END, started_us=?9, finished_us=?10",
        "ssisssiiiii", job_id, r->item, (int64_t)r->order, str_or_empty(r->state), str_or_empty(r->detail), str_or_empty(r->repair), (int64_t)r->can_skip,
        (int64_t)r->skipped, r->started_us, r->finished_us, (int64_t)set_skip);
}

bool precheck_list(catalog *c, str job_id, arena *a, precheck_record **ret, uint32_t *ret_count, err *e)
{
    uint32_t room = 0, n = 0;
    if (!count_rows(c, &room, e, "SELECT count(*) FROM precheck WHERE job_id = ? AND ? = ''", job_id, STR(""))) return false;
    precheck_record *list = arena_array(a, room, sizeof *list);
    if (!list) return err_no_memory(e, "prechecks");
    catalog_rows rows;
    if (!catalog_select(c, &rows, e,
                        "SELECT ord, item, state, detail, repair, can_skip, skipped, started_us, finished_us FROM precheck "
                        "WHERE job_id = ? ORDER BY ord",
                        "s", job_id))
        return false;
    while (catalog_next(c, &rows, e) && n < room) {
        precheck_record *r = &list[n++];
        *r = (precheck_record){(uint32_t)catalog_i64(&rows, 0), catalog_text(&rows, 1, a), catalog_text(&rows, 2, a),
                               catalog_text(&rows, 3, a),       catalog_text(&rows, 4, a), catalog_i64(&rows, 5) != 0,
                               catalog_i64(&rows, 6) != 0,      catalog_i64(&rows, 7),     catalog_i64(&rows, 8)};
    }
    catalog_rows_end(&rows);
    if (e->code != ERR_NONE) return false;
    *ret = list;
    *ret_count = n;
    return true;
}

bool finding_add(catalog *c, str job_id, str finding, err *e)
{
    return catalog_exec(c, e, "INSERT INTO finding(job_id, n, finding) SELECT ?1, coalesce(max(n), 0) + 1, ?2 FROM finding WHERE job_id = ?1", "ss", job_id, finding);
}

bool finding_list(catalog *c, str job_id, uint32_t offset, uint32_t limit, arena *a, str **ret, uint32_t *ret_count, uint32_t *ret_total, err *e)
{
    uint32_t n = 0;
    catalog_rows rows;
    str *list = arena_array(a, limit, sizeof *list);
    if (!list) return err_no_memory(e, "findings");
    if (!count_rows(c, ret_total, e, "SELECT count(*) FROM finding WHERE job_id = ? AND ? = ''", job_id, STR("")) ||
        !catalog_select(c, &rows, e, "SELECT finding FROM finding WHERE job_id = ? ORDER BY n LIMIT ? OFFSET ?", "sii", job_id, (int64_t)limit, (int64_t)offset))
        return false;
    while (n < limit && catalog_next(c, &rows, e)) list[n++] = catalog_text(&rows, 0, a);
    catalog_rows_end(&rows);
    if (e->code != ERR_NONE) return false;
    *ret = list;
    *ret_count = n;
    return true;
}

static bool clear_findings(catalog *c, str job_id, err *e) { return catalog_exec(c, e, "DELETE FROM finding WHERE job_id = ?", "s", job_id); }

bool precheck_clear(catalog *c, str job_id, bool only_unanswered, err *e)
{
    if (!only_unanswered && !clear_findings(c, job_id, e)) return false;
    return catalog_exec(c, e, "DELETE FROM precheck WHERE job_id = ? AND (? = 0 OR (state = 'NotStarted' AND skipped = 0))", "si",
                        job_id, (int64_t)only_unanswered);
}

bool precheck_restart(catalog *c, str job_id, err *e)
{
    return clear_findings(c, job_id, e) && catalog_exec(c, e, "UPDATE precheck SET state='NotStarted', detail='', repair='', started_us=0, finished_us=0 WHERE job_id = ?", "s",
                        job_id);
}

bool progress_save(catalog *c, str job_id, const job_table_progress *p, err *e)
{
    return catalog_exec(c, e,
                        "INSERT INTO progress(job_id, stage, schema_name, name, target_schema, target_name, state, "
                        "total, done, bytes, error, started_us, finished_us) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) "
                        "ON CONFLICT(job_id, stage, schema_name, name) DO UPDATE SET target_schema=excluded.target_schema, "
                        "target_name=excluded.target_name, state=excluded.state, total=excluded.total, done=excluded.done, "
                        "bytes=excluded.bytes, error=excluded.error, finished_us=excluded.finished_us, "
                        "started_us=CASE WHEN started_us <> 0 THEN started_us ELSE excluded.started_us END",
                        "sssssssiiisii", job_id, p->stage, str_or_empty(p->schema), str_or_empty(p->name), str_or_empty(p->target_schema),
                        str_or_empty(p->target_name), str_or_empty(p->state), (int64_t)p->total, (int64_t)p->done, (int64_t)p->bytes,
                        str_or_empty(p->error), p->started_us, p->finished_us);
}

bool progress_list(catalog *c, str job_id, str stage, arena *a, job_table_progress **ret, uint32_t *ret_count, err *e)
{
    uint32_t room = 0, n = 0;
    if (!count_rows(c, &room, e, "SELECT count(*) FROM progress WHERE job_id = ?1 AND (?2 = '' OR stage = ?2)", job_id, stage))
        return false;
    job_table_progress *list = arena_array(a, room, sizeof *list);
    if (!list) return err_no_memory(e, "progress");
    catalog_rows rows;
    if (!catalog_select(c, &rows, e,
                        "SELECT stage, schema_name, name, target_schema, target_name, state, total, done, bytes, error, "
                        "started_us, finished_us FROM progress WHERE job_id = ?1 AND (?2 = '' OR stage = ?2) "
                        "ORDER BY stage DESC, schema_name, name",
                        "ss", job_id, str_or_empty(stage)))
        return false;
    while (catalog_next(c, &rows, e) && n < room) {
        list[n++] = (job_table_progress){
            .stage = catalog_text(&rows, 0, a), .schema = catalog_text(&rows, 1, a), .name = catalog_text(&rows, 2, a),
            .target_schema = catalog_text(&rows, 3, a), .target_name = catalog_text(&rows, 4, a),
            .state = catalog_text(&rows, 5, a), .total = (uint64_t)catalog_i64(&rows, 6),
            .done = (uint64_t)catalog_i64(&rows, 7), .bytes = (uint64_t)catalog_i64(&rows, 8),
            .error = catalog_text(&rows, 9, a), .started_us = catalog_i64(&rows, 10), .finished_us = catalog_i64(&rows, 11)};
    }
    catalog_rows_end(&rows);
    if (e->code != ERR_NONE) return false;
    *ret = list;
    *ret_count = n;
    return true;
}

bool progress_clear(catalog *c, str job_id, err *e) { return catalog_exec(c, e, "DELETE FROM progress WHERE job_id = ?", "s", job_id); }

bool service_log_add(catalog *c, str job_id, const char *level, str text, err *e)
{
    if (text.n > SERVICE_LOG_MAX_TEXT_BYTES) text.n = SERVICE_LOG_MAX_TEXT_BYTES;
    return catalog_exec(c, e, "INSERT INTO service_log(job_id, at_us, level, text) VALUES(?,?,?,?)", "siss", job_id,
                        clk_wall_us(catalog_clock(c)), str_from_c(level), str_or_empty(text)) &&
           catalog_exec(c, e,
                        "DELETE FROM service_log WHERE job_id = ?1 AND id <= (SELECT id FROM service_log WHERE job_id = ?1 "
                        "ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                        "si", job_id, (int64_t)SERVICE_LOG_MAX_LINES);
}

#define LOG_WHERE " FROM service_log WHERE job_id = ?1 AND at_us >= ?2 AND (?3 = 0 OR at_us <= ?3) AND (?4 = '' OR instr(text, ?4) > 0)"

bool service_log_list(catalog *c, str job_id, int64_t from_us, int64_t to_us, str keyword, uint32_t offset, uint32_t limit, arena *a,
                      log_record **ret, uint32_t *ret_count, uint32_t *ret_total, err *e)
{
    catalog_rows rows;
    uint32_t total = 0, n = 0;
    if (!catalog_select(c, &rows, e, "SELECT count(*)" LOG_WHERE, "siis", job_id, from_us, to_us, str_or_empty(keyword))) return false;
    bool ok = catalog_next(c, &rows, e);
    if (ok) total = (uint32_t)catalog_i64(&rows, 0);
    catalog_rows_end(&rows);
    if (!ok) return false;
    uint32_t room = total > offset ? total - offset : 0;
    if (room > limit) room = limit;
    log_record *list = arena_array(a, room, sizeof *list);
    if (!list) return err_no_memory(e, "the service log");
    if (!catalog_select(c, &rows, e, "SELECT at_us, level, text" LOG_WHERE " ORDER BY id DESC LIMIT ?5 OFFSET ?6", "siisii", job_id,
                        from_us, to_us, str_or_empty(keyword), (int64_t)room, (int64_t)offset))
        return false;
    while (catalog_next(c, &rows, e) && n < room)
        list[n++] = (log_record){catalog_i64(&rows, 0), catalog_text(&rows, 1, a), catalog_text(&rows, 2, a)};
    catalog_rows_end(&rows);
    if (e->code != ERR_NONE) return false;
    *ret = list;
    *ret_count = n;
    *ret_total = total;
    return true;
}
