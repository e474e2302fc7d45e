/* Deletions in the store. */
#include "catalog/deletion.h"

#define DELETION_COLUMNS "run_id, job_id, instance_id, kind, account, epoch, step, requested_us, finished_us, spec, receipt"

bool deletion_save(catalog *c, const deletion_record *d, err *e)
{
    return catalog_exec(c, e, "INSERT OR REPLACE INTO deletion(" DELETION_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?)", "sssssiiiiss",
                        d->run_id, d->job_id, d->instance_id, d->kind, str_or_empty(d->account), (int64_t)d->epoch, (int64_t)d->steps,
                        d->requested_us, d->finished_us, str_or_empty(d->spec), str_or_empty(d->receipt));
}

static deletion_record read_deletion(const catalog_rows *r, arena *a)
{
    return (deletion_record){
        .run_id = catalog_text(r, 0, a), .job_id = catalog_text(r, 1, a), .instance_id = catalog_text(r, 2, a),
        .kind = catalog_text(r, 3, a), .account = catalog_text(r, 4, a), .epoch = (uint64_t)catalog_i64(r, 5),
        .steps = (uint32_t)catalog_i64(r, 6), .requested_us = catalog_i64(r, 7), .finished_us = catalog_i64(r, 8),
        .spec = catalog_text(r, 9, a), .receipt = catalog_text(r, 10, a)};
}

static bool first(catalog *c, catalog_rows *rows, arena *a, deletion_record *ret, bool *ret_found, err *e)
{
    *ret_found = catalog_next(c, rows, e);
    if (*ret_found) *ret = read_deletion(rows, a);
    bool ok = *ret_found || e->code == ERR_NONE;
    catalog_rows_end(rows);
    return ok;
}

bool deletion_find(catalog *c, str run_id, arena *a, deletion_record *ret, bool *ret_found, err *e)
{
    catalog_rows rows;
    return catalog_select(c, &rows, e, "SELECT " DELETION_COLUMNS " FROM deletion WHERE run_id = ?", "s", run_id) &&
           first(c, &rows, a, ret, ret_found, e);
}

bool deletion_find_job(catalog *c, str job_id, str instance_id, arena *a, deletion_record *ret, bool *ret_found, err *e)
{
    catalog_rows rows;
    return catalog_select(c, &rows, e,
                          "SELECT " DELETION_COLUMNS " FROM deletion WHERE kind = 'delete' AND (?1 <> '' OR ?2 <> '') AND "
                          "(?1 = '' OR job_id = ?1) AND (?2 = '' OR instance_id = ?2)",
                          "ss", str_or_empty(job_id), str_or_empty(instance_id)) &&
           first(c, &rows, a, ret, ret_found, e);
}

bool deletion_list_unfinished(catalog *c, arena *a, deletion_record **ret, uint32_t *ret_count, err *e)
{
    catalog_rows rows;
    uint32_t room = 0, n = 0;
    if (!catalog_select(c, &rows, e, "SELECT count(*) FROM deletion WHERE finished_us = 0", "")) return false;
    bool ok = catalog_next(c, &rows, e);
    if (ok) room = (uint32_t)catalog_i64(&rows, 0);
    catalog_rows_end(&rows);
    if (!ok) return false;
    deletion_record *list = arena_array(a, room, sizeof *list);
    if (!list) return err_no_memory(e, "deletions");
    if (!catalog_select(c, &rows, e, "SELECT " DELETION_COLUMNS " FROM deletion WHERE finished_us = 0 ORDER BY requested_us", ""))
        return false;
    while (catalog_next(c, &rows, e) && n < room) list[n++] = read_deletion(&rows, a);
    catalog_rows_end(&rows);
    if (e->code != ERR_NONE) return false;
    *ret = list;
    *ret_count = n;
    return true;
}

bool tombstone_add(catalog *c, const tombstone *t, err *e)
{
    return catalog_exec(c, e, "INSERT OR REPLACE INTO tombstone(job_id, instance_id, type, account, deleted_us) VALUES(?,?,?,?,?)",
                        "ssisi", t->job_id, t->instance_id, (int64_t)t->type, str_or_empty(t->account), t->deleted_us);
}

bool tombstone_find(catalog *c, str job_id, str instance_id, arena *a, tombstone *ret, bool *ret_found, err *e)
{
    catalog_rows rows;
    if (!catalog_select(c, &rows, e,
                        "SELECT job_id, instance_id, type, account, deleted_us FROM tombstone WHERE (?1 <> '' OR ?2 <> '') AND "
                        "(?1 = '' OR job_id = ?1) AND (?2 = '' OR instance_id = ?2)",
                        "ss", str_or_empty(job_id), str_or_empty(instance_id)))
        return false;
    *ret_found = catalog_next(c, &rows, e);
    if (*ret_found)
        *ret = (tombstone){catalog_text(&rows, 0, a), catalog_text(&rows, 1, a), (job_type)catalog_i64(&rows, 2),
                           catalog_text(&rows, 3, a), catalog_i64(&rows, 4)};
    bool ok = *ret_found || e->code == ERR_NONE;
    catalog_rows_end(&rows);
    return ok;
}
