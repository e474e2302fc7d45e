/* CREATE TABLE and ALTER TABLE texts for a target, with names mapped and the dialect of the target. */
#include "engine/mysql/schema_text.h"

#include "engine/mysql/catalog.h"

schema_pair schema_pair_of(str source_product, bool target_mariadb, uint32_t target_version, const map *collations)
{
    bool mapped = !source_product.p || str_eq(source_product, STR("PostgreSQL"));
    return (schema_pair){.source_mariadb = mapped ? target_mariadb : str_eq(source_product, STR("MariaDB")), .target_mariadb = target_mariadb,
                         .target_version = target_version, .collations = collations};
}

static bool cross(const schema_pair *p) { return p->source_mariadb != p->target_mariadb; }

static str rename_column(void *ctx, str name)
{
    const table_def *t = ctx;
    uint32_t i = table_find_column(t, name);
    return i == UINT32_MAX ? STR_NULL : t->columns[i].target_name;
}

/* Without the introducers of UTF-8, which the session's literals have anyway: MariaDB 10.11 stores _utf8mb4'x\'' in a generated column's expression
 * so that it cannot read it again (error 1064, measured). */
static void drop_introducers(str sql, buf *out)
{
    ddl_lexer l = {.text = sql};
    size_t copied = 0;
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l)) {
        if (!ddl_is_word(t, "_utf8mb4") && !ddl_is_word(t, "_utf8mb3") && !ddl_is_word(t, "_utf8")) continue;
        buf_add(out, str_sub(sql, copied, t.start - copied));
        copied = t.end;
    }
    buf_add(out, str_sub(sql, copied, sql.n));
}

/* An expression of the table with its columns under their target names. */
static void add_expression(const schema_pair *p, const table_def *t, str sql, arena *a, buf *out)
{
    BUF_AUTO plain = BUF_INIT;
    if (cross(p) && p->target_mariadb) {
        drop_introducers(sql, &plain);
        if (plain.failed) out->failed = true;
        sql = buf_str(&plain);
    }
    /* The context is only read. */
    ddl_rename_names(sql, rename_column, (void *)(uintptr_t)t, a, out);
}

static bool is_integer(col_type t) { return t <= COL_BIGINT; }
static bool is_large(col_type t) { return t == COL_TEXT || t == COL_BLOB || t == COL_JSON || t == COL_GEOMETRY; }

static void add_type(const schema_pair *p, const ddl_column *d, const column_def *c, buf *out)
{
    if (cross(p) && p->target_mariadb && c->type == COL_JSON) {
        buf_add_c(out, "longtext");
        return;
    }
    bool geometry_list = cross(p) && p->target_mariadb && str_eq_nocase(d->type_word, STR("geomcollection"));
    buf_add(out, geometry_list ? STR("geometrycollection") : d->type_word);
    /* MySQL deprecates display widths except tinyint(1) and those of ZEROFILL. */
    bool width = (is_integer(c->type) && !d->zerofill && !(c->type == COL_TINYINT && c->length == 1)) || c->type == COL_YEAR;
    if (d->type_group.p && !(cross(p) && !p->target_mariadb && width)) {
        buf_add_byte(out, '(');
        buf_add(out, d->type_group);
        buf_add_byte(out, ')');
    }
    if (d->is_unsigned) buf_add_c(out, " unsigned");
    if (d->zerofill) buf_add_c(out, " zerofill");
}

static void add_charset(const schema_pair *p, const column_def *c, arena *a, buf *out)
{
    str collation;
    if (!c->charset.n || (c->type == COL_JSON && !p->target_mariadb)) return;
    if (c->type == COL_JSON && !cross(p)) return;
    collation_map(p->collations, c->collation, a, &collation);
    buf_printf(out, " CHARACTER SET %.*s COLLATE %.*s", STR_ARG(collation_charset(collation)), STR_ARG(collation));
}

/* A default that MySQL takes only in parentheses: anything but a literal or, for times, CURRENT_TIMESTAMP; and any of a column of the large types. */
static bool needs_parentheses(const ddl_column *d, const column_def *c)
{
    ddl_lexer l = {.text = d->default_sql};
    ddl_token t = ddl_next(&l);
    if (ddl_is_punct(t, '(') || ddl_is_word(t, "NULL")) return false;
    if (is_large(c->type)) return true;
    if (t.kind == DDL_STRING || ddl_is_punct(t, '-') || (t.kind == DDL_WORD && t.text.p[0] >= '0' && t.text.p[0] <= '9')) return false;
    if (ddl_is_word(t, "current_timestamp")) return c->type != COL_DATETIME && c->type != COL_TIMESTAMP;
    ddl_token next = ddl_next(&l);
    return next.kind != DDL_STRING; /* b'101', x'00', _latin1'a' */
}

static void add_default(const schema_pair *p, const table_def *t, const ddl_column *d, const column_def *c, arena *a, buf *out)
{
    if (!d->default_sql.p) return;
    bool wrap = cross(p) && !p->target_mariadb && needs_parentheses(d, c);
    buf_add_c(out, wrap ? " DEFAULT (" : " DEFAULT ");
    add_expression(p, t, d->default_sql, a, out);
    if (wrap) buf_add_byte(out, ')');
}

static void add_column(const schema_pair *p, const table_def *t, const ddl_column *d, const column_def *c, arena *a, buf *out)
{
    buf_add_c(out, "\n  ");
    conn_quote_name(out, c->target_name);
    buf_add_byte(out, ' ');
    add_type(p, d, c, out);
    add_charset(p, c, a, out);
    if (d->generated) {
        buf_add_c(out, " GENERATED ALWAYS AS ");
        add_expression(p, t, d->generation_sql, a, out);
        buf_add_c(out, d->stored ? " STORED" : " VIRTUAL");
        if (d->not_null && !p->target_mariadb) buf_add_c(out, " NOT NULL");
    } else {
        buf_add_c(out, d->not_null ? " NOT NULL" : " NULL");
    }
    if (d->invisible) buf_add_c(out, " INVISIBLE");
    add_default(p, t, d, c, a, out);
    if (d->on_update_sql.p) {
        buf_add_c(out, " ON UPDATE ");
        buf_add(out, d->on_update_sql);
    }
    if (d->auto_increment) buf_add_c(out, " AUTO_INCREMENT");
    if (d->comment_sql.p) {
        buf_add_c(out, " COMMENT ");
        buf_add(out, d->comment_sql);
    }
    if (d->srid.p && !cross(p)) {
        buf_add_c(out, p->target_mariadb ? " REF_SYSTEM_ID=" : " SRID ");
        buf_add(out, d->srid);
    }
    if (d->check_sql.p) {
        buf_add_c(out, " CHECK ");
        add_expression(p, t, d->check_sql, a, out);
    } else if (cross(p) && p->target_mariadb && c->type == COL_JSON) {
        buf_add_c(out, " CHECK (json_valid(");
        conn_quote_name(out, c->target_name);
        buf_add_c(out, "))");
    }
}

bool schema_key_is_whole(const table_def *t, uint32_t key)
{
    const key_def *k = &t->keys[key];
    for (uint32_t i = 0; i < k->count; i++)
        if (k->columns[i] != UINT32_MAX && !t->columns[k->columns[i]].selected) return false;
    return true;
}

bool schema_foreign_key_is_whole(const table_def *t, uint32_t fk)
{
    const foreign_key_def *f = &t->foreign_keys[fk];
    for (uint32_t i = 0; i < f->count; i++)
        if (!t->columns[f->columns[i]].selected) return false;
    return true;
}

static bool leads_with_auto_increment(const table_def *t, uint32_t key)
{
    const key_def *k = &t->keys[key];
    return k->count && k->columns[0] != UINT32_MAX && t->columns[k->columns[0]].auto_increment && schema_key_is_whole(t, key);
}

bool schema_key_is_early(const table_def *t, const ddl_table *d, uint32_t key)
{
    if (t->keys[key].unique) return true;
    if (d->keys[key].kind != DDL_PLAIN || !leads_with_auto_increment(t, key)) return false;
    /* The first key that serves the AUTO_INCREMENT column, when no unique one does. */
    for (uint32_t i = 0; i < t->key_count; i++)
        if (i != key && leads_with_auto_increment(t, i) && (t->keys[i].unique || i < key)) return false;
    return true;
}

static void add_part(const schema_pair *p, const table_def *t, const ddl_part *part, arena *a, buf *out)
{
    if (part->column.p) {
        str now = rename_column((void *)(uintptr_t)t, part->column);
        conn_quote_name(out, now.p ? now : part->column);
        if (part->prefix) buf_printf(out, "(%u)", part->prefix);
    } else {
        add_expression(p, t, part->expression, a, out);
    }
    if (part->descending) buf_add_c(out, " DESC");
}

static void add_key(const schema_pair *p, const table_def *t, const ddl_key *k, arena *a, buf *out)
{
    static const char *const kinds[] = {[DDL_PRIMARY] = "PRIMARY KEY", [DDL_UNIQUE] = "UNIQUE KEY", [DDL_PLAIN] = "KEY", [DDL_FULLTEXT] = "FULLTEXT KEY",
                                        [DDL_SPATIAL] = "SPATIAL KEY", [DDL_VECTOR] = "VECTOR KEY"};
    buf_add_c(out, kinds[k->kind]);
    buf_add_byte(out, ' ');
    if (k->kind != DDL_PRIMARY) conn_quote_name(out, k->name);
    buf_add_c(out, " (");
    for (uint32_t i = 0; i < k->count; i++) {
        if (i) buf_add_byte(out, ',');
        add_part(p, t, &k->parts[i], a, out);
    }
    buf_add_byte(out, ')');
    if (k->parser.p) {
        buf_add_c(out, " WITH PARSER ");
        conn_quote_name(out, k->parser);
    }
    if (k->comment_sql.p) {
        buf_add_c(out, " COMMENT ");
        buf_add(out, k->comment_sql);
    }
    if (k->invisible) buf_add_c(out, p->target_mariadb ? " IGNORED" : " INVISIBLE");
}

bool schema_add_key(const schema_pair *p, const table_def *t, const ddl_key *k, arena *a, buf *out, err *e)
{
    buf_add_c(out, "ADD ");
    add_key(p, t, k, a, out);
    return !out->failed || err_no_memory(e, "a statement");
}

bool schema_add_foreign_key(const table_def *t, const foreign_key_def *f, const table_def *parent, buf *out, err *e)
{
    buf_add_c(out, "ADD CONSTRAINT ");
    if (f->name.n) conn_quote_name(out, f->name);
    buf_add_c(out, " FOREIGN KEY (");
    for (uint32_t i = 0; i < f->count; i++) {
        if (i) buf_add_byte(out, ',');
        conn_quote_name(out, t->columns[f->columns[i]].target_name);
    }
    buf_add_c(out, ") REFERENCES ");
    conn_quote_table(out, parent->target_schema, parent->target_name);
    buf_add_c(out, " (");
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t at = table_find_column(parent, f->parent_columns[i]);
        if (at == UINT32_MAX || !parent->columns[at].selected)
            return err_set(e, ERR_NOT_SUPPORTED, "foreign key %.*s of %.*s.%.*s refers to column %.*s of %.*s.%.*s, which is not carried", STR_ARG(f->name),
                           STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(f->parent_columns[i]), STR_ARG(parent->schema), STR_ARG(parent->name));
        if (i) buf_add_byte(out, ',');
        conn_quote_name(out, parent->columns[at].target_name);
    }
    buf_add_byte(out, ')');
    if (!str_eq(f->on_delete, STR("RESTRICT"))) buf_printf(out, " ON DELETE %.*s", STR_ARG(f->on_delete));
    if (!str_eq(f->on_update, STR("RESTRICT"))) buf_printf(out, " ON UPDATE %.*s", STR_ARG(f->on_update));
    return !out->failed || err_no_memory(e, "a statement");
}

/* MariaDB numbers unnamed checks per table, MySQL wants names unique in a schema. */
static bool is_numbered(str name) { return str_starts_with(name, STR("CONSTRAINT_")); }

bool schema_check_keeps_name(const schema_pair *p, const ddl_check *c)
{
    return c->name.p && !(c->not_enforced && p->target_mariadb) && !(cross(p) && is_numbered(c->name));
}

static void add_check(const schema_pair *p, const table_def *t, const ddl_check *c, arena *a, buf *out)
{
    if (c->not_enforced && p->target_mariadb) return;
    buf_add_c(out, ",\n  ");
    if (schema_check_keeps_name(p, c)) {
        buf_add_c(out, "CONSTRAINT ");
        conn_quote_name(out, c->name);
        buf_add_byte(out, ' ');
    }
    buf_add_c(out, "CHECK ");
    add_expression(p, t, c->expression, a, out);
    if (c->not_enforced) buf_add_c(out, " NOT ENFORCED");
}

/* Partition text without engines and folders of the source: "ENGINE = x", "DATA DIRECTORY = 'x'". */
static void add_partition(const schema_pair *p, const table_def *t, str sql, arena *a, buf *out)
{
    BUF_AUTO kept = BUF_INIT;
    ddl_lexer l = {.text = sql};
    size_t copied = 0;
    for (ddl_token k = ddl_next(&l); k.kind != DDL_END; k = ddl_next(&l)) {
        bool folder = ddl_is_word(k, "DATA") || ddl_is_word(k, "INDEX");
        if (!folder && !ddl_is_word(k, "ENGINE")) continue;
        buf_add(&kept, str_sub(sql, copied, k.start - copied));
        if (folder) (void)ddl_next(&l);
        (void)ddl_next(&l);
        copied = ddl_next(&l).end;
    }
    buf_add(&kept, str_sub(sql, copied, sql.n));
    if (kept.failed) out->failed = true;
    buf_add_c(out, "\n ");
    if (kept.n) add_expression(p, t, buf_str(&kept), a, out);
}

static void add_options(const schema_pair *p, const table_def *t, const ddl_table *d, arena *a, buf *out)
{
    str collation;
    collation_map(p->collations, t->collation, a, &collation);
    buf_printf(out, "\n) ENGINE=InnoDB DEFAULT CHARSET=%.*s COLLATE=%.*s", STR_ARG(collation_charset(collation)), STR_ARG(collation));
    if (d->auto_increment.p) buf_printf(out, " AUTO_INCREMENT=%.*s", STR_ARG(d->auto_increment));
    if (d->row_format.p && !cross(p) && !str_eq_nocase(d->row_format, STR("FIXED")) && !str_eq_nocase(d->row_format, STR("PAGE")))
        buf_printf(out, " ROW_FORMAT=%.*s", STR_ARG(d->row_format));
    if (d->key_block_size.p && !cross(p) && str_eq_nocase(d->engine, STR("InnoDB"))) buf_printf(out, " KEY_BLOCK_SIZE=%.*s", STR_ARG(d->key_block_size));
    if (d->comment_sql.p) buf_printf(out, " COMMENT=%.*s", STR_ARG(d->comment_sql));
    if (d->partition.p) add_partition(p, t, d->partition, a, out);
}

bool schema_create_table(const schema_pair *p, const table_def *t, const ddl_table *d, arena *a, buf *out, err *e)
{
    if (d->column_count != t->column_count || d->key_count != t->key_count)
        return err_set(e, ERR_INTERNAL, "the definition of %.*s.%.*s differs from its text", STR_ARG(t->schema), STR_ARG(t->name));
    bool first = true;
    buf_add_c(out, "CREATE TABLE ");
    conn_quote_table(out, t->target_schema, t->target_name);
    buf_add_c(out, " (");
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (!t->columns[i].selected) continue;
        if (!first) buf_add_byte(out, ',');
        first = false;
        add_column(p, t, &d->columns[i], &t->columns[i], a, out);
    }
    for (uint32_t i = 0; i < t->key_count; i++) {
        if (!schema_key_is_whole(t, i) || !schema_key_is_early(t, d, i)) continue;
        buf_add_c(out, ",\n  ");
        add_key(p, t, &d->keys[i], a, out);
    }
    for (uint32_t i = 0; i < d->check_count; i++) add_check(p, t, &d->checks[i], a, out);
    add_options(p, t, d, a, out);
    return !out->failed || err_no_memory(e, "a statement");
}
