/* Each foreign key with actions becomes one text, "schema"."table" column=column ... references "schema"."table" and rules, in the target's names; the two
 * ends' sets must be equal. */
#include "engine/postgresql/pg_apply_foreign_key.h"

#include "base/map.h"
#include "model/family.h"

typedef struct matching {
    pg_conn *c;
    const catalog_def *catalog;
    arena mem;
    map wanted;     /* text → the table_def of the child */
    map met;        /* those of them that the target has */
} matching;

static str target_column(const table_def *t, uint32_t i) { return t->columns[i].target_name.n ? t->columns[i].target_name : t->columns[i].name; }

static const char *rule_name(str rule)
{
    return str_eq_nocase(rule, STR("CASCADE")) ? "cascade" : str_eq_nocase(rule, STR("SET NULL")) ? "set null" : str_eq_nocase(rule, STR("SET DEFAULT")) ? "set default" : "restrict";
}

static str describe_wanted(matching *m, const table_def *t, const foreign_key_def *f, const table_def *parent)
{
    BUF_AUTO b = BUF_INIT;
    pg_quote_table(&b, t->target_schema, t->target_name);
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t at = table_find_column(parent, f->parent_columns[i]);
        buf_add_byte(&b, ' ');
        pg_quote_name(&b, target_column(t, f->columns[i]));
        buf_add_byte(&b, '=');
        if (at != UINT32_MAX) pg_quote_name(&b, target_column(parent, at));
    }
    buf_add_c(&b, " references ");
    pg_quote_table(&b, parent->target_schema, parent->target_name);
    buf_printf(&b, " delete %s update %s", rule_name(f->on_delete), rule_name(f->on_update));
    return b.failed ? STR_NULL : arena_copy(&m->mem, buf_str(&b));
}

static bool read_wanted(matching *m, err *e)
{
    for (uint32_t i = 0; i < m->catalog->table_count; i++) {
        const table_def *t = m->catalog->tables[i];
        for (uint32_t k = 0; k < t->foreign_key_count; k++) {
            const foreign_key_def *f = &t->foreign_keys[k];
            const table_def *parent = family_has_action(f) ? catalog_find_table(m->catalog, f->parent_schema, f->parent_table) : NULL;
            if (!parent) continue; /* without its parent the pipeline refuses the table */
            str text = describe_wanted(m, t, f, parent);
            if (!text.p || !map_put(&m->wanted, text, (void *)(uintptr_t)t)) return err_no_memory(e, "foreign keys");
        }
    }
    return true;
}

/* One row for each foreign key with actions of the tables (c: the child), its columns and the parent's as one text in the form above. */
#define KEYS_SQL                                                                                                                            \
    "SELECT f.conname, pg_catalog.concat('\"', replace(n.nspname, '\"', '\"\"'), '\".\"', replace(c.relname, '\"', '\"\"'), '\"', "          \
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(' \"', replace(a.attname, '\"', '\"\"'), '\"=\"', replace(b.attname, '\"', '\"\"'), '\"'), '' ORDER BY k.o) " \
    "FROM unnest(f.conkey, f.confkey) WITH ORDINALITY k(child, parent, o) JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.child " \
    "JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.parent), "                                                  \
    "' references \"', replace(np.nspname, '\"', '\"\"'), '\".\"', replace(p.relname, '\"', '\"\"'), '\" delete ', "                         \
    "CASE f.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' ELSE 'restrict' END, ' update ', "      \
    "CASE f.confupdtype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' ELSE 'restrict' END) "                  \
    "FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = f.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace " \
    "JOIN pg_catalog.pg_class p ON p.oid = f.confrelid JOIN pg_catalog.pg_namespace np ON np.oid = p.relnamespace "                          \
    "WHERE f.contype = 'f' AND f.conparentid = 0 AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd')) AND (n.nspname, c.relname) IN ("

static bool ask(matching *m, PGresult **ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, KEYS_SQL);
    for (uint32_t i = 0; i < m->catalog->table_count; i++) {
        buf_add_c(&sql, i ? ",(" : "(");
        pg_quote_literal(&sql, m->catalog->tables[i]->target_schema);
        buf_add_byte(&sql, ',');
        pg_quote_literal(&sql, m->catalog->tables[i]->target_name);
        buf_add_byte(&sql, ')');
    }
    buf_add_byte(&sql, ')');
    if (sql.failed) return err_no_memory(e, "a statement");
    return pg_conn_query(m->c, buf_str(&sql), ret, e) || err_context(e, "looking at the destination's foreign keys");
}

/* Notes what was found; a key with actions that nobody wants is an error. */
static bool take_key(matching *m, str name, str text, err *e)
{
    str kept = arena_copy(&m->mem, text);
    if (!kept.p) return err_no_memory(e, "foreign keys");
    if (map_get(&m->wanted, kept)) return map_put(&m->met, kept, m) || err_no_memory(e, "foreign keys");
    return err_set(e, ERR_NOT_SUPPORTED,
                   "the destination's foreign key %.*s (%.*s) has actions that the source's tables do not have: they would change rows that the source kept; drop it",
                   STR_ARG(name), STR_ARG(str_sub(text, 0, 500)));
}

static bool compare(matching *m, err *e)
{
    PGresult *res;
    if (!ask(m, &res, e)) return false;
    bool ok = true;
    for (int i = 0; ok && i < PQntuples(res); i++) ok = take_key(m, pg_field(res, i, 0), pg_field(res, i, 1), e);
    PQclear(res);
    for (size_t i = 0; ok && i < m->wanted.count; i++)
        if (!map_get(&m->met, m->wanted.entries[i].key))
            return err_set(e, ERR_NOT_SUPPORTED,
                           "the source does not log the child rows that foreign key actions change, and the destination lacks the foreign key that would change "
                           "them: %.*s; add it and start the job again",
                           STR_ARG(str_sub(m->wanted.entries[i].key, 0, 500)));
    return ok;
}

bool pg_apply_foreign_keys_match(pg_conn *c, const catalog_def *catalog, err *e)
{
    matching m = {.c = c, .catalog = catalog, .wanted = MAP_INIT, .met = MAP_INIT};
    if (catalog->table_count == 0) return true;
    arena_init(&m.mem, 16 * 1024, 0);
    bool ok = read_wanted(&m, e) && compare(&m, e);
    map_finish(&m.wanted);
    map_finish(&m.met);
    arena_finish(&m.mem);
    return ok;
}
