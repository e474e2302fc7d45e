/* sluice job ...: listing, showing, watching and steering jobs. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
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

static void print_job_line(const json_t *j)
{
    const json_t *source = json_object_get(j, "SourceEndpoint"), *target = json_object_get(j, "DestinationEndpoint");
    char from[80], to[80];
    snprintf(from, sizeof from, "%s:%s", answer_text(source, "Ip"), answer_text(source, "Port"));
    snprintf(to, sizeof to, "%s:%s", answer_text(target, "Ip"), answer_text(target, "Port"));
    printf("%-16s %-16s %-22s %-22s %s\n", answer_text(j, "DtsJobId"), answer_text(j, "Status"), from, to, answer_text(j, "DtsJobName"));
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
    json_t *list = json_array(), *j;
    bool ok = list_type(&c, "MIGRATION", list, &e) && list_type(&c, "SYNC", list, &e);
    size_t i;
    if (ok && args_json(a)) print_tree(list);
    if (ok && !args_json(a)) {
        printf("%-16s %-16s %-22s %-22s %s\n", "JOB", "STATUS", "SOURCE", "DESTINATION", "NAME");
        json_array_foreach(list, i, j) print_job_line(j);
    }
    json_decref(list);
    return finish(&c, ok, &e);
}

static void print_stage(const json_t *job, const char *member, const char *title)
{
    const json_t *s = json_object_get(job, member);
    if (!json_is_object(s)) return;
    printf("%-12s %-12s %3s%%  %s %s\n", title, answer_text(s, "Status"), answer_text(s, "Percent"), answer_text(s, "Progress"), answer_text(s, "ErrorMessage"));
}

static void print_prechecks(const json_t *checks)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(checks, "JobProgress"), i, item)
    {
        const char *state = answer_text(item, "State");
        if (strcmp(state, "Failed") != 0 && strcmp(state, "Warning") != 0) continue;
        printf("  %s %s: %s\n    fix: %s\n", strcmp(state, "Failed") == 0 ? "x" : "!", answer_text(item, "Item"), answer_text(item, "ErrDetail"), answer_text(item, "RepairMethod"));
    }
}

static void print_job(const json_t *j, const json_t *checks)
{
    print_job_line(j);
    print_stage(j, "PrecheckStatus", "Precheck");
    print_prechecks(checks);
    print_stage(j, "StructureInitializationStatus", "Schema");
    print_stage(j, "DataInitializationStatus", "Full");
    print_stage(j, "DataSynchronizationStatus", "Stream");
    if (*answer_text(j, "ErrorMessage")) printf("error: %s\n", answer_text(j, "ErrorMessage"));
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
    else if (ok) print_job(job, items);
    json_decref(job);
    json_decref(items);
    return finish(&c, ok, &e);
}

int run_job_watch(const args *a)
{
    client c;
    err e = ERR_INIT;
    progress_end end = PROGRESS_WAITING;
    if (!client_open(a, &c, &e)) return command_fail(&e);
    bool ok = progress_follow(&c, a->operands[0], !args_has(a, "caught-up"), false, &end, &e) && end != PROGRESS_FAILED;
    if (end == PROGRESS_INTERRUPTED) fprintf(stderr, "interrupted; job %s goes on\n", a->operands[0]);
    int status = finish(&c, ok, &e);
    return end == PROGRESS_INTERRUPTED ? 130 : status;
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

static bool read_objects(const args *a, client *c, str *ret, err *e)
{
    const char *file = args_get(a, "db-list"), *list = args_get(a, "objects");
    if (file) return file_read(file, 1024 * 1024, &c->mem, ret, e);
    if (list) return job_objects(list, &c->mem, ret, e);
    return err_set(e, ERR_BAD_INPUT, "--objects LIST or --db-list FILE is missing: what to move, for example --objects shop,crm.customers");
}

/* Adds everything of ConfigureDtsJob; the passwords stay in pw until the call is done. */
static bool configure_params(const args *a, client *c, client_params *p, secret pw[2], bool sync, err *e)
{
    job_url source, target;
    str objects;
    const char *from = args_get(a, "source"), *to = args_get(a, "target"), *name = args_get(a, "name");
    if (!from || !to) return err_set(e, ERR_BAD_INPUT, "--source URL and --target URL are needed");
    if (!job_url_parse(from, "--source", &source, e) || !job_url_parse(to, "--target", &target, e) || !read_objects(a, c, &objects, e)) return false;
    if (!job_password(a, "source", &source, &pw[0], e) || !job_password(a, "target", &target, &pw[1], e)) return false;
    bool incremental = sync || args_has(a, "incremental");
    client_param_c(p, "DtsJobName", name ? name : "sluice job");
    client_param_c(p, "JobType", sync ? "SYNC" : "MIGRATION");
    client_param_c(p, "StructureInitialization", args_has(a, "no-schema") ? "false" : "true");
    client_param_c(p, "DataInitialization", args_has(a, "no-full") ? "false" : "true");
    client_param_c(p, "DataSynchronization", incremental ? "true" : "false");
    client_param(p, "DbList", objects);
    client_param_c(p, "Reserve", args_get(a, "reserve") ? args_get(a, "reserve") : args_has(a, "start") ? "{\"autoStartModulesAfterConfig\":\"auto\"}" : "{\"autoStartModulesAfterConfig\":\"none\"}");
    job_endpoint_params(p, false, &source, &pw[0]);
    job_endpoint_params(p, true, &target, &pw[1]);
    return true;
}

/* Buys an instance, configures its job; the job's id goes to job_id. */
static bool create_job(const args *a, client *c, char job_id[32], err *e)
{
    client_params buy = {.count = 0}, p = {.count = 0};
    secret pw[2] = {SECRET_INIT, SECRET_INIT};
    json_t *bought = NULL, *configured = NULL;
    const char *type = args_get(a, "type");
    bool sync = type && strcmp(type, "sync") == 0;
    if (type && !sync && strcmp(type, "migration") != 0) return err_set(e, ERR_BAD_INPUT, "--type is not valid: \"%s\" is not migration or sync", type);
    bool ok = configure_params(a, c, &p, pw, sync, e);
    client_param_c(&buy, "Type", sync ? "SYNC" : "MIGRATION");
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
            if (client_call(c, "DeleteDtsJob", &drop, &dropped, &ignored)) json_decref(dropped);
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
    char job_id[32];
    if (!client_open(a, &c, &e)) return command_fail(&e);
    bool ok = create_job(a, &c, job_id, &e);
    if (ok && args_json(a)) printf("{\"DtsJobId\": \"%s\"}\n", job_id);
    else if (ok) printf("created %s\n", job_id);
    return finish(&c, ok, &e);
}

static void print_receipt(const json_t *receipt)
{
    static const char *const parts[] = {"removed", "kept", "leftovers"};
    printf("deleted %s at position %s\n", answer_text(receipt, "job"), answer_text(receipt, "position"));
    for (size_t i = 0; i < 3; i++) {
        size_t k;
        json_t *item, *list = json_object_get(receipt, parts[i]);
        json_array_foreach(list, k, item)
        {
            if (json_is_string(item)) printf("  %-10s %s\n", parts[i], json_string_value(item));
            else printf("  %-10s %s %s on %s  %s\n", parts[i], answer_text(item, "kind"), answer_text(item, "name"), answer_text(item, "end"), answer_text(item, "undo"));
        }
    }
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
    else print_receipt(receipt);
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

/* Objects of a copy: --objects, or the databases of both URLs. */
static bool copy_objects(const args *a, arena *mem, const char **ret, err *e)
{
    job_url source, target;
    if (args_has(a, "objects") || args_has(a, "db-list")) return *ret = NULL, true;
    if (!job_url_parse(a->operands[0], "SRC", &source, e) || !job_url_parse(a->operands[1], "DST", &target, e)) return false;
    if (source.database.n == 0) return err_set(e, ERR_BAD_INPUT, "SRC names no database: write mysql://user@host/DATABASE or give --objects");
    str list = target.database.n ? arena_printf(mem, "%.*s=%.*s", STR_ARG(source.database), STR_ARG(target.database)) : arena_copy(mem, source.database);
    *ret = list.p;
    return true;
}

static void set_value(args *a, const char *name, const char *value)
{
    for (int i = 0; a->cmd->options[i].name; i++)
        if (strcmp(a->cmd->options[i].name, name) == 0 && value) a->values[i] = value;
}

int run_copy(const args *given)
{
    args a = *given;
    client c;
    err e = ERR_INIT;
    char job_id[32] = "";
    const char *objects = NULL;
    progress_end end = PROGRESS_FAILED;
    if (!client_open(&a, &c, &e)) return command_fail(&e);
    bool ok = copy_objects(&a, &c.mem, &objects, &e);
    set_value(&a, "source", a.operands[0]);
    set_value(&a, "target", a.operands[1]);
    set_value(&a, "objects", objects);
    set_value(&a, "start", "1");
    ok = ok && create_job(&a, &c, job_id, &e) && progress_follow(&c, job_id, false, false, &end, &e) && end != PROGRESS_FAILED;
    if (end == PROGRESS_INTERRUPTED) {
        fprintf(stderr, "interrupted; job %s goes on: sluice job watch %s, sluice job delete %s\n", job_id, job_id, job_id);
        client_close(&c);
        return 130;
    }
    if (ok && end == PROGRESS_FINISHED) ok = delete_job(&a, &c, job_id, &e);
    else if (*job_id) fprintf(stderr, "job %s is kept: sluice job show %s\n", job_id, job_id);
    return finish(&c, ok, &e);
}
