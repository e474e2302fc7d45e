/* Views under their target names. */
#include "engine/mysql/schema_text.h"

static const view_def *find_view(const catalog_def *c, str schema, str name)
{
    for (uint32_t i = 0; i < c->view_count; i++)
        if (str_eq(c->views[i].schema, schema) && str_eq(c->views[i].name, name)) return &c->views[i];
    return NULL;
}

static bool is_database(const catalog_def *c, str name)
{
    for (uint32_t i = 0; i < c->database_count; i++)
        if (str_eq(c->databases[i].name, name)) return true;
    return false;
}

static bool columns_are_same(const table_def *t)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].selected || !str_eq(t->columns[i].name, t->columns[i].target_name)) return false;
    return true;
}

/* The target names of `schema`.`name` inside the view; false when it is not an object of the catalog. */
static bool target_of(const catalog_def *c, const view_def *v, str schema, str name, str *ret_schema, str *ret_name, err *e)
{
    const table_def *t = catalog_find_table(c, schema, name);
    const view_def *other = t ? NULL : find_view(c, schema, name);
    if (!t && !other)
        return err_set(e, ERR_NOT_SUPPORTED, "view %.*s.%.*s uses %.*s.%.*s, which is not selected; select it too, or take the view out of the list",
                       STR_ARG(v->schema), STR_ARG(v->name), STR_ARG(schema), STR_ARG(name));
    if (t && !columns_are_same(t))
        return err_set(e, ERR_NOT_SUPPORTED,
                       "view %.*s.%.*s uses %.*s.%.*s, of which columns are renamed or left out; take the view out of the list and create it by hand",
                       STR_ARG(v->schema), STR_ARG(v->name), STR_ARG(schema), STR_ARG(name));
    *ret_schema = t ? t->target_schema : other->target_schema;
    *ret_name = t ? t->target_name : other->target_name;
    return true;
}

/* `schema`.`name` is followed by a column somewhere: columns of it are not called by its bare name. */
static bool has_qualified_columns(str sql, str schema, str name, arena *a)
{
    ddl_lexer l = {.text = sql};
    ddl_token t[4] = {{0}};
    do {
        t[0] = t[1], t[1] = t[2], t[2] = t[3], t[3] = ddl_next(&l);
        if (ddl_is_punct(t[3], '.') && t[2].kind == DDL_NAME && ddl_is_punct(t[1], '.') && t[0].kind == DDL_NAME &&
            str_eq(ddl_unquote_name(a, t[2]), name) && str_eq(ddl_unquote_name(a, t[0]), schema))
            return true;
    } while (t[3].kind != DDL_END);
    return false;
}

/* Copies the query; `db`.`object` pairs with a database of the catalog get their target names. An alias spelt like a database would be taken for one,
 * so a pair whose first name is preceded by a dot or is no database stays. */
static bool add_query(const catalog_def *c, const view_def *v, str sql, arena *a, buf *out, err *e)
{
    ddl_lexer l = {.text = sql};
    size_t copied = 0;
    bool after_dot = false;
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l)) {
        bool was_after_dot = after_dot;
        after_dot = ddl_is_punct(t, '.');
        if (t.kind != DDL_NAME || was_after_dot) continue;
        ddl_lexer probe = l;
        ddl_token dot = ddl_next(&probe), second = ddl_next(&probe);
        if (!ddl_is_punct(dot, '.') || second.kind != DDL_NAME) continue;
        str schema = ddl_unquote_name(a, t), name = ddl_unquote_name(a, second), target_schema, target_name;
        if (!schema.p || !name.p) return err_no_memory(e, "a view");
        if (!is_database(c, schema)) continue;
        if (!target_of(c, v, schema, name, &target_schema, &target_name, e)) return false;
        buf_add(out, str_sub(sql, copied, t.start - copied));
        conn_quote_table(out, target_schema, target_name);
        copied = second.end;
        l = probe;
        /* "`v`.`a` from `db`.`v`": a new name keeps the old one as alias, unless there is an alias. */
        ddl_token after = ddl_next(&probe);
        if (!ddl_is_punct(after, '.') && after.kind != DDL_NAME && !str_eq(name, target_name) && !has_qualified_columns(sql, schema, name, a)) {
            buf_add_byte(out, ' ');
            conn_quote_name(out, name);
        }
    }
    buf_add(out, str_sub(sql, copied, sql.n));
    return true;
}

bool schema_create_view(const catalog_def *c, const view_def *v, arena *a, buf *out, err *e)
{
    ddl_lexer l = {.text = v->create_sql};
    str algorithm = STR_NULL;
    ddl_token t = ddl_next(&l);
    for (; t.kind != DDL_END && !ddl_is_word(t, "VIEW"); t = ddl_next(&l)) {
        if (!ddl_is_word(t, "ALGORITHM")) continue;
        (void)ddl_next(&l);
        algorithm = ddl_next(&l).text;
    }
    /* VIEW `db`.`v` [(columns)] AS query */
    ddl_token name = ddl_next(&l);
    size_t columns = name.end;
    t = ddl_next(&l);
    if (ddl_is_punct(t, '.')) {
        columns = ddl_next(&l).end;
        t = ddl_next(&l);
    }
    for (; t.kind != DDL_END && !ddl_is_word(t, "AS"); t = ddl_next(&l)) {}
    if (t.kind == DDL_END || !algorithm.n)
        return err_set(e, ERR_NOT_SUPPORTED, "the definition of view %.*s.%.*s has an unknown form", STR_ARG(v->schema), STR_ARG(v->name));
    buf_printf(out, "CREATE OR REPLACE ALGORITHM=%.*s SQL SECURITY INVOKER VIEW ", STR_ARG(algorithm));
    conn_quote_table(out, v->target_schema, v->target_name);
    buf_add(out, str_sub(v->create_sql, columns, t.end - columns));
    if (!add_query(c, v, str_sub(v->create_sql, t.end, v->create_sql.n), a, out, e)) return false;
    return !out->failed || err_no_memory(e, "a statement");
}
