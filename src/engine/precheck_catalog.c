/* Prechecks over the selected tables alone, whatever the engines. */
#include "engine/precheck.h"
#include "engine/precheck_report.h"
#include "engine/repair.h"
#include "model/family.h"
#include "model/filter.h"

/* What a source that does not log the work of foreign key actions adds. */
static void check_actions(precheck_report *p, const precheck_request *r, const table_def *t)
{
    BUF_AUTO text = BUF_INIT;
    if (!r->incremental || !r->source || r->source->cascades_logged || !t->family) return;
    family_problems(r->catalog, t, &text);
    if (text.n)
        precheck_report_addf(p, PRECHECK_FAILED, "-- change DbList as the text says", "the source does not log the child rows that foreign key actions change: %.*s",
                             STR_ARG(buf_str(&text)));
}

static bool check_foreign_keys(const precheck_request *r, const precheck_sink *sink, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_FK_CLOSURE");
    for (uint32_t i = 0; i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        for (uint32_t k = 0; k < t->foreign_key_count; k++) {
            const foreign_key_def *f = &t->foreign_keys[k];
            if (catalog_find_table(r->catalog, f->parent_schema, f->parent_table)) continue;
            BUF_AUTO repair = BUF_INIT;
            buf_printf(&repair, "-- add the parent table %.*s.%.*s to DbList, or drop the foreign key at the source:\n", STR_ARG(f->parent_schema), STR_ARG(f->parent_table));
            if (r->repair) r->repair->drop_foreign_key(t, f, &repair);
            precheck_report_addf(&p, PRECHECK_FAILED, buf_c(&repair), "%.*s.%.*s has the foreign key %.*s to %.*s.%.*s, which is not selected", STR_ARG(t->schema), STR_ARG(t->name),
                                 STR_ARG(f->name), STR_ARG(f->parent_schema), STR_ARG(f->parent_table));
        }
        check_actions(&p, r, t);
    }
    return precheck_report_emit(&p, sink, e);
}

static bool check_keys(const precheck_request *r, const precheck_sink *sink, err *e)
{
    precheck_report p;
    precheck_report_init(&p, "CHECK_KEYS");
    for (uint32_t i = 0; i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        if (t->row_key != TABLE_NO_KEY) continue;
        BUF_AUTO repair = BUF_INIT;
        buf_add_c(&repair, "-- at the source; or ADD PRIMARY KEY over columns whose values are unique\n");
        if (r->repair) r->repair->add_key(t, r->source, &repair);
        precheck_report_addf(&p, PRECHECK_WARNING, buf_c(&repair),
                             "%.*s.%.*s has neither a primary key nor a unique key of NOT NULL columns: it is loaded in one piece and its changes are applied row by row",
                             STR_ARG(t->schema), STR_ARG(t->name));
    }
    return precheck_report_emit(&p, sink, e);
}

static bool leaves_out_key(const table_def *t)
{
    for (uint32_t n = 0; n < t->key_count; n++)
        for (uint32_t i = 0; t->keys[n].primary && i < t->keys[n].count; i++)
            if (t->keys[n].columns[i] < t->column_count && !t->columns[t->keys[n].columns[i]].selected) return true;
    return false;
}

/* What the stream could not evaluate (a PostgreSQL source filters by itself); a load alone needs it to bring parts of different moments to one. Whether the server takes the condition is a check of the source's engine. */
static bool check_filters(const precheck_request *r, const precheck_sink *sink, err *e)
{
    precheck_report p;
    arena a;
    arena_init(&a, 64 * 1024, 0);
    precheck_report_init(&p, "CHECK_FILTERS");
    for (uint32_t i = 0; i < r->catalog->table_count; i++) {
        const table_def *t = r->catalog->tables[i];
        filter *f;
        err why = ERR_INIT;
        if (leaves_out_key(t))
            precheck_report_addf(&p, PRECHECK_FAILED, "-- list every column of the primary key in DbList", "the column list of %.*s.%.*s leaves out a column of its primary key", STR_ARG(t->schema),
                                 STR_ARG(t->name));
        if (t->sql == SQL_MYSQL && (r->incremental || r->full) && t->filter_sql.p && !filter_compile(t, &a, &f, &why))
            precheck_report_addf(&p, r->incremental ? PRECHECK_FAILED : PRECHECK_WARNING, "-- write the condition in DbList with the forms that docs/FILTERS.md lists", "%s%s", why.text,
                                 r->incremental ? "" : "; the load ends with this reason when it is interrupted, or when its parts were read at different moments");
        arena_reset(&a);
    }
    arena_finish(&a);
    return precheck_report_emit(&p, sink, e);
}

bool precheck_catalog(const precheck_request *r, const precheck_sink *sink, err *e)
{
    return check_foreign_keys(r, sink, e) && check_keys(r, sink, e) && check_filters(r, sink, e);
}
