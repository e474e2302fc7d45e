/* Texts about sequences in a job that renames schemas, tables or columns. They name the sequence and its column in known places, so that they can be written
 * anew, as no other text of the source can. */
#include "engine/postgresql/pg_catalog.h"

/* The end of a name that begins at `at`, as quote_ident writes it; SIZE_MAX when there is none. */
static size_t name_end(str text, size_t at)
{
    size_t i = at;
    if (i < text.n && text.p[i] == '"') {
        for (i++; i < text.n; i++) {
            if (text.p[i] != '"') continue;
            if (i + 1 >= text.n || text.p[i + 1] != '"') return i + 1;
            i++;
        }
        return SIZE_MAX;
    }
    while (i < text.n && text.p[i] != '.' && text.p[i] != ' ') i++;
    return i > at ? i : SIZE_MAX;
}

/* The end of "schema.name". */
static size_t full_name_end(str text, size_t at)
{
    size_t dot = name_end(text, at);
    return dot < text.n && text.p[dot] == '.' ? name_end(text, dot + 1) : SIZE_MAX;
}

/* The qualified name that follows `before`, as the source writes it. */
static bool take_name(str text, const char *before, str *ret)
{
    str word = str_from_c(before);
    size_t at = str_find(text, word), end = at == SIZE_MAX ? SIZE_MAX : full_name_end(text, at + word.n);
    if (end == SIZE_MAX) return false;
    *ret = str_sub(text, at + word.n, end - at - word.n);
    return true;
}

static bool not_formed(const object_def *o, err *e)
{
    return err_set(e, ERR_PROTOCOL, "the definition of the sequence %.*s.%.*s is not well formed: %.*s", STR_ARG(o->schema), STR_ARG(o->name), STR_ARG(str_sub(o->create_sql, 0, 200)));
}

/* Replaces `old` behind each of the words, once each. */
static void replace_behind(buf *out, str text, const char *const *words, str old, str new)
{
    for (; *words; words++) {
        str word = str_from_c(*words);
        size_t at = str_find(text, word);
        if (at == SIZE_MAX || !str_starts_with(str_sub(text, at + word.n, SIZE_MAX), old)) continue;
        buf_add(out, str_sub(text, 0, at + word.n));
        buf_add(out, new);
        text = str_sub(text, at + word.n + old.n, SIZE_MAX);
    }
    buf_add(out, text);
}

static bool keep_text(str *ret, const buf *text, arena *a, err *e)
{
    *ret = text->failed ? STR_NULL : arena_copy(a, buf_str(text));
    return ret->p || err_no_memory(e, "a sequence");
}

/* DEFAULT nextval('…'::regclass) of columns. */
static bool rename_defaults(const catalog_def *c, str old, str new, arena *a, err *e)
{
    BUF_AUTO from = BUF_INIT;
    BUF_AUTO to = BUF_INIT;
    buf_add_c(&from, "nextval(");
    pg_quote_literal(&from, old);
    buf_add_c(&from, "::regclass)");
    buf_add_c(&to, "nextval(");
    pg_quote_literal(&to, new);
    buf_add_c(&to, "::regclass)");
    if (from.failed) return err_no_memory(e, "a default");
    for (uint32_t i = 0; i < c->table_count; i++)
        for (uint32_t k = 0; k < c->tables[i]->column_count; k++) {
            column_def *column = &c->tables[i]->columns[k];
            if (column->default_sql.p && str_eq(column->default_sql, buf_str(&from)) && !keep_text(&column->default_sql, &to, a, e)) return false;
        }
    return true;
}

bool pg_catalog_rename_sequence(const catalog_def *c, object_def *o, arena *a, err *e)
{
    static const char *const places[] = {"SEQUENCE ", "; COMMENT ON SEQUENCE ", NULL};
    BUF_AUTO text = BUF_INIT;
    BUF_AUTO name = BUF_INIT;
    str old;
    if (!take_name(o->create_sql, places[0], &old)) return not_formed(o, e);
    pg_quote_table(&name, o->target_schema, o->target_name);
    if (name.failed) return err_no_memory(e, "a sequence");
    replace_behind(&text, o->create_sql, places, old, buf_str(&name));
    return rename_defaults(c, old, buf_str(&name), a, e) && keep_text(&o->create_sql, &text, a, e);
}

/* The column's name without its quotes. */
static str unquote(str name, arena *a)
{
    if (!name.n || name.p[0] != '"') return name;
    char *plain = arena_bytes(a, name.n);
    size_t n = 0;
    if (!plain) return STR_NULL;
    for (size_t i = 1; i + 1 < name.n; i++) {
        plain[n++] = name.p[i];
        if (name.p[i] == '"') i++;
    }
    return (str){plain, n};
}

bool pg_catalog_rename_owner(const table_def *t, object_def *o, arena *a, err *e)
{
    BUF_AUTO text = BUF_INIT;
    str table;
    if (!take_name(o->create_sql, " OWNED BY ", &table)) return not_formed(o, e);
    str quoted = str_sub(o->create_sql, (size_t)(table.p - o->create_sql.p) + table.n + 1, SIZE_MAX), column = unquote(quoted, a);
    uint32_t at = column.p ? table_find_column(t, column) : UINT32_MAX;
    if (!column.p) return err_no_memory(e, "a sequence");
    if (at == UINT32_MAX) return not_formed(o, e);
    if (!t->columns[at].selected) { /* the sequence is then nobody's */
        o->create_sql = STR_NULL;
        return true;
    }
    buf_add_c(&text, "ALTER SEQUENCE ");
    pg_quote_table(&text, o->target_schema, o->target_name);
    buf_add_c(&text, " OWNED BY ");
    pg_quote_table(&text, t->target_schema, t->target_name);
    buf_add_byte(&text, '.');
    pg_quote_name(&text, t->columns[at].target_name);
    return keep_text(&o->create_sql, &text, a, e);
}
