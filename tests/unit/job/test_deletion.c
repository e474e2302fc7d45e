/* Carrying deletions out, without a database: steps, crashes after each of them, leftovers when the cleanup cannot run, retry and forget.
 * The supervisor's role program is /bin/false: every probe ends without a report, as if the destination could not be reached. */
#include "service_fixture.h"

#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

#include "catalog/deletion.h"
#include "catalog/jobs.h"
#include "job/roles.h"

#define DEADLINE_MS 20000

static supervisor *start(fixture *f)
{
    err e = ERR_INIT;
    supervisor *s = NULL;
    supervisor_options o = {.program = "/bin/false", .max_workers = 4, .lanes = 2, .worker_budget_bytes = 64 << 20};
    if (!supervisor_start(f->s, &o, &s, &e)) fail_msg("%s", e.text);
    return s;
}

static json_t *receipt_of(fixture *f, str job_id)
{
    err e = ERR_INIT;
    str text;
    if (!service_receipt(f->s, (job_ref){.job_id = job_id}, &f->a, &text, &e)) fail_msg("%s", e.text);
    json_t *o = json_loadb(text.p, text.n, 0, NULL);
    assert_true(json_is_object(o));
    return o;
}

/* The finished receipt; free it. */
static json_t *await_receipt(fixture *f, str job_id)
{
    for (int waited = 0; waited < DEADLINE_MS; waited += 5) {
        json_t *o = receipt_of(f, job_id);
        if (json_is_true(json_object_get(o, "finished"))) return o;
        json_decref(o);
        usleep(5000);
    }
    fail_msg("the deletion of %.*s did not end", STR_ARG(job_id));
    return NULL;
}

static void delete_job(fixture *f, str job_id)
{
    err e = ERR_INIT;
    service_fault fault = {0};
    if (!service_delete(f->s, (job_ref){.job_id = job_id}, STR(""), STR("k"), &fault, &e)) fail_msg("%s", e.text);
}

static uint64_t add_entry(fixture *f, str job_id, const char *end, const char *kind, const char *name, const char *undo)
{
    err e = ERR_INIT;
    uint64_t id = 0;
    ledger_record l = {.job_id = job_id, .run_id = job_id, .end = str_from_c(end), .kind = str_from_c(kind), .name = str_from_c(name), .undo = str_from_c(undo),
                       .where = STR("127.0.0.1:3307")};
    bool ok = catalog_begin(f->c, &e) && ledger_intend(f->c, &l, &id, &e) && ledger_created(f->c, job_id, id, &e) && catalog_commit(f->c, &e);
    if (!ok) fail_msg("%s", e.text);
    return id;
}

static bool has_secret(fixture *f, str job_id, const char *end)
{
    err e = ERR_INIT;
    secret s = SECRET_INIT;
    str context = arena_printf(&f->a, "leftover/%.*s/%s", STR_ARG(job_id), end);
    assert_true(catalog_begin(f->c, &e));
    assert_true(jobs_secret_get(f->c, context, &s, &e));
    catalog_rollback(f->c);
    bool has = s.p != NULL;
    secret_wipe(&s);
    return has;
}

static size_t secrets(fixture *f)
{
    err e = ERR_INIT;
    catalog_rows r;
    assert_true(catalog_begin(f->c, &e));
    assert_true(catalog_select(f->c, &r, &e, "SELECT count(*) FROM secret", ""));
    assert_true(catalog_next(f->c, &r, &e));
    size_t n = (size_t)catalog_i64(&r, 0);
    catalog_rows_end(&r);
    catalog_rollback(f->c);
    return n;
}

static void assert_steps(const json_t *receipt)
{
    static const char *const names[] = {"stop", "source", "target", "secrets"};
    const json_t *steps = json_object_get(receipt, "steps");
    assert_int_equal(json_array_size(steps), 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(json_string_value(json_object_get(json_array_get(steps, i), "step")), names[i]);
}

static ledger_record entry_of(fixture *f, const ledger_record *which, bool *ret_found)
{
    err e = ERR_INIT;
    ledger_record l = {.id = 0};
    assert_true(ledger_find_object(f->c, which, &f->a, &l, ret_found, &e));
    return l;
}

/* What was there before the job is kept; what was removed and is made again is the job's again. */
static void test_ledger_tells_whose_an_object_is(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    uint64_t id = 0, again = 0;
    bool found = true;
    job_record r = configured(f, "SYNC");
    ledger_record slot = {.job_id = r.job_id, .run_id = r.job_id, .end = STR("src"), .kind = STR("slot"), .name = STR("s"), .undo = STR("drop s")}, publication = slot;
    publication.kind = STR("publication");
    publication.state = STR("kept");
    publication.last_error = STR("it was there before the task");
    assert_true(catalog_begin(f->c, &e));
    entry_of(f, &slot, &found);
    assert_false(found);
    assert_true(ledger_settle(f->c, &publication, &e));
    assert_true(ledger_intend(f->c, &publication, &id, &e)); /* never taken over by a later intent */
    ledger_record l = entry_of(f, &publication, &found);
    assert_true(found && l.id == id);
    assert_text(l.state, "kept");
    assert_text(l.last_error, "it was there before the task");
    assert_true(ledger_intend(f->c, &slot, &id, &e) && ledger_created(f->c, r.job_id, id, &e));
    assert_text(entry_of(f, &slot, &found).state, "created");
    slot.state = STR("removed");
    assert_true(ledger_settle(f->c, &slot, &e));
    l = entry_of(f, &slot, &found);
    assert_text(l.state, "removed");
    assert_text(l.undo, "drop s");
    assert_true(ledger_intend(f->c, &slot, &again, &e));
    assert_int_equal(again, id);
    assert_text(entry_of(f, &slot, &found).state, "intended");
    catalog_rollback(f->c);
}

static void test_nothing_was_made(void **state)
{
    fixture *f = *state;
    job_record r = configured(f, "SYNC");
    assert_int_equal(secrets(f), 2);
    supervisor *s = start(f);
    delete_job(f, r.job_id);
    json_t *o = await_receipt(f, r.job_id);
    assert_steps(o);
    assert_int_equal(json_array_size(json_object_get(o, "leftovers")), 0);
    json_decref(o);
    supervisor_stop(s, 1000);
    assert_int_equal(secrets(f), 0);
}

/* Many times: a deletion between the supervisor's look at the list and its start of a probe must not bring the job back. */
static void test_running_precheck_is_stopped(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    supervisor *s = start(f);
    for (int i = 0; i < 100; i++) {
        job_record r = configured(f, "MIGRATION");
        assert_true(service_start(f->s, (job_ref){.job_id = r.job_id}, &fault, &e));
        if (i % 4) usleep((useconds_t)(i * 37 % 400));
        delete_job(f, r.job_id);
        json_decref(await_receipt(f, r.job_id));
        assert_gone(f, r.job_id);
    }
    supervisor_stop(s, 1000);
}

/* A probe that dies is a failed precheck with its reason, not a job that hangs. */
static void test_dead_precheck_is_told(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = configured(f, "MIGRATION"), g = r;
    supervisor *s = start(f);
    assert_true(service_start(f->s, (job_ref){.job_id = r.job_id}, &fault, &e));
    for (int waited = 0; waited < DEADLINE_MS && g.state != JOB_STATE_PRECHECK_FAILED; waited += 50) {
        usleep(50000);
        g = get(f, r.job_id);
    }
    assert_int_equal(g.state, JOB_STATE_PRECHECK_FAILED);
    assert_int_not_equal(str_find(g.error_text, STR("no report")), SIZE_MAX);
    supervisor_stop(s, 1000);
}

static void test_unreachable_end_leaves_leftovers(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    ledger_record *list;
    uint32_t n;
    job_record r = configured(f, "SYNC");
    uint64_t rows = add_entry(f, r.job_id, "dest", "rows", "sluice.checkpoint", "DELETE FROM sluice.checkpoint WHERE job_id='x'");
    add_entry(f, r.job_id, "dest", "table", "sluice.chunk", "DROP TABLE IF EXISTS sluice.chunk");
    supervisor *s = start(f);
    delete_job(f, r.job_id);
    json_t *o = await_receipt(f, r.job_id);
    assert_steps(o);
    assert_int_equal(json_array_size(json_object_get(o, "leftovers")), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(o, "leftovers"), 0), "undo")), "DELETE FROM sluice.checkpoint WHERE job_id='x'");
    json_decref(o);
    assert_gone(f, r.job_id);
    assert_true(has_secret(f, r.job_id, "dest"));
    assert_false(has_secret(f, r.job_id, "src"));
    /* It is tried again by itself, with growing waits. */
    uint32_t attempts = 0;
    for (int waited = 0; waited < DEADLINE_MS && attempts < 2; waited += 100) {
        usleep(100000);
        assert_true(service_leftovers(f->s, r.job_id, &f->a, &list, &n, &e));
        assert_int_equal(n, 2);
        attempts = list[0].attempts;
    }
    assert_true(attempts >= 2);
    assert_text(list[0].where, "127.0.0.1:3307");
    assert_true(list[0].last_error.n > 0);
    supervisor_stop(s, 1000);
    /* Forgetting the last one destroys the password. */
    assert_true(service_leftover_act(f->s, rows, "forget", STR(""), STR_NULL, &e));
    assert_true(has_secret(f, r.job_id, "dest"));
    assert_false(service_leftover_act(f->s, rows, "forget", STR(""), STR_NULL, &e));
    assert_int_equal(e.code, ERR_JOB_NOT_FOUND);
    assert_true(service_leftover_act(f->s, rows + 1, "retry", STR("v"), STR("new-planted-S3cret"), &e));
    assert_true(service_leftover_act(f->s, rows + 1, "forget", STR(""), STR_NULL, &e));
    assert_int_equal(secrets(f), 0);
    assert_true(service_leftovers(f->s, STR(""), &f->a, &list, &n, &e));
    assert_int_equal(n, 0);
}

static void test_old_leftover_is_abandoned_not_forgotten(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    ledger_record *list;
    uint32_t n = 0;
    job_record r = configured(f, "SYNC");
    add_entry(f, r.job_id, "dest", "rows", "sluice.checkpoint", "DELETE ...");
    supervisor *s = start(f);
    delete_job(f, r.job_id);
    json_decref(await_receipt(f, r.job_id));
    supervisor_stop(s, 1000);
    f->ahead_us += 8LL * 24 * 3600 * 1000000;
    s = start(f);
    str last = STR("");
    for (int waited = 0; waited < DEADLINE_MS && !str_eq(last, STR("abandoned")); waited += 100) {
        usleep(100000);
        assert_true(service_leftovers(f->s, r.job_id, &f->a, &list, &n, &e));
        assert_int_equal(n, 1);
        last = list[0].state;
    }
    assert_text(last, "abandoned");
    supervisor_stop(s, 1000);
    assert_true(has_secret(f, r.job_id, "dest"));
}

/* A process of its own that deletes the job and dies at the failpoint. */
static void crash_at(fixture *f, str job_id, const char *failpoint)
{
    fixture_close(f);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        err e = ERR_INIT;
        service_fault fault = {0};
        setenv("SLUICE_FAILPOINT", failpoint, 1);
        if (!catalog_open(f->dir, &f->clock, &f->c, &e) || !service_open(f->c, &f->s, &e)) _exit(1);
        supervisor_options o = {.program = "/bin/false", .max_workers = 4, .lanes = 2, .worker_budget_bytes = 64 << 20};
        supervisor *s;
        if (!supervisor_start(f->s, &o, &s, &e) || !service_delete(f->s, (job_ref){.job_id = job_id}, STR(""), STR("k"), &fault, &e)) _exit(2);
        for (int i = 0; i < DEADLINE_MS / 50; i++) usleep(50000);
        _exit(3);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    fixture_open(f);
}

static void test_crash_after_each_step(void **state)
{
    fixture *f = *state;
    static const char *const points[] = {"delete:intent", "delete:stop", "delete:source", "delete:target", "delete:secrets"};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        for (int made = 0; made < 2; made++) { /* without and with something to clean */
            job_record r = configured(f, "SYNC");
            if (made) add_entry(f, r.job_id, "dest", "rows", "sluice.checkpoint", "DELETE ...");
            crash_at(f, r.job_id, points[i]);
            assert_gone(f, r.job_id); /* the intent was durable */
            supervisor *s = start(f);
            json_t *o = await_receipt(f, r.job_id);
            assert_steps(o);
            assert_int_equal(json_array_size(json_object_get(o, "leftovers")), made);
            json_decref(o);
            supervisor_stop(s, 1000);
            assert_false(has_secret(f, r.job_id, "src"));
            assert_int_equal(has_secret(f, r.job_id, "dest"), made);
        }
    }
}

static void test_reset_cleans_the_old_run(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    deletion_record d;
    bool found = false;
    ledger_record *list;
    uint32_t n = 0;
    job_record r = configured(f, "SYNC"), again;
    add_entry(f, r.job_id, "dest", "rows", "sluice.checkpoint", "DELETE ...");
    supervisor *s = start(f);
    assert_true(service_reset(f->s, (job_ref){.job_id = r.job_id}, &fault, &e));
    configure_request q = request_for(r.job_id, "SYNC");
    assert_true(service_configure(f->s, &q, &f->a, &again, &fault, &e)); /* it may be configured at once */
    for (int waited = 0; waited < DEADLINE_MS; waited += 50) {
        assert_true(catalog_begin(f->c, &e));
        assert_true(deletion_find(f->c, r.job_id, &f->a, &d, &found, &e));
        catalog_rollback(f->c);
        if (found && d.finished_us) break;
        usleep(50000);
    }
    supervisor_stop(s, 1000);
    assert_true(found && d.finished_us);
    assert_text(d.kind, "reset");
    assert_state(f, r.job_id, JOB_STATE_NOT_STARTED);
    assert_true(service_leftovers(f->s, r.job_id, &f->a, &list, &n, &e));
    assert_int_equal(n, 1);
    delete_job(f, r.job_id); /* the second run has a deletion of its own; its receipt lists what the first one left */
    s = start(f);
    json_t *o = await_receipt(f, r.job_id);
    assert_int_equal(json_array_size(json_object_get(o, "leftovers")), 1);
    json_decref(o);
    supervisor_stop(s, 1000);
    assert_true(service_leftover_act(f->s, list[0].id, "forget", STR(""), STR_NULL, &e));
    o = receipt_of(f, r.job_id);
    assert_int_equal(json_array_size(json_object_get(o, "leftovers")), 0);
    json_decref(o);
}

/* A job that is deleted while the clean-up of its reset is under way: the receipt is finished when both are. */
static void test_delete_waits_for_the_reset(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    deletion_record d;
    bool found = false;
    job_record r = configured(f, "SYNC");
    add_entry(f, r.job_id, "dest", "rows", "sluice.checkpoint", "DELETE ..."); /* a probe is started for it: slower than the second run, which made nothing */
    assert_true(service_reset(f->s, (job_ref){.job_id = r.job_id}, &fault, &e));
    delete_job(f, r.job_id);
    supervisor *s = start(f);
    json_t *o = await_receipt(f, r.job_id);
    assert_true(catalog_begin(f->c, &e));
    assert_true(deletion_find(f->c, r.job_id, &f->a, &d, &found, &e));
    catalog_rollback(f->c);
    assert_true(found && d.finished_us);
    assert_text(d.kind, "reset");
    assert_int_equal(json_array_size(json_object_get(o, "leftovers")), 1);
    json_decref(o);
    supervisor_stop(s, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ledger_tells_whose_an_object_is), TEST(test_nothing_was_made), TEST(test_running_precheck_is_stopped), TEST(test_dead_precheck_is_told),
        TEST(test_unreachable_end_leaves_leftovers),
        TEST(test_old_leftover_is_abandoned_not_forgotten), TEST(test_crash_after_each_step), TEST(test_reset_cleans_the_old_run), TEST(test_delete_waits_for_the_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
