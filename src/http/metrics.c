/* Writing the metrics page. */
#include "http/metrics.h"

#include "base/buf.h"

static const struct {
    const char *name, *type, *help;
} metrics[] = {
#define METRIC(symbol, name, type, labels, help) {name, type, help},
#include "http/metrics.def"
#undef METRIC
};

enum {
#define METRIC(symbol, name, type, labels, help) METRIC_##symbol,
#include "http/metrics.def"
#undef METRIC
};

static int64_t started_us;

static void head(buf *b, int metric)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", metrics[metric].name, metrics[metric].help, metrics[metric].name, metrics[metric].type);
}

static void add_count(void *ctx, const char *action, const char *code, uint64_t count)
{
    buf_printf(ctx, "%s{action=\"%s\",code=\"%s\"} %llu\n", metrics[METRIC_API_REQUESTS].name, action, code, (unsigned long long)count);
}

#define METRICS_MAX_JOBS 500

static bool list_jobs(service *s, arena *mem, job_record **ret, uint32_t *ret_count, err *e)
{
    static const char *const types[] = {"MIGRATION", "SYNC"};
    job_record *all = arena_array(mem, METRICS_MAX_JOBS * 2, sizeof *all);
    if (!all) return err_no_memory(e, "the metrics page");
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        job_record *part = NULL;
        uint32_t count = 0, total = 0;
        list_request r = {.type = str_from_c(types[i]), .page_number = 1, .page_size = METRICS_MAX_JOBS};
        if (!service_list(s, &r, mem, &part, &count, &total, e)) return false;
        for (uint32_t k = 0; k < count; k++) all[n++] = part[k];
    }
    *ret = all;
    *ret_count = n;
    return true;
}

static void job_line(buf *b, int metric, const job_record *j, double value)
{
    buf_printf(b, "%s{job=\"%.*s\"} %.3f\n", metrics[metric].name, STR_ARG(j->job_id), value);
}

static void add_jobs(buf *b, const job_record *jobs, uint32_t n)
{
    uint64_t by_state[JOB_STATE_COUNT] = {0};
    for (uint32_t i = 0; i < n; i++) by_state[jobs[i].state]++;
    head(b, METRIC_JOBS);
    for (int s = 0; s < JOB_STATE_COUNT; s++)
        buf_printf(b, "%s{state=\"%s\"} %llu\n", metrics[METRIC_JOBS].name, job_state_text((job_state)s), (unsigned long long)by_state[s]);
    head(b, METRIC_JOB_DELAY);
    for (uint32_t i = 0; i < n; i++)
        if (jobs[i].delay_ms >= 0) job_line(b, METRIC_JOB_DELAY, &jobs[i], (double)jobs[i].delay_ms / 1000);
    head(b, METRIC_JOB_RPS);
    for (uint32_t i = 0; i < n; i++) job_line(b, METRIC_JOB_RPS, &jobs[i], (double)jobs[i].rps);
    head(b, METRIC_JOB_BYTES);
    for (uint32_t i = 0; i < n; i++) job_line(b, METRIC_JOB_BYTES, &jobs[i], (double)jobs[i].bytes_per_s);
    head(b, METRIC_JOB_ROWS);
    for (uint32_t i = 0; i < n; i++) job_line(b, METRIC_JOB_ROWS, &jobs[i], (double)jobs[i].applied_rows);
    head(b, METRIC_JOB_TXNS);
    for (uint32_t i = 0; i < n; i++) job_line(b, METRIC_JOB_TXNS, &jobs[i], (double)jobs[i].applied_txns);
    head(b, METRIC_JOB_RESTARTS);
    for (uint32_t i = 0; i < n; i++) job_line(b, METRIC_JOB_RESTARTS, &jobs[i], (double)jobs[i].worker_restarts);
}

bool metrics_render(api *a, service *s, arena *mem, str *ret, err *e)
{
    BUF_AUTO b = BUF_INIT;
    job_record *jobs = NULL;
    ledger_record *leftovers = NULL;
    uint32_t job_count = 0, leftover_count = 0;
    if (!started_us) started_us = clk_mono_us(clk_system());
    if (!list_jobs(s, mem, &jobs, &job_count, e)) return false;
    if (!service_leftovers(s, STR(""), mem, &leftovers, &leftover_count, e)) return false;
    head(&b, METRIC_INFO);
    buf_printf(&b, "%s{version=\"%s\"} 1\n", metrics[METRIC_INFO].name, SLUICE_VERSION);
    head(&b, METRIC_UP_SECONDS);
    buf_printf(&b, "%s %.1f\n", metrics[METRIC_UP_SECONDS].name, (double)(clk_mono_us(clk_system()) - started_us) / 1e6);
    head(&b, METRIC_API_REQUESTS);
    api_visit_counters(a, add_count, &b);
    add_jobs(&b, jobs, job_count);
    head(&b, METRIC_LEFTOVERS);
    buf_printf(&b, "%s %u\n", metrics[METRIC_LEFTOVERS].name, leftover_count);
    str text = b.failed ? STR_NULL : arena_copy(mem, buf_str(&b));
    if (!text.p) return err_no_memory(e, "the metrics page");
    *ret = text;
    return true;
}
