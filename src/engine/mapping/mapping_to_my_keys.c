/* Keys, indexes and foreign keys of a table for MySQL and MariaDB, by T69: what InnoDB has is carried, the rest is told. */
#include "engine/mapping/mapping_to_my.h"

#define PARTS_MOST 16      /* columns of an index (MySQL manual, InnoDB Limits) */
#define PREFIX_CHARS 191   /* of a text that an index only makes quick to find */

static bool skip(const my_work *w, const char *kind, str object, const char *why, str source_text)
{
    BUF_AUTO text = BUF_INIT;
    buf_printf(&text, "not carried: %s", why);
    mapping_find(w->m, w->s, NULL, RULE_T69, (mapping_finding){.kind = str_from_c(kind), .object = object, .what = text.failed ? STR("") : buf_str(&text), .source_text = str_or_empty(source_text)});
    return true;
}

/* "CREATE INDEX i ON s.t USING gin (a)" → "gin"; a constraint without the word is a btree. */
static str method_of(str sql)
{
    size_t at = str_find(sql, STR(" USING "));
    if (at == SIZE_MAX || str_starts_with(sql, STR("PRIMARY")) || str_starts_with(sql, STR("UNIQUE"))) return STR("btree");
    str rest = str_sub(sql, at + 7, SIZE_MAX);
    return str_sub(rest, 0, str_find_byte(rest, ' ', 0));
}

/* Why the key has no like in the target; NULL: it has. */
static const char *why_not(const my_work *w, const key_def *k)
{
    str sql = str_or_empty(k->definition_sql);
    if (str_starts_with(sql, STR("EXCLUDE"))) return "MySQL has no EXCLUDE constraint";
    if (k->has_prefix && k->constraint) return "MySQL has no deferrable constraint";
    if (k->has_prefix) return "it has a condition or an expression, which MySQL does not have in the same form";
    str method = method_of(sql);
    if (!str_eq(method, STR("btree")) && !str_eq(method, STR("hash"))) return "MySQL has no index of its method (gin, gist, brin or of an extension)";
    if (!k->count || k->count > PARTS_MOST) return "an index of MySQL has 1 to 16 columns";
    for (uint32_t i = 0; i < k->count; i++) {
        uint32_t at = k->columns[i];
        if (at >= w->t->column_count || !w->s->columns[at].selected) return "a column of it is not selected";
        if (!w->t->columns[at].selected) return "a column of it is not carried";
        uint32_t bytes = my_index_bytes(&w->t->columns[at]);
        if (bytes == UINT32_MAX) return "MySQL has no order for the type of its column";
        if (!bytes && k->unique) return "a unique key of MySQL has no columns of the type LONGTEXT or LONGBLOB";
    }
    return NULL;
}

/* Characters or bytes of a part that is too large for an index; 0: all of it. */
static uint32_t prefix_of(const my_work *w, const key_def *k, uint32_t part)
{
    const column_def *c = &w->t->columns[k->columns[part]];
    uint32_t bytes = my_index_bytes(c), most = MAPPING_MY_MAX_KEY_BYTES / k->count;
    if (k->unique || (bytes && bytes <= most)) return 0;
    uint32_t unit = c->charset.n ? MAPPING_MY_BYTES_PER_CHAR : 1, n = PREFIX_CHARS;
    return n * unit > most ? most / unit : n;
}

static bool write_key(const my_work *w, const key_def *s, key_def *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    *t = (key_def){.name = s->primary ? STR("PRIMARY") : s->name, .primary = s->primary, .unique = s->unique, .columns = s->columns, .count = s->count};
    buf_add_c(&sql, s->primary ? "PRIMARY KEY" : s->unique ? "UNIQUE KEY " : "KEY ");
    if (!s->primary) my_add_name(&sql, str_eq_nocase(s->name, STR("PRIMARY")) ? STR("primary_") : s->name);
    buf_add_c(&sql, " (");
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t prefix = prefix_of(w, s, i);
        if (i) buf_add_byte(&sql, ',');
        my_add_name(&sql, w->t->columns[s->columns[i]].name);
        if (prefix) buf_printf(&sql, "(%u)", prefix);
        t->has_prefix = t->has_prefix || prefix;
    }
    buf_add_byte(&sql, ')');
    t->definition_sql = sql.failed ? STR_NULL : arena_copy(w->m->a, buf_str(&sql));
    return my_made(t->definition_sql, e);
}

/* The log tells of a changed row what the source's row key says: the target finds it by the same columns. */
bool my_plan_keys(const my_work *w, err *e)
{
    table_def *t = w->t;
    t->keys = arena_array(w->m->a, w->s->key_count, sizeof *t->keys);
    if (!t->keys) return err_no_memory(e, "keys");
    for (uint32_t i = 0; i < w->s->key_count; i++) {
        const char *why = why_not(w, &w->s->keys[i]);
        if (why && w->s->keys[i].primary && !w->s->keys[i].has_prefix)
            return err_set(e, ERR_NOT_SUPPORTED, "the primary key %.*s cannot be carried: %s", STR_ARG(w->s->keys[i].name), why);
        if (why) {
            (void)skip(w, "index", w->s->keys[i].name, why, w->s->keys[i].definition_sql);
            continue;
        }
        if (i == w->s->row_key) t->row_key = t->key_count;
        if (!write_key(w, &w->s->keys[i], &t->keys[t->key_count++], e)) return false;
    }
    return true;
}

/* ---- foreign keys ---- */

static const char *action(str rule)
{
    return str_eq(rule, STR("CASCADE")) ? "CASCADE" : str_eq(rule, STR("SET NULL")) ? "SET NULL" : str_eq(rule, STR("RESTRICT")) ? "RESTRICT" : "NO ACTION";
}

/* InnoDB wants the types of both ends alike, the lengths of texts apart. */
static bool same_type(const column_def *a, const column_def *b)
{
    bool texts = (a->type == COL_CHAR || a->type == COL_VARCHAR) && (b->type == COL_CHAR || b->type == COL_VARCHAR);
    if (texts) return str_eq(a->charset, b->charset) && str_eq(a->collation, b->collation);
    return a->type == b->type && (a->type == COL_VARBINARY || str_eq(a->native_type, b->native_type));
}

static bool has_unique_key(const table_def *t, const foreign_key_def *f)
{
    for (uint32_t i = 0; i < t->key_count; i++) {
        const key_def *k = &t->keys[i];
        uint32_t same = 0;
        for (uint32_t n = 0; k->unique && k->count == f->count && n < k->count; n++) same += str_eq(t->columns[k->columns[n]].name, f->parent_columns[n]);
        if (k->unique && same == f->count) return true;
    }
    return false;
}

/* Constraint names are the table's in PostgreSQL, the database's in MySQL. */
static bool is_taken(const my_work *w, str name)
{
    for (uint32_t i = 0; i < w->m->target->table_count; i++) {
        const table_def *t = w->m->target->tables[i];
        for (uint32_t k = 0; str_eq(t->schema, w->t->schema) && k < t->foreign_key_count; k++)
            if (str_eq_nocase(t->foreign_keys[k].name, name)) return true;
    }
    return false;
}

static const char *fill_foreign_key(const my_work *w, const foreign_key_def *s, foreign_key_def *t)
{
    const table_def *from = catalog_find_table(w->m->source, s->parent_schema, s->parent_table);
    if (!from) return "its parent table is not selected";
    if (str_eq(s->on_delete, STR("SET DEFAULT")) || str_eq(s->on_update, STR("SET DEFAULT"))) return "InnoDB has no SET DEFAULT";
    const table_def *parent = w->m->target->tables[from->id];
    t->parent_schema = parent->schema;
    t->parent_table = parent->name;
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t at = table_find_column(from, s->parent_columns[i]);
        if (at == UINT32_MAX || !parent->columns[at].selected || !w->t->columns[s->columns[i]].selected) return "a column of it is not selected";
        t->parent_columns[i] = parent->columns[at].name;
        if (!same_type(&parent->columns[at], &w->t->columns[s->columns[i]])) return "its columns have other types than those of its parent, which InnoDB does not take";
    }
    return has_unique_key(parent, t) ? NULL : "the key of its parent is not carried";
}

static bool plan_foreign_key(const my_work *w, const foreign_key_def *s, err *e)
{
    foreign_key_def f = {.columns = s->columns, .count = s->count, .parent_columns = arena_array(w->m->a, s->count, sizeof *f.parent_columns),
                         .on_delete = str_from_c(action(s->on_delete)), .on_update = str_from_c(action(s->on_update)), .name = s->name};
    if (!f.parent_columns) return err_no_memory(e, "a foreign key");
    const char *why = fill_foreign_key(w, s, &f);
    if (why) return skip(w, "foreign key", s->name, why, s->definition_sql);
    if (str_find(str_or_empty(s->definition_sql), STR(" DEFERRABLE")) != SIZE_MAX)
        mapping_find(w->m, w->s, NULL, RULE_T69, (mapping_finding){.kind = STR("foreign key"), .object = s->name, .what = STR("the foreign key is checked at once, MySQL has no deferrable one")});
    for (uint32_t i = 1; is_taken(w, f.name); i++) {
        str name = arena_printf(w->m->a, "%.*s_%.*s_%u", STR_ARG(w->t->name), STR_ARG(s->name), i);
        if (!my_made(name, e) || !my_made(f.name = my_short_name(w->m, name), e)) return false;
    }
    w->t->foreign_keys[w->t->foreign_key_count++] = f;
    return true;
}

bool my_plan_foreign_keys(const my_work *w, err *e)
{
    w->t->foreign_keys = arena_array(w->m->a, w->s->foreign_key_count, sizeof *w->t->foreign_keys);
    if (!w->t->foreign_keys) return err_no_memory(e, "foreign keys");
    for (uint32_t i = 0; i < w->s->foreign_key_count; i++)
        if (!plan_foreign_key(w, &w->s->foreign_keys[i], e)) return false;
    return true;
}
