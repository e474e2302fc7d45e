/* Cleanup probes: what they are told, and what their end means for the ledger. For deletions and for jobs that have ended. */
#include "job/supervisor_priv.h"

#define RETRY_FIRST_US 1000000LL
#define RETRY_MAX_US (600LL * 1000000)

int64_t cleanup_wait_us(uint32_t attempts)
{
    int64_t wait = RETRY_FIRST_US << (attempts < 10 ? attempts : 10);
    return wait > RETRY_MAX_US ? RETRY_MAX_US : wait;
}

/* Inside a transaction: what the ledger has of an end, for the cleanup. */
static bool add_entries(const service *s, str run_id, const char *end, json_t *message, arena *a, err *e)
{
    ledger_record *all = NULL;
    uint32_t n = 0;
    if (!ledger_list(s->catalog, run_id, str_from_c(end), STR(""), a, &all, &n, e)) return false;
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "kind", ctl_value(all[i].kind), "name",
                                              ctl_value(all[i].name), "state", ctl_value(all[i].state)));
    json_object_set_new(message, "entries", list);
    return true;
}

bool cleanup_start(supervisor *s, str job_id, str run_id, const char *end, const job_endpoint *ep, str secret_context, arena *a, err *e)
{
    secret password = SECRET_INIT;
    json_t *message = NULL;
    bool ok = catalog_begin(s->svc->catalog, e);
    if (ok) {
        ok = jobs_secret_get(s->svc->catalog, secret_context, &password, e);
        if (ok)
            message = json_pack("{s:s, s:s, s:o, s:o, s:o}", "type", "cleanup", "end", end, "endpoint", message_endpoint(ep, secret_str(&password), s->svc->policy), "job_id",
                                ctl_value(run_id), "identity", ctl_value(ep->identity));
        ok = ok && add_entries(s->svc, run_id, end, message, a, e);
        catalog_rollback(s->svc->catalog);
    }
    secret_wipe(&password);
    if (!ok) {
        json_decref(message);
        return false;
    }
    child *c = supervisor_start_child(s, CHILD_CLEANUP, job_id, run_id, end, message, e);
    if (c) c->wanted = true;
    return c != NULL;
}

bool cleanup_open_entries(supervisor *s, str run_id, const char *end, arena *a, ledger_record **ret, uint32_t *ret_count, err *e)
{
    ledger_record *all = NULL;
    uint32_t n = 0, kept = 0;
    if (!ledger_list(s->svc->catalog, run_id, str_from_c(end), STR(""), a, &all, &n, e)) return false;
    for (uint32_t i = 0; i < n; i++) {
        bool open = str_eq(all[i].state, STR("intended")) || str_eq(all[i].state, STR("created")) || str_eq(all[i].state, STR("leftover")) || str_eq(all[i].state, STR("abandoned"));
        if (open) all[kept++] = all[i];
    }
    *ret = all;
    *ret_count = kept;
    return true;
}

/* What the cleanup told of one entry; NULL: nothing. */
static const json_t *told_of(const child *c, const ledger_record *l)
{
    size_t i;
    json_t *m;
    json_array_foreach(c->settled, i, m)
        if (str_eq(ctl_str(m, "kind"), l->kind) && str_eq(ctl_str(m, "name"), l->name)) return m;
    return NULL;
}

bool cleanup_settles(const child *c, ledger_record *l)
{
    const json_t *told = told_of(c, l);
    if (told) {
        l->state = ctl_str(told, "state");
        l->last_error = ctl_str(told, "why");
    } else if (c->cleaned) {
        l->state = STR("removed");
        l->last_error = ctl_flag(c->cleaned, "other_server") ? STR("another server answers at this address now: the object is gone with the old one") : STR("");
    } else {
        l->last_error = c->failed ? str_from_c(c->error.text) : STR("the cleanup process ended without a report");
        return false;
    }
    return true;
}
