/* What changes or fails between families of databases, before the first row is read (the loss report). */
#include "engine/mapping/mapping.h"
#include "engine/precheck.h"
#include "engine/precheck_report.h"
#include "engine/repair.h"

/* A finding of the mapping, copied, with its rows. */
typedef struct loss {
    mapping_finding f;
    bool counted;
    condition_rows rows;
    str why_not; /* why they were not counted */
} loss;

typedef struct losses {
    arena *a;
    loss *list;
    uint32_t count, room;
    bool failed; /* no memory */
} losses;

static void keep(void *ctx, const mapping_finding *f)
{
    losses *l = ctx;
    if (l->count == l->room) {
        uint32_t room = l->room ? l->room * 2 : 32;
        loss *more = arena_array(l->a, room, sizeof *more);
        for (uint32_t i = 0; more && i < l->count; i++) more[i] = l->list[i];
        l->failed = l->failed || !more;
        if (!more) return;
        l->list = more;
        l->room = room;
    }
    mapping_finding g = *f;
    g.rule = arena_copy(l->a, f->rule), g.object = arena_copy(l->a, f->object), g.what = arena_copy(l->a, f->what);
    g.options = arena_copy(l->a, f->options), g.condition_sql = arena_copy(l->a, f->condition_sql);
    g.kind = arena_copy(l->a, f->kind), g.schema = arena_copy(l->a, f->schema), g.choice = arena_copy(l->a, f->choice);
    if (f->source_text.p) g.source_text = arena_copy(l->a, f->source_text);
    l->failed = l->failed || !g.rule.p || !g.object.p || !g.what.p || !g.options.p || !g.condition_sql.p || !g.kind.p || !g.schema.p || !g.choice.p || (f->source_text.p && !g.source_text.p);
    l->list[l->count++] = (loss){.f = g, .why_not = STR("")};
}

/* The rows of all findings of one table in one pass. A condition that the server refuses takes the others with it: none is counted then. */
static bool count_table(losses *l, const repair_ops *ops, source *s, const table_def *t, err *e)
{
    uint32_t n = 0;
    bool lost = false;
    err why = ERR_INIT;
    str *conditions = arena_array(l->a, l->count, sizeof *conditions);
    condition_rows *rows = arena_array(l->a, l->count, sizeof *rows);
    if (!conditions || !rows) return err_no_memory(e, "findings");
    for (uint32_t i = 0; i < l->count; i++)
        if (l->list[i].f.table == t && l->list[i].f.condition_sql.n) conditions[n++] = l->list[i].f.condition_sql;
    if (!n) return true;
    bool ok = ops->count_rows(s, t, conditions, n, l->a, rows, &lost, &why);
    if (!ok && lost) {
        *e = why;
        return false;
    }
    str reason = ok ? STR("") : arena_copy(l->a, str_from_c(why.text));
    if (!reason.p) return err_no_memory(e, "findings");
    n = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        loss *one = &l->list[i];
        if (one->f.table != t || !one->f.condition_sql.n) continue;
        one->counted = ok;
        one->why_not = reason;
        if (ok) one->rows = rows[n++];
    }
    return true;
}

static bool count_all(losses *l, const precheck_job *job, source *s, const catalog_def *c, err *e)
{
    const repair_ops *ops = job->source_engine->repair;
    for (uint32_t i = 0; i < c->table_count; i++)
        if (ops && ops->count_rows && !count_table(l, ops, s, c->tables[i], e)) return false;
    return true;
}

static precheck_effect effect_of(const loss *l)
{
    if (l->f.source_text.p) return EFFECT_OMISSION;
    if (!l->f.fails) return EFFECT_CHANGE;
    return l->counted && !l->f.rough ? EFFECT_OBSTACLE : EFFECT_RISK;
}

static void add_text(buf *b, const loss *l)
{
    const mapping_finding *f = &l->f;
    if (f->rule.n) buf_printf(b, "%.*s: ", STR_ARG(f->rule));
    if (f->table) buf_printf(b, "%.*s.%.*s", STR_ARG(f->table->schema), STR_ARG(f->table->name));
    else if (f->kind.n) buf_printf(b, "%.*s %.*s.", STR_ARG(f->kind), STR_ARG(f->schema));
    if (f->column) buf_printf(b, ".%.*s", STR_ARG(f->column->name));
    if (f->object.n) buf_printf(b, "%s%.*s", f->table ? ", " : "", STR_ARG(f->object));
    buf_printf(b, ": %.*s", STR_ARG(f->what));
    if (l->counted) buf_printf(b, "; %s%llu row%s", f->rough ? "at most " : "", (unsigned long long)l->rows.rows, l->rows.rows == 1 ? "" : "s");
    if (l->counted && l->rows.first.n) buf_printf(b, ": %.*s%s", STR_ARG(l->rows.first), l->rows.rows > REPAIR_SHOWN_ROWS ? "; ..." : "");
    if (l->why_not.n) buf_printf(b, "; the rows could not be counted: %.*s", STR_ARG(l->why_not));
}

/* to: the target's catalog, NULL when there is none. What fails for rows that are there must be decided before the job begins; what no row has is no finding.
 * Rows that only may fail are told. */
static void tell(precheck_report *p, const loss *l, const catalog_def *to)
{
    const mapping_finding *f = &l->f;
    BUF_AUTO detail = BUF_INIT;
    BUF_AUTO repair = BUF_INIT;
    if (l->counted && !l->rows.rows) return;
    add_text(&detail, l);
    if (l->counted) buf_printf(&repair, "%.*s; -- the rows concerned", STR_ARG(l->rows.select_sql));
    if (f->options.n) buf_printf(&repair, "%s-- choose in Reserve, %.*s", repair.n ? "\n" : "", STR_ARG(f->options));
    if (detail.failed || repair.failed) {
        p->failed = true;
        return;
    }
    precheck_finding x = {.effect = effect_of(l), .text = buf_str(&detail), .kind = f->kind.n || !f->column ? f->kind : STR("column"), .schema = f->table ? f->table->schema : f->schema,
                          .object = f->object, .rule = f->rule, .options = f->options, .choice = f->choice, .counted = l->counted, .rough = f->rough, .rows = l->rows.rows,
                          .first_rows = l->rows.first, .rows_sql = l->rows.select_sql, .source_text = f->source_text};
    x.state = x.effect == EFFECT_OBSTACLE ? PRECHECK_FAILED : PRECHECK_WARNING;
    if (f->table) x.table = f->table->name;
    if (f->column) x.column = f->column->name, x.source_type = f->column->native_type;
    if (f->column && to) x.target_type = to->tables[f->table->id]->columns[f->column - f->table->columns].native_type;
    precheck_report_find(p, &x, buf_str(&repair));
}

static str choice_of(void *ctx, str key)
{
    const precheck_job *job = ctx;
    return job->type_choice ? job->type_choice(job->type_ctx, key) : STR_NULL;
}

bool precheck_types(const precheck_job *job, source *s, const precheck_request *r, catalog_def *from, const precheck_sink *sink, arena *a, catalog_def **ret, err *e)
{
    if (job->source_engine->sql == job->target_engine->sql) return true;
    precheck_report p;
    mapping *map;
    err why = ERR_INIT;
    losses found = {.a = a};
    mapping_findings out = {keep, &found};
    mapping_options o = {.target = job->target_engine->sql, .target_mariadb = str_eq(r->target->product, STR("MariaDB")), .target_version = r->target->version_number, .postgis_schema = r->target->postgis_schema, .pgvector_schema = r->target->pgvector_schema,
                         .choice = choice_of, .ctx = (void *)(uintptr_t)job};
    precheck_report_init(&p, "CHECK_TYPES");
    *ret = NULL;
    if (mapping_make(from, job->source_engine->sql, &o, &out, a, &map, &why)) *ret = mapping_catalog(map);
    else precheck_report_addf(&p, PRECHECK_FAILED, "-- see the message", "%s", why.text);
    if (found.failed) return err_no_memory(e, "findings");
    bool ok = count_all(&found, job, s, from, e);
    for (uint32_t i = 0; ok && i < found.count; i++) tell(&p, &found.list[i], *ret);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, sink, ok ? e : &ignored) && ok;
}
