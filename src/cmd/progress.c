/* Following a job through DescribeDtsJobDetail and DescribePreCheckStatus. */
#include "cmd/progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "cmd/job_print.h"
#include "cmd/rate.h"
#include "cmd/screen.h"

#define POLL_US 500000
#define POLL_MANY_US 2000000 /* when the tables fill several pages */
#define PLAIN_EVERY_US 10000000LL
#define PLAIN_FIRST_US 1000000LL
#define PATIENCE_US 30000000LL /* with a service that has answered before */
#define PAGE_ROWS 500
#define BARS_MAX 12
#define BAR_CELLS 24
#define BAR_OTHERS 46 /* columns of a bar's line that are neither name nor bar: title, percent, rate, time left */
#define NAME_COLUMNS 40

/* Results of stages that were shown already. */
typedef struct told {
    bool precheck, schema, load, retry;
} told;

typedef struct view {
    screen screen;
    const char *job_id;
    int lines_shown;
    int64_t last_plain_us, answered_us;
    size_t tables; /* of the schema stage; 0 when not known */
    told told;
    rate_meter rates;
} view;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static bool is_one_of(const char *status, const char *const *list)
{
    for (; *list; list++)
        if (strcasecmp(status, *list) == 0) return true;
    return false;
}

static bool is(const json_t *stage, const char *status) { return strcasecmp(answer_text(stage, "Status"), status) == 0; }

/* --- drawing --- */

static void clear_lines(view *v)
{
    if (v->lines_shown) fprintf(stderr, "\033[%dA\033[J", v->lines_shown);
    v->lines_shown = 0;
}

/* A line that is drawn again at the next turn; cut at the width, so that one line is one row. */
static void show_line(view *v, buf *line)
{
    BUF_AUTO cut = BUF_INIT;
    screen_add_cell(&cut, buf_str(line), (size_t)v->screen.columns - 1);
    fprintf(stderr, "%s\n", buf_c(&cut));
    v->lines_shown++;
    buf_reset(line);
}

static void tell(const char *title, buf *text)
{
    fprintf(stderr, "%-9s %s\n", title, buf_c(text));
    buf_reset(text);
}

/* --- asking --- */

/* Items of a stage, all pages, appended to the new list *ret. */
static bool read_items(client *c, const char *job_id, const char *code, json_t **ret, err *e)
{
    json_t *all = json_array();
    for (int page = 1;; page++) {
        char number[16], rows[16];
        client_params p = {.count = 0};
        json_t *answer = NULL, *part;
        snprintf(number, sizeof number, "%d", page);
        snprintf(rows, sizeof rows, "%d", PAGE_ROWS);
        client_param_c(&p, "DtsJobId", job_id);
        client_param_c(&p, "JobCode", code);
        client_param_c(&p, "PageNo", number);
        client_param_c(&p, "PageSize", rows);
        if (!client_call(c, "DescribePreCheckStatus", &p, &answer, e)) return json_decref(all), false;
        part = json_object_get(answer, "JobProgress");
        size_t n = json_array_size(part);
        json_array_extend(all, part);
        json_decref(answer);
        if (n < PAGE_ROWS) return *ret = all, true;
    }
}

/* --- results of stages, once each --- */

static bool tell_precheck(client *c, view *v, const json_t *job, err *e)
{
    const json_t *s = json_object_get(job, "PrecheckStatus");
    bool over = is(s, "Finished") || is(s, "Failed");
    if (!over) v->told = (told){.precheck = false}; /* a job that starts anew is told anew */
    if (!over || v->told.precheck) return true;
    json_t *items = NULL;
    BUF_AUTO b = BUF_INIT;
    if (!read_items(c, v->job_id, "01", &items, e)) return false;
    clear_lines(v);
    job_add_check_counts(&b, items);
    tell("Precheck", &b);
    job_print_checks(stderr, items);
    json_decref(items);
    return v->told.precheck = true;
}

static bool tell_schema(client *c, view *v, const json_t *job, err *e)
{
    const json_t *s = json_object_get(job, "StructureInitializationStatus"), *load = json_object_get(job, "DataInitializationStatus");
    bool over = is(s, "Finished") || is(load, "Migrating") || is(load, "Finished");
    if (!over || v->told.schema || !*answer_text(s, "Status")) return true;
    json_t *items = NULL;
    BUF_AUTO b = BUF_INIT;
    if (!read_items(c, v->job_id, "02", &items, e)) return false;
    clear_lines(v);
    job_add_object_counts(&b, items);
    tell("Schema", &b);
    v->tables = job_count_objects(items, "table");
    json_decref(items);
    return v->told.schema = true;
}

static void tell_load(view *v, const json_t *job)
{
    const json_t *s = json_object_get(job, "DataInitializationStatus");
    BUF_AUTO b = BUF_INIT;
    if (!is(s, "Finished") || v->told.load) return;
    clear_lines(v);
    screen_add_count(&b, answer_number(s, "Progress"));
    buf_add_c(&b, " rows");
    tell("Full", &b);
    v->told.load = true;
}

/* --- what moves now --- */

static void add_left(buf *b, int64_t done, int64_t total, double per_s)
{
    if (per_s < 1 || total <= done) return;
    buf_add_c(b, "  left ");
    screen_add_time(b, (int64_t)((double)(total - done) / per_s));
}

/* DATABASE.TABLE, or TABLE where there is no room for both. */
static void add_table(buf *b, str name, size_t columns)
{
    size_t dot = str_find_byte(name, '.', 0);
    if (screen_width(name) > columns && dot != SIZE_MAX) name = str_sub(name, dot + 1, SIZE_MAX);
    screen_add_cell(b, name, columns);
}

static void show_bar(view *v, const char *title, const json_t *table, int64_t now_us)
{
    BUF_AUTO b = BUF_INIT, rate = BUF_INIT;
    int64_t done = answer_number(table, "Current"), total = answer_number(table, "Total");
    double per_s = rate_of(&v->rates, answer_text(table, "Item"), done, now_us);
    int cells = (v->screen.columns - BAR_OTHERS) / 2, names;
    cells = cells > BAR_CELLS ? BAR_CELLS : cells;
    names = v->screen.columns - BAR_OTHERS - cells;
    names = names > NAME_COLUMNS ? NAME_COLUMNS : names < 8 ? 8 : names;
    buf_printf(&b, "%-9s ", title);
    add_table(&b, str_from_c(answer_text(table, "Item")), (size_t)names);
    buf_add_byte(&b, ' ');
    screen_add_bar(&b, &v->screen, done, total, cells);
    screen_add_rate(&rate, per_s);
    buf_printf(&b, " %3d%%  %13s", total > 0 ? (int)(done >= total ? 100 : done * 100 / total) : 0, buf_c(&rate));
    add_left(&b, done, total, per_s);
    show_line(v, &b);
}

/* The tables of the load that have begun. */
typedef struct load_sum {
    int64_t rows, expected;
    size_t count, finished;
} load_sum;

static load_sum sum_load(const json_t *tables)
{
    load_sum sum = {0};
    size_t i;
    json_t *t;
    json_array_foreach((json_t *)(uintptr_t)tables, i, t)
    {
        int64_t done = answer_number(t, "Current"), total = answer_number(t, "Total");
        bool finished = strcmp(answer_text(t, "State"), "Finished") == 0;
        sum.rows += done;
        sum.expected += finished || done > total ? done : total;
        sum.finished += finished;
        sum.count++;
    }
    return sum;
}

static void add_load(view *v, buf *b, const load_sum *sum, int64_t now_us)
{
    double per_s = rate_of(&v->rates, "", sum->rows, now_us);
    if (sum->count == 0) {
        buf_add_c(b, "planning");
        return;
    }
    int percent = sum->expected ? (int)(sum->rows * 100 / sum->expected) : 0;
    screen_add_count(b, sum->rows);
    buf_printf(b, " rows, %d%%, ", percent);
    screen_add_rate(b, per_s);
    if (v->tables) buf_printf(b, ", %zu of %zu table%s done", sum->finished, v->tables, v->tables == 1 ? "" : "s");
    else buf_printf(b, ", %zu table%s done", sum->finished, sum->finished == 1 ? "" : "s");
    add_left(b, sum->rows, sum->expected, per_s);
}

static void show_load(view *v, const json_t *tables, int64_t now_us)
{
    size_t i;
    int bars = 0, most = v->screen.rows - 6 < BARS_MAX ? v->screen.rows - 6 : BARS_MAX;
    json_t *t;
    BUF_AUTO b = BUF_INIT;
    load_sum sum = sum_load(tables);
    json_array_foreach((json_t *)(uintptr_t)tables, i, t)
    {
        if (bars < most && strcmp(answer_text(t, "State"), "Migrating") == 0) show_bar(v, bars++ ? "" : "Full", t, now_us);
    }
    buf_printf(&b, "%-9s ", bars ? "" : "Full");
    add_load(v, &b, &sum, now_us);
    show_line(v, &b);
}

/* The stage that is under way: its name and, but for a load, what it is doing. */
static const char *current_stage(const json_t *job, buf *b)
{
    const json_t *precheck = json_object_get(job, "PrecheckStatus"), *schema = json_object_get(job, "StructureInitializationStatus"),
                 *load = json_object_get(job, "DataInitializationStatus"), *stream = json_object_get(job, "DataSynchronizationStatus");
    const json_t *retry = json_object_get(job, "RetryState");
    if (retry) {
        buf_printf(b, "attempt %lld, for ", (long long)answer_number(retry, "RetryCount"));
        screen_add_time(b, answer_number(retry, "RetryTime"));
        buf_add_c(b, ", gives up after ");
        screen_add_time(b, answer_number(retry, "MaxRetryTime"));
        return "Retrying";
    }
    if (is(stream, "Catched") || is(stream, "Migrating")) return job_add_stream(b, job), "Stream";
    if (is(load, "Migrating")) return "Full";
    if (is(schema, "Migrating") || is(schema, "Initializing")) {
        screen_add(b, str_from_c(answer_text(schema, "Progress")));
        buf_add_c(b, *answer_text(schema, "Progress") ? " objects" : "beginning");
        return is(load, "Finished") ? "Indexes" : "Schema";
    }
    if (is(load, "Finished") && is(job, "Migrating")) {
        buf_add_c(b, "following changes up to one consistent point");
        return "Finishing";
    }
    if (!is(precheck, "Finished") && !is(precheck, "Failed") && *answer_text(precheck, "Status")) {
        buf_printf(b, "checking, %s%%", answer_text(precheck, "Percent"));
        return "Precheck";
    }
    screen_add(b, str_from_c(answer_text(job, "Status")));
    return "Job";
}

/* A job that retries says why, once. */
static void tell_retry(view *v, const json_t *job)
{
    const json_t *retry = json_object_get(job, "RetryState");
    BUF_AUTO b = BUF_INIT;
    if (retry && !v->told.retry) {
        clear_lines(v);
        screen_add_words(&b, str_from_c(answer_text(retry, "ErrMessage")), 10, v->screen.terminal ? (size_t)v->screen.columns : 0);
        tell("Retrying", &b);
    }
    v->told.retry = retry != NULL;
}

static void show_now(view *v, const json_t *job, const json_t *tables, int64_t now_us, bool ended)
{
    BUF_AUTO text = BUF_INIT, line = BUF_INIT;
    const char *title = current_stage(job, &text);
    bool load = strcmp(title, "Full") == 0;
    if (v->screen.terminal && load) {
        show_load(v, tables, now_us);
        return;
    }
    if (load) {
        load_sum sum = sum_load(tables);
        add_load(v, &text, &sum, now_us);
    }
    if (v->screen.terminal) {
        buf_printf(&line, "%-9s %s", title, buf_c(&text));
        show_line(v, &line);
    } else if (ended || now_us - v->last_plain_us >= PLAIN_EVERY_US) {
        tell(title, &text);
        v->last_plain_us = now_us;
    }
}

/* --- ends --- */

static bool failure(const json_t *job, err *e)
{
    const char *text = answer_text(job, "ErrorMessage"), *status = answer_text(job, "Status"), *id = answer_text(job, "DtsJobId");
    size_t n = strcspn(text, ":");
    err_code code = err_code_from_name((str){text, n});
    if (strcasecmp(status, "PrecheckFailed") == 0) code = ERR_PRECHECK_FAILED;
    if (code != ERR_NONE && text[n] == ':') text += n + 1 + strspn(text + n + 1, " "); /* the code has a line of its own */
    return err_set(e, code == ERR_NONE ? ERR_INTERNAL : code, "job %s is %s: %s", id, status, *text ? text : "see sluice job show");
}

/* True when the job has come to an end; e is filled for PROGRESS_FAILED. */
static bool has_ended(const json_t *job, bool forever, progress_end *ret, err *e)
{
    static const char *const failed[] = {"PrecheckFailed", "MigrationFailed", "InitializeFailed", "Failed", "Abnormal", "ModifyFailed", NULL};
    static const char *const waiting[] = {"Suspending", "NotStarted", "PreCheckPass", "NotConfigured", NULL};
    const char *status = answer_text(job, "Status");
    const json_t *stream = json_object_get(job, "DataSynchronizationStatus");
    if (is_one_of(status, failed)) return *ret = PROGRESS_FAILED, failure(job, e), true;
    if (is_one_of(status, waiting)) return *ret = PROGRESS_WAITING, true;
    if (strcasecmp(status, "Finished") == 0) return *ret = PROGRESS_FINISHED, true;
    if (!forever && is(stream, "Catched")) return *ret = PROGRESS_RUNNING, true;
    return false;
}

/* --- one turn --- */

static bool ask(client *c, const char *job_id, json_t **ret, err *e)
{
    client_params p = {.count = 0};
    client_param_c(&p, "DtsJobId", job_id);
    return client_call(c, "DescribeDtsJobDetail", &p, ret, e);
}

static bool poll_once(client *c, view *v, bool forever, progress_end *ret, bool *ret_ended, int64_t *ret_pause_us, err *e)
{
    json_t *job = NULL, *tables = NULL;
    bool ok = ask(c, v->job_id, &job, e) && tell_precheck(c, v, job, e) && tell_schema(c, v, job, e);
    if (ok && is(json_object_get(job, "DataInitializationStatus"), "Migrating")) ok = read_items(c, v->job_id, "03", &tables, e);
    if (ok) {
        int64_t now = clk_mono_us(clk_system());
        v->answered_us = now;
        *ret_pause_us = json_array_size(tables) > PAGE_ROWS ? POLL_MANY_US : POLL_US;
        *ret_ended = has_ended(job, forever, ret, e);
        tell_load(v, job);
        tell_retry(v, job);
        clear_lines(v);
        if (!*ret_ended || *ret == PROGRESS_RUNNING || *ret == PROGRESS_WAITING) show_now(v, job, tables, now, *ret_ended);
    }
    json_decref(job);
    json_decref(tables);
    return ok;
}

/* A service that answered before and does not now, or whose store does not, is given time to come back. */
static bool is_patient(const view *v, err *e)
{
    if ((e->code != ERR_UNREACHABLE && e->code != ERR_CATALOG) || !v->answered_us || clk_mono_us(clk_system()) - v->answered_us > PATIENCE_US) return false;
    *e = ERR_INIT;
    return true;
}

bool progress_follow(client *c, const char *job_id, bool forever, progress_end *ret, err *e)
{
    view *v = calloc(1, sizeof *v);
    if (!v) return err_no_memory(e, "the progress view");
    struct sigaction act = {.sa_handler = on_interrupt}, old;
    v->job_id = job_id;
    v->last_plain_us = clk_mono_us(clk_system()) - PLAIN_EVERY_US + PLAIN_FIRST_US;
    interrupted = 0;
    sigaction(SIGINT, &act, &old);
    bool ok = true, ended = false;
    while (ok && !ended && !interrupted) {
        int64_t pause_us = POLL_US;
        v->screen = screen_of(stderr);
        ok = poll_once(c, v, forever, ret, &ended, &pause_us, e) || is_patient(v, e);
        if (ok && !ended && !interrupted) clk_sleep_us(clk_system(), pause_us);
    }
    if (ok && !ended) *ret = PROGRESS_INTERRUPTED;
    sigaction(SIGINT, &old, NULL);
    free(v);
    return ok;
}
