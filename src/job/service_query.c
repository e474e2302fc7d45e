/* Reading jobs, their prechecks, progress and log; the connection test. */
#include <stdlib.h>

#include "job/message.h"
#include "job/role.h"
#include "job/service_priv.h"

#define CONNECT_DEADLINE_MS 30000

bool service_get(service *s, job_ref ref, arena *a, job_record *ret, service_fault *f, err *e)
{
    job_record r;
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = service_find(s, ref, a, &r, f, e);
    catalog_rollback(s->catalog);
    if (ok) *ret = r;
    return ok;
}

/* Inside a transaction. */
static bool find_instance(service *s, str job_id, arena *a, str *ret, err *e)
{
    job_record r;
    tombstone t;
    bool found = false;
    *ret = STR("");
    if (!jobs_find(s->catalog, job_id, STR(""), false, a, &r, &found, e)) return false;
    if (found) *ret = r.instance_id;
    if (found) return true;
    if (!tombstone_find(s->catalog, job_id, STR(""), a, &t, &found, e)) return false;
    if (found) *ret = t.instance_id;
    return true;
}

bool service_instance_of_job(service *s, str job_id, arena *a, str *ret, err *e)
{
    str instance;
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = find_instance(s, job_id, a, &instance, e);
    catalog_rollback(s->catalog);
    if (ok) *ret = instance;
    return ok;
}

bool service_instance_of_leftover(service *s, str leftover_id, arena *a, str *ret, err *e)
{
    ledger_record l;
    uint64_t id = 0;
    bool found = false;
    str instance = STR("");
    if (!str_to_u64(leftover_id, &id)) return *ret = instance, true;
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = ledger_find(s->catalog, id, a, &l, &found, e) && (!found || find_instance(s, l.job_id, a, &instance, e));
    catalog_rollback(s->catalog);
    if (ok) *ret = instance;
    return ok;
}

static str id_array(const str *ids, uint32_t n, arena *a)
{
    if (n == 0) return STR("");
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++) json_array_append_new(list, json_stringn(ids[i].p, ids[i].n));
    char *text = json_dumps(list, JSON_COMPACT);
    str s = arena_copy(a, str_from_c(text));
    free(text);
    json_decref(list);
    return s;
}

bool service_list(service *s, const list_request *q, arena *a, job_record **ret, uint32_t *ret_count, uint32_t *ret_total, err *e)
{
    uint32_t size = q->page_size < 1 ? 30 : q->page_size > 500 ? 500 : q->page_size, page = q->page_number < 1 ? 1 : q->page_number;
    job_state state = JOB_STATE_COUNT;
    bool sync = str_eq_nocase(q->type, STR("SYNC")), migration = !q->type.n || str_eq_nocase(q->type, STR("MIGRATION"));
    if (page > 1000000) page = 1000000;
    *ret_count = *ret_total = 0;
    *ret = NULL;
    /* Change tracking is not offered and a status nobody has: nothing matches. */
    if ((!sync && !migration) || (q->status.n && !job_state_from_text(q->status, &state))) return true;
    jobs_filter f = {.type = sync ? JOB_SYNC : JOB_MIGRATION, .job_ids = id_array(q->job_ids, q->job_id_count, a), .instance_ids = id_array(q->instance_ids, q->instance_id_count, a),
                     .name_part = q->name_part, .source_host = q->source_host, .target_host = q->target_host, .state = q->status.n ? (int)state : -1,
                     .order_by_finish = q->order_by_finish, .descending = q->descending, .offset = (page - 1) * size, .limit = size};
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = jobs_list(s->catalog, &f, a, ret, ret_count, ret_total, e);
    catalog_rollback(s->catalog);
    return ok;
}

bool service_prechecks(service *s, str job_id, arena *a, precheck_record **ret, uint32_t *ret_count, err *e)
{
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = precheck_list(s->catalog, job_id, a, ret, ret_count, e);
    catalog_rollback(s->catalog);
    return ok;
}

bool service_findings(service *s, str job_id, uint32_t page, uint32_t size, arena *a, str **ret, uint32_t *ret_count, uint32_t *ret_total, err *e)
{
    uint64_t offset = (uint64_t)(page - 1) * size;
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = finding_list(s->catalog, job_id, offset > UINT32_MAX ? UINT32_MAX : (uint32_t)offset, size, a, ret, ret_count, ret_total, e);
    catalog_rollback(s->catalog);
    return ok;
}

bool service_progress(service *s, str job_id, str stage, arena *a, job_table_progress **ret, uint32_t *ret_count, err *e)
{
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = progress_list(s->catalog, job_id, stage, a, ret, ret_count, e);
    catalog_rollback(s->catalog);
    return ok;
}

bool service_log(service *s, str job_id, int64_t from_us, int64_t to_us, str keyword, uint32_t page, uint32_t page_size, arena *a, log_record **ret,
                 uint32_t *ret_count, uint32_t *ret_total, err *e)
{
    uint32_t size = page_size < 1 ? 20 : page_size > 500 ? 500 : page_size;
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = service_log_list(s->catalog, job_id, from_us, to_us, keyword, page > 1 && page < 1000000 ? (page - 1) * size : 0, size, a, ret, ret_count, ret_total, e);
    catalog_rollback(s->catalog);
    return ok;
}

static json_t *test_end(const service *s, const endpoint_request *q)
{
    if (!q || (!q->host.n && !q->instance_id.n)) return json_null();
    job_endpoint ep = {.engine_name = q->engine_name.n ? q->engine_name : STR("MySQL"), .host = q->host.n ? q->host : q->instance_id, .port = q->port, .user = q->user,
                       .database = q->database, .ssl = q->ssl};
    return message_endpoint(&ep, q->password, s->policy);
}

bool service_test_connection(service *s, const endpoint_request *source, const endpoint_request *target, arena *a, str *ret_json, err *e)
{
    role_process p;
    json_t *answer = NULL;
    if (!role_spawn("/proc/self/exe", "probe", &p, e)) return false;
    bool ok = ctl_send_new(&p.ctl, json_pack("{s:s, s:o, s:o}", "type", "connect", "source", test_end(s, source), "target", test_end(s, target)), e);
    if (ok && ctl_receive(&p.ctl, CONNECT_DEADLINE_MS, &answer, e) != CTL_MESSAGE) {
        ok = false;
        if (e->code == ERR_NONE) err_set(e, ERR_TIMEOUT, "the connection test took longer than %d seconds", CONNECT_DEADLINE_MS / 1000);
    }
    role_end(&p);
    if (ok) {
        char *text = json_dumps(answer, JSON_COMPACT);
        *ret_json = arena_copy(a, str_from_c(text));
        free(text);
        ok = ret_json->p || err_no_memory(e, "a connection report");
    }
    json_decref(answer);
    return ok;
}
