/* The precheck of names: what would meet under one name in the target.
 * Measured on MariaDB 10.11 and MySQL 9.7: the names of foreign keys are unique in a schema and compared without case; MySQL compares them without accents
 * as well (utf8mb3_general_ci) and wants the names of checks unique in the same way; MariaDB's checks belong to their table. */
#include <string.h>

#include "engine/mysql/catalog.h"
#include "engine/mysql/precheck_priv.h"
#include "engine/mysql/repair.h"
#include "engine/mysql/schema_text.h"

/* Who has a name: a text for people, and the key of the table that a constraint belongs to. */
typedef struct owner {
    str what, table;
    bool in_target; /* there already, not of this job */
} owner;

typedef struct naming {
    target_check *k;
    precheck_report report;
    map objects;     /* target_check_key → owner */
    map constraints; /* kind, schema and name → owner */
} naming;

static owner *new_owner(naming *n, str what, str table, bool in_target, err *e)
{
    owner *o = what.p ? arena_alloc(n->k->a, sizeof *o) : NULL;
    if (!o) {
        (void)err_no_memory(e, "names");
        return NULL;
    }
    *o = (owner){what, table, in_target};
    return o;
}

/* ---- tables and views ---- */

static bool take_object(naming *n, const char *kind, str schema, str name, str target_schema, str target_name, err *e)
{
    str key, what = arena_printf(n->k->a, "%s %.*s.%.*s", kind, STR_ARG(schema), STR_ARG(name));
    bool fold = n->k->r->target && n->k->r->target->name_case != 0;
    if (!target_check_key(n->k, target_schema, target_name, &key, e)) return false;
    const owner *other = map_get(&n->objects, key);
    if (other) {
        precheck_report_addf(&n->report, PRECHECK_FAILED, "-- map one of the two to another name in DbList, or take it out", "%.*s and %.*s would both become %.*s in the destination%s",
                             STR_ARG(other->what), STR_ARG(what), STR_ARG(key), fold ? ", which does not tell capitals apart (lower_case_table_names)" : "");
        return true;
    }
    owner *o = new_owner(n, what, key, false, e);
    return o && (map_put(&n->objects, key, o) || err_no_memory(e, "names"));
}

static bool check_objects(naming *n, err *e)
{
    const catalog_def *c = n->k->r->catalog;
    for (uint32_t i = 0; i < c->database_count; i++)
        if (catalog_is_system_schema(c->databases[i].target_name))
            precheck_report_addf(&n->report, PRECHECK_FAILED, "-- map the database to another name in DbList", "database %.*s would be written to %.*s, which belongs to %s",
                                 STR_ARG(c->databases[i].name), STR_ARG(c->databases[i].target_name),
                                 str_eq_nocase(c->databases[i].target_name, STR("sluice")) ? "the service" : "the server");
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        if (!take_object(n, "table", t->schema, t->name, t->target_schema, t->target_name, e)) return false;
    }
    for (uint32_t i = 0; i < c->view_count; i++) {
        const view_def *v = &c->views[i];
        if (!take_object(n, "view", v->schema, v->name, v->target_schema, v->target_name, e)) return false;
    }
    return true;
}

/* ---- constraints ---- */

/* Equal for two names that the target does not tell apart: weights of utf8mb3_general_ci on MySQL, else ASCII without case. */
static bool name_weight(naming *n, str name, buf *out, err *e)
{
    conn *c = n->k->c;
    bool ascii = true;
    for (size_t i = 0; i < name.n; i++) ascii = ascii && (unsigned char)name.p[i] < 128;
    if (ascii || c->is_mariadb) {
        for (size_t i = 0; i < name.n; i++) {
            char ch = name.p[i] >= 'a' && name.p[i] <= 'z' ? (char)(name.p[i] - 32) : name.p[i];
            if (!c->is_mariadb) buf_add_c(out, "00");
            buf_printf(out, "%02X", (unsigned)(unsigned char)ch);
        }
        return true;
    }
    BUF_AUTO sql = BUF_INIT;
    str weight;
    buf_add_c(&sql, "SELECT HEX(WEIGHT_STRING(CONVERT(");
    conn_quote_literal(&sql, name, STR("utf8mb4"));
    buf_add_c(&sql, " USING utf8mb3) COLLATE utf8mb3_general_ci))");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query_value(c, buf_c(&sql), n->k->a, &weight, e)) return false;
    buf_add(out, weight);
    return true;
}

static bool constraint_key(naming *n, char kind, str schema, str name, str *ret, err *e)
{
    BUF_AUTO key = BUF_INIT;
    str where;
    buf_printf(&key, "%c ", kind);
    if (!name_weight(n, name, &key, e) || !target_check_key(n->k, schema, STR(""), &where, e)) return false;
    buf_add(&key, where);
    str copy = key.failed ? STR_NULL : arena_copy(n->k->a, buf_str(&key));
    if (!copy.p) return err_no_memory(e, "names");
    *ret = copy;
    return true;
}

/* Rows of constraint name and table of one target schema. */
static bool read_constraints(naming *n, char kind, const char *select, str schema, err *e)
{
    target_check *k = n->k;
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    buf_add_c(&sql, select);
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(k->c, buf_str(&sql), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        const unsigned long *size = mysql_fetch_lengths(res);
        str name = {row[0], size[0]}, table = {row[1], size[1]}, key, table_key;
        ok = constraint_key(n, kind, schema, name, &key, e) && target_check_key(k, schema, table, &table_key, e);
        owner *o = ok ? new_owner(n, arena_printf(k->a, "the table %.*s.%.*s of the destination", STR_ARG(schema), STR_ARG(table)), table_key, true, e) : NULL;
        ok = o && (map_put(&n->constraints, key, o) || err_no_memory(e, "names"));
    }
    mysql_free_result(res);
    return ok;
}

static bool has_unique_checks(const conn *c) { return !c->is_mariadb && c->version >= 80016; }

static bool read_target(naming *n, err *e)
{
    const catalog_def *c = n->k->r->catalog;
    for (uint32_t i = 0; i < c->database_count; i++) {
        str schema = c->databases[i].target_name;
        if (!read_constraints(n, 'f', "SELECT CONSTRAINT_NAME, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ", schema, e)) return false;
        if (has_unique_checks(n->k->c) &&
            !read_constraints(n, 'c', "SELECT CONSTRAINT_NAME, TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_TYPE = 'CHECK' AND CONSTRAINT_SCHEMA = ", schema, e))
            return false;
    }
    return true;
}

/* <target table>_<name>, at most 64 characters: no other table has such a name but by intention. */
static bool other_name(naming *n, const table_def *t, str name, str *ret, err *e)
{
    str all = arena_printf(n->k->a, "%.*s_%.*s", STR_ARG(t->target_name), STR_ARG(name));
    size_t chars = 0, end = 0;
    for (; all.p && end < all.n; end++) {
        if (((uint8_t)all.p[end] & 0xc0) != 0x80 && chars++ == 55) break;
    }
    if (all.p && end < all.n) all = arena_printf(n->k->a, "%.*s_%08x", (int)end, all.p, (unsigned)(map_hash(all) & 0xffffffffU));
    if (!all.p) return err_no_memory(e, "names");
    *ret = all;
    return true;
}

/* One constraint that the job would make. ret_other: who has the name, NULL when it is free and now this table's. */
static bool take_constraint(naming *n, char kind, const table_def *t, str name, const owner **ret_other, err *e)
{
    str key, table;
    if (!constraint_key(n, kind, t->target_schema, name, &key, e) || !target_check_key(n->k, t->target_schema, t->target_name, &table, e)) return false;
    const owner *other = map_get(&n->constraints, key);
    *ret_other = other && !(other->in_target && str_eq(other->table, table)) ? other : NULL;
    if (other) return true;
    owner *o = new_owner(n, arena_printf(n->k->a, "the table %.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name)), table, false, e);
    return o && (map_put(&n->constraints, key, o) || err_no_memory(e, "names"));
}

static void tell_constraint(naming *n, const char *kind, const table_def *t, str name, const owner *other, const char *repair)
{
    precheck_report_addf(&n->report, PRECHECK_FAILED, repair, "the %s %.*s of %.*s.%.*s has a name that %.*s has given to one of its own: it is unique in the database %.*s", kind,
                         STR_ARG(name), STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(other->what), STR_ARG(t->target_schema));
}

static bool check_foreign_keys(naming *n, const table_def *t, err *e)
{
    for (uint32_t i = 0; i < t->foreign_key_count; i++) {
        const foreign_key_def *f = &t->foreign_keys[i];
        const owner *other;
        str name;
        BUF_AUTO repair = BUF_INIT;
        if (!schema_foreign_key_is_whole(t, i)) continue;
        if (!take_constraint(n, 'f', t, f->name, &other, e) || !other_name(n, t, f->name, &name, e)) return false;
        if (!other) continue;
        buf_add_c(&repair, "-- at the source\n");
        repair_rename_foreign_key(t, f, name, &repair);
        tell_constraint(n, "foreign key", t, f->name, other, buf_c(&repair));
    }
    return true;
}

static bool check_checks(naming *n, const table_def *t, const schema_pair *pair, err *e)
{
    ddl_table d;
    if (!ddl_parse_table(t->create_sql, n->k->a, &d, e)) return false;
    for (uint32_t i = 0; i < d.check_count; i++) {
        const owner *other;
        str name;
        BUF_AUTO repair = BUF_INIT;
        if (!schema_check_keeps_name(pair, &d.checks[i])) continue;
        if (!take_constraint(n, 'c', t, d.checks[i].name, &other, e) || !other_name(n, t, d.checks[i].name, &name, e)) return false;
        if (!other) continue;
        buf_add_c(&repair, "-- at the source\n");
        repair_rename_check(t, &d.checks[i], name, &repair);
        tell_constraint(n, "check", t, d.checks[i].name, other, buf_c(&repair));
    }
    return true;
}

static bool check_constraints(naming *n, err *e)
{
    const catalog_def *c = n->k->r->catalog;
    schema_pair pair = schema_pair_of(n->k->r->source ? n->k->r->source->product : STR_NULL, n->k->c->is_mariadb, n->k->c->version, &n->k->collations);
    if (!read_target(n, e)) return false;
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        const char *kind;
        bool own;
        if (!target_check_find(n->k, t->target_schema, t->target_name, &kind, &own, e)) return false;
        if (kind && !own) continue; /* not made by the job */
        if (!check_foreign_keys(n, t, e) || (has_unique_checks(n->k->c) && !check_checks(n, t, &pair, e))) return false;
    }
    return true;
}

bool precheck_names(target_check *k, err *e)
{
    naming n = {.k = k, .objects = MAP_INIT, .constraints = MAP_INIT};
    precheck_report_init(&n.report, "CHECK_NAMES");
    bool ok = check_objects(&n, e) && (!k->r->schema || check_constraints(&n, e));
    map_finish(&n.objects);
    map_finish(&n.constraints);
    err ignored = ERR_INIT;
    return precheck_report_emit(&n.report, k->sink, ok ? e : &ignored) && ok;
}
