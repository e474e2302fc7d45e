/* The precheck of names: what would meet under one name in the target. Tables, views and indexes of a schema share their names in PostgreSQL. */
#include "engine/postgresql/pg_catalog.h"
#include "engine/postgresql/pg_precheck.h"

#define NAME_MOST_BYTES 63 /* NAMEDATALEN - 1: longer ones are cut without an error */

typedef struct naming {
    pg_check *k;
    precheck_report report;
    map taken; /* quoted schema and name → char *, who has it */
} naming;

static bool take(naming *n, str what, str schema, str name, str repair, err *e)
{
    BUF_AUTO full = BUF_INIT;
    pg_quote_table(&full, schema, name);
    str key = full.failed ? STR_NULL : arena_copy(n->k->a, buf_str(&full));
    char *who = what.p ? arena_copy_c(n->k->a, what) : NULL;
    if (!key.p || !who) return err_no_memory(e, "names");
    const char *other = map_get(&n->taken, key);
    BUF_AUTO text = BUF_INIT;
    if (other) buf_printf(&text, "%s and %.*s would both become %.*s in the destination", other, STR_ARG(what), STR_ARG(key));
    else if (name.n > NAME_MOST_BYTES) buf_printf(&text, "%.*s would become %.*s, a name longer than 63 bytes, which PostgreSQL cuts", STR_ARG(what), STR_ARG(key));
    if (text.failed) return err_no_memory(e, "names");
    if (text.n) precheck_report_add(&n->report, PRECHECK_FAILED, buf_str(&text), repair);
    return other || map_put(&n->taken, key, who) || err_no_memory(e, "names");
}

#define RENAME STR("-- map one of the two to another name in DbList, or take it out")

/* <table>_<name>, as no other table's index is named but by intention. */
static void add_rename(buf *out, const table_def *t, const key_def *key)
{
    BUF_AUTO name = BUF_INIT;
    buf_printf(&name, "%.*s_%.*s", STR_ARG(t->name), STR_ARG(key->name));
    buf_add_c(out, "ALTER INDEX ");
    pg_quote_table(out, t->schema, key->name);
    buf_add_c(out, " RENAME TO ");
    pg_quote_name(out, str_sub(buf_str(&name), 0, NAME_MOST_BYTES));
    buf_add_byte(out, ';');
}

static bool take_keys(naming *n, const table_def *t, err *e)
{
    bool like = n->k->r->source && str_eq(n->k->r->source->product, STR("PostgreSQL"));
    for (uint32_t i = 0; like && i < t->key_count; i++) { /* from other families the mapping makes names that do not meet */
        BUF_AUTO repair = BUF_INIT;
        add_rename(&repair, t, &t->keys[i]);
        str what = arena_printf(n->k->a, "index %.*s of %.*s.%.*s", STR_ARG(t->keys[i].name), STR_ARG(t->schema), STR_ARG(t->name));
        if (repair.failed) return err_no_memory(e, "names");
        if (!take(n, what, t->target_schema, t->keys[i].name, buf_str(&repair), e)) return false;
    }
    return true;
}

static bool take_all(naming *n, err *e)
{
    const catalog_def *c = n->k->r->catalog;
    for (uint32_t i = 0; i < c->database_count; i++)
        if (pg_catalog_is_system_schema(c->databases[i].target_name))
            precheck_report_addf(&n->report, PRECHECK_FAILED, "-- map the schema to another name in DbList", "schema %.*s would be written to %.*s, which belongs to %s",
                                 STR_ARG(c->databases[i].name), STR_ARG(c->databases[i].target_name), str_eq(c->databases[i].target_name, STR("sluice")) ? "the service" : "the server");
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        if (!take(n, arena_printf(n->k->a, "table %.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name)), t->target_schema, t->target_name, RENAME, e)) return false;
    }
    for (uint32_t i = 0; i < c->view_count; i++) {
        const view_def *v = &c->views[i];
        if (!take(n, arena_printf(n->k->a, "view %.*s.%.*s", STR_ARG(v->schema), STR_ARG(v->name)), v->target_schema, v->target_name, RENAME, e)) return false;
    }
    for (uint32_t i = 0; i < c->table_count; i++)
        if (!take_keys(n, c->tables[i], e)) return false;
    return true;
}

bool pg_check_names(pg_check *k, err *e)
{
    naming n = {.k = k, .taken = MAP_INIT};
    precheck_report_init(&n.report, "CHECK_NAMES");
    bool ok = take_all(&n, e);
    map_finish(&n.taken);
    return pg_check_emit(k, &n.report, ok, e);
}
