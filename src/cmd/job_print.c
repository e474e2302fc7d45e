/* Jobs, prechecks and receipts as text for people. */
#include "cmd/job_print.h"

#include <string.h>
#include <strings.h>

#define TITLE_COLUMNS 12

static str text_of(const json_t *o, const char *name) { return str_from_c(answer_text(o, name)); }

static void add_text(buf *b, const json_t *o, const char *name) { screen_add(b, text_of(o, name)); }

static const json_t *stage(const json_t *job, const char *member) { return json_object_get(job, member); }

/* A stage that the job does not have has no status. */
static bool has_stage(const json_t *s) { return *answer_text(s, "Status") != 0; }

/* --- list --- */

static void add_end(buf *b, const json_t *endpoint)
{
    add_text(b, endpoint, "Ip");
    buf_add_byte(b, ':');
    add_text(b, endpoint, "Port");
}

/* "online" is what the API calls a migration. */
static str type_of(const json_t *job) { return strcmp(answer_text(job, "JobType"), "online") == 0 ? STR("migration") : text_of(job, "JobType"); }

/* How far the stage is that the job is in: "schema 50%", "full 13%"; "-" before and after. */
static void add_progress(buf *b, const json_t *job)
{
    static const char *const members[][2] = {{"StructureInitializationStatus", "schema"}, {"DataInitializationStatus", "full"}};
    for (size_t i = 0; i < 2; i++) {
        const json_t *s = stage(job, members[i][0]);
        const char *status = answer_text(s, "Status");
        if (strcasecmp(status, "Migrating") != 0 && strcasecmp(status, "Initializing") != 0) continue;
        buf_printf(b, "%s %s%%", members[i][1], answer_text(s, "Percent"));
        return;
    }
    buf_add_byte(b, '-');
}

/* In lists the delay of a sync job is in seconds, else in milliseconds (API reference 3.2). */
static void add_list_delay(buf *b, const json_t *job)
{
    const json_t *s = stage(job, "DataSynchronizationStatus");
    int64_t delay = answer_number(job, "Delay");
    bool streams = strcasecmp(answer_text(s, "Status"), "Catched") == 0 || strcasecmp(answer_text(s, "Status"), "Migrating") == 0;
    if (streams && delay >= 0) screen_add_delay(b, str_eq(type_of(job), STR("sync")) ? delay * 1000 : delay);
    else buf_add_byte(b, '-');
}

static str cell(arena *a, buf *b)
{
    str s = arena_copy(a, buf_str(b));
    buf_reset(b);
    return s;
}

#define LIST_COLUMNS 8

static bool add_row(str *cells, const json_t *j, arena *a)
{
    BUF_AUTO b = BUF_INIT;
    cells[0] = text_of(j, "DtsJobId");
    cells[1] = type_of(j);
    cells[2] = text_of(j, "Status");
    add_progress(&b, j);
    cells[3] = cell(a, &b);
    add_list_delay(&b, j);
    cells[4] = cell(a, &b);
    add_end(&b, stage(j, "SourceEndpoint"));
    cells[5] = cell(a, &b);
    add_end(&b, stage(j, "DestinationEndpoint"));
    cells[6] = cell(a, &b);
    cells[7] = text_of(j, "DtsJobName");
    return !b.failed;
}

void job_print_list(FILE *out, const json_t *list)
{
    static const char *const titles[LIST_COLUMNS] = {"JOB", "TYPE", "STATUS", "PROGRESS", "DELAY", "SOURCE", "DESTINATION", "NAME"};
    size_t n = json_array_size(list), i;
    json_t *j;
    arena a;
    arena_init(&a, 16 * 1024, 0);
    str *cells = arena_array(&a, (n + 1) * LIST_COLUMNS, sizeof *cells);
    for (i = 0; cells && i < LIST_COLUMNS; i++) cells[i] = str_from_c(titles[i]);
    json_array_foreach((json_t *)(uintptr_t)list, i, j)
    {
        if (cells && !add_row(cells + (i + 1) * LIST_COLUMNS, j, &a)) cells = NULL;
    }
    if (cells) screen_put_table(out, &(screen_table){.columns = LIST_COLUMNS, .cells = cells, .rows = n + 1});
    else fputs("out of memory\n", stderr);
    arena_finish(&a);
}

/* --- one job --- */

void job_add_check_counts(buf *b, const json_t *items)
{
    size_t i, passed = 0, warnings = 0, failed = 0, skipped = 0;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)items, i, item)
    {
        const char *state = answer_text(item, "State");
        if (json_is_true(json_object_get(item, "Skip"))) skipped++;
        else if (strcmp(state, "Failed") == 0) failed++;
        else if (strcmp(state, "Warning") == 0) warnings++;
        else if (strcmp(state, "Success") == 0) passed++;
    }
    buf_printf(b, "%zu passed, %zu warning%s, %zu failed", passed, warnings, warnings == 1 ? "" : "s", failed);
    if (skipped) buf_printf(b, ", %zu skipped", skipped);
}

void job_print_checks(FILE *out, const json_t *items)
{
    size_t i;
    json_t *item;
    screen s = screen_of(out);
    json_array_foreach((json_t *)(uintptr_t)items, i, item)
    {
        const char *state = answer_text(item, "State");
        bool failed = strcmp(state, "Failed") == 0;
        str detail = text_of(item, "ErrDetail"), repair = text_of(item, "RepairMethod");
        BUF_AUTO b = BUF_INIT, text = BUF_INIT;
        if ((!failed && strcmp(state, "Warning") != 0) || json_is_true(json_object_get(item, "Skip"))) continue;
        buf_printf(&text, "%s: %.*s", answer_text(item, "Item"), STR_ARG(detail));
        buf_printf(&b, "  %s ", failed ? "x" : "!");
        screen_add_words(&b, buf_str(&text), 4, s.terminal ? (size_t)s.columns : 0);
        str words = str_starts_with(repair, STR("-- ")) ? str_sub(repair, 3, SIZE_MAX) : repair;
        if (repair.n && str_find(detail, words) == SIZE_MAX) { /* a detail may end with what to do */
            buf_add_c(&b, "\n    fix: ");
            screen_add_lines(&b, repair, 9);
        }
        fprintf(out, "%s\n", buf_c(&b));
    }
}

size_t job_count_objects(const json_t *items, const char *kind)
{
    size_t i, n = 0, length = strlen(kind);
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)items, i, item)
    {
        const char *name = answer_text(item, "Item"); /* "table `shop`.`orders`" */
        n += strncmp(name, kind, length) == 0 && name[length] == ' ';
    }
    return n;
}

void job_add_object_counts(buf *b, const json_t *items)
{
    static const char *const kinds[][2] = {{"database", "databases"}, {"table", "tables"}, {"view", "views"}}; /* "index" and "foreign key" items are tables that were looked at */
    bool any = false;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t n = job_count_objects(items, kinds[k][0]);
        if (n) buf_printf(b, "%s%zu %s", any ? ", " : "", n, kinds[k][n != 1]);
        any = any || n;
    }
    if (!any) buf_add_c(b, "nothing to create");
}

void job_add_stream(buf *b, const json_t *job)
{
    const json_t *s = stage(job, "DataSynchronizationStatus");
    int64_t delay = answer_number(job, "Delay");
    bool caught_up = strcasecmp(answer_text(s, "Status"), "Catched") == 0;
    if (!caught_up && strcasecmp(answer_text(s, "Status"), "Migrating") != 0) {
        add_text(b, s, "Status");
        return;
    }
    buf_add_c(b, caught_up ? "caught up" : "catching up");
    if (delay >= 0) {
        buf_add_c(b, ", delay ");
        screen_add_delay(b, delay);
    }
    buf_add_c(b, ", ");
    screen_add_rate(b, (double)answer_number(json_object_get(job, "Performance"), "Rps"));
}

static void put_pair(FILE *out, const char *title, buf *value)
{
    fprintf(out, "%-*s %s\n", TITLE_COLUMNS, title, buf_c(value));
    buf_reset(value);
}

static void put_end(FILE *out, const char *title, const json_t *endpoint)
{
    BUF_AUTO b = BUF_INIT;
    add_end(&b, endpoint);
    buf_add_c(&b, " (");
    add_text(&b, endpoint, text_of(endpoint, "SluiceProduct").n ? "SluiceProduct" : "EngineName");
    buf_add_c(&b, ") as ");
    add_text(&b, endpoint, "UserName");
    put_pair(out, title, &b);
}

static void put_stage(FILE *out, const char *title, const json_t *s, const char *what)
{
    BUF_AUTO b = BUF_INIT;
    str progress = text_of(s, "Progress");
    int64_t rows;
    if (!has_stage(s)) return;
    add_text(&b, s, "Status");
    if (progress.n && *what) {
        buf_add_c(&b, ", ");
        if (str_to_i64(progress, &rows)) screen_add_count(&b, rows);
        else screen_add(&b, progress);
        buf_printf(&b, " %s (%s%%)", what, answer_text(s, "Percent"));
    }
    if (*answer_text(s, "ErrorMessage")) {
        buf_add_c(&b, ": ");
        screen_add_lines(&b, text_of(s, "ErrorMessage"), TITLE_COLUMNS + 1);
    }
    put_pair(out, title, &b);
}

void job_print(FILE *out, const json_t *job, const json_t *checks)
{
    const json_t *items = json_object_get(checks, "JobProgress");
    BUF_AUTO b = BUF_INIT;
    add_text(&b, job, "DtsJobId");
    buf_add_c(&b, " (");
    screen_add(&b, type_of(job));
    buf_add_c(&b, ")");
    put_pair(out, "job", &b);
    add_text(&b, job, "DtsJobName");
    put_pair(out, "name", &b);
    add_text(&b, job, "Status");
    put_pair(out, "status", &b);
    if (*answer_text(stage(job, "SourceEndpoint"), "Ip")) {
        put_end(out, "source", stage(job, "SourceEndpoint"));
        put_end(out, "destination", stage(job, "DestinationEndpoint"));
    }
    if (json_array_size(items)) {
        add_text(&b, stage(job, "PrecheckStatus"), "Status");
        buf_add_c(&b, ", ");
        job_add_check_counts(&b, items);
        put_pair(out, "precheck", &b);
        job_print_checks(out, items);
    }
    put_stage(out, "schema", stage(job, "StructureInitializationStatus"), "objects");
    put_stage(out, "full load", stage(job, "DataInitializationStatus"), "rows");
    if (has_stage(stage(job, "DataSynchronizationStatus"))) {
        job_add_stream(&b, job);
        put_pair(out, "stream", &b);
    }
    if (json_object_get(job, "RetryState")) {
        screen_add_lines(&b, text_of(json_object_get(job, "RetryState"), "ErrMessage"), TITLE_COLUMNS + 1);
        put_pair(out, "retrying", &b);
    }
    if (*answer_text(job, "ErrorMessage")) {
        screen_add_lines(&b, text_of(job, "ErrorMessage"), TITLE_COLUMNS + 1);
        put_pair(out, "error", &b);
    }
}

/* --- receipt --- */

/* "binlog.000001:4711 (GTID 0-1-2)" of a position, which is JSON text; other text as it is. */
static void add_position(buf *b, str position)
{
    json_t *o = json_loadb(position.p ? position.p : "", position.n, 0, NULL);
    const char *file = answer_text(o, "file"), *gtid = answer_text(o, "gtid");
    if (*file) {
        screen_add(b, str_from_c(file));
        buf_printf(b, ":%lld", (long long)answer_number(o, "pos"));
        if (*gtid) {
            buf_add_c(b, " (GTID ");
            screen_add(b, str_from_c(gtid));
            buf_add_byte(b, ')');
        }
    } else {
        screen_add(b, position);
    }
    json_decref(o);
}

static void add_leftover(buf *b, const json_t *item)
{
    add_text(b, item, "kind");
    buf_add_byte(b, ' ');
    add_text(b, item, "name");
    buf_printf(b, " on the %s", strcmp(answer_text(item, "end"), "src") == 0 ? "source" : "destination");
    if (!*answer_text(item, "undo")) return;
    buf_add_c(b, "\n            undo: ");
    screen_add_lines(b, text_of(item, "undo"), 18);
}

void job_print_receipt(FILE *out, const json_t *receipt)
{
    static const char *const parts[][2] = {{"removed", "removed"}, {"kept", "kept"}, {"leftovers", "leftover"}};
    BUF_AUTO b = BUF_INIT;
    buf_add_c(&b, "deleted ");
    add_text(&b, receipt, "job");
    if (text_of(receipt, "position").n) {
        buf_add_c(&b, ", applied up to ");
        add_position(&b, text_of(receipt, "position"));
    }
    buf_add_byte(&b, '\n');
    for (size_t i = 0; i < 3; i++) {
        size_t k;
        json_t *item, *list = json_object_get(receipt, parts[i][0]);
        json_array_foreach(list, k, item)
        {
            buf_printf(&b, "  %-9s ", parts[i][1]);
            if (json_is_string(item)) {
                screen_add(&b, str_from_c(json_string_value(item)));
            } else {
                add_leftover(&b, item);
            }
            buf_add_byte(&b, '\n');
        }
    }
    fputs(buf_c(&b), out);
}
