/* SHOW GRANTS taken apart. */
#include "engine/mysql/grants.h"

#include "engine/mysql/ddl.h"

bool grants_like(str s, str pattern)
{
    size_t i = 0, k = 0, star = SIZE_MAX, mark = 0;
    while (i < s.n) {
        bool escaped = k + 1 < pattern.n && pattern.p[k] == '\\';
        if (k < pattern.n && pattern.p[k] == '%') {
            star = k++;
            mark = i;
        } else if (k < pattern.n && (escaped ? pattern.p[k + 1] == s.p[i] : pattern.p[k] == '_' || pattern.p[k] == s.p[i])) {
            k += escaped ? 2 : 1;
            i++;
        } else if (star != SIZE_MAX) {
            k = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (k < pattern.n && pattern.p[k] == '%') k++;
    return k == pattern.n;
}

bool grants_parse_line(str line, arena *a, grant_line *ret)
{
    ddl_lexer l = {.text = line};
    ddl_token t = ddl_next(&l);
    grant_line g = {.revoke = ddl_is_word(t, "REVOKE")};
    if (!g.revoke && !ddl_is_word(t, "GRANT")) return false;
    size_t start = l.at;
    for (t = ddl_next(&l); t.kind != DDL_END && !ddl_is_word(t, "ON"); t = ddl_next(&l))
        if (t.kind == DDL_NAME || t.kind == DDL_STRING) return false; /* a role; column lists are in backticks too and are no whole privilege */
    if (t.kind == DDL_END) return false;
    g.privileges = str_sub(line, start, t.start - start);
    t = ddl_next(&l);
    if (!ddl_is_punct(t, '*')) {
        g.schema = ddl_unquote_name(a, t);
        if (!g.schema.p || t.kind != DDL_NAME) return false;
    }
    if (!ddl_is_punct(ddl_next(&l), '.')) return false;
    t = ddl_next(&l);
    if (!ddl_is_punct(t, '*')) {
        g.table = ddl_unquote_name(a, t);
        if (!g.table.p) return false;
    }
    *ret = g;
    return true;
}

static bool lists(str privileges, const char *privilege)
{
    str rest = privileges, piece;
    while (rest.p && str_split_next(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_eq_nocase(piece, str_from_c(privilege)) || str_eq_nocase(piece, STR("ALL PRIVILEGES")) || str_eq_nocase(piece, STR("ALL"))) return true;
    }
    return false;
}

static bool covers(const grant_line *g, str schema, str table)
{
    if (!g->schema.p) return true;
    if (!schema.p || !grants_like(schema, g->schema)) return false;
    return !g->table.p || (table.p && str_eq(g->table, table));
}

bool grants_have(const grants *g, const char *privilege, str schema, str table)
{
    bool have = false;
    for (const grant_line *l = g->first; l; l = l->next) {
        if (!lists(l->privileges, privilege) || !covers(l, schema, table)) continue;
        if (l->revoke) return false;
        have = true;
    }
    return have;
}

static bool read_account(conn *c, arena *a, grants *g, err *e)
{
    str user;
    if (!conn_query_value(c, "SELECT CURRENT_USER()", a, &user, e)) return false;
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < user.n; i++)
        if (user.p[i] == '@') at = i;
    if (at == SIZE_MAX) at = user.n;
    str host = str_sub(user, at + 1, user.n);
    g->account = arena_printf(a, "'%.*s'@'%.*s'", (int)at, user.p ? user.p : "", STR_ARG(host));
    return g->account.p || err_no_memory(e, "an account");
}

bool grants_read(conn *c, arena *a, grants *ret, err *e)
{
    grants g = {0};
    str roles = STR_NULL;
    BUF_AUTO sql = BUF_INIT;
    if (!read_account(c, a, &g, e)) return false;
    if (!c->is_mariadb && c->version >= 80000 && !conn_query_value(c, "SELECT CURRENT_ROLE()", a, &roles, e)) return false;
    buf_add_c(&sql, "SHOW GRANTS FOR CURRENT_USER()");
    if (c->is_mariadb) {
        buf_reset(&sql);
        buf_add_c(&sql, "SHOW GRANTS"); /* with those of the active role */
    } else if (roles.n && !str_eq(roles, STR("NONE"))) {
        buf_printf(&sql, " USING %.*s", STR_ARG(roles));
    }
    MYSQL_RES *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(c, buf_str(&sql), &res, e)) return false;
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        str line = arena_copy(a, (str){row[0], mysql_fetch_lengths(res)[0]});
        grant_line *l = arena_alloc(a, sizeof *l);
        ok = line.p && l;
        if (!ok || !grants_parse_line(line, a, l)) continue;
        l->next = g.first;
        g.first = l;
    }
    mysql_free_result(res);
    if (!ok) return err_no_memory(e, "the account's privileges");
    *ret = g;
    return true;
}
