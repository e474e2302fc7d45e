/* The probe: one request over fd 3, then the end. Everything besides moving rows that touches a user's database. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "engine/precheck.h"
#include "job/ctl.h"
#include "job/ledger_text.h"
#include "job/roles.h"
#include "job/spec.h"
#include "pipeline/cutover.h"

#define CONNECT_TIMEOUT_S 10
#define IO_TIMEOUT_S 60

typedef struct probe {
    ctl ctl;
    cancel stop;
    engine_env env;
    arena mem;
    uint32_t failed_items;
    json_t *findings;       /* not sent yet */
    size_t finding_bytes;
} probe;

static bool tell(probe *p, json_t *m, err *e) { return ctl_send_new(&p->ctl, m, e); }

static json_t *end_report(const server_info *s, bool ok, const err *e)
{
    if (!ok) return json_pack("{s:b, s:s, s:s}", "ok", 0, "code", err_name(e->code), "text", e->text);
    return json_pack("{s:b, s:s%, s:s%, s:s%}", "ok", 1, "product", s->product.p, s->product.n, "version", s->version.p, s->version.n, "identity",
                     s->identity.n ? s->identity.p : "", s->identity.n);
}

/* Connects to one end and reads the server's facts. */
static bool look_at(probe *p, const endpoint *ep, bool is_source, server_info *ret, err *e)
{
    const engine *g = engine_find(ep->engine);
    if (is_source) {
        source *s = NULL;
        bool ok = g->source->open(ep, &p->env, &s, e) && g->source->server(s, &p->mem, ret, e);
        g->source->close(s);
        return ok;
    }
    target *t = NULL;
    bool ok = g->target->open(ep, &p->env, &t, e) && g->target->server(t, &p->mem, ret, e);
    g->target->close(t);
    return ok;
}

static json_t *test_end(probe *p, const json_t *o, bool is_source)
{
    endpoint ep = {.port = 0};
    server_info info = {.version_number = 0};
    err e = ERR_INIT;
    if (!json_is_object(o)) return json_null();
    bool ok = spec_read_endpoint(o, &p->mem, &ep, &e) && look_at(p, &ep, is_source, &info, &e);
    secret_wipe(&ep.password);
    return end_report(&info, ok, &e);
}

static bool do_connect(probe *p, const json_t *m, err *e)
{
    json_t *src = test_end(p, json_object_get(m, "source"), true), *dest = test_end(p, json_object_get(m, "target"), false);
    return tell(p, json_pack("{s:s, s:o, s:o}", "type", "connected", "source", src, "target", dest), e);
}

static void on_item(void *ctx, const char *item, precheck_state state, str detail, str repair)
{
    static const char *const texts[] = {"Success", "Warning", "Failed"};
    probe *p = ctx;
    err ignored = ERR_INIT;
    if (state == PRECHECK_FAILED) p->failed_items++;
    (void)!tell(p, json_pack("{s:s, s:s, s:s, s:s%, s:s%}", "type", "item", "item", item, "state", texts[state], "detail", detail.n ? detail.p : "", detail.n, "repair",
                             repair.n ? repair.p : "", repair.n), &ignored);
}

/* Findings go in parcels: serve stores each with one commit. */
#define PARCEL_FINDINGS 500
#define PARCEL_BYTES ((size_t)1 << 20)
#define SOURCE_TEXT_BYTES ((size_t)1 << 20)

static void send_findings(probe *p)
{
    err ignored = ERR_INIT;
    if (json_array_size(p->findings)) (void)!tell(p, json_pack("{s:s, s:O}", "type", "findings", "findings", p->findings), &ignored);
    json_decref(p->findings);
    p->findings = NULL;
    p->finding_bytes = 0;
}

/* Empty texts are left out. Bytes that are no UTF-8 (a source in SQL_ASCII) are shown as question marks. */
static void set_text(json_t *o, const char *name, str text)
{
    if (!text.n) return;
    json_t *v = json_stringn(text.p, text.n);
    BUF_AUTO plain = BUF_INIT;
    for (size_t i = 0; !v && i < text.n; i++) buf_add_byte(&plain, (uint8_t)text.p[i] < 0x80 ? text.p[i] : '?');
    if (!v && !plain.failed) v = json_stringn(plain.p, plain.n);
    json_object_set_new(o, name, v);
}

static json_t *finding_report(const char *item, const precheck_finding *f)
{
    static const char *const effects[] = {[EFFECT_OBSTACLE] = "Obstacle", [EFFECT_RISK] = "Risk", [EFFECT_CHANGE] = "Change", [EFFECT_OMISSION] = "Omission"};
    json_t *o = json_object();
    set_text(o, "Item", str_from_c(item));
    set_text(o, "State", f->state == PRECHECK_FAILED ? STR("Failed") : STR("Warning"));
    set_text(o, "Effect", str_from_c(effects[f->effect]));
    set_text(o, "Text", f->text);
    set_text(o, "Kind", f->kind);
    set_text(o, "Schema", f->schema);
    set_text(o, "Table", f->table);
    set_text(o, "Column", f->column);
    set_text(o, "Object", f->object);
    set_text(o, "SourceType", f->source_type);
    set_text(o, "TargetType", f->target_type);
    set_text(o, "Rule", f->rule);
    set_text(o, "Options", f->options);
    set_text(o, "Choice", f->choice);
    if (f->counted) json_object_set_new(o, f->rough ? "RowsAtMost" : "Rows", json_integer((json_int_t)f->rows));
    set_text(o, "FirstRows", f->first_rows);
    set_text(o, "RowsSql", f->rows_sql);
    set_text(o, "SourceText", str_sub(f->source_text, 0, SOURCE_TEXT_BYTES));
    if (f->source_text.n > SOURCE_TEXT_BYTES) json_object_set_new(o, "SourceTextBytes", json_integer((json_int_t)f->source_text.n)); /* it is cut */
    return o;
}

static void on_finding(void *ctx, const char *item, const precheck_finding *f)
{
    probe *p = ctx;
    if (!p->findings) p->findings = json_array();
    json_array_append_new(p->findings, finding_report(item, f));
    p->finding_bytes += f->text.n + f->source_text.n + f->rows_sql.n + f->first_rows.n + 512;
    if (json_array_size(p->findings) >= PARCEL_FINDINGS || p->finding_bytes >= PARCEL_BYTES) send_findings(p);
}

static void tell_identity(probe *p, const char *end, const server_info *s)
{
    err ignored = ERR_INIT;
    (void)!tell(p, json_pack("{s:s, s:s, s:s%, s:s%, s:s%}", "type", "identity", "end", end, "identity", s->identity.n ? s->identity.p : "", s->identity.n, "product",
                             s->product.p, s->product.n, "version", s->version.p, s->version.n), &ignored);
}

static bool do_precheck(probe *p, const json_t *m, err *e)
{
    job_spec spec;
    if (!spec_read(m, &spec, e)) return false;
    precheck_sink sink = {on_item, p, on_finding};
    precheck_outcome outcome = {0};
    const pipeline_job *j = &spec.job;
    precheck_job what = {j->source_engine, j->target_engine, j->source, j->target, j->objects, j->schema, j->full, j->incremental, j->ignore_existing, j->rights, j->ddl, j->type_choice, j->type_ctx};
    p->env.job_id = spec.job.job_id;
    p->env.replica_id = spec.job.replica_id;
    bool ok = spec.objects ? precheck_run(&what, &p->env, &sink, &p->mem, &outcome, e) : (*e = spec.objects_error, false);
    send_findings(p);
    if (outcome.source_reached) tell_identity(p, "src", &outcome.source);
    if (outcome.target_reached) tell_identity(p, "dest", &outcome.target);
    spec_finish(&spec);
    return ok && tell(p, json_pack("{s:s, s:i}", "type", "checked", "failed", (int)p->failed_items), e);
}

/* --- cutover --- */

#define SEQUENCES_TOLD 20000 /* of a job with more, those that went well are only counted */

static json_t *sequence_list(const cutover_result *r, json_t *counts)
{
    static const char *const names[] = {[SEQUENCE_SET] = "Set", [SEQUENCE_RIGHT] = "Right", [SEQUENCE_AHEAD] = "Ahead", [SEQUENCE_ABSENT] = "Absent", [SEQUENCE_FAILED] = "Failed"};
    json_int_t n[SEQUENCE_FAILED + 1] = {0};
    json_t *list = json_array();
    for (uint32_t i = 0; i < r->sequence_count; i++) {
        const sequence_result *s = &r->sequences[i];
        n[s->outcome]++;
        if (json_array_size(list) < SEQUENCES_TOLD || s->outcome == SEQUENCE_FAILED)
            json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:o}", "Name", ctl_value(s->name), "Next", ctl_value(s->next), "Outcome", names[s->outcome], "Text", ctl_value(s->why)));
    }
    for (int i = 0; i <= SEQUENCE_FAILED; i++) json_object_set_new(counts, names[i], json_integer(n[i]));
    return list;
}

static bool do_cutover(probe *p, const json_t *m, err *e)
{
    job_spec spec;
    cutover_result r;
    if (!spec_read(m, &spec, e)) return false;
    bool ok = spec.objects ? cutover_run(&spec.job, (uint64_t)ctl_number(m, "margin"), ctl_number(m, "wait_ms"), &p->stop, clk_system(), &p->mem, &r, e)
                           : (*e = spec.objects_error, false);
    spec_finish(&spec);
    if (!ok) return false;
    json_t *counts = json_object(), *list = sequence_list(&r, counts);
    return tell(p, json_pack("{s:s, s:b, s:o, s:o, s:I, s:o, s:o}", "type", "cutover", "ready", (int)r.ready, "marker", ctl_value(r.marker.text), "position", ctl_value(r.at.text), "waited_ms",
                             (json_int_t)r.waited_ms, "counts", counts, "sequences", list), e);
}

/* The job's last position, for the receipt; null when there is none or it cannot be read. */
static json_t *last_checkpoint(probe *p, const engine *g, target *t)
{
    checkpoint at = {.exists = false};
    err ignored = ERR_INIT;
    if (!g->target->read_checkpoint(t, &p->mem, &at, &ignored) || !at.exists) return json_null();
    return json_pack("{s:s%, s:I, s:I}", "position", at.at.text.n ? at.at.text.p : "", at.at.text.n, "txns", (json_int_t)at.txn_count, "rows",
                     (json_int_t)at.row_count);
}

/* --- cleanup --- */

/* The ledger's entries of one end, as serve told them, and what becomes of them. */
typedef struct told_ledger {
    probe *p;
    const json_t *entries;
} told_ledger;

static bool told_find(void *ctx, const char *end, const char *kind, str name, ledger_state *ret, err *e)
{
    const told_ledger *l = ctx;
    size_t i;
    json_t *o;
    (void)end, (void)e;
    *ret = LEDGER_NONE;
    json_array_foreach((json_t *)(uintptr_t)l->entries, i, o)
        if (strcmp(ctl_text(o, "kind"), kind) == 0 && str_eq(ctl_str(o, "name"), name)) *ret = ledger_text_read(ctl_str(o, "state"));
    return true;
}

static bool told_settle(void *ctx, const char *end, const char *kind, str name, ledger_state state, str why, err *e)
{
    const told_ledger *l = ctx;
    (void)end;
    return tell(l->p,
                json_pack("{s:s, s:s, s:s%, s:s, s:s%}", "type", "settled", "kind", kind, "name", name.p, name.n,
                          "state", ledger_text_write(state), "why", why.n ? why.p : "", why.n),
                e);
}

static bool told_intend(void *ctx, const char *end, const char *kind, str name, str undo, bool shared, uint64_t *ret_id,
                        err *e)
{
    (void)ctx, (void)undo, (void)shared, (void)ret_id;
    return err_set(e, ERR_INTERNAL, "a cleanup was to make the %s %.*s (%s)", kind, STR_ARG(name), end);
}

static bool clean_target(probe *p, const endpoint *ep, str job_id, str identity, str *ret_removed, bool *ret_other,
                         json_t **ret_last, err *e)
{
    const engine *g = engine_find(ep->engine);
    target *t = NULL;
    server_info info = {.version_number = 0};
    bool ok = g->target->open(ep, &p->env, &t, e) && g->target->server(t, &p->mem, &info, e);
    *ret_other = ok && identity.n && !str_eq(identity, info.identity);
    if (ok && !*ret_other) *ret_last = last_checkpoint(p, g, t);
    if (ok && !*ret_other) ok = g->target->remove_job(t, job_id, &p->mem, ret_removed, e);
    g->target->close(t);
    return ok;
}

static bool clean_source(probe *p, const endpoint *ep, str job_id, str identity, str *ret_removed, bool *ret_other, err *e)
{
    const engine *g = engine_find(ep->engine);
    source *s = NULL;
    server_info info = {.version_number = 0};
    bool ok = g->source->open(ep, &p->env, &s, e) && g->source->server(s, &p->mem, &info, e);
    *ret_other = ok && identity.n && !str_eq(identity, info.identity);
    if (ok && !*ret_other && g->source->remove_job) ok = g->source->remove_job(s, job_id, &p->mem, ret_removed, e);
    g->source->close(s);
    return ok;
}

static bool do_cleanup(probe *p, const json_t *m, err *e)
{
    endpoint ep = {.port = 0};
    str removed = STR("");
    bool other = false;
    json_t *last = NULL;
    str job_id = arena_copy(&p->mem, ctl_str(m, "job_id")), identity = arena_copy(&p->mem, ctl_str(m, "identity"));
    told_ledger told = {p, json_object_get(m, "entries")};
    ledger l = {.intend = told_intend, .find = told_find, .settle = told_settle, .ctx = &told};
    p->env.job_id = job_id;
    p->env.ledger = &l;
    bool ok = spec_read_endpoint(json_object_get(m, "endpoint"), &p->mem, &ep, e);
    if (ok && strcmp(ctl_text(m, "end"), "src") == 0) ok = clean_source(p, &ep, job_id, identity, &removed, &other, e);
    else if (ok) ok = clean_target(p, &ep, job_id, identity, &removed, &other, &last, e);
    secret_wipe(&ep.password);
    p->env.ledger = NULL;
    if (!ok) {
        json_decref(last);
        return false;
    }
    return tell(p, json_pack("{s:s, s:s%, s:b, s:o}", "type", "cleaned", "removed", removed.n ? removed.p : "", removed.n, "other_server", (int)other, "checkpoint",
                             last ? last : json_null()), e);
}

static bool do_request(probe *p, err *e)
{
    json_t *m = NULL;
    if (ctl_receive(&p->ctl, 30000, &m, e) != CTL_MESSAGE) return e->code != ERR_NONE ? false : err_set(e, ERR_PROTOCOL, "no request came on the control socket");
    const char *type = ctl_text(m, "type");
    bool ok;
    if (strcmp(type, "connect") == 0) ok = do_connect(p, m, e);
    else if (strcmp(type, "precheck") == 0) ok = do_precheck(p, m, e);
    else if (strcmp(type, "cutover") == 0) ok = do_cutover(p, m, e);
    else if (strcmp(type, "cleanup") == 0) ok = do_cleanup(p, m, e);
    else ok = err_set(e, ERR_PROTOCOL, "the request \"%s\" is not known", type);
    json_decref(m);
    return ok;
}

int probe_main(void)
{
    static probe p;
    err e = ERR_INIT, ignored = ERR_INIT;
    mallopt(M_ARENA_MAX, 2);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    log_set_common_fields("role=probe");
    ctl_init(&p.ctl, CTL_FD);
    arena_init(&p.mem, 64 * 1024, 0);
    bool ok = cancel_init(&p.stop, &e);
    p.env = (engine_env){.clock = clk_system(), .cancel = &p.stop, .budget_bytes = 64 << 20, .connect_timeout_s = CONNECT_TIMEOUT_S, .io_timeout_s = IO_TIMEOUT_S};
    ok = ok && do_request(&p, &e);
    if (!ok) {
        log_error("probe", &e);
        (void)!ctl_send_new(&p.ctl, ctl_failed(&e), &ignored);
    }
    arena_finish(&p.mem);
    ctl_finish(&p.ctl);
    cancel_finish(&p.stop);
    return ok ? 0 : 3;
}
