/* Texts are "length:bytes", a NULL is "-"; see alter_steps_write. */
#include "engine/mysql/alter_steps.h"

#include "engine/mysql/conn.h"

/* --- texts --- */

static void add_text(buf *out, str s)
{
    if (s.p) buf_printf(out, "%zu:%.*s", s.n, STR_ARG(s));
    else buf_add_byte(out, '-');
}

static bool take_text(str *rest, str *ret)
{
    uint64_t n;
    str length;
    if (str_starts_with(*rest, STR("-"))) {
        *rest = str_sub(*rest, 1, SIZE_MAX);
        *ret = STR_NULL;
        return true;
    }
    if (!str_split_next(rest, ':', &length) || !rest->p || !str_to_u64(length, &n) || n > rest->n) return false;
    *ret = str_sub(*rest, 0, (size_t)n);
    *rest = str_sub(*rest, (size_t)n, SIZE_MAX);
    return true;
}

void alter_steps_write(const table_alter *x, buf *out)
{
    for (uint32_t i = 0; i < x->count; i++) {
        const column_alter *c = &x->columns[i];
        buf_printf(out, "%d%c", (int)c->kind, c->not_null ? '+' : ' ');
        const str texts[] = {c->column, c->new_name, c->type_sql, c->value_sql, c->default_sql, c->check_sql};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) add_text(out, texts[k]);
        buf_add_byte(out, '\n');
    }
}

static bool take_change(str *rest, column_alter *ret)
{
    if (rest->n < 2 || rest->p[0] < '0' || rest->p[0] > '0' + ALTER_ADD_COLUMN) return false;
    *ret = (column_alter){.kind = (alter_kind)(rest->p[0] - '0'), .not_null = rest->p[1] == '+'};
    *rest = str_sub(*rest, 2, SIZE_MAX);
    str *const texts[] = {&ret->column, &ret->new_name, &ret->type_sql, &ret->value_sql, &ret->default_sql, &ret->check_sql};
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
        if (!take_text(rest, texts[k])) return false;
    bool ended = str_starts_with(*rest, STR("\n"));
    *rest = str_sub(*rest, 1, SIZE_MAX);
    return ended;
}

bool alter_steps_read(str text, arena *a, table_alter *ret, err *e)
{
    uint32_t room = 1;
    for (size_t i = 0; i < text.n; i++) room += text.p[i] == '\n';
    *ret = (table_alter){.columns = arena_array(a, room, sizeof *ret->columns)};
    if (!ret->columns) return err_no_memory(e, "a change of columns");
    for (str rest = text; rest.n; ret->count++)
        if (ret->count == room || !take_change(&rest, &ret->columns[ret->count]))
            return err_set(e, ERR_CORRUPT, "a change of columns in sluice.shape of the destination is not well formed; reset the job");
    return true;
}

/* --- columns --- */

typedef struct column_list {
    struct {
        str name, type;
    } *at;
    uint32_t count;
} column_list;

void alter_steps_columns(const ddl_table *d, buf *out)
{
    for (uint32_t i = 0; i < d->column_count; i++) {
        add_text(out, d->columns[i].name);
        add_text(out, d->columns[i].type);
    }
}

static bool read_columns(str text, uint32_t more, arena *a, column_list *ret)
{
    uint32_t room = more + 1;
    for (size_t i = 0; i < text.n; i++) room += text.p[i] == ':';
    *ret = (column_list){.at = arena_array(a, room, sizeof *ret->at)};
    if (!ret->at) return false;
    for (str rest = text; rest.n; ret->count++)
        if (ret->count == room || !take_text(&rest, &ret->at[ret->count].name) || !take_text(&rest, &ret->at[ret->count].type)) return false;
    return true;
}

static const column_alter *find_change(const table_alter *x, uint32_t step, str column)
{
    for (uint32_t i = 0; i < x->count; i++)
        if (x->columns[i].kind == step && str_eq_nocase(x->columns[i].column, column)) return &x->columns[i];
    return NULL;
}

/* What the step makes of the columns; a type of its own making is any other one. */
static void expect(const table_alter *x, uint32_t step, column_list *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        const column_alter *c = find_change(x, step, l->at[i].name);
        if (c && step == ALTER_DROP_COLUMN) continue;
        l->at[n] = l->at[i];
        if (c && step == ALTER_RENAME_COLUMN) l->at[n].name = c->new_name;
        n++;
    }
    l->count = n;
    for (uint32_t i = 0; step == ALTER_ADD_COLUMN && i < x->count; i++)
        if (x->columns[i].kind == ALTER_ADD_COLUMN) l->at[l->count].name = x->columns[i].column, l->at[l->count++].type = STR_NULL;
}

bool alter_steps_is_done(const table_alter *x, uint32_t step, str before, const ddl_table *now, arena *a)
{
    column_list l;
    if (!read_columns(before, x->count, a, &l)) return false;
    expect(x, step, &l);
    bool same = l.count == now->column_count;
    for (uint32_t i = 0; same && i < l.count; i++) {
        const ddl_column *c = &now->columns[i];
        bool changed = step == ALTER_COLUMN_TYPE && find_change(x, step, c->name);
        same = str_eq(l.at[i].name, c->name) && (!l.at[i].type.p || str_eq(l.at[i].type, c->type) != changed);
    }
    return same;
}

/* --- statements --- */

static void add_rest(const ddl_column *d, buf *out)
{
    buf_add_c(out, d->not_null ? " NOT NULL" : " NULL");
    if (d->invisible) buf_add_c(out, " INVISIBLE");
    if (d->default_sql.p) buf_printf(out, " DEFAULT %.*s", STR_ARG(d->default_sql));
    if (d->on_update_sql.p) buf_printf(out, " ON UPDATE %.*s", STR_ARG(d->on_update_sql));
    if (d->auto_increment) buf_add_c(out, " AUTO_INCREMENT");
    if (d->comment_sql.p) buf_printf(out, " COMMENT %.*s", STR_ARG(d->comment_sql));
    if (d->check_sql.p) buf_printf(out, " CHECK %.*s", STR_ARG(d->check_sql));
}

static void add_definition(const column_alter *c, str default_sql, buf *out)
{
    conn_quote_name(out, c->column);
    buf_printf(out, " %.*s%s", STR_ARG(c->type_sql), c->not_null ? " NOT NULL" : " NULL");
    if (default_sql.p) buf_printf(out, " DEFAULT %.*s", STR_ARG(default_sql));
    if (c->check_sql.p) buf_printf(out, " CHECK %.*s", STR_ARG(c->check_sql));
}

/* The column keeps all but its type. */
static bool add_type(const column_alter *c, const ddl_table *now, buf *out, err *e)
{
    for (uint32_t i = 0; i < now->column_count; i++) {
        if (!str_eq_nocase(now->columns[i].name, c->column)) continue;
        buf_add_c(out, "MODIFY COLUMN ");
        conn_quote_name(out, c->column);
        buf_printf(out, " %.*s", STR_ARG(c->type_sql));
        add_rest(&now->columns[i], out);
        return true;
    }
    return err_set(e, ERR_TARGET_CONFLICT, "it has no column %.*s, whose type changed at the source; add it, or reset the job", STR_ARG(c->column));
}

bool alter_steps_sql(const table_alter *x, uint32_t step, const ddl_table *now, buf *out, err *e)
{
    for (uint32_t i = 0, n = 0; i < x->count; i++) {
        const column_alter *c = &x->columns[i];
        bool here = step == ALTER_STEP_DEFAULTS ? c->kind == ALTER_ADD_COLUMN && (c->value_sql.p || c->default_sql.p) : c->kind == step;
        if (!here) continue;
        if (n++) buf_add_c(out, ", ");
        switch (step) {
        case ALTER_DROP_COLUMN:
            buf_add_c(out, "DROP COLUMN ");
            conn_quote_name(out, c->column);
            break;
        case ALTER_RENAME_COLUMN:
            buf_add_c(out, "RENAME COLUMN ");
            conn_quote_name(out, c->column);
            buf_add_c(out, " TO ");
            conn_quote_name(out, c->new_name);
            break;
        case ALTER_COLUMN_TYPE:
            if (!add_type(c, now, out, e)) return false;
            break;
        case ALTER_ADD_COLUMN:
            buf_add_c(out, "ADD COLUMN ");
            add_definition(c, c->value_sql.p ? c->value_sql : c->not_null ? STR_NULL : STR("NULL"), out);
            break;
        default:
            buf_add_c(out, "MODIFY COLUMN ");
            add_definition(c, c->default_sql, out);
        }
    }
    return !out->failed || err_no_memory(e, "a statement");
}
