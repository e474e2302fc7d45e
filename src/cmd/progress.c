/* Following a job through DescribeDtsJobDetail and DescribePreCheckStatus. */
#include "cmd/progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

#define POLL_US 500000
#define PLAIN_EVERY_US 10000000LL
#define TABLES_MAX 1000
#define BARS_MAX 12
#define BAR_CELLS 24

typedef struct table_rate {
    char name[160];
    int64_t done, at_us;
    double per_s;
} table_rate;

typedef struct view {
    bool terminal;
    int lines_shown;
    int64_t last_plain_us;
    table_rate rates[TABLES_MAX];
    size_t rate_count;
} view;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static table_rate *rate_of(view *v, const char *name)
{
    for (size_t i = 0; i < v->rate_count; i++)
        if (strcmp(v->rates[i].name, name) == 0) return &v->rates[i];
    if (v->rate_count == TABLES_MAX) return &v->rates[TABLES_MAX - 1];
    table_rate *r = &v->rates[v->rate_count++];
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

/* Rows per second, smoothed over the polls. */
static double update_rate(table_rate *r, int64_t done, int64_t now_us)
{
    if (r->at_us && now_us > r->at_us) {
        double fresh = (double)(done - r->done) * 1e6 / (double)(now_us - r->at_us);
        r->per_s = r->per_s > 0 ? r->per_s * 0.7 + fresh * 0.3 : fresh;
    }
    r->done = done;
    r->at_us = now_us;
    return r->per_s;
}

static void clear_lines(view *v)
{
    if (v->lines_shown) fprintf(stderr, "\033[%dA\033[J", v->lines_shown);
    v->lines_shown = 0;
}

static int terminal_columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 40 ? w.ws_col : 80;
}

static void show_line(view *v, const char *text)
{
    fprintf(stderr, "%.*s\n", terminal_columns() - 1, text);
    v->lines_shown++;
}

static void bar_line(view *v, const char *name, int64_t done, int64_t total, double per_s)
{
    char cells[BAR_CELLS * 3 + 1] = "", left[32] = "", line[400];
    int64_t shown = total > done ? total : done;
    int filled = shown ? (int)(done * BAR_CELLS / shown) : BAR_CELLS;
    for (int i = 0; i < BAR_CELLS; i++) memcpy(cells + (size_t)i * 3, i < filled ? "█" : "░", 4);
    if (per_s > 1 && total > done) snprintf(left, sizeof left, "left %d:%02d", (int)((double)(total - done) / per_s) / 60, (int)((double)(total - done) / per_s) % 60);
    snprintf(line, sizeof line, "  %-28.28s %s %3d%%  %9.0f rows/s  %s", name, cells, shown ? (int)(done * 100 / shown) : 100, per_s, left);
    show_line(v, line);
}

static void show_tables(view *v, const json_t *tables, int64_t now_us)
{
    size_t i, finished = 0, waiting = 0, bars = 0;
    json_t *t;
    json_array_foreach((json_t *)(uintptr_t)tables, i, t)
    {
        const char *state = answer_text(t, "State");
        if (strcmp(state, "Finished") == 0) {
            finished++;
            continue;
        }
        if (strcmp(state, "Migrating") != 0) {
            waiting++;
            continue;
        }
        int64_t done = answer_number(t, "Current"), total = answer_number(t, "Total");
        double per_s = update_rate(rate_of(v, answer_text(t, "Item")), done, now_us);
        if (v->terminal && bars++ < BARS_MAX) bar_line(v, answer_text(t, "Item"), done, total, per_s);
    }
    char line[120];
    snprintf(line, sizeof line, "  %zu tables done, %zu waiting", finished, waiting);
    if (v->terminal && json_array_size(tables)) show_line(v, line);
}

static void headline(const json_t *job, char *out, size_t out_bytes)
{
    const char *status = answer_text(job, "Status");
    const json_t *load = json_object_get(job, "DataInitializationStatus"), *stream = json_object_get(job, "DataSynchronizationStatus");
    int64_t delay = answer_number(job, "Delay");
    int n = snprintf(out, out_bytes, "%s", status);
    size_t used = n > 0 ? (size_t)n : 0;
    if (json_is_object(load) && used < out_bytes) n = snprintf(out + used, out_bytes - used, "  full %s%% (%s rows)", answer_text(load, "Percent"), answer_text(load, "Progress"));
    used += n > 0 && json_is_object(load) ? (size_t)n : 0;
    if (json_is_object(stream) && delay >= 0 && used < out_bytes)
        snprintf(out + used, out_bytes - used, "  stream %s, delay %lld ms", answer_text(stream, "Status"), (long long)delay);
}

static bool is_one_of(const char *status, const char *const *list)
{
    for (; *list; list++)
        if (strcasecmp(status, *list) == 0) return true;
    return false;
}

static bool failure(const json_t *job, err *e)
{
    const char *text = answer_text(job, "ErrorMessage");
    size_t n = strcspn(text, ":");
    err_code code = err_code_from_name((str){text, n});
    if (strcasecmp(answer_text(job, "Status"), "PrecheckFailed") == 0) code = ERR_PRECHECK_FAILED;
    return err_set(e, code == ERR_NONE ? ERR_INTERNAL : code, "the job is %s: %s", answer_text(job, "Status"), *text ? text : "see sluice job show");
}

/* True when the job has come to an end; e is filled for PROGRESS_FAILED. */
static bool has_ended(const json_t *job, bool forever, progress_end *ret, err *e)
{
    static const char *const failed[] = {"PrecheckFailed", "MigrationFailed", "InitializeFailed", "Failed", "Abnormal", "ModifyFailed", NULL};
    static const char *const waiting[] = {"Suspending", "NotStarted", "PreCheckPass", "NotConfigured", NULL};
    const char *status = answer_text(job, "Status");
    const char *stream = answer_text(json_object_get(job, "DataSynchronizationStatus"), "Status");
    if (is_one_of(status, failed)) return *ret = PROGRESS_FAILED, failure(job, e), true;
    if (is_one_of(status, waiting)) return *ret = PROGRESS_WAITING, true;
    if (strcasecmp(status, "Finished") == 0) return *ret = PROGRESS_FINISHED, true;
    if (!forever && strcasecmp(stream, "Catched") == 0) return *ret = PROGRESS_RUNNING, true;
    return false;
}

static bool poll_once(client *c, const char *job_id, view *v, bool forever, bool quiet, progress_end *ret, bool *ended, err *e)
{
    client_params detail = {.count = 0}, full = {.count = 0};
    json_t *job = NULL, *tables = NULL;
    client_param_c(&detail, "DtsJobId", job_id);
    client_param_c(&full, "DtsJobId", job_id);
    client_param_c(&full, "JobCode", "03");
    client_param_c(&full, "PageSize", "500");
    bool ok = client_call(c, "DescribeDtsJobDetail", &detail, &job, e) && client_call(c, "DescribePreCheckStatus", &full, &tables, e);
    if (ok) {
        int64_t now = clk_mono_us(clk_system());
        char line[300];
        headline(job, line, sizeof line);
        *ended = has_ended(job, forever, ret, e);
        bool plain_due = !v->terminal && (now - v->last_plain_us >= PLAIN_EVERY_US || *ended);
        if (v->terminal && !quiet) {
            clear_lines(v);
            show_line(v, line);
            show_tables(v, json_object_get(tables, "JobProgress"), now);
        } else if (plain_due && !quiet) {
            fprintf(stderr, "%s %s\n", job_id, line);
            v->last_plain_us = now;
        }
    }
    json_decref(job);
    json_decref(tables);
    return ok;
}

bool progress_follow(client *c, const char *job_id, bool forever, bool quiet, progress_end *ret, err *e)
{
    view *v = calloc(1, sizeof *v);
    if (!v) return err_no_memory(e, "the progress view");
    struct sigaction act = {.sa_handler = on_interrupt}, old;
    const char *term = getenv("TERM");
    v->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    interrupted = 0;
    sigaction(SIGINT, &act, &old);
    bool ok = true, ended = false;
    while (ok && !ended && !interrupted) {
        ok = poll_once(c, job_id, v, forever, quiet, ret, &ended, e);
        if (ok && !ended && !interrupted) clk_sleep_us(clk_system(), POLL_US);
    }
    if (ok && !ended) *ret = PROGRESS_INTERRUPTED;
    sigaction(SIGINT, &old, NULL);
    free(v);
    return ok;
}
