/* Jobs in the store. The columns and the record's members are paired by job_columns.def. */
#include "catalog/jobs.h"

#include "base/random.h"
#include "catalog/db_priv.h"

static const char *const state_texts[] = {
#define JOB_STATE(symbol, text) text,
#include "catalog/job_states.def"
#undef JOB_STATE
};

const char *job_state_text(job_state s) { return s < JOB_STATE_COUNT ? state_texts[s] : ""; }

bool job_state_from_text(str text, job_state *ret)
{
    for (unsigned i = 0; i < JOB_STATE_COUNT; i++)
        if (str_eq_nocase(text, str_from_c(state_texts[i]))) return *ret = (job_state)i, true;
    return false;
}

str job_run_id(const job_record *r, arena *a)
{
    return r->run <= 1 ? r->job_id : arena_printf(a, "%.*s-%u", STR_ARG(r->job_id), r->run);
}

static int bind_text(sqlite3_stmt *s, int at, str v)
{
    return sqlite3_bind_text64(s, at, v.n ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

bool jobs_save(catalog *c, const job_record *r, err *e)
{
    static const char sql[] = "INSERT OR REPLACE INTO job(job_id"
#define JOB_TEXT(column, member) "," #column
#define JOB_INT(column, member) "," #column
#include "catalog/job_columns.def"
#undef JOB_TEXT
#undef JOB_INT
                              ") VALUES(?"
#define JOB_TEXT(column, member) ",?"
#define JOB_INT(column, member) ",?"
#include "catalog/job_columns.def"
#undef JOB_TEXT
#undef JOB_INT
                              ")";
    sqlite3_stmt *s = NULL;
    int at = 0;
    bool ok = sqlite3_prepare_v2(c->db, sql, -1, &s, NULL) == SQLITE_OK;
    ok = ok && bind_text(s, ++at, r->job_id) == SQLITE_OK;
#define JOB_TEXT(column, member) ok = ok && bind_text(s, ++at, r->member) == SQLITE_OK;
#define JOB_INT(column, member) ok = ok && sqlite3_bind_int64(s, ++at, (int64_t)r->member) == SQLITE_OK;
#include "catalog/job_columns.def"
#undef JOB_TEXT
#undef JOB_INT
    ok = ok && sqlite3_step(s) == SQLITE_DONE;
    if (!ok) catalog_sqlite_error(c, e, "save a job");
    sqlite3_finalize(s);
    return ok;
}

bool jobs_save_texts(catalog *c, str job_id, str db_list, str reserve, err *e)
{
    return catalog_exec(c, e, "INSERT OR REPLACE INTO job_text(job_id, db_list, reserve) VALUES(?,?,?)", "sss", job_id,
                        db_list.p ? db_list : STR(""), reserve.p ? reserve : STR(""));
}

/* The columns in the order of job_columns.def, behind job_id, db_list and reserve. */
static const char select_jobs[] = "SELECT job.job_id, coalesce(t.db_list,''), coalesce(t.reserve,'')"
#define JOB_TEXT(column, member) ",job." #column
#define JOB_INT(column, member) ",job." #column
#include "catalog/job_columns.def"
#undef JOB_TEXT
#undef JOB_INT
                                  " FROM job LEFT JOIN job_text t ON t.job_id = job.job_id WHERE ";

static bool read_job(const catalog_rows *rows, arena *a, job_record *ret)
{
    int at = 0;
    bool ok = true;
    *ret = (job_record){0};
    ret->job_id = catalog_text(rows, at++, a);
    ret->db_list = catalog_text(rows, at++, a);
    ret->reserve = catalog_text(rows, at++, a);
    ok = ret->job_id.p && ret->db_list.p && ret->reserve.p;
#define JOB_TEXT(column, member) ok = (ret->member = catalog_text(rows, at++, a)).p && ok;
#define JOB_INT(column, member) ret->member = (__typeof__(ret->member))catalog_i64(rows, at++);
#include "catalog/job_columns.def"
#undef JOB_TEXT
#undef JOB_INT
    return ok;
}

static str sql_of(arena *a, const char *tail) { return arena_printf(a, "%s%s", select_jobs, tail); }

bool jobs_find(catalog *c, str job_id, str instance_id, bool reverse, arena *a, job_record *ret, bool *ret_found, err *e)
{
    *ret_found = false;
    str sql = sql_of(a, job_id.n ? "job.job_id = ?1 AND (?2 = '' OR job.instance_id = ?2) AND ?3 IN (0,1)"
                                 : "?1 = '' AND job.instance_id = ?2 AND job.reverse = ?3");
    if (!sql.p) return err_no_memory(e, "a job");
    catalog_rows rows;
    if (!catalog_select(c, &rows, e, sql.p, "ssi", job_id.p ? job_id : STR(""), instance_id.p ? instance_id : STR(""),
                        (int64_t)reverse))
        return false;
    bool ok = true;
    if (catalog_next(c, &rows, e)) {
        ok = read_job(&rows, a, ret) || err_no_memory(e, "a job");
        *ret_found = ok;
    } else {
        ok = e->code == ERR_NONE;
    }
    catalog_rows_end(&rows);
    return ok;
}

bool jobs_remove(catalog *c, str job_id, err *e)
{
    static const char *const sql[] = {
        "DELETE FROM job WHERE job_id = ?",      "DELETE FROM job_text WHERE job_id = ?",
        "DELETE FROM precheck WHERE job_id = ?", "DELETE FROM progress WHERE job_id = ?",
        "DELETE FROM finding WHERE job_id = ?",  "DELETE FROM service_log WHERE job_id = ?", "DELETE FROM idempotency WHERE job_id = ?",
    };
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++)
        if (!catalog_exec(c, e, sql[i], "s", job_id)) return false;
    return true;
}

static bool id_taken(catalog *c, str id, bool *ret, err *e)
{
    catalog_rows rows;
    if (!catalog_select(c, &rows, e,
                        "SELECT 1 FROM job WHERE job_id = ?1 UNION ALL SELECT 1 FROM tombstone WHERE job_id = ?1", "s", id))
        return false;
    *ret = catalog_next(c, &rows, e);
    bool ok = *ret || e->code == ERR_NONE;
    catalog_rows_end(&rows);
    return ok;
}

bool jobs_new_id(catalog *c, arena *a, str *ret, err *e)
{
    for (bool taken = true; taken;) {
        char id[JOB_ID_CHARS + 1];
        random_id(id, JOB_ID_CHARS);
        *ret = arena_copy(a, str_from_c(id));
        if (!ret->p) return err_no_memory(e, "a job id");
        if (!id_taken(c, *ret, &taken, e)) return false;
    }
    return true;
}

static const char list_where[] =
    "(?1 < 0 OR type = ?1) AND (?2 = '' OR job.job_id IN (SELECT value FROM json_each(?2))) AND "
    "(?3 = '' OR instance_id IN (SELECT value FROM json_each(?3))) AND (?4 = '' OR instr(lower(name), lower(?4)) > 0) AND "
    "(?5 = '' OR src_host = ?5 OR src_instance_id = ?5) AND (?6 = '' OR dest_host = ?6 OR dest_instance_id = ?6) AND "
    "(?7 < 0 OR state = ?7) AND reverse = 0";

static bool list_count(catalog *c, const jobs_filter *f, arena *a, uint32_t *ret, err *e)
{
    catalog_rows rows;
    str sql = arena_printf(a, "SELECT count(*) FROM job WHERE %s", list_where);
    if (!sql.p) return err_no_memory(e, "a list of jobs");
    if (!catalog_select(c, &rows, e, sql.p, "isssssi", (int64_t)f->type, str_or_empty(f->job_ids),
                        str_or_empty(f->instance_ids), str_or_empty(f->name_part), str_or_empty(f->source_host),
                        str_or_empty(f->target_host), (int64_t)f->state))
        return false;
    bool ok = catalog_next(c, &rows, e);
    if (ok) *ret = (uint32_t)catalog_i64(&rows, 0);
    catalog_rows_end(&rows);
    return ok;
}

bool jobs_list(catalog *c, const jobs_filter *f, arena *a, job_record **ret, uint32_t *ret_count, uint32_t *ret_total, err *e)
{
    uint32_t total = 0, n = 0;
    if (!list_count(c, f, a, &total, e)) return false;
    uint32_t room = total > f->offset ? total - f->offset : 0;
    if (room > f->limit) room = f->limit;
    job_record *list = arena_array(a, room, sizeof *list);
    str tail = arena_printf(a, "%s ORDER BY %s %s, job.job_id LIMIT ?8 OFFSET ?9", list_where,
                            f->order_by_finish ? "finished_us" : "created_us", f->descending ? "DESC" : "ASC");
    str sql = tail.p ? sql_of(a, tail.p) : STR_NULL;
    if (!list || !sql.p) return err_no_memory(e, "a list of jobs");
    catalog_rows rows;
    if (!catalog_select(c, &rows, e, sql.p, "isssssiii", (int64_t)f->type, str_or_empty(f->job_ids),
                        str_or_empty(f->instance_ids), str_or_empty(f->name_part), str_or_empty(f->source_host),
                        str_or_empty(f->target_host), (int64_t)f->state, (int64_t)room, (int64_t)f->offset))
        return false;
    bool ok = true;
    while (ok && catalog_next(c, &rows, e) && n < room) ok = read_job(&rows, a, &list[n++]) || err_no_memory(e, "jobs");
    ok = ok && e->code == ERR_NONE;
    catalog_rows_end(&rows);
    if (!ok) return false;
    *ret = list;
    *ret_count = n;
    *ret_total = total;
    return true;
}

bool jobs_secret_put(catalog *c, str context, str plain, err *e)
{
    arena a;
    arena_init(&a, 1024, 0);
    str sealed;
    bool ok = (plain.n <= SECRET_MAX_BYTES || err_set(e, ERR_LIMIT, "a password may have at most %d bytes", SECRET_MAX_BYTES)) && catalog_seal(c, plain, context, &a, &sealed, e) &&
              catalog_exec(c, e, "INSERT OR REPLACE INTO secret(context, sealed) VALUES(?,?)", "sb", context, sealed);
    arena_finish(&a);
    return ok;
}

bool jobs_secret_get(catalog *c, str context, secret *ret, err *e)
{
    arena a;
    arena_init(&a, 1024, 0);
    catalog_rows rows;
    str sealed = STR_NULL, plain;
    bool ok = catalog_select(c, &rows, e, "SELECT sealed FROM secret WHERE context = ?", "s", context);
    if (ok) {
        if (catalog_next(c, &rows, e)) sealed = catalog_text(&rows, 0, &a);
        else ok = e->code == ERR_NONE;
        catalog_rows_end(&rows);
    }
    secret_wipe(ret);
    if (ok && sealed.p && (ok = catalog_unseal(c, sealed, context, &a, &plain, e))) {
        ok = secret_set(ret, plain, e);
        secret_zero((void *)(uintptr_t)plain.p, plain.n);
    }
    arena_finish(&a);
    return ok;
}

bool jobs_secret_remove(catalog *c, str context, err *e)
{
    return catalog_exec(c, e, "DELETE FROM secret WHERE context = ?", "s", context);
}

bool jobs_secret_move(catalog *c, str from, str to, err *e)
{
    secret s = SECRET_INIT;
    bool ok = jobs_secret_get(c, from, &s, e);
    if (ok && s.p) ok = jobs_secret_put(c, to, secret_str(&s), e) && jobs_secret_remove(c, from, e);
    secret_wipe(&s);
    return ok;
}
