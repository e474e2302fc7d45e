/* sluice job ...: listing, showing, watching and steering jobs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cmd/job_print.h"
#include "cmd/job_spec.h"
#include "cmd/progress.h"
#include "cmd/run.h"

static int finish(client *c, bool ok, const err *e)
{
    client_close(c);
    return ok ? 0 : command_fail(e);
}

static void print_tree(const json_t *tree)
{
    json_dumpf(tree, stdout, JSON_INDENT(2));
    putchar('\n');
}

/* All jobs of one type, page by page, appended to list. */
static bool list_type(client *c, const char *type, json_t *list, err *e)
{
    for (int page = 1;; page++) {
        char number[16];
        client_params p = {.count = 0};
        json_t *answer = NULL, *part;
        snprintf(number, sizeof number, "%d", page);
        client_param_c(&p, "JobType", type);
        client_param_c(&p, "PageNumber", number);
        client_param_c(&p, "PageSize", "100");
        if (!client_call(c, "DescribeDtsJobs", &p, &answer, e)) return false;
        part = json_object_get(answer, "DtsJobList");
        size_t n = json_array_size(part);
        json_array_extend(list, part);
        json_decref(answer);
        if (n < 100) return true;
    }
}

int run_job_list(const args *a)
{
    client c;
    err e = ERR_INIT;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    json_t *list = json_array();
    bool ok = list_type(&c, "MIGRATION", list, &e) && list_type(&c, "SYNC", list, &e);
    if (ok && args_json(a)) print_tree(list);
    else if (ok && json_array_size(list) == 0) fputs("no jobs: sluice job create and sluice copy make one\n", stderr);
    else if (ok) job_print_list(stdout, list);
    json_decref(list);
    return finish(&c, ok, &e);
}

int run_job_show(const args *a)
{
    client c;
    err e = ERR_INIT;
    client_params p = {.count = 0}, checks = {.count = 0};
    json_t *job = NULL, *items = NULL;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    client_param_c(&p, "DtsJobId", a->operands[0]);
    client_param_c(&checks, "DtsJobId", a->operands[0]);
    client_param_c(&checks, "JobCode", "01");
    client_param_c(&checks, "PageSize", "500");
    bool ok = client_call(&c, "DescribeDtsJobDetail", &p, &job, &e) && client_call(&c, "DescribePreCheckStatus", &checks, &items, &e);
    if (ok && args_json(a)) print_tree(job);
    else if (ok) job_print(stdout, job, items);
    json_decref(job);
    json_decref(items);
    return finish(&c, ok, &e);
}

/* Nothing moves by itself: for who waits for a result that is an error, for who only looks it is news. */
static bool tell_waiting(const char *job_id, bool wanted, err *e)
{
    if (wanted) return err_set(e, ERR_JOB_STATE, "job %s does not run; sluice job start %s starts it or goes on", job_id, job_id);
    fprintf(stderr, "job %s does not run; sluice job start %s starts it or goes on\n", job_id, job_id);
    return true;
}

static int interrupted(client *c, const char *job_id)
{
    fprintf(stderr, "interrupted; job %s goes on\n  see:   sluice job watch %s\n  end:   sluice job delete %s\n", job_id, job_id, job_id);
    client_close(c);
    return EXIT_INTERRUPTED;
}

int run_job_watch(const args *a)
{
    client c;
    err e = ERR_INIT;
    progress_end end = PROGRESS_FAILED;
    const char *job_id = a->operands[0];
    bool caught_up = args_has(a, "caught-up");
    if (!client_open(a, &c, &e)) return command_fail(&e);
    bool ok = progress_follow(&c, job_id, !caught_up, &end, &e) && end != PROGRESS_FAILED;
    if (ok && end == PROGRESS_INTERRUPTED) return interrupted(&c, job_id);
    if (ok && end == PROGRESS_WAITING) ok = tell_waiting(job_id, caught_up, &e);
    if (ok && end == PROGRESS_FINISHED) fprintf(stderr, "job %s has finished\n", job_id);
    return finish(&c, ok, &e);
}

/* One action for each operand. */
static int act_on_each(const args *a, const char *action, const char *done)
{
    client c;
    err e = ERR_INIT;
    bool ok = true;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    for (int i = 0; ok && i < a->operand_count; i++) {
        client_params p = {.count = 0};
        json_t *answer = NULL;
        client_param_c(&p, "DtsJobId", a->operands[i]);
        ok = client_call(&c, action, &p, &answer, &e);
        if (ok && args_json(a)) print_tree(answer);
        else if (ok) printf("%s %s\n", done, a->operands[i]);
        json_decref(answer);
    }
    return finish(&c, ok, &e);
}

int run_job_start(const args *a) { return act_on_each(a, "StartDtsJob", "started"); }
int run_job_pause(const args *a) { return act_on_each(a, "SuspendDtsJob", "paused"); }
int run_job_stop(const args *a) { return act_on_each(a, "StopDtsJob", "stopped"); }
int run_job_reset(const args *a) { return act_on_each(a, "ResetDtsJob", "reset"); }

/* What a new job is to do: `job create` takes it from options, `copy` from its operands. Borrowed. */
typedef struct job_wish {
    const char *source, *target; /* URLs */
    const char *objects;         /* --objects or NULL for --db-list */
    bool sync, incremental, start;
} job_wish;

static bool read_objects(const args *a, const job_wish *w, client *c, str *ret, err *e)
{
    const char *file = args_get(a, "db-list");
    if (file) return file_read(file, 1024 * 1024, &c->mem, ret, e);
    if (w->objects) return job_objects(w->objects, &c->mem, ret, e);
    return err_set(e, ERR_BAD_INPUT, "--objects LIST or --db-list FILE is missing: what to move, for example --objects shop,crm.customers");
}

/* The Reserve of --reserve, which says whether the job starts by itself unless it says so already. */
static bool reserve_text(const char *given, bool start, client *c, str *ret, err *e)
{
    json_t *o = given ? json_loads(given, 0, NULL) : json_object();
    char *text = NULL;
    if (json_is_object(o) && !json_object_get(o, "autoStartModulesAfterConfig"))
        json_object_set_new(o, "autoStartModulesAfterConfig", json_string(start ? "auto" : "none"));
    if (json_is_object(o)) text = json_dumps(o, JSON_COMPACT);
    if (text) *ret = arena_copy(&c->mem, str_from_c(text));
    bool ok = text ? ret->p || err_no_memory(e, "Reserve") : err_set(e, ERR_BAD_INPUT, "--reserve is not valid: it is not a JSON object");
    free(text);
    json_decref(o);
    return ok;
}

/* Adds everything of ConfigureDtsJob; the passwords stay in pw until the call is done. */
static bool configure_params(const args *a, const job_wish *w, client *c, client_params *p, secret pw[2], err *e)
{
    job_url source, target;
    str objects, reserve;
    const char *name = args_get(a, "name");
    if (!w->source || !w->target) return err_set(e, ERR_BAD_INPUT, "--source URL and --target URL are needed");
    if (!job_url_parse(w->source, "--source", &source, e) || !job_url_parse(w->target, "--target", &target, e) || !read_objects(a, w, c, &objects, e)) return false;
    if (!reserve_text(args_get(a, "reserve"), w->start, c, &reserve, e)) return false;
    if (!job_password(a, "source", &source, &pw[0], e) || !job_password(a, "target", &target, &pw[1], e)) return false;
    client_param_c(p, "DtsJobName", name ? name : "sluice job");
    client_param_c(p, "JobType", w->sync ? "SYNC" : "MIGRATION");
    client_param_c(p, "StructureInitialization", args_has(a, "no-schema") ? "false" : "true");
    client_param_c(p, "DataInitialization", args_has(a, "no-full") ? "false" : "true");
    client_param_c(p, "DataSynchronization", w->sync || w->incremental ? "true" : "false");
    client_param(p, "DbList", objects);
    client_param(p, "Reserve", reserve);
    job_endpoint_params(p, false, &source, &pw[0]);
    job_endpoint_params(p, true, &target, &pw[1]);
    return true;
}

/* Buys an instance, configures its job; the job's id goes to job_id, which is empty when no job stays. */
static bool create_job(const args *a, const job_wish *w, client *c, char job_id[32], err *e)
{
    client_params buy = {.count = 0}, p = {.count = 0};
    secret pw[2] = {SECRET_INIT, SECRET_INIT};
    json_t *bought = NULL, *configured = NULL;
    bool ok = configure_params(a, w, c, &p, pw, e);
    client_param_c(&buy, "Type", w->sync ? "SYNC" : "MIGRATION");
    client_param_c(&buy, "PayType", "PostPaid");
    client_param_c(&buy, "InstanceClass", "small");
    ok = ok && client_call(c, "CreateDtsInstance", &buy, &bought, e);
    if (ok) {
        snprintf(job_id, 32, "%s", answer_text(bought, "JobId"));
        client_param_c(&p, "DtsInstanceId", answer_text(bought, "InstanceId"));
        client_param_c(&p, "DtsJobId", job_id);
        ok = client_call(c, "ConfigureDtsJob", &p, &configured, e);
        if (!ok) { /* nothing half-made stays behind */
            err ignored = ERR_INIT;
            client_params drop = {.count = 0};
            json_t *dropped = NULL;
            client_param_c(&drop, "DtsJobId", job_id);
            if (client_call(c, "DeleteDtsJob", &drop, &dropped, &ignored)) {
                json_decref(dropped);
                *job_id = 0;
            }
        }
    }
    for (int i = 0; i < 2; i++) secret_wipe(&pw[i]);
    json_decref(bought);
    json_decref(configured);
    return ok;
}

int run_job_create(const args *a)
{
    client c;
    err e = ERR_INIT;
    char job_id[32] = "";
    const char *type = args_get(a, "type");
    job_wish w = {.source = args_get(a, "source"), .target = args_get(a, "target"), .objects = args_get(a, "objects"),
                  .sync = type && strcmp(type, "sync") == 0, .incremental = args_has(a, "incremental"), .start = args_has(a, "start")};
    if (type && !w.sync && strcmp(type, "migration") != 0) {
        err_set(&e, ERR_BAD_INPUT, "--type is not valid: \"%s\" is not migration or sync", type);
        return command_fail(&e);
    }
    if (!client_open(a, &c, &e)) return command_fail(&e);
    bool ok = create_job(a, &w, &c, job_id, &e);
    if (ok && args_json(a)) printf("{\"DtsJobId\": \"%s\"}\n", job_id);
    else if (ok) printf("created %s\n", job_id);
    return finish(&c, ok, &e);
}

#define RECEIPT_WAIT_US 60000000LL

/* Waits for the receipt: the deletion goes on after the API's answer. ret NULL when it is not there in time. */
static bool wait_for_receipt(client *c, const char *job_id, json_t **ret, err *e)
{
    int64_t deadline = clk_mono_us(clk_system()) + RECEIPT_WAIT_US;
    *ret = NULL;
    while (clk_mono_us(clk_system()) < deadline) {
        client_params p = {.count = 0};
        json_t *answer = NULL;
        client_param_c(&p, "DtsJobId", job_id);
        if (!client_call(c, "SluiceDescribeReceipt", &p, &answer, e)) return false;
        json_t *receipt = json_loads(answer_text(answer, "Receipt"), 0, NULL);
        json_decref(answer);
        if (json_is_true(json_object_get(receipt, "finished"))) return *ret = receipt, true;
        json_decref(receipt);
        clk_sleep_us(clk_system(), 200000);
    }
    return true;
}

static bool delete_job(const args *a, client *c, const char *job_id, err *e)
{
    client_params p = {.count = 0};
    json_t *answer = NULL, *receipt = NULL;
    client_param_c(&p, "DtsJobId", job_id);
    if (!client_call(c, "DeleteDtsJob", &p, &answer, e)) return false;
    json_decref(answer);
    if (!wait_for_receipt(c, job_id, &receipt, e)) return false;
    if (!receipt) fprintf(stderr, "the deletion of %s is durable and still under way; sluice leftover list shows what it could not remove\n", job_id);
    else if (args_json(a)) print_tree(receipt);
    else job_print_receipt(stdout, receipt);
    json_decref(receipt);
    return true;
}

int run_job_delete(const args *a)
{
    client c;
    err e = ERR_INIT;
    bool ok = true;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    for (int i = 0; ok && i < a->operand_count; i++) ok = delete_job(a, &c, a->operands[i], &e);
    return finish(&c, ok, &e);
}

static bool is_postgresql(const job_url *u) { return str_eq_nocase(u->engine, STR("postgresql")); }

/* Objects of a copy: --objects, or the databases of both URLs. */
static bool copy_objects(const args *a, const job_url *source, const job_url *target, arena *mem, const char **ret, err *e)
{
    *ret = args_get(a, "objects");
    if (*ret || args_has(a, "db-list")) return true;
    if (source->database.n == 0)
        return err_set(e, ERR_BAD_INPUT, "SOURCE-URL names no database: write mysql://USER@HOST:PORT/DATABASE, or say with --objects what to copy");
    /* In PostgreSQL a job moves schemas of the database that the URL names; a database of MySQL is a schema there. */
    bool from_pg = is_postgresql(source), to_pg = is_postgresql(target);
    str from = from_pg ? STR("public") : source->database;
    str to = from_pg && to_pg ? STR("public") : to_pg ? source->database : target->database.n ? target->database : source->database;
    str list = arena_printf(mem, "%.*s=%.*s", STR_ARG(from), STR_ARG(to));
    *ret = list.p;
    return list.p || err_no_memory(e, "the object list");
}

int run_copy(const args *a)
{
    client c;
    err e = ERR_INIT;
    char job_id[32] = "";
    progress_end end = PROGRESS_FAILED;
    job_wish w = {.source = a->operands[0], .target = a->operands[1], .incremental = args_has(a, "incremental"), .start = true};
    job_url source, target;
    if (!job_url_parse(w.source, "SOURCE-URL", &source, &e) || !job_url_parse(w.target, "TARGET-URL", &target, &e) || !client_open(a, &c, &e)) return command_fail(&e);
    bool ok = copy_objects(a, &source, &target, &c.mem, &w.objects, &e) && create_job(a, &w, &c, job_id, &e);
    if (ok) fprintf(stderr, "job       %s\n", job_id);
    ok = ok && progress_follow(&c, job_id, false, &end, &e) && end != PROGRESS_FAILED;
    if (ok && end == PROGRESS_INTERRUPTED) return interrupted(&c, job_id);
    if (ok && end == PROGRESS_WAITING) ok = tell_waiting(job_id, true, &e);
    if (ok && end == PROGRESS_FINISHED) return finish(&c, delete_job(a, &c, job_id, &e), &e);
    int status = finish(&c, ok, &e);
    if (ok) fprintf(stderr, "job %s goes on following the source; sluice job watch or job delete %s\n", job_id, job_id);
    else if (*job_id) fprintf(stderr, "  job:   %s is kept; sluice job show, job start or job delete %s\n", job_id, job_id);
    return status;
}
