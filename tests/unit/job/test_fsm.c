/* Walks the state machine: every state is reached, every event is answered in every state, docs/STATES.md is what the table says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../docs_page.h"
#include "job/fsm.h"

static const job_type types[] = {JOB_MIGRATION, JOB_SYNC};

static void reach(job_type type, bool seen[JOB_STATE_COUNT])
{
    seen[JOB_STATE_NOT_CONFIGURED] = true;
    for (bool more = true; more;) {
        more = false;
        for (unsigned from = 0; from < JOB_STATE_COUNT; from++)
            for (unsigned event = 0; seen[from] && event < EVENT_COUNT; event++) {
                job_state to;
                if (!fsm_next((job_state)from, (job_event)event, type, &to) || seen[to]) continue;
                seen[to] = more = true;
            }
    }
}

static void test_every_state_is_reached(void **state)
{
    (void)state;
    static const job_state only_migration[] = {JOB_STATE_MIGRATING, JOB_STATE_MIGRATION_FAILED};
    static const job_state only_sync[] = {JOB_STATE_INITIALIZING, JOB_STATE_INITIALIZE_FAILED, JOB_STATE_SYNCHRONIZING, JOB_STATE_FAILED};
    bool seen[2][JOB_STATE_COUNT] = {{false}, {false}};
    for (int t = 0; t < 2; t++) reach(types[t], seen[t]);
    for (unsigned s = 0; s < JOB_STATE_COUNT; s++)
        if (!seen[0][s] && !seen[1][s]) fail_msg("nothing leads to %s", job_state_text((job_state)s));
    for (size_t i = 0; i < 2; i++) assert_false(seen[1][only_migration[i]]);
    for (size_t i = 0; i < 4; i++) assert_false(seen[0][only_sync[i]]);
}

static void test_every_event_is_answered(void **state)
{
    (void)state;
    for (int t = 0; t < 2; t++)
        for (unsigned from = 0; from < JOB_STATE_COUNT; from++)
            for (unsigned event = 0; event < EVENT_COUNT; event++) {
                job_record r = {.job_id = STR("abc"), .type = types[t], .state = (job_state)from, .generation = 7};
                err e = ERR_INIT;
                job_state to = JOB_STATE_COUNT;
                bool allowed = fsm_next((job_state)from, (job_event)event, types[t], &to);
                assert_int_equal(fsm_apply(&r, (job_event)event, &e), allowed);
                if (allowed) {
                    assert_int_equal(r.state, to);
                    assert_int_equal(r.generation, to == from ? 7 : 8);
                } else {
                    assert_int_equal(e.code, ERR_JOB_STATE);
                    assert_int_equal(r.state, from);
                    assert_int_equal(r.generation, 7);
                    assert_non_null(strstr(e.text, job_state_text((job_state)from)));
                    assert_non_null(strstr(e.text, fsm_event_name((job_event)event)));
                }
            }
}

/* A state of a kind of job that nothing leads to is of no interest. */
static bool of_kind(job_type type, unsigned s)
{
    bool seen[JOB_STATE_COUNT] = {false};
    reach(type, seen);
    return seen[s];
}

/* What the API reference says of operations (3.3). */
static void test_operations(void **state)
{
    (void)state;
    job_state to;
    for (int t = 0; t < 2; t++)
        for (unsigned s = 1; s < JOB_STATE_COUNT; s++) {
            if (!of_kind(types[t], s)) continue;
            assert_true(fsm_next((job_state)s, EVENT_STOP, types[t], &to));
            assert_int_equal(to, JOB_STATE_FINISHED);
            assert_int_equal(fsm_next((job_state)s, EVENT_RESET, types[t], &to), types[t] == JOB_SYNC);
            bool before_start = s == JOB_STATE_NOT_STARTED || s == JOB_STATE_PRECHECK_FAILED || s == JOB_STATE_PRECHECK_PASS;
            assert_int_equal(fsm_next((job_state)s, EVENT_CONFIGURE, types[t], &to), before_start);
            bool can_suspend = fsm_wants_worker((job_state)s) || fsm_wants_precheck((job_state)s) || s == JOB_STATE_SUSPENDING;
            assert_int_equal(fsm_next((job_state)s, EVENT_SUSPEND, types[t], &to), can_suspend);
        }
    assert_false(fsm_next(JOB_STATE_NOT_CONFIGURED, EVENT_START_CHECK, JOB_SYNC, &to));
    assert_false(fsm_next(JOB_STATE_NOT_CONFIGURED, EVENT_STOP, JOB_SYNC, &to));
    assert_false(fsm_next(JOB_STATE_FINISHED, EVENT_START_STREAM, JOB_SYNC, &to));
    assert_false(fsm_next(JOB_STATE_FINISHED, EVENT_START_INIT, JOB_MIGRATION, &to));
}

/* A started job always has an answer to StartDtsJob, whatever way it had come. */
static void test_start_resumes_where_it_was(void **state)
{
    (void)state;
    static const struct {
        job_type type;
        job_state from;
        bool checked, streamed;
        job_state to;
    } cases[] = {
        {JOB_MIGRATION, JOB_STATE_NOT_STARTED, false, false, JOB_STATE_PRECHECKING},
        {JOB_MIGRATION, JOB_STATE_PRECHECK_FAILED, false, false, JOB_STATE_PRECHECKING},
        {JOB_MIGRATION, JOB_STATE_PRECHECK_PASS, true, false, JOB_STATE_MIGRATING},
        {JOB_MIGRATION, JOB_STATE_SUSPENDING, false, false, JOB_STATE_PRECHECKING},
        {JOB_MIGRATION, JOB_STATE_SUSPENDING, true, true, JOB_STATE_MIGRATING},
        {JOB_MIGRATION, JOB_STATE_MIGRATION_FAILED, true, true, JOB_STATE_MIGRATING},
        {JOB_MIGRATION, JOB_STATE_RETRYING, true, true, JOB_STATE_RETRYING},
        {JOB_SYNC, JOB_STATE_PRECHECK_PASS, true, false, JOB_STATE_INITIALIZING},
        {JOB_SYNC, JOB_STATE_SUSPENDING, true, false, JOB_STATE_INITIALIZING},
        {JOB_SYNC, JOB_STATE_SUSPENDING, true, true, JOB_STATE_SYNCHRONIZING},
        {JOB_SYNC, JOB_STATE_INITIALIZE_FAILED, true, false, JOB_STATE_INITIALIZING},
        {JOB_SYNC, JOB_STATE_FAILED, true, true, JOB_STATE_SYNCHRONIZING},
        {JOB_SYNC, JOB_STATE_SYNCHRONIZING, true, true, JOB_STATE_SYNCHRONIZING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err e = ERR_INIT;
        job_record r = {.job_id = STR("abc"), .type = cases[i].type, .state = cases[i].from};
        if (cases[i].checked) r.precheck.status = STR("Finished");
        if (cases[i].streamed) r.stream.started_us = 1;
        if (!fsm_apply(&r, fsm_start_event(&r), &e)) fail_msg("case %zu: %s", i, e.text);
        assert_int_equal(r.state, cases[i].to);
    }
}

static const char *answer(job_state from, job_event e, job_type type)
{
    job_state to;
    return fsm_next(from, e, type, &to) ? job_state_text(to) : "refused";
}

/* StartDtsJob has variants by how far the job has come: the ones that this state can be in. */
static void add_start(buf *b, job_state s, job_type type)
{
    static const job_event starts[] = {EVENT_START_CHECK, EVENT_START_INIT, EVENT_START_STREAM};
    const char *told[3] = {NULL, NULL, NULL};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        job_state to;
        if (!fsm_next(s, starts[i], type, &to)) continue;
        bool known = false;
        for (size_t k = 0; k < n; k++) known = known || told[k] == job_state_text(to);
        if (!known) told[n++] = job_state_text(to);
    }
    if (n == 0) buf_add_c(b, "refused");
    for (size_t i = 0; i < n; i++) buf_printf(b, "%s%s", i ? " or " : "", told[i]);
}

static void print_page(buf *b)
{
    buf_add_c(b, "# States of a job\n\nPrinted from the table `src/job/fsm.def` by its test (`SLUICE_UPDATE_DOCS=1` rewrites this page). What a state\n"
                 "refuses is answered with HTTP 403 `InvalidJobStatus` (ConfigureDtsJob: `UpdateJob.OperationDenied.InitStatus`).\n"
                 "DeleteDtsJob is allowed in every state. A start goes back to where the job was: a state with two answers remembers\n"
                 "whether the precheck had passed and whether the stream had begun.\n\n```mermaid\n");
    fsm_diagram(b);
    buf_add_c(b, "```\n");
    for (int t = 0; t < 2; t++) {
        buf_printf(b, "\n## %s jobs\n\n| State | ConfigureDtsJob | StartDtsJob | SuspendDtsJob | StopDtsJob | ResetDtsJob |\n|---|---|---|---|---|---|\n",
                   types[t] == JOB_SYNC ? "SYNC" : "MIGRATION");
        for (unsigned i = 0; i < JOB_STATE_COUNT; i++) {
            job_state s = (job_state)i;
            if (!of_kind(types[t], i)) continue;
            buf_printf(b, "| %s | %s | ", job_state_text(s), answer(s, EVENT_CONFIGURE, types[t]));
            add_start(b, s, types[t]);
            buf_printf(b, " | %s | %s | %s |\n", answer(s, EVENT_SUSPEND, types[t]), answer(s, EVENT_STOP, types[t]), answer(s, EVENT_RESET, types[t]));
        }
    }
}

static void test_page_says_what_the_table_says(void **state)
{
    (void)state;
    docs_check_page("STATES.md", print_page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state_is_reached),
        cmocka_unit_test(test_every_event_is_answered),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_start_resumes_where_it_was),
        cmocka_unit_test(test_page_says_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
