/* What the API can ask of jobs, without a database: creating, configuring, steering, listing, deleting, and where passwords may not be. */
#include "service_fixture.h"

#include "base/file.h"
#include "catalog/deletion.h"
#include "catalog/jobs.h"

static void test_buy_first_starts_by_itself(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = create(f, "SYNC");
    assert_int_equal(r.job_id.n, JOB_ID_CHARS);
    assert_true(str_starts_with(r.instance_id, STR("dts")));
    assert_state(f, r.job_id, JOB_STATE_NOT_CONFIGURED);
    configure_request q = request_for(STR(""), "SYNC");
    q.ref = (job_ref){.instance_id = r.instance_id};
    q.reserve = STR("{\"targetTableMode\":2,\"srcSSL\":\"1\",\"maxRetryTime\":\"600\",\"vpcId\":\"x\","
                    "\"fullDynamicConfig\":{\"dts.datamove.source.rps.max\":\"500\"}}");
    assert_true(service_configure(f->s, &q, &f->a, &r, &fault, &e));
    job_record g = get(f, r.job_id);
    assert_int_equal(g.state, JOB_STATE_PRECHECKING);
    assert_true(g.run_wanted && g.purchased && g.configured);
    assert_text(g.db_list, ALL_OF_SHOP);
    assert_true(str_eq(g.reserve, q.reserve));
    assert_text(g.source.ssl, "1");
    assert_text(g.limits, "{\"03\":{\"rps\":500,\"bps\":-1,\"qps\":-1}}");
    assert_true(g.source.has_password && g.target.has_password);
}

static void test_configure_first_waits(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r, bought;
    configure_request q = request_for(STR(""), "MIGRATION");
    q.reserve = STR("");
    assert_true(service_configure(f->s, &q, &f->a, &r, &fault, &e));
    assert_state(f, r.job_id, JOB_STATE_NOT_STARTED);
    assert_true(service_start(f->s, (job_ref){.job_id = r.job_id}, &fault, &e));
    job_record g = get(f, r.job_id);
    assert_int_equal(g.state, JOB_STATE_PRECHECKING);
    assert_false(g.run_wanted || g.purchased); /* the precheck alone */
    create_request buy = {.job_id = r.job_id, .auto_start = true};
    assert_true(service_create(f->s, &buy, &f->a, &bought, &fault, &e));
    assert_true(str_eq(bought.instance_id, r.instance_id));
    g = get(f, r.job_id);
    assert_true(g.run_wanted && g.purchased);
    buy.job_id = STR("nosuchjob000000");
    assert_false(service_create(f->s, &buy, &f->a, &bought, &fault, &e));
    assert_int_equal(e.code, ERR_JOB_NOT_FOUND);
}

typedef void spoil_fn(configure_request *q);
static void no_stage(configure_request *q) { q->schema = q->full = q->incremental = false; }
static void no_stream(configure_request *q) { q->incremental = false; }
static void oracle(configure_request *q) { q->source.engine_name = STR("ORACLE"); }
static void kafka(configure_request *q) { q->target.engine_name = STR("KAFKA"); }
static void no_host(configure_request *q) { q->source.host = STR(""); }
static void socket_path(configure_request *q) { q->target.host = STR("/run/mysqld.sock"); }
static void bad_port(configure_request *q) { q->target.port = STR("70000"); }
static void metadata(configure_request *q) { q->source.host = STR("169.254.169.254"); }
static void mapped(configure_request *q) { q->source.host = STR("::ffff:169.254.169.254"); }
static void link_local(configure_request *q) { q->source.host = STR("fe80::1"); }
static void bad_list(configure_request *q) { q->db_list = STR("{\"a\":1}"); }
static void no_list(configure_request *q) { q->db_list = STR(""); }
static void bad_reserve(configure_request *q) { q->reserve = STR("[]"); }
static void table_mode(configure_request *q) { q->reserve = STR("{\"targetTableMode\":\"1\"}"); }
static void lanes(configure_request *q) { q->reserve = STR("{\"sluice.lanes\":33}"); }
static void rights(configure_request *q) { q->reserve = STR("{\"privilegeMigration\":\"all\"}"); }
static void two_way(configure_request *q) { q->reserve = STR("{\"syncArchitecture\":\"bidirectional\"}"); }
static void retry_time(configure_request *q) { q->reserve = STR("{\"maxRetryTime\":\"soon\"}"); }
static void limit(configure_request *q) { q->reserve = STR("{\"incDynamicConfig\":{\"dts.datamove.source.bps.max\":true}}"); }
static void reverse(configure_request *q) { q->ref.direction = STR("Reverse"); }
static void no_name(configure_request *q) { q->name = STR(""); }
static void other_type(configure_request *q) { q->type = STR("MIGRATION"); }
static void tracking(configure_request *q) { q->type = STR("SUBSCRIBE"); }

static void test_bad_configurations(void **state)
{
    fixture *f = *state;
    static const struct {
        spoil_fn *spoil;
        err_code code;
        const char *param;
    } bad[] = {
        {no_stage, ERR_BAD_INPUT, "DataSynchronization"}, {no_stream, ERR_BAD_INPUT, "DataSynchronization"}, {oracle, ERR_NOT_SUPPORTED, "SourceEndpointEngineName"},
        {kafka, ERR_NOT_SUPPORTED, "DestinationEndpointEngineName"}, {no_host, ERR_BAD_INPUT, "SourceEndpointIP"}, {socket_path, ERR_BAD_INPUT, "DestinationEndpointIP"},
        {bad_port, ERR_BAD_INPUT, "DestinationEndpointPort"}, {metadata, ERR_ADDRESS_REFUSED, "SourceEndpointIP"}, {mapped, ERR_ADDRESS_REFUSED, "SourceEndpointIP"},
        {link_local, ERR_ADDRESS_REFUSED, "SourceEndpointIP"}, {bad_list, ERR_BAD_INPUT, "DbList"}, {no_list, ERR_BAD_INPUT, "DbList"}, {bad_reserve, ERR_BAD_INPUT, "Reserve"},
        {table_mode, ERR_BAD_INPUT, "Reserve"}, {lanes, ERR_BAD_INPUT, "Reserve"}, {rights, ERR_BAD_INPUT, "Reserve"}, {two_way, ERR_BAD_INPUT, "Reserve"}, {retry_time, ERR_BAD_INPUT, "Reserve"},
        {limit, ERR_BAD_INPUT, "Reserve"}, {reverse, ERR_BAD_INPUT, "SynchronizationDirection"}, {no_name, ERR_BAD_INPUT, "DtsJobName"},
        {other_type, ERR_DISAGREE, "JobType"}, {tracking, ERR_NOT_SUPPORTED, "JobType"},
    };
    job_record job = create(f, "SYNC"), r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err e = ERR_INIT;
        service_fault fault = {0};
        configure_request q = request_for(job.job_id, "SYNC");
        bad[i].spoil(&q);
        if (service_configure(f->s, &q, &f->a, &r, &fault, &e)) fail_msg("case %zu was accepted", i);
        if (e.code != bad[i].code || !str_eq(fault.param, str_from_c(bad[i].param))) fail_msg("case %zu: %s, %.*s: %s", i, err_name(e.code), STR_ARG(fault.param), e.text);
        assert_state(f, job.job_id, JOB_STATE_NOT_CONFIGURED);
    }
}

static void test_client_token(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record first, again, other;
    create_request q = {.type = STR("SYNC"), .client_token = STR("t1")};
    assert_true(service_create(f->s, &q, &f->a, &first, &fault, &e));
    assert_true(service_create(f->s, &q, &f->a, &again, &fault, &e));
    assert_true(str_eq(first.job_id, again.job_id));
    q.client_token = STR("t2");
    assert_true(service_create(f->s, &q, &f->a, &other, &fault, &e));
    assert_false(str_eq(first.job_id, other.job_id));
}

static void test_ids(void **state)
{
    fixture *f = *state;
    job_record a = configured(f, "SYNC"), b = configured(f, "SYNC");
    const struct {
        job_ref ref;
        err_code code;
        const char *param;
    } cases[] = {
        {{.job_id = a.job_id}, ERR_NONE, ""}, {{.instance_id = a.instance_id}, ERR_NONE, ""}, {{.job_id = a.job_id, .instance_id = a.instance_id}, ERR_NONE, ""},
        {{.job_id = a.job_id, .direction = STR("forward")}, ERR_NONE, ""}, {{.job_id = a.job_id, .instance_id = b.instance_id}, ERR_DISAGREE, "DtsInstanceId"},
        {{.job_id = STR("x")}, ERR_JOB_NOT_FOUND, "DtsJobId"}, {{.instance_id = STR("dtsx")}, ERR_JOB_NOT_FOUND, "DtsInstanceId"},
        {{.job_id = a.job_id, .direction = STR("Reverse")}, ERR_BAD_INPUT, "SynchronizationDirection"},
        {{.job_id = a.job_id, .direction = STR("Up")}, ERR_BAD_INPUT, "SynchronizationDirection"}, {{.direction = STR("")}, ERR_BAD_INPUT, "DtsJobId"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err e = ERR_INIT;
        service_fault fault = {0};
        job_record r;
        bool ok = service_get(f->s, cases[i].ref, &f->a, &r, &fault, &e);
        if (ok != (cases[i].code == ERR_NONE) || e.code != cases[i].code || !str_eq(fault.param, str_from_c(cases[i].param)))
            fail_msg("case %zu: %s, %.*s", i, err_name(e.code), STR_ARG(fault.param));
    }
}

static void test_steering(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = configured(f, "SYNC");
    job_ref ref = {.job_id = r.job_id};
    assert_false(service_suspend(f->s, ref, &fault, &e));
    assert_int_equal(e.code, ERR_JOB_STATE);
    assert_text(fault.api_code, "InvalidJobStatus");
    assert_true(service_start(f->s, ref, &fault, &e));
    assert_state(f, r.job_id, JOB_STATE_PRECHECKING);
    uint64_t generation = get(f, r.job_id).generation;
    assert_true(service_start(f->s, ref, &fault, &e)); /* a repeat changes nothing */
    assert_int_equal(get(f, r.job_id).generation, generation);
    assert_true(service_suspend(f->s, ref, &fault, &e));
    assert_true(service_suspend(f->s, ref, &fault, &e));
    assert_state(f, r.job_id, JOB_STATE_SUSPENDING);
    configure_request q = request_for(r.job_id, "SYNC");
    assert_false(service_configure(f->s, &q, &f->a, &r, &fault, &e));
    assert_text(fault.api_code, "UpdateJob.OperationDenied.InitStatus");
    assert_true(service_stop(f->s, ref, &fault, &e));
    assert_true(service_stop(f->s, ref, &fault, &e));
    assert_state(f, ref.job_id, JOB_STATE_FINISHED);
    assert_false(service_start(f->s, ref, &fault, &e));
    assert_true(service_reset(f->s, ref, &fault, &e));
    r = get(f, ref.job_id);
    assert_int_equal(r.state, JOB_STATE_NOT_CONFIGURED);
    assert_int_equal(r.run, 2);
    assert_text(job_run_id(&r, &f->a), arena_printf(&f->a, "%.*s-2", STR_ARG(r.job_id)).p);
    assert_false(r.configured || r.db_list.n || r.target.host.n);
    assert_true(service_reset(f->s, ref, &fault, &e));
    assert_int_equal(get(f, ref.job_id).run, 2);
    job_record m = configured(f, "MIGRATION");
    assert_false(service_reset(f->s, (job_ref){.job_id = m.job_id}, &fault, &e));
    assert_int_equal(e.code, ERR_JOB_STATE);
}

static void test_many_is_all_or_nothing(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    str ids[3] = {configured(f, "SYNC").job_id, configured(f, "MIGRATION").job_id, STR("nosuchjob000000")};
    assert_false(service_many(f->s, "start", ids, 3, STR("k"), &fault, &e));
    assert_text(fault.param, "DtsJobIds");
    assert_non_null(strstr(e.text, "nosuchjob"));
    assert_state(f, ids[0], JOB_STATE_NOT_STARTED);
    assert_true(service_many(f->s, "start", ids, 2, STR("k"), &fault, &e));
    assert_state(f, ids[1], JOB_STATE_PRECHECKING);
    assert_false(service_many(f->s, "delete", ids, 3, STR("k"), &fault, &e));
    assert_state(f, ids[0], JOB_STATE_PRECHECKING);
    assert_true(service_many(f->s, "delete", ids, 2, STR("k"), &fault, &e));
    assert_gone(f, ids[0]);
    assert_true(service_many(f->s, "delete", ids, 2, STR("k"), &fault, &e)); /* a lost answer */
    assert_false(service_many(f->s, "delete", ids, 2, STR("other key"), &fault, &e));
}

static void test_limits(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = configured(f, "SYNC");
    job_ref ref = {.job_id = r.job_id};
    assert_true(service_set_limits(f->s, ref, STR("07"), true, STR("{\"dts.datamove.source.rps.max\":100,\"dts.datamove.source.bps.max\":\"-1\"}"), &fault, &e));
    job_record g = get(f, r.job_id);
    assert_text(g.limits, "{\"04\":{\"rps\":100,\"bps\":-1,\"qps\":-1}}");
    assert_int_equal(g.limits_version, r.limits_version + 1);
    assert_true(service_set_limits(f->s, ref, STR("04"), false, STR(""), &fault, &e));
    assert_text(get(f, r.job_id).limits, "{\"04\":{\"rps\":-1,\"bps\":-1,\"qps\":-1}}");
    assert_false(service_set_limits(f->s, ref, STR("01"), true, STR("{}"), &fault, &e));
    assert_text(fault.param, "JobCode");
    assert_false(service_set_limits(f->s, ref, STR("03"), true, STR("{\"dts.datamove.source.rps.max\":-7}"), &fault, &e));
    assert_text(fault.param, "ConfigList");
}

static void test_change_endpoint(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = configured(f, "SYNC");
    job_ref ref = {.job_id = r.job_id};
    endpoint_request q = {.port = STR("4000"), .password = STR("another-planted-S3cret")};
    assert_true(service_change_endpoint(f->s, ref, STR("dest"), &q, &fault, &e));
    job_record g = get(f, r.job_id);
    assert_text(g.target.port, "4000");
    assert_text(g.target.host, "127.0.0.1");
    assert_text(g.source.port, "3306");
    assert_int_equal(g.config_version, r.config_version + 1);
    q.port = STR("x");
    assert_false(service_change_endpoint(f->s, ref, STR("src"), &q, &fault, &e));
    assert_text(fault.param, "EndpointPort");
    assert_false(service_change_endpoint(f->s, ref, STR("middle"), &q, &fault, &e));
    assert_text(fault.param, "Endpoint");
}

static void test_skip(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = configured(f, "SYNC");
    precheck_record *list;
    uint32_t n;
    str items[] = {STR("CHECK_DEST_TABLE_EMPTY"), STR("CHECK_CONN_SRC"), STR("CHECK_NOTHING")};
    for (int i = 1; i < 3; i++) {
        assert_false(service_skip_precheck(f->s, (job_ref){.job_id = r.job_id}, &items[i], 1, true, &fault, &e));
        assert_int_equal(e.code, ERR_BAD_INPUT);
    }
    assert_true(service_skip_precheck(f->s, (job_ref){.job_id = r.job_id}, items, 1, true, &fault, &e));
    assert_true(service_prechecks(f->s, r.job_id, &f->a, &list, &n, &e));
    assert_int_equal(n, 1);
    assert_true(list[0].skipped && list[0].can_skip);
    assert_state(f, r.job_id, JOB_STATE_NOT_STARTED); /* nothing was asked to run yet */
}

static void test_skip_goes_on(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = configured(f, "SYNC");
    str item = STR("CHECK_KEYS");
    assert_true(service_start(f->s, (job_ref){.job_id = r.job_id}, &fault, &e));
    bool wanted = get(f, r.job_id).run_wanted;
    for (int i = 0; i < 2; i++) {
        r = get(f, r.job_id);
        r.state = JOB_STATE_PRECHECK_FAILED;
        assert_true(catalog_begin(f->c, &e) && jobs_save(f->c, &r, &e) && catalog_commit(f->c, &e));
        assert_true(service_skip_precheck(f->s, (job_ref){.job_id = r.job_id}, &item, 1, i == 1, &fault, &e));
        assert_state(f, r.job_id, i == 1 ? JOB_STATE_PRECHECKING : JOB_STATE_PRECHECK_FAILED);
        assert_int_equal(get(f, r.job_id).run_wanted, wanted);
    }
}

static void test_list(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    job_record *list, jobs[5];
    uint32_t n, total;
    for (int i = 0; i < 5; i++) {
        jobs[i] = configured(f, i < 4 ? "MIGRATION" : "SYNC");
        f->ahead_us += 1000;
    }
    list_request q = {.page_number = 2, .page_size = 3};
    assert_true(service_list(f->s, &q, &f->a, &list, &n, &total, &e));
    assert_int_equal(total, 4);
    assert_int_equal(n, 1);
    assert_true(str_eq(list[0].job_id, jobs[3].job_id));
    q = (list_request){.type = STR("sync"), .page_number = 1, .page_size = 30};
    assert_true(service_list(f->s, &q, &f->a, &list, &n, &total, &e));
    assert_int_equal(n, 1);
    str ids[2] = {jobs[1].job_id, STR("it's \"quoted\"")};
    q = (list_request){.job_ids = ids, .job_id_count = 2, .page_number = 1, .page_size = 30, .descending = true};
    assert_true(service_list(f->s, &q, &f->a, &list, &n, &total, &e));
    assert_int_equal(n, 1);
    assert_true(str_eq(list[0].job_id, jobs[1].job_id));
    q = (list_request){.name_part = STR("A JO"), .status = STR("notstarted"), .source_host = STR("127.0.0.1"), .page_number = 1, .page_size = 30, .descending = true};
    assert_true(service_list(f->s, &q, &f->a, &list, &n, &total, &e));
    assert_int_equal(n, 4);
    assert_true(str_eq(list[0].job_id, jobs[3].job_id));
    q.status = STR("Migrating");
    assert_true(service_list(f->s, &q, &f->a, &list, &n, &total, &e));
    assert_int_equal(n, 0);
}

static void test_delete_contract(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    str receipt;
    job_record r = configured(f, "SYNC"), other = configured(f, "SYNC");
    job_ref ref = {.job_id = r.job_id};
    assert_false(service_receipt(f->s, ref, &f->a, &receipt, &e));
    assert_int_equal(e.code, ERR_JOB_NOT_FOUND);
    assert_false(service_delete(f->s, (job_ref){.job_id = r.job_id, .direction = STR("Reverse")}, STR(""), STR("k"), &fault, &e));
    assert_text(fault.param, "SynchronizationDirection");
    assert_false(service_delete(f->s, ref, STR("MIGRATION"), STR("k"), &fault, &e));
    assert_text(fault.param, "JobType");
    assert_false(service_delete(f->s, (job_ref){.job_id = r.job_id, .instance_id = other.instance_id}, STR(""), STR("k"), &fault, &e));
    assert_text(fault.param, "DtsInstanceId");
    assert_state(f, r.job_id, JOB_STATE_NOT_STARTED);
    assert_true(service_delete(f->s, (job_ref){.instance_id = r.instance_id}, STR("SYNC"), STR("k"), &fault, &e));
    assert_gone(f, r.job_id);
    assert_true(service_delete(f->s, ref, STR(""), STR("k"), &fault, &e));
    assert_false(service_delete(f->s, ref, STR(""), STR("somebody else"), &fault, &e));
    assert_int_equal(e.code, ERR_JOB_NOT_FOUND);
    assert_true(service_receipt(f->s, ref, &f->a, &receipt, &e));
    assert_int_not_equal(str_find(receipt, r.job_id), SIZE_MAX);
    f->ahead_us += 601LL * 1000000;
    assert_false(service_delete(f->s, ref, STR(""), STR("k"), &fault, &e));
    assert_int_equal(e.code, ERR_JOB_NOT_FOUND);
    assert_state(f, other.job_id, JOB_STATE_NOT_STARTED);
}

static void test_secrets_of_reserve_are_not_kept(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *given, *kept;
    } rows[] = {
        {"", ""},
        {"{\"a\": \"b\"}", "{\"a\": \"b\"}"},
        {"{\"a\":1,\"srcPassword\":\"x\"}", "{\"a\":1}"},
        {"{\"l\":[{\"AccessKeySecret\":\"x\",\"k\":2}],\"o\":{\"TOKEN\":\"x\"},\"Credential\":{\"n\":1}}", "{\"l\":[{\"k\":2}],\"o\":{}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err e = ERR_INIT;
        service_fault fault = {0};
        job_record r;
        configure_request q = request_for(STR(""), "SYNC");
        q.reserve = str_from_c(rows[i].given);
        assert_true(service_configure(f->s, &q, &f->a, &r, &fault, &e));
        assert_text(get(f, r.job_id).reserve, rows[i].kept);
    }
}

static void assert_file_lacks(fixture *f, const char *name, str password)
{
    char path[128];
    str bytes;
    err e = ERR_INIT;
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    if (access(path, F_OK) != 0) return;
    assert_true(file_read(path, 64 << 20, &f->a, &bytes, &e));
    if (str_find(bytes, password) != SIZE_MAX) fail_msg("%s holds %.*s", name, STR_ARG(password));
}

static void test_passwords_are_nowhere(void **state)
{
    fixture *f = *state;
    err e = ERR_INIT;
    service_fault fault = {0};
    job_record r = configured(f, "SYNC");
    str receipt;
    log_record *log;
    uint32_t n, total;
    static const str planted[] = {{SOURCE_PASSWORD, sizeof SOURCE_PASSWORD - 1}, {TARGET_PASSWORD, sizeof TARGET_PASSWORD - 1}};
    assert_true(service_start(f->s, (job_ref){.job_id = r.job_id}, &fault, &e));
    assert_true(service_log(f->s, r.job_id, 0, 0, STR(""), 1, 100, &f->a, &log, &n, &total, &e));
    assert_true(n >= 2);
    for (uint32_t i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) assert_int_equal(str_find(log[i].text, planted[k]), SIZE_MAX);
    assert_true(service_delete(f->s, (job_ref){.job_id = r.job_id}, STR(""), STR("k"), &fault, &e));
    assert_true(service_receipt(f->s, (job_ref){.job_id = r.job_id}, &f->a, &receipt, &e));
    for (int k = 0; k < 2; k++) {
        assert_int_equal(str_find(receipt, planted[k]), SIZE_MAX);
        assert_file_lacks(f, "sluice.db", planted[k]);
        assert_file_lacks(f, "sluice.db-wal", planted[k]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_buy_first_starts_by_itself), TEST(test_configure_first_waits), TEST(test_bad_configurations), TEST(test_client_token), TEST(test_ids),
        TEST(test_steering), TEST(test_many_is_all_or_nothing), TEST(test_limits), TEST(test_change_endpoint), TEST(test_skip), TEST(test_skip_goes_on), TEST(test_list),
        TEST(test_delete_contract), TEST(test_secrets_of_reserve_are_not_kept), TEST(test_passwords_are_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
