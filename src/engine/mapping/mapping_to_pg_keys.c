/* Keys, indexes and foreign keys of a table, as texts for PostgreSQL. Index names are the schema's there, the table's in MySQL: the table's name comes first. */
#include "engine/mapping/mapping_to_pg.h"

/* Characters of a text that its word index looks at: a tsvector is smaller than 1 MiB, and an index must not refuse a row. */
#define WORDS_MOST_CHARS 200000
/* Bytes of an entry of a btree: a third of a page, less its header (BTMaxItemSize). */
#define ENTRY_MOST_BYTES 2704

bool pg_relation_name(const pg_work *w, map *names, str wish, str *ret, err *e)
{
    mapping_maker *m = w->m;
    for (uint32_t i = 1; i < UINT32_MAX; i++) {
        str name = i == 1 ? wish : arena_printf(m->a, "%.*s_%u", STR_ARG(wish), i);
        if (!pg_made(name, e)) return false;
        name = pg_short_name(m, w->s, name);
        str key = arena_printf(m->a, "%.*s.%.*s", STR_ARG(w->t->schema), STR_ARG(name));
        if (!pg_made(key, e)) return false;
        if (map_get(names, key)) continue;
        *ret = name;
        return map_put(names, key, w->t) || err_no_memory(e, "names");
    }
    return err_set(e, ERR_INTERNAL, "no name is left");
}

/* source_text: p == NULL for what is carried. */
static bool tell(const pg_work *w, const char *kind, str object, mapping_rule r, const char *what, str source_text)
{
    mapping_find(w->m, w->s, NULL, r, (mapping_finding){.kind = str_from_c(kind), .object = object, .what = str_from_c(what), .source_text = source_text});
    return true;
}

/* ---- parts ---- */

typedef struct key_work {
    const pg_work *w;
    const ddl_key *d;
    const key_def *s;
    key_def *t;
    buf parts;
    bool plain;      /* all parts are whole columns, ascending */
    const char *why; /* it cannot be carried */
    err *e;
} key_work;

/* json, point and others have no order. */
static bool has_order(const column_def *c)
{
    return !(c->type == COL_JSON && str_eq(c->native_type, STR("json"))) && !str_ends_with(c->native_type, STR("geometry"));
}

static bool add_column(key_work *k, uint32_t i, const ddl_part *part)
{
    const column_def *s = &k->w->s->columns[i], *t = &k->w->t->columns[i];
    if (!s->selected) k->why = "a column of it is not selected";
    else if (!has_order(t)) k->why = "PostgreSQL has no order for the type of its column";
    if (k->why) return true;
    bool whole = !part->prefix || (t->length && t->type == COL_VARCHAR && part->prefix >= t->length);
    if (whole) {
        pg_add_name(&k->parts, t->name);
    } else {
        bool text = t->type == COL_TEXT || t->type == COL_VARCHAR || t->type == COL_CHAR;
        if (!text && t->type != COL_BLOB) k->why = "PostgreSQL has no prefix of the type of its column";
        buf_add_c(&k->parts, text ? "\"left\"(" : "substr(");
        pg_add_name(&k->parts, t->name);
        buf_printf(&k->parts, text ? ", %u)" : ", 1, %u)", part->prefix);
        k->plain = false;
    }
    return true;
}

static bool add_part(key_work *k, uint32_t n)
{
    const ddl_part *part = &k->d->parts[n];
    str sql;
    if (n) buf_add_c(&k->parts, ", ");
    if (part->column.p) {
        if (!add_column(k, k->s->columns[n], part)) return false;
    } else if (pg_translate(k->w, part->expression, k->d->kind == DDL_UNIQUE ? PG_FOR_VALUE : PG_FOR_INDEX, NULL, &sql)) {
        buf_printf(&k->parts, "(%.*s)", STR_ARG(sql));
        k->plain = false;
    } else {
        k->why = "PostgreSQL has no expression that means the same";
    }
    if (part->descending) {
        buf_add_c(&k->parts, " DESC");
        k->plain = k->plain && k->d->kind != DDL_PLAIN;
    }
    return true;
}

/* ---- kinds ---- */

/* to_tsvector of the columns' texts, one after the other. */
static bool add_words(key_work *k)
{
    buf_add_c(&k->parts, "to_tsvector('pg_catalog.simple'::regconfig, ");
    for (uint32_t i = 0; i < k->d->count; i++) {
        uint32_t at = k->s->columns[i];
        const column_def *t = at == UINT32_MAX ? NULL : &k->w->t->columns[at];
        bool text = t && k->w->s->columns[at].selected && (t->type == COL_TEXT || t->type == COL_VARCHAR || t->type == COL_CHAR);
        if (!text) k->why = "a column of it is no text of PostgreSQL";
        if (k->why) return true;
        if (i) buf_add_c(&k->parts, " || ' ' || ");
        buf_add_c(&k->parts, "coalesce(\"left\"(");
        pg_add_name(&k->parts, t->name);
        buf_printf(&k->parts, "::text, %d), '')", WORDS_MOST_CHARS);
    }
    buf_add_byte(&k->parts, ')');
    return true;
}

static bool add_shape(key_work *k)
{
    uint32_t at = k->s->columns[0];
    bool shape = at != UINT32_MAX && k->w->s->columns[at].selected && k->w->p->columns[at].convert == pg_convert_geometry;
    if (shape) pg_add_name(&k->parts, k->w->t->columns[at].name);
    else k->why = "its column is no geometry of PostGIS";
    return true;
}

/* Most bytes that a value of the column may have in a key. */
static uint64_t most_bytes(const pg_work *w, uint32_t column, uint32_t prefix)
{
    const column_def *s = &w->s->columns[column];
    bool text = s->type == COL_CHAR || s->type == COL_VARCHAR || s->type == COL_TEXT, bytes = s->type == COL_BINARY || s->type == COL_VARBINARY || s->type == COL_BLOB;
    if (!text && !bytes) return 40;
    return (uint64_t)(prefix ? prefix : s->length) * (text ? 4 : 1);
}

/* A row whose key is too large for a page stops the load. */
static bool find_large_entries(const key_work *k)
{
    uint64_t most = 0;
    BUF_AUTO sql = BUF_INIT;
    for (uint32_t i = 0; i < k->d->count; i++) {
        uint32_t at = k->s->columns[i];
        if (at == UINT32_MAX) continue;
        most += most_bytes(k->w, at, k->d->parts[i].prefix);
        buf_add_c(&sql, sql.n ? " + COALESCE(OCTET_LENGTH(CONVERT(" : "COALESCE(OCTET_LENGTH(CONVERT(");
        bool text = k->w->s->columns[at].charset.n;
        if (k->d->parts[i].prefix) buf_add_c(&sql, "LEFT(");
        pg_add_source_name(&sql, k->w->s->columns[at].name);
        if (k->d->parts[i].prefix) buf_printf(&sql, ", %u)", k->d->parts[i].prefix);
        buf_add_c(&sql, text ? " USING utf8mb4)), 0)" : " USING binary)), 0)");
    }
    if (most <= ENTRY_MOST_BYTES) return true;
    buf_printf(&sql, " > %d", ENTRY_MOST_BYTES - 64);
    if (sql.failed) return err_no_memory(k->e, "a finding");
    mapping_find(k->w->m, k->w->s, NULL, RULE_T25, (mapping_finding){.kind = STR("index"), .object = k->d->name, .condition_sql = buf_str(&sql), .fails = true, .rough = true,
                 .what = STR("an entry of an index has at most 2704 bytes in PostgreSQL (fewer may do when they compress well)")});
    return true;
}

static bool find_inexact(const key_work *k)
{
    bool prefix = false;
    for (uint32_t i = 0; i < k->d->count; i++) prefix = prefix || k->d->parts[i].prefix;
    if (k->d->kind == DDL_FULLTEXT) return tell(k->w, "index", k->d->name, RULE_T25, "a GIN index over words without stemming; ask it with to_tsvector as the index has it", STR_NULL);
    if (prefix && k->d->kind == DDL_UNIQUE) return tell(k->w, "index", k->d->name, RULE_T25, "the unique prefix becomes a unique index on an expression, which compares exact letters", STR_NULL);
    if (k->d->invisible) return tell(k->w, "index", k->d->name, RULE_T25, "PostgreSQL has no invisible index: it will be used", STR_NULL);
    return true;
}

/* Whether T25 lets it be carried: ordinary keys always are. */
static bool chosen(const key_work *k, bool *ret)
{
    bool special = k->d->kind == DDL_FULLTEXT || k->d->kind == DDL_SPATIAL || k->d->kind == DDL_VECTOR || k->d->invisible, no = false;
    for (uint32_t i = 0; i < k->d->count; i++) special = special || k->d->parts[i].prefix || !k->d->parts[i].column.p;
    if (special && !mapping_chose(k->w->m, k->w->s, NULL, RULE_T25, "skip", &no, k->e)) return false;
    *ret = !no;
    return true;
}

static bool fill_parts(key_work *k)
{
    if (k->d->unknown.p) k->why = "a part of its definition is not known";
    if (k->d->kind == DDL_VECTOR) k->why = "indexes on vectors differ too much; make one with pgvector";
    if (k->why) return true;
    if (k->d->kind == DDL_FULLTEXT) return add_words(k);
    if (k->d->kind == DDL_SPATIAL) return add_shape(k);
    for (uint32_t i = 0; i < k->d->count; i++)
        if (!add_part(k, i)) return false;
    return find_large_entries(k);
}

static const char *method(const key_work *k) { return k->d->kind == DDL_FULLTEXT ? "gin" : k->d->kind == DDL_SPATIAL ? "gist" : "btree"; }

/* A unique constraint of plain columns may have parts in any direction. */
static void plain_parts(key_work *k)
{
    buf_reset(&k->parts);
    for (uint32_t i = 0; i < k->s->count; i++) {
        if (i) buf_add_c(&k->parts, ", ");
        pg_add_name(&k->parts, k->w->t->columns[k->s->columns[i]].name);
    }
}

/* The whole statement of an index, or what follows CONSTRAINT name. */
static bool write_definition(key_work *k, map *names)
{
    bool primary = k->d->kind == DDL_PRIMARY, unique = primary || k->d->kind == DDL_UNIQUE;
    BUF_AUTO sql = BUF_INIT;
    str wish = primary ? arena_printf(k->w->m->a, "%.*s_pkey", STR_ARG(k->w->t->name)) : arena_printf(k->w->m->a, "%.*s_%.*s", STR_ARG(k->w->t->name), STR_ARG(k->d->name));
    if (!pg_made(wish, k->e) || !pg_relation_name(k->w, names, wish, &k->t->name, k->e)) return false;
    k->t->constraint = unique && k->plain;
    k->t->primary = primary && k->plain;
    k->t->unique = unique;
    k->t->has_prefix = unique && !k->plain;
    k->t->count = k->s->count;
    k->t->columns = k->s->columns;
    if (k->t->constraint) {
        plain_parts(k);
        buf_printf(&sql, "%s (%.*s)", primary ? "PRIMARY KEY" : "UNIQUE", STR_ARG(buf_str(&k->parts)));
    } else {
        buf_add_c(&sql, unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
        pg_add_name(&sql, k->t->name);
        buf_add_c(&sql, " ON ");
        pg_add_qualified(&sql, k->w->t->schema, k->w->t->name);
        buf_printf(&sql, " USING %s (%.*s)", method(k), STR_ARG(buf_str(&k->parts)));
    }
    k->t->definition_sql = sql.failed || k->parts.failed ? STR_NULL : arena_copy(k->w->m->a, buf_str(&sql));
    return pg_made(k->t->definition_sql, k->e);
}

static bool plan_key(key_work *k, map *names, bool *ret_carried)
{
    bool carried;
    *ret_carried = false;
    if (!chosen(k, &carried)) return false;
    if (!carried) return tell(k->w, "index", k->d->name, RULE_T25, "not carried, as chosen", str_or_empty(k->s->definition_sql));
    if (!fill_parts(k)) return false;
    if (k->why) return tell(k->w, "index", k->d->name, RULE_T25, k->why, str_or_empty(k->s->definition_sql));
    *ret_carried = true;
    return find_inexact(k) && write_definition(k, names);
}

bool pg_plan_keys(const pg_work *w, map *names, err *e)
{
    table_def *t = w->t;
    t->keys = arena_array(w->m->a, w->s->key_count, sizeof *t->keys);
    if (!t->keys) return err_no_memory(e, "keys");
    for (uint32_t i = 0; i < w->s->key_count; i++) {
        key_work k = {.w = w, .d = &w->d->keys[i], .s = &w->s->keys[i], .t = &t->keys[t->key_count], .plain = true, .e = e};
        bool carried, ok = plan_key(&k, names, &carried);
        buf_finish(&k.parts);
        if (!ok) return false;
        t->key_count += carried;
    }
    table_choose_row_key(t);
    return true;
}

/* ---- foreign keys ---- */

static void add_names(buf *out, const str *names, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_add_c(out, ", ");
        pg_add_name(out, names[i]);
    }
}

static bool has_unique_key(const table_def *t, const str *columns, uint32_t n)
{
    for (uint32_t i = 0; i < t->key_count; i++) {
        const key_def *k = &t->keys[i];
        uint32_t same = 0;
        if (!k->constraint || k->count != n) continue;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < n; b++) same += str_eq(t->columns[k->columns[a]].name, columns[b]);
        if (same == n) return true;
    }
    return false;
}

static const char *action(str rule) { return str_eq(rule, STR("CASCADE")) ? "CASCADE" : str_eq(rule, STR("SET NULL")) ? "SET NULL" : "NO ACTION"; }

/* RESTRICT is NO ACTION: MySQL checks both at once; PostgreSQL's NO ACTION looks when the statement is over, which every statement of the source had passed. */
static bool write_foreign_key(const pg_work *w, const table_def *parent, const foreign_key_def *s, foreign_key_def *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "FOREIGN KEY (");
    for (uint32_t i = 0; i < s->count; i++) {
        if (i) buf_add_c(&sql, ", ");
        pg_add_name(&sql, w->t->columns[s->columns[i]].name);
    }
    buf_add_c(&sql, ") REFERENCES ");
    pg_add_qualified(&sql, parent->schema, parent->name);
    buf_add_c(&sql, " (");
    add_names(&sql, t->parent_columns, t->count);
    buf_printf(&sql, ") ON UPDATE %s ON DELETE %s", action(s->on_update), action(s->on_delete));
    t->definition_sql = sql.failed ? STR_NULL : arena_copy(w->m->a, buf_str(&sql));
    return pg_made(t->definition_sql, e);
}

/* Children that MySQL joins to a parent by other letters. */
static bool find_loose_children(const pg_work *w, const table_def *source_parent, const foreign_key_def *s, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    bool texts = false;
    for (uint32_t i = 0; i < s->count; i++) texts = texts || w->s->columns[s->columns[i]].charset.n;
    if (!texts) return true;
    buf_add_c(&sql, "NOT EXISTS (SELECT 1 FROM ");
    pg_add_source_name(&sql, source_parent->schema);
    buf_add_byte(&sql, '.');
    pg_add_source_name(&sql, source_parent->name);
    buf_add_c(&sql, " AS sluice_parent WHERE ");
    for (uint32_t i = 0; i < s->count; i++) {
        buf_add_c(&sql, i ? " AND CAST(sluice_parent." : "CAST(sluice_parent.");
        pg_add_source_name(&sql, s->parent_columns[i]);
        buf_add_c(&sql, " AS BINARY) = CAST(");
        pg_add_source_name(&sql, w->s->schema);
        buf_add_byte(&sql, '.');
        pg_add_source_name(&sql, w->s->name);
        buf_add_byte(&sql, '.');
        pg_add_source_name(&sql, w->s->columns[s->columns[i]].name);
        buf_add_c(&sql, " AS BINARY)");
    }
    buf_add_byte(&sql, ')');
    for (uint32_t i = 0; i < s->count; i++) {
        buf_add_c(&sql, " AND ");
        pg_add_source_name(&sql, w->s->columns[s->columns[i]].name);
        buf_add_c(&sql, " IS NOT NULL");
    }
    if (sql.failed) return err_no_memory(e, "a finding");
    mapping_find(w->m, w->s, NULL, RULE_T24, (mapping_finding){.kind = STR("foreign key"), .object = s->name, .condition_sql = buf_str(&sql), .fails = true,
                 .what = STR("rows whose parent is written with other letters than they have: a foreign key of PostgreSQL wants the same")});
    return true;
}

/* The source's statement: MySQL's catalog does not keep its text by itself. */
static bool tell_foreign_key(const pg_work *w, const foreign_key_def *s, const char *what, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "ALTER TABLE ");
    pg_add_source_name(&sql, w->s->schema);
    buf_add_byte(&sql, '.');
    pg_add_source_name(&sql, w->s->name);
    buf_add_c(&sql, " ADD CONSTRAINT ");
    pg_add_source_name(&sql, s->name);
    for (uint32_t i = 0; i < s->count; i++) {
        buf_add_c(&sql, i ? "," : " FOREIGN KEY (");
        pg_add_source_name(&sql, w->s->columns[s->columns[i]].name);
    }
    buf_add_c(&sql, ") REFERENCES ");
    pg_add_source_name(&sql, s->parent_schema);
    buf_add_byte(&sql, '.');
    pg_add_source_name(&sql, s->parent_table);
    for (uint32_t i = 0; i < s->count; i++) {
        buf_add_c(&sql, i ? "," : " (");
        pg_add_source_name(&sql, s->parent_columns[i]);
    }
    buf_printf(&sql, ") ON DELETE %.*s ON UPDATE %.*s", STR_ARG(s->on_delete.n ? s->on_delete : STR("RESTRICT")), STR_ARG(s->on_update.n ? s->on_update : STR("RESTRICT")));
    return sql.failed ? err_no_memory(e, "a finding") : tell(w, "foreign key", s->name, RULE_COUNT, what, buf_str(&sql));
}

static bool plan_foreign_key(const pg_work *w, const foreign_key_def *s, foreign_key_def *t, bool *ret_carried, err *e)
{
    const table_def *source_parent = catalog_find_table(w->m->source, s->parent_schema, s->parent_table);
    *ret_carried = false;
    if (!source_parent) return tell_foreign_key(w, s, "the foreign key is not carried: its parent table is not selected", e);
    const table_def *parent = w->m->target->tables[source_parent->id];
    *t = (foreign_key_def){.name = pg_short_name(w->m, w->s, s->name), .columns = s->columns, .count = s->count, .parent_schema = parent->schema,
                           .parent_table = parent->name, .parent_columns = arena_array(w->m->a, s->count, sizeof *t->parent_columns),
                           .on_delete = str_from_c(action(s->on_delete)), .on_update = str_from_c(action(s->on_update))};
    if (!t->parent_columns || !t->name.p) return err_no_memory(e, "a foreign key");
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t at = table_find_column(source_parent, s->parent_columns[i]);
        if (at == UINT32_MAX || !source_parent->columns[at].selected || !w->s->columns[s->columns[i]].selected)
            return tell_foreign_key(w, s, "the foreign key is not carried: a column of it is not selected", e);
        t->parent_columns[i] = parent->columns[at].name;
    }
    if (!has_unique_key(parent, t->parent_columns, t->count))
        return tell_foreign_key(w, s, "the foreign key is not carried: PostgreSQL wants a primary or unique key of just these columns at the parent", e);
    *ret_carried = true;
    return find_loose_children(w, source_parent, s, e) && write_foreign_key(w, parent, s, t, e);
}

bool pg_plan_foreign_keys(const pg_work *w, err *e)
{
    table_def *t = w->t;
    t->foreign_keys = arena_array(w->m->a, w->s->foreign_key_count, sizeof *t->foreign_keys);
    if (!t->foreign_keys) return err_no_memory(e, "foreign keys");
    for (uint32_t i = 0; i < w->s->foreign_key_count; i++) {
        bool carried;
        if (!plan_foreign_key(w, &w->s->foreign_keys[i], &t->foreign_keys[t->foreign_key_count], &carried, e)) return false;
        t->foreign_key_count += carried;
    }
    return true;
}
