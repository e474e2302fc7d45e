/* Deleting jobs: the durable intent, the receipt, the leftovers. The supervisor carries deletions out (delete.c). */
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "job/ctl.h"
#include "job/service_priv.h"

#define REPEAT_US (10LL * 60 * 1000000)

static json_t *end_of(const job_endpoint *ep)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "engine", ctl_value(ep->engine_name), "host", ctl_value(ep->host), "port", ctl_value(ep->port), "user", ctl_value(ep->user),
                     "database", ctl_value(ep->database), "ssl", ctl_value(ep->ssl), "identity", ctl_value(ep->identity));
}

static str dump(json_t *o, arena *a)
{
    char *text = json_dumps(o, JSON_COMPACT);
    str s = arena_copy(a, str_from_c(text));
    free(text);
    json_decref(o);
    return s;
}

/* What the deletion must know when the job's row is gone. */
static str deletion_spec(const job_record *r, arena *a)
{
    return dump(json_pack("{s:o, s:o, s:o, s:o}", "name", ctl_value(r->name), "state", json_string(job_state_text(r->state)), "src", end_of(&r->source), "dest", end_of(&r->target)), a);
}

static str first_receipt(const job_record *r, str account, int64_t now_us, arena *a)
{
    char when[CLOCK_ISO_BYTES];
    clock_format_iso(now_us, when);
    return dump(json_pack("{s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:I, s:I, s:b, s:[], s:[s]}", "job", ctl_value(r->job_id), "instance", ctl_value(r->instance_id), "name", ctl_value(r->name),
                          "state", job_state_text(r->state), "account", ctl_value(account), "requested", when, "position", ctl_value(r->position), "applied_transactions",
                          (json_int_t)r->applied_txns, "applied_rows", (json_int_t)r->applied_rows, "finished", 0, "removed", "kept", "migrated databases, tables and rows"),
                a);
}

/* Rows loaded by table, for the receipt: the progress rows go with the job. */
static bool add_tables(service *s, const job_record *r, str *receipt, arena *a, err *e)
{
    job_table_progress *list = NULL;
    uint32_t n = 0;
    if (!progress_list(s->catalog, r->job_id, STR("full"), a, &list, &n, e)) return false;
    json_t *o = json_loadb(receipt->p, receipt->n, 0, NULL), *tables = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(tables, json_pack("{s:o, s:o, s:I, s:b}", "schema", ctl_value(list[i].target_schema), "name", ctl_value(list[i].target_name), "rows",
                                                (json_int_t)list[i].done, "complete", (int)str_eq(list[i].state, STR("Finished"))));
    json_object_set_new(o, "tables", tables);
    *receipt = dump(o, a);
    return receipt->p || err_no_memory(e, "a receipt");
}

bool service_begin_deletion(service *s, const job_record *r, const char *kind, str account, arena *a, err *e)
{
    int64_t now = clk_wall_us(catalog_clock(s->catalog));
    str run = job_run_id(r, a);
    deletion_record d = {.run_id = run, .job_id = r->job_id, .instance_id = r->instance_id, .kind = str_from_c(kind), .account = account, .epoch = r->epoch + 1, .requested_us = now,
                         .spec = deletion_spec(r, a), .receipt = first_receipt(r, account, now, a)};
    static const char *const ends[] = {"src", "dest"};
    if (!d.spec.p || !d.receipt.p) return err_no_memory(e, "a deletion");
    if (!add_tables(s, r, &d.receipt, a, e) || !deletion_save(s->catalog, &d, e)) return false;
    for (size_t i = 0; i < 2; i++)
        if (!jobs_secret_move(s->catalog, service_secret_context(r->job_id, ends[i], a), service_leftover_context(run, ends[i], a), e)) return false;
    if (strcmp(kind, "delete") != 0) return true;
    tombstone t = {r->job_id, r->instance_id, r->type, account, now};
    return tombstone_add(s->catalog, &t, e) && jobs_remove(s->catalog, r->job_id, e);
}

static bool type_agrees(const job_record *r, str type, service_fault *f, err *e)
{
    if (!type.n || str_eq_nocase(type, r->type == JOB_SYNC ? STR("SYNC") : STR("MIGRATION"))) return true;
    err_set(e, ERR_DISAGREE, "job %.*s is a %s job", STR_ARG(r->job_id), r->type == JOB_SYNC ? "SYNC" : "MIGRATION");
    return service_refuse(f, "JobType", NULL);
}

bool service_delete_is_repeat(service *s, job_ref ref, str account, arena *a, bool *ret, err *e)
{
    tombstone t = {0};
    bool found = false;
    if (!tombstone_find(s->catalog, ref.job_id, ref.instance_id, a, &t, &found, e)) return false;
    *ret = found && str_eq(t.account, account) && clk_wall_us(catalog_clock(s->catalog)) - t.deleted_us < REPEAT_US;
    return true;
}

bool service_delete(service *s, job_ref ref, str type, str account, service_fault *f, err *e)
{
    arena a;
    job_record r;
    bool repeat = false;
    arena_init(&a, 32 * 1024, 0);
    bool begun = catalog_begin(s->catalog, e);
    bool ok = begun && service_delete_is_repeat(s, ref, account, &a, &repeat, e);
    bool direction_ok = !ref.direction.n || str_eq_nocase(ref.direction, STR("Forward"));
    if (ok && !(repeat && direction_ok))
        ok = service_find(s, ref, &a, &r, f, e) && type_agrees(&r, type, f, e) && service_begin_deletion(s, &r, "delete", account, &a, e);
    ok = begun && service_end(s, ok, e);
    if (ok && !repeat) failpoint("delete:intent");
    arena_finish(&a);
    return ok;
}

/* Inside a transaction: what is still outside, of one job or (empty id) of all. */
static bool list_leftovers(service *s, str job_id, arena *a, ledger_record **ret, uint32_t *ret_count, err *e)
{
    ledger_record *parts[2] = {NULL, NULL};
    uint32_t counts[2] = {0, 0}, n = 0;
    if (!ledger_list(s->catalog, STR(""), STR(""), STR("leftover"), a, &parts[0], &counts[0], e) ||
        !ledger_list(s->catalog, STR(""), STR(""), STR("abandoned"), a, &parts[1], &counts[1], e))
        return false;
    ledger_record *all = arena_array(a, counts[0] + counts[1] + 1, sizeof *all);
    if (!all) return err_no_memory(e, "leftovers");
    for (int i = 0; i < 2; i++)
        for (uint32_t k = 0; k < counts[i]; k++)
            if (!job_id.n || str_eq(parts[i][k].job_id, job_id)) all[n++] = parts[i][k];
    *ret = all;
    *ret_count = n;
    return true;
}

/* The journal's receipt with the leftovers of this moment, those of earlier runs (before a reset) included. */
static bool complete_receipt(service *s, const deletion_record *d, arena *a, str *ret_json, err *e)
{
    ledger_record *list = NULL;
    uint32_t n = 0;
    if (!list_leftovers(s, d->job_id, a, &list, &n, e)) return false;
    json_t *o = json_loadb(d->receipt.p, d->receipt.n, 0, NULL), *left = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(left, json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)list[i].id, "end", ctl_value(list[i].end), "kind", ctl_value(list[i].kind), "name",
                                              ctl_value(list[i].name), "undo", ctl_value(list[i].undo)));
    json_object_set_new(o, "leftovers", left);
    str text = dump(o, a);
    if (!text.p) return err_no_memory(e, "a receipt");
    *ret_json = text;
    return true;
}

bool service_receipt(service *s, job_ref ref, arena *a, str *ret_json, err *e)
{
    deletion_record d = {0};
    bool found = false;
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = deletion_find_job(s->catalog, ref.job_id, ref.instance_id, a, &d, &found, e);
    if (ok && !found) ok = err_set(e, ERR_JOB_NOT_FOUND, "no job %.*s was deleted", STR_ARG(ref.job_id.n ? ref.job_id : ref.instance_id));
    ok = ok && complete_receipt(s, &d, a, ret_json, e);
    catalog_rollback(s->catalog);
    return ok;
}

bool service_leftovers(service *s, str job_id, arena *a, ledger_record **ret, uint32_t *ret_count, err *e)
{
    if (!catalog_begin(s->catalog, e)) return false;
    bool ok = list_leftovers(s, job_id, a, ret, ret_count, e);
    catalog_rollback(s->catalog);
    return ok;
}

/* New credentials of an end of a deletion. */
static bool set_login(service *s, const ledger_record *l, str user, str password, arena *a, err *e)
{
    deletion_record d;
    bool found;
    if (password.p && !jobs_secret_put(s->catalog, service_leftover_context(l->run_id, l->end.p, a), password, e)) return false;
    if (!user.n) return true;
    if (!deletion_find(s->catalog, l->run_id, a, &d, &found, e) || !found) return e->code == ERR_NONE;
    json_t *spec = json_loadb(d.spec.p, d.spec.n, 0, NULL);
    json_object_set_new(json_object_get(spec, l->end.p), "user", ctl_value(user));
    d.spec = dump(spec, a);
    return deletion_save(s->catalog, &d, e);
}

static bool forget_secret_when_last(service *s, const ledger_record *l, arena *a, err *e)
{
    ledger_record *others;
    uint32_t n;
    if (!ledger_list(s->catalog, l->run_id, l->end, STR("leftover"), a, &others, &n, e)) return false;
    return n > 0 || jobs_secret_remove(s->catalog, service_leftover_context(l->run_id, l->end.p, a), e);
}

bool service_leftover_act(service *s, uint64_t ledger_id, const char *verb, str user, str password, err *e)
{
    arena a;
    ledger_record l;
    bool found = false, retry = strcmp(verb, "retry") == 0;
    arena_init(&a, 16 * 1024, 0);
    bool begun = catalog_begin(s->catalog, e);
    bool ok = begun && ledger_find(s->catalog, ledger_id, &a, &l, &found, e);
    bool open = found && (str_eq(l.state, STR("leftover")) || str_eq(l.state, STR("abandoned")));
    if (ok && !open) ok = err_set(e, ERR_JOB_NOT_FOUND, "there is no leftover %llu; sluice leftover list shows them", (unsigned long long)ledger_id);
    if (ok) {
        l.state = retry ? STR("leftover") : STR("forgotten");
        l.next_try_us = 0;
        ok = ledger_save(s->catalog, &l, e) && (retry ? set_login(s, &l, user, password, &a, e) : forget_secret_when_last(s, &l, &a, e));
    }
    ok = begun && service_end(s, ok, e);
    arena_finish(&a);
    return ok;
}
