/* What of a table cannot be carried to a target, or changes on the way. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/mysql/schema_text.h"

typedef struct inspection {
    const schema_pair *p;
    const table_def *t;
    const ddl_table *d;
    const schema_findings *out;
    arena *a;
} inspection;

static bool cross(const schema_pair *p) { return p->source_mariadb != p->target_mariadb; }

__attribute__((format(printf, 4, 5)))
static void add(const inspection *i, bool failed, const char *repair, const char *format, ...)
{
    BUF_AUTO what = BUF_INIT;
    char text[600];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    buf_printf(&what, "table %.*s.%.*s: %s", STR_ARG(i->t->schema), STR_ARG(i->t->name), text);
    i->out->add(i->out->ctx, failed, buf_str(&what), str_from_c(repair));
}

/* Names a column that is not carried, or gives p == NULL. */
static str find_dropped(const inspection *i, str sql)
{
    ddl_lexer l = {.text = sql};
    if (!sql.p) return STR_NULL;
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l)) {
        if (t.kind != DDL_NAME) continue;
        str name = ddl_unquote_name(i->a, t);
        uint32_t at = name.p ? table_find_column(i->t, name) : UINT32_MAX;
        if (at != UINT32_MAX && !i->t->columns[at].selected) return i->t->columns[at].name;
    }
    return STR_NULL;
}

static void check_expression(const inspection *i, const char *what, str name, str sql)
{
    str dropped = find_dropped(i, sql);
    if (dropped.p)
        add(i, true, "select the column too", "%s %.*s uses the column %.*s, which is not selected", what, STR_ARG(name), STR_ARG(dropped));
}

static bool has_word(str sql, const char *word)
{
    ddl_lexer l = {.text = sql};
    if (!sql.p) return false;
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l))
        if (ddl_is_word(t, word)) return true;
    return false;
}

static void inspect_type(const inspection *i, const ddl_column *d, const column_def *c)
{
    if (c->type == COL_OTHER || (cross(i->p) && (c->type == COL_UUID || c->type == COL_INET || c->type == COL_VECTOR)))
        add(i, true, "change the column's type at the source (uuid: char(36), inet: varchar(39)), or leave the column out",
            "column %.*s has the type %.*s, which the destination does not have", STR_ARG(c->name), STR_ARG(c->native_type));
    if (d->compressed)
        add(i, true, "ALTER TABLE ... MODIFY the column without COMPRESSED at the source", "column %.*s is COMPRESSED: its binary log form is not read",
            STR_ARG(c->name));
    if (d->unknown.p) add(i, true, "remove the attribute at the source", "column %.*s has the attribute %.*s", STR_ARG(c->name), STR_ARG(d->unknown));
    if (d->srid.p && cross(i->p)) add(i, false, "", "column %.*s loses its SRID restriction", STR_ARG(c->name));
    if (d->generated && d->not_null && i->p->target_mariadb)
        add(i, false, "", "generated column %.*s loses NOT NULL, which MariaDB does not have", STR_ARG(c->name));
    if (has_word(d->default_sql, "nextval"))
        add(i, true, "ALTER TABLE ... ALTER COLUMN ... DROP DEFAULT at the source, or leave the column out",
            "column %.*s takes its default from a sequence, and sequences are not carried", STR_ARG(c->name));
}

static void inspect_collation(const inspection *i, const char *what, str name, str collation)
{
    str now;
    if (!collation.n) return;
    collation_fit fit = collation_map(i->p->collations, collation, i->a, &now);
    if (fit == COLLATION_UNKNOWN)
        add(i, true, "change the collation at the source (ALTER TABLE ... MODIFY ... COLLATE ...)", "the destination does not know the collation %.*s of %s %.*s",
            STR_ARG(collation), what, STR_ARG(name));
    else if (fit == COLLATION_SIMILAR)
        add(i, false, "", "collation %.*s of %s %.*s becomes %.*s: order and equality of some characters differ", STR_ARG(collation), what, STR_ARG(name),
            STR_ARG(now));
}

/* MySQL error 3109: a generated column may not use the AUTO_INCREMENT column. MariaDB allows it for virtual ones. */
static void inspect_generated(const inspection *i, const ddl_column *d)
{
    ddl_lexer l = {.text = d->generation_sql};
    if (!d->generated || !cross(i->p) || i->p->target_mariadb) return;
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l)) {
        str name = t.kind == DDL_NAME ? ddl_unquote_name(i->a, t) : STR_NULL;
        uint32_t at = name.p ? table_find_column(i->t, name) : UINT32_MAX;
        if (at != UINT32_MAX && i->t->columns[at].auto_increment)
            add(i, true, "leave the column out", "generated column %.*s uses the AUTO_INCREMENT column, which MySQL does not allow", STR_ARG(d->name));
    }
}

static void inspect_columns(const inspection *i)
{
    for (uint32_t n = 0; n < i->t->column_count; n++) {
        const column_def *c = &i->t->columns[n];
        const ddl_column *d = &i->d->columns[n];
        if (!c->selected) continue;
        inspect_type(i, d, c);
        inspect_generated(i, d);
        inspect_collation(i, "column", c->name, c->collation);
        check_expression(i, "the default of column", c->name, d->default_sql);
        check_expression(i, "generated column", c->name, d->generation_sql);
        check_expression(i, "the check of column", c->name, d->check_sql);
        bool served = !d->auto_increment;
        for (uint32_t k = 0; k < i->t->key_count && !served; k++)
            served = i->t->keys[k].count && i->t->keys[k].columns[0] == n && schema_key_is_whole(i->t, k);
        if (!served)
            add(i, true, "select the other columns of its key, or add a key on it",
                "AUTO_INCREMENT column %.*s leads no key of selected columns", STR_ARG(c->name));
    }
}

static void inspect_key(const inspection *i, uint32_t n)
{
    const ddl_key *k = &i->d->keys[n];
    const key_def *m = &i->t->keys[n];
    if (!schema_key_is_whole(i->t, n)) {
        add(i, m->primary, m->primary ? "select every column of the primary key" : "", "key %.*s has a column that is not selected%s", STR_ARG(k->name),
            m->primary ? "" : ": it is left out");
        return;
    }
    if (k->unknown.p) add(i, true, "remove the option at the source", "key %.*s has the option %.*s", STR_ARG(k->name), STR_ARG(k->unknown));
    if (!cross(i->p)) return;
    if (k->kind == DDL_VECTOR || k->parser.p)
        add(i, true, "drop the key at the source", "key %.*s is of a kind that the destination does not have", STR_ARG(k->name));
    for (uint32_t j = 0; j < k->count; j++) {
        const column_def *c = m->columns[j] == UINT32_MAX ? NULL : &i->t->columns[m->columns[j]];
        if (!c && i->p->target_mariadb)
            add(i, true, "drop the key at the source, or index a generated column", "key %.*s has an expression, which MariaDB does not have", STR_ARG(k->name));
        if (c && !k->parts[j].prefix && k->kind == DDL_UNIQUE && !i->p->target_mariadb && (c->type == COL_TEXT || c->type == COL_BLOB))
            add(i, true, "drop the key at the source, or give it a prefix length", "unique key %.*s covers the whole of %.*s, which MySQL cannot",
                STR_ARG(k->name), STR_ARG(c->name));
    }
}

bool schema_inspect(const schema_pair *p, const table_def *t, const ddl_table *d, const schema_findings *out, err *e)
{
    arena a;
    arena_init(&a, 16 * 1024, 0);
    inspection i = {p, t, d, out, &a};
    if (d->column_count != t->column_count || d->key_count != t->key_count)
        return err_set(e, ERR_INTERNAL, "the definition of %.*s.%.*s differs from its text", STR_ARG(t->schema), STR_ARG(t->name));
    if (d->versioned) add(&i, true, "ALTER TABLE ... DROP SYSTEM VERSIONING at the source, or take the table out of the list", "it is system versioned");
    if (d->unknown.p) add(&i, true, "take the table out of the list", "its definition has a part that starts with %.*s", STR_ARG(d->unknown));
    if (d->physical.p) add(&i, false, "", "the table option %.*s is not carried", STR_ARG(d->physical));
    inspect_collation(&i, "table", t->name, t->collation);
    inspect_columns(&i);
    for (uint32_t n = 0; n < t->key_count; n++) inspect_key(&i, n);
    for (uint32_t n = 0; n < d->check_count; n++) {
        str name = d->checks[n].name.p ? d->checks[n].name : STR("");
        check_expression(&i, "check", name, d->checks[n].expression);
        if (d->checks[n].not_enforced && p->target_mariadb) add(&i, false, "", "check %.*s is NOT ENFORCED and is left out", STR_ARG(name));
    }
    check_expression(&i, "the partitioning of", t->name, d->partition);
    for (uint32_t n = 0; n < t->foreign_key_count; n++)
        if (!schema_foreign_key_is_whole(t, n))
            add(&i, false, "", "foreign key %.*s has a column that is not selected: it is left out", STR_ARG(t->foreign_keys[n].name));
    arena_finish(&a);
    return true;
}
