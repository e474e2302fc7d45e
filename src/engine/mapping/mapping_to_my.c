/* The direction PostgreSQL to MySQL and MariaDB: tables one by one, then what joins them. */
#include "engine/mapping/mapping_to_my.h"

#include <string.h>
#include <zlib.h>

/* ---- what the files share ---- */

void my_add_name(buf *out, str name) { buf_add_quoted(out, name, '`'); }
void my_add_source_name(buf *out, str name) { buf_add_quoted(out, name, '"'); }

void my_add_literal(buf *out, str text)
{
    buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'' || text.p[i] == '\\') buf_add_byte(out, text.p[i]);
        buf_add_byte(out, text.p[i]);
    }
    buf_add_byte(out, '\'');
}

bool my_made(str text, err *e) { return text.p || err_no_memory(e, "a mapped table"); }

static bool is_lead(char c) { return ((uint8_t)c & 0xc0) != 0x80; }

str my_short_name(mapping_maker *m, str name)
{
    enum { HASH_CHARS = 9 }; /* _xxxxxxxx */
    size_t chars = 0, cut = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (!is_lead(name.p[i])) continue;
        if (chars == MAPPING_MY_MAX_NAME_CHARS - HASH_CHARS) cut = i;
        chars++;
    }
    if (chars <= MAPPING_MY_MAX_NAME_CHARS) return name;
    return arena_printf(m->a, "%.*s_%08x", (int)cut, name.p, (uint32_t)crc32(0, (const Bytef *)name.p, (uInt)name.n)); /* the same for ever */
}

my_work my_work_of(mapping_maker *m, table_plan *p)
{
    const my_state *st = m->state;
    return (my_work){.m = m, .p = p, .s = p->source, .t = p->target, .details = st->details[p->source->id]};
}

/* ---- names ---- */

/* Names have no blank at the end and no characters of four bytes in UTF-8 (MySQL manual, Schema Object Names). */
static bool check_name(str name, const char *what, err *e)
{
    for (size_t i = 0; i < name.n; i++)
        if ((uint8_t)name.p[i] >= 0xf0)
            return err_set(e, ERR_NOT_SUPPORTED, "the name of %s %.*s has a character beyond U+FFFF, which names in MySQL do not have; map it to another name", what, STR_ARG(name));
    return !str_ends_with(name, STR(" ")) ||
           err_set(e, ERR_NOT_SUPPORTED, "the name of %s '%.*s' ends in a blank, which names in MySQL must not; map it to another name", what, STR_ARG(name));
}

/* Column names that differ in case alone are one name in MySQL. */
static bool check_columns(const my_work *w, err *e)
{
    uint32_t selected = 0;
    for (uint32_t i = 0; i < w->t->column_count; i++) {
        const column_def *c = &w->t->columns[i];
        if (!c->selected) continue;
        selected++;
        if (!check_name(c->name, "column", e)) return false;
        for (uint32_t k = 0; k < i; k++)
            if (w->t->columns[k].selected && str_eq_nocase(w->t->columns[k].name, c->name))
                return err_set(e, ERR_NOT_SUPPORTED, "the columns %.*s and %.*s have one name in MySQL, where case does not count; map one to another name", STR_ARG(w->t->columns[k].name),
                               STR_ARG(c->name));
    }
    return selected <= MAPPING_MY_MAX_COLUMNS ||
           err_set(e, ERR_LIMIT, "%u columns, a table of InnoDB has at most %d; select fewer", selected, MAPPING_MY_MAX_COLUMNS);
}

/* ---- tables ---- */

static void choose_collations(const mapping_options *o, my_state *st)
{
    enum { MYSQL_NOPAD = 80017, MARIADB_UCA1400 = 101000 };
    bool newest = !o->target_version;
    if (o->target_mariadb) {
        bool uca = newest || o->target_version >= MARIADB_UCA1400;
        st->collation_bytes = STR("utf8mb4_nopad_bin");
        st->collation_text = uca ? STR("utf8mb4_uca1400_nopad_as_cs") : STR("utf8mb4_nopad_bin");
        st->collation_no_case = uca ? STR("utf8mb4_uca1400_nopad_as_ci") : STR("utf8mb4_unicode_520_nopad_ci");
    } else {
        bool nopad = newest || o->target_version >= MYSQL_NOPAD;
        st->collation_bytes = nopad ? STR("utf8mb4_0900_bin") : STR("utf8mb4_bin");
        st->collation_text = nopad ? STR("utf8mb4_0900_as_cs") : STR("utf8mb4_bin");
        st->collation_no_case = nopad ? STR("utf8mb4_0900_as_ci") : STR("utf8mb4_unicode_520_ci");
    }
}

static bool begin(mapping_maker *m, err *e)
{
    my_state *st = arena_alloc(m->a, sizeof *st);
    if (st) st->details = arena_array(m->a, m->source->table_count, sizeof *st->details);
    if (!st || !st->details) return err_no_memory(e, "a mapped catalog");
    m->state = st;
    choose_collations(m->options, st);
    for (uint32_t i = 0; i < m->target->database_count; i++) {
        database_def *d = &m->target->databases[i];
        if (!check_name(d->name, "database", e)) return false;
        d->charset = STR("utf8mb4");
        d->collation = st->collation_text;
        if (str_eq(m->source->databases[i].charset, STR("SQL_ASCII"))) st->no_encoding = true;
    }
    return true;
}

static bool plan_table(mapping_maker *m, table_plan *p, err *e)
{
    my_state *st = m->state;
    const table_def *s = p->source;
    st->details[s->id] = arena_array(m->a, s->column_count, sizeof **st->details);
    if (!st->details[s->id]) return err_no_memory(e, "a mapped table");
    my_work w = my_work_of(m, p);
    w.t->storage_engine = STR("InnoDB");
    w.t->charset = STR("utf8mb4");
    w.t->collation = st->collation_text;
    if (!check_name(w.t->schema, "database", e) || !check_name(w.t->name, "table", e) || !check_columns(&w, e)) return false;
    for (uint32_t i = 0; i < s->column_count; i++) {
        bool ok = !s->columns[i].selected || (my_plan_column(&w, i, e) && my_plan_default(&w, i, e) && mapping_check_choices(m, s, &s->columns[i], e));
        if (!ok) return err_context(e, "column %.*s", STR_ARG(s->columns[i].name));
    }
    return my_plan_expressions(&w, e);
}

/* ---- what joins them ---- */

static bool for_all(mapping_maker *m, bool (*step)(const my_work *w, err *e), err *e)
{
    for (uint32_t i = 0; i < m->source->table_count; i++) {
        my_work w = my_work_of(m, &m->tables[i]);
        if (!step(&w, e)) return err_context(e, "table %.*s.%.*s", STR_ARG(w.s->schema), STR_ARG(w.s->name));
    }
    return true;
}

/* What tables carry in themselves, what only PostgreSQL has a use for, and what the rules of columns and keys speak of. */
static bool is_told_elsewhere(str kind)
{
    static const char *const kinds[] = {"table", "partition", "view", "extension", "collation", "type", "domain", "sequence", "sequence owner", "check", "index", "index options", "index statistics",
                                        "replica identity", "clustering", "comment", "contents", "tablespace", "access method", "statistics", "owners"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(kind, str_from_c(kinds[i]))) return true;
    return false;
}

static bool is_listed_view(const catalog_def *c, const object_def *o)
{
    for (uint32_t i = 0; i < c->view_count; i++)
        if (str_eq(c->views[i].schema, o->schema) && str_eq(c->views[i].name, o->name)) return true;
    return false;
}

static void tell_objects(mapping_maker *m)
{
    for (uint32_t i = 0; i < m->source->object_count; i++) {
        const object_def *o = &m->source->objects[i];
        bool view = str_eq(o->kind, STR("view")) && !is_listed_view(m->source, o); /* a materialized one */
        if (!view && is_told_elsewhere(o->kind)) continue;
        mapping_find(m, NULL, NULL, RULE_COUNT, (mapping_finding){.kind = view ? STR("materialized view") : o->kind, .schema = o->schema, .object = o->name,
                                                                  .source_text = str_or_empty(o->source_sql), .what = STR("not carried to MySQL; write it anew, where the destination needs it")});
    }
}

static bool finish(mapping_maker *m, err *e)
{
    if (!for_all(m, my_plan_keys, e) || !for_all(m, my_plan_foreign_keys, e) || !for_all(m, my_write_create, e)) return false;
    m->target->views = arena_array(m->a, m->source->view_count, sizeof *m->target->views);
    if (!m->target->views) return err_no_memory(e, "views");
    for (uint32_t i = 0; i < m->source->view_count; i++)
        if (!my_plan_view(m, &m->source->views[i], e)) return false;
    tell_objects(m);
    return true;
}

const mapping_direction mapping_to_my = {.begin = begin, .plan_table = plan_table, .finish = finish, .alter = my_alter_column};
