/* The worker: runs the pipeline of one job and reports to serve over fd 3. The main thread serves the control socket, another one runs the pipeline. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/secret.h"
#include "job/ctl.h"
#include "job/fence.h"
#include "job/report.h"
#include "job/roles.h"
#include "job/spec.h"

#define EXIT_DONE 0
#define EXIT_FAILED 3
#define EXIT_PROTOCOL 4
#define KEPT_BYTES (8 << 20) /* of memory that is free, by each of malloc's arenas */

typedef struct worker {
    ctl ctl;
    job_spec spec;
    cancel stop;
    report report;
    bool ok, ended; /* of the pipeline; under report.lock */
    err error;
} worker;

static void *run_pipeline(void *arg)
{
    worker *w = arg;
    pipeline_events events;
    ledger l;
    report_bind(&w->report, &events, &l);
    w->ok = w->spec.objects ? pipeline_run(&w->spec.job, &events, &l, &w->stop, clk_system(), &w->error)
                            : (w->error = w->spec.objects_error, false);
    report_flush(&w->report);
    report_end(&w->report);
    return NULL;
}

/* One message of serve; false at the end of file or on a broken socket. */
static bool serve_once(worker *w, int timeout_ms)
{
    json_t *m = NULL;
    err e = ERR_INIT;
    switch (ctl_receive(&w->ctl, timeout_ms, &m, &e)) {
    case CTL_NOTHING: return true;
    case CTL_MESSAGE: break;
    case CTL_EOF: return false;
    case CTL_ERROR: return log_error("control", &e), false;
    }
    const char *type = ctl_text(m, "type");
    if (strcmp(type, "limits") == 0) spec_apply_limits(&w->spec.limits, m);
    if (strcmp(type, "ledger") == 0) report_ledger_answer(&w->report, m);
    json_decref(m);
    return true;
}

static long long milliseconds(struct timeval t) { return (long long)t.tv_sec * 1000 + t.tv_usec / 1000; }

/* The worker's end: the last word to serve. */
static int tell_end(worker *w)
{
    err ignored = ERR_INIT;
    struct rusage used = {0};
    (void)!getrusage(RUSAGE_SELF, &used);
    log_event(LOG_INFO, "worker_ended", "code=%s user_ms=%lld system_ms=%lld", w->ok ? "None" : err_name(w->error.code), milliseconds(used.ru_utime), milliseconds(used.ru_stime));
    if (w->ok) {
        (void)!ctl_send_new(&w->ctl, json_pack("{s:s}", "type", "done"), &ignored);
        return EXIT_DONE;
    }
    if (w->error.code == ERR_CANCELLED) return EXIT_DONE;
    log_error("worker", &w->error);
    (void)!ctl_send_new(&w->ctl, ctl_failed(&w->error), &ignored);
    return EXIT_FAILED;
}

static int run(worker *w)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_pipeline, w) != 0) return EXIT_PROTOCOL;
    bool connected = true;
    while (!report_ended(&w->report)) {
        if (connected && !serve_once(w, REPORT_EVERY_MS)) {
            connected = false;
            report_disconnect(&w->report);
            cancel_ask(&w->stop); /* end of file: finish the transaction, checkpoint, exit 0 */
        }
        if (!connected) report_wait_end(&w->report, REPORT_EVERY_MS);
        report_flush(&w->report);
    }
    pthread_join(thread, NULL);
    return tell_end(w);
}

static bool receive_job(worker *w, err *e)
{
    json_t *m = NULL;
    if (ctl_receive(&w->ctl, 30000, &m, e) != CTL_MESSAGE) return e->code != ERR_NONE ? false : err_set(e, ERR_PROTOCOL, "no job was told on the control socket");
    bool ok = strcmp(ctl_text(m, "type"), "job") == 0 || err_set(e, ERR_PROTOCOL, "the first control message is not a job");
    ok = ok && spec_read(m, &w->spec, e);
    if (ok) {
        fence f = fence_plan(w->spec.job.budget_bytes, w->spec.job.lanes);
        w->spec.job.row_limit_bytes = f.row_bytes;
        fence_raise(&f);
    }
    json_decref(m);
    return ok;
}

int worker_main(void)
{
    worker *w = calloc(1, sizeof *w);
    static char fields[64];
    int status = EXIT_PROTOCOL;
    if (!w) return EXIT_PROTOCOL;
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2); /* or every batch of rows would take fresh pages, which the kernel clears */
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* Ctrl-C at serve's terminal reaches the group; serve ends us over the socket */
    ctl_init(&w->ctl, CTL_FD);
    w->error = ERR_INIT;
    if (!cancel_init(&w->stop, &w->error) || !receive_job(w, &w->error)) {
        log_error("worker", &w->error);
        (void)!ctl_send_new(&w->ctl, ctl_failed(&w->error), &w->error);
    } else {
        snprintf(fields, sizeof fields, "role=worker job=%.*s", STR_ARG(str_sub(w->spec.job.job_id, 0, 32)));
        log_set_common_fields(fields);
        report_init(&w->report, &w->ctl);
        status = run(w);
        report_finish(&w->report);
        spec_finish(&w->spec);
    }
    ctl_finish(&w->ctl);
    cancel_finish(&w->stop);
    free(w);
    return status;
}
