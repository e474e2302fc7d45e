/* Messages of the event triggers: which concern the job, what they come to. */
#include "engine/postgresql/pg_stream_ddl.h"

#include <jansson.h>

#include "base/log.h"
#include "engine/postgresql/pg_ddl_capture.h"
#include "engine/postgresql/pg_slot.h"

#define RESET_FIX "make the same change in the destination, then reset the job"

static str text_of(const json_t *v) { return json_is_string(v) ? (str){json_string_value(v), json_string_length(v)} : STR_NULL; }
static str member(const json_t *o, const char *key) { return text_of(json_object_get(o, key)); }

bool pg_stream_ddl_begin(pg_stream_ddl *d, source *s, const stream_request *r, arena *a, err *e)
{
    char name[PG_SLOT_NAME_BYTES];
    PGresult *res;
    *d = (pg_stream_ddl){.r = r, .published = arena_array(a, r->catalog->table_count, sizeof(bool))};
    if (!d->published) return err_no_memory(e, "tables");
    if (!r->ddl) return true;
    if (!pg_ddl_capture_token(s, a, &d->token, e)) return false;
    pg_slot_name(s->env->job_id, name);
    const str values[] = {str_from_c(name)};
    if (!pg_conn_query_params(s->conn, STR("SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = $1"), values, 1, &res, e)) return false;
    for (int i = 0; i < PQntuples(res); i++) {
        const table_def *t = catalog_find_table(r->catalog, pg_field(res, i, 0), pg_field(res, i, 1));
        if (t) d->published[t->id] = true;
    }
    PQclear(res);
    return true;
}

void pg_stream_ddl_forget(pg_stream_ddl *d)
{
    json_decref(d->messages);
    d->messages = NULL;
}

size_t pg_stream_ddl_count(const pg_stream_ddl *d) { return json_array_size(d->messages); }

bool pg_stream_ddl_take(pg_stream_ddl *d, const pgoutput_logical_message *m, err *e)
{
    if (!m->transactional || !str_eq(m->prefix, STR(PG_DDL_PREFIX)) || !d->token.p) return true;
    json_t *v = json_loadb(m->content.p, m->content.n, 0, NULL);
    if (!str_eq(str_or_empty(member(v, "token")), d->token)) { /* what it says would be done with the job's rights */
        log_event(LOG_WARN, "message_passed_over", "prefix=" PG_DDL_PREFIX " reason=\"not written by the event triggers\"");
        json_decref(v);
        return true;
    }
    if (!d->messages) d->messages = json_array();
    if (json_array_size(d->messages) >= PG_STREAM_DDL_MAX) {
        json_decref(v);
        return err_set(e, ERR_LIMIT, "a transaction of the source changes definitions more than %d times; make its changes in the destination, then reset the job", PG_STREAM_DDL_MAX);
    }
    return json_array_append_new(d->messages, v) == 0 || err_no_memory(e, "a message of the log");
}

/* --- reading --- */

typedef struct reading {
    const pg_stream_ddl *d;
    arena *a;
    const json_t *m; /* the message */
    ddl_list *out;
    uint32_t cap, note_cap;
} reading;

static str element(const json_t *list, size_t i) { return text_of(json_array_get(list, i)); }

static bool is_event(const json_t *m, const char *event) { return str_eq(member(m, "event"), str_from_c(event)); }

static bool copy(const reading *g, str text, str *ret, err *e)
{
    *ret = text.p ? arena_copy(g->a, text) : STR_NULL;
    return ret->p || !text.p || err_no_memory(e, "a change of definitions");
}

/* "ALTER TABLE x ...", cut: what a person sees of the statement. */
static str command_of(const json_t *m) { return str_sub(str_or_empty(member(m, "command")), 0, 200); }

static uint32_t column_of(const table_def *t, str name)
{
    for (uint32_t i = 0; name.p && i < t->column_count; i++)
        if (str_eq(t->columns[i].name, name)) return i;
    return UINT32_MAX;
}

static bool add(reading *g, ddl_change c, str text, err *e)
{
    if (g->out->count == g->cap) {
        uint32_t cap = g->cap ? 2 * g->cap : 16;
        ddl_change *more = arena_array(g->a, cap, sizeof *more);
        if (!more) return err_no_memory(e, "changes of definitions");
        for (uint32_t i = 0; i < g->out->count; i++) more[i] = g->out->changes[i];
        g->out->changes = more;
        g->cap = cap;
    }
    c.text = text;
    if (!text.p) return err_no_memory(e, "a change of definitions");
    g->out->changes[g->out->count++] = c;
    return true;
}

/* Once: each message tells all that its transaction has made so far. */
static bool note(reading *g, str text, err *e)
{
    for (uint32_t i = 0; text.p && i < g->out->note_count; i++)
        if (str_eq(g->out->notes[i], text)) return true;
    if (g->out->note_count == g->note_cap) {
        uint32_t cap = g->note_cap ? 2 * g->note_cap : 16;
        str *more = arena_array(g->a, cap, sizeof *more);
        if (!more) return err_no_memory(e, "changes of definitions");
        for (uint32_t i = 0; i < g->out->note_count; i++) more[i] = g->out->notes[i];
        g->out->notes = more;
        g->note_cap = cap;
    }
    if (!text.p) return err_no_memory(e, "a change of definitions");
    g->out->notes[g->out->note_count++] = text;
    return true;
}

/* The table of the message, or the selected one that it is a partition of; NULL: none of the job's. */
static const table_def *table_of(const reading *g, bool *ret_partition)
{
    const json_t *root = json_object_get(g->m, "partition_of");
    const table_def *t = catalog_find_table(g->d->r->catalog, str_or_empty(member(g->m, "schema")), str_or_empty(member(g->m, "table")));
    *ret_partition = false;
    if (t || !json_is_array(root)) return t;
    *ret_partition = true;
    return catalog_find_table(g->d->r->catalog, str_or_empty(element(root, 0)), str_or_empty(element(root, 1)));
}

/* --- a table that was changed --- */

/* The source's own texts name the source's columns. */
static bool has_other_columns(const table_def *t)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].selected || !str_eq(t->columns[i].name, t->columns[i].target_name)) return true;
    return false;
}

static bool note_other_columns(reading *g, str text, err *e)
{
    return note(g, arena_printf(g->a, "%.*s: the destination's table has other columns, or other names of them", STR_ARG(text)), e);
}

static bool is_whole(const table_def *t, const uint32_t *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (columns[i] != UINT32_MAX && !t->columns[columns[i]].selected) return false;
    return true;
}

/* Keys of columns alone are written anew with the destination's names. */
static bool add_key(reading *g, ddl_change c, str text, err *e)
{
    bool plain = !c.key.has_prefix && (!c.key.constraint || c.key.unique);
    for (uint32_t i = 0; i < c.key.count; i++) plain = plain && c.key.columns[i] != UINT32_MAX;
    if (has_other_columns(c.table) && (!plain || !is_whole(c.table, c.key.columns, c.key.count))) return note_other_columns(g, text, e);
    return add(g, c, text, e);
}

static bool read_columns(const reading *g, const table_def *t, const json_t *names, const char *what, str name, uint32_t **ret, uint32_t *ret_count, err *e)
{
    uint32_t n = (uint32_t)json_array_size(names);
    *ret = arena_array(g->a, n, sizeof **ret);
    if (!*ret) return err_no_memory(e, "a key");
    for (uint32_t i = 0; i < n; i++) {
        (*ret)[i] = column_of(t, element(names, i));
        if ((*ret)[i] == UINT32_MAX && json_is_string(json_array_get(names, i)))
            return err_set(e, ERR_SOURCE_DDL, "the %s %.*s of %.*s.%.*s was made at the source over the column %.*s, which was added in the same transaction as rows of the table were changed, or is gone "
                                              "again; " RESET_FIX, what, STR_ARG(name), STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(element(names, i)));
    }
    *ret_count = n;
    return true;
}

static bool take_index(reading *g, const table_def *t, const json_t *o, err *e)
{
    ddl_change c = {.kind = DDL_KEY, .table = t};
    if (!copy(g, member(o, "name"), &c.name, e) || !copy(g, member(o, "def"), &c.key.definition_sql, e)) return false;
    c.key.name = c.name;
    c.key.unique = json_is_true(json_object_get(o, "unique"));
    c.key.has_prefix = !json_is_true(json_object_get(o, "plain"));
    return read_columns(g, t, json_object_get(o, "columns"), "index", c.name, &c.key.columns, &c.key.count, e) && add_key(g, c, c.key.definition_sql, e);
}

static str action_of(str definition, const char *event)
{
    static const char *const actions[] = {"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"};
    size_t at = str_find(definition, str_from_c(event));
    str rest = at == SIZE_MAX ? STR("") : str_sub(definition, at + str_from_c(event).n, SIZE_MAX);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (str_starts_with(rest, str_from_c(actions[i]))) return str_from_c(actions[i]);
    return STR("NO ACTION");
}

static bool read_foreign_key(const reading *g, const json_t *o, const table_def *t, ddl_change *c, err *e)
{
    const json_t *parent = json_object_get(o, "parent"), *names = json_object_get(o, "parent_columns");
    foreign_key_def *f = &c->foreign_key;
    f->name = c->name;
    if (!copy(g, member(o, "def"), &f->definition_sql, e) || !copy(g, element(parent, 0), &f->parent_schema, e) || !copy(g, element(parent, 1), &f->parent_table, e) ||
        !read_columns(g, t, json_object_get(o, "columns"), "foreign key", c->name, &f->columns, &f->count, e))
        return false;
    f->parent_columns = arena_array(g->a, f->count, sizeof *f->parent_columns);
    if (!f->parent_columns) return err_no_memory(e, "a foreign key");
    for (uint32_t i = 0; i < f->count; i++)
        if (!copy(g, str_or_empty(element(names, i)), &f->parent_columns[i], e)) return false;
    f->on_delete = action_of(f->definition_sql, " ON DELETE ");
    f->on_update = action_of(f->definition_sql, " ON UPDATE ");
    c->parent = catalog_find_table(g->d->r->catalog, f->parent_schema, f->parent_table);
    return true;
}

/* CHECK (...): behind the word. */
static str condition_of(str definition)
{
    str word = STR("CHECK ");
    return str_starts_with(definition, word) ? str_sub(definition, word.n, SIZE_MAX) : definition;
}

static bool take_constraint(reading *g, const table_def *t, const json_t *o, err *e)
{
    str type = member(o, "type"), definition;
    ddl_change c = {.kind = DDL_KEY, .table = t};
    if (!copy(g, member(o, "name"), &c.name, e) || !copy(g, member(o, "def"), &definition, e)) return false;
    str text = arena_printf(g->a, "ALTER TABLE %.*s.%.*s ADD CONSTRAINT %.*s %.*s", STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(c.name), STR_ARG(definition));
    if (str_eq(type, STR("c"))) {
        c.kind = DDL_CHECK;
        c.check = (check_def){.name = c.name, .condition_sql = condition_of(definition)};
        return has_other_columns(t) ? note_other_columns(g, text, e) : add(g, c, text, e);
    }
    if (str_eq(type, STR("f"))) {
        c.kind = DDL_FOREIGN_KEY;
        if (!read_foreign_key(g, o, t, &c, e)) return false;
        if (c.parent && !is_whole(t, c.foreign_key.columns, c.foreign_key.count)) return note_other_columns(g, text, e);
        if (c.parent) return add(g, c, text, e);
        return note(g, arena_printf(g->a, "%.*s: it refers to a table that is not selected", STR_ARG(text)), e);
    }
    c.key = (key_def){.name = c.name, .primary = str_eq(type, STR("p")), .unique = !str_eq(type, STR("x")), .has_prefix = !json_is_true(json_object_get(o, "plain")),
                      .definition_sql = definition, .constraint = true};
    return read_columns(g, t, json_object_get(o, "columns"), "constraint", c.name, &c.key.columns, &c.key.count, e) && add_key(g, c, text, e);
}

/* Columns that the job does not know yet come with what they have; those it does not carry are nothing to it. */
static bool take_column(reading *g, const table_def *t, const json_t *v, err *e)
{
    str name = element(v, 0), identity = element(v, 3);
    ddl_change c = {.kind = DDL_COLUMN, .table = t, .column = column_of(t, name), .not_null = json_is_true(json_array_get(v, 2))};
    if (c.column == UINT32_MAX || !t->columns[c.column].selected) return true;
    if (identity.n || t->columns[c.column].identity)
        return (identity.n ? identity.p[0] : 0) == t->columns[c.column].identity ||
               note(g, arena_printf(g->a, "column %.*s of %.*s.%.*s became, or is no longer, an identity column", STR_ARG(name), STR_ARG(t->schema), STR_ARG(t->name)), e);
    c.name = t->columns[c.column].name;
    if (!copy(g, element(v, 1), &c.default_sql, e)) return false;
    /* A sequence may have another name there: what the columns had at the start is right. */
    if (c.default_sql.p && str_find(c.default_sql, STR("nextval(")) != SIZE_MAX && !str_eq(t->schema, t->target_schema))
        return note(g, arena_printf(g->a, "ALTER TABLE %.*s.%.*s ALTER COLUMN %.*s SET DEFAULT %.*s: the sequence has another schema in the destination", STR_ARG(t->schema), STR_ARG(t->name),
                                    STR_ARG(c.name), STR_ARG(c.default_sql)), e);
    return add(g, c, arena_printf(g->a, "ALTER TABLE %.*s.%.*s ALTER COLUMN %.*s %s%.*s, %s NOT NULL", STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(c.name),
                                  c.default_sql.p ? "SET DEFAULT " : "DROP DEFAULT", STR_ARG(str_or_empty(c.default_sql)), c.not_null ? "SET" : "DROP"), e);
}

static bool take_comment(reading *g, const table_def *t, const json_t *v, err *e)
{
    str column = element(v, 0);
    ddl_change c = {.kind = DDL_COMMENT, .table = t, .column = column_of(t, column)};
    if (column.p && (c.column == UINT32_MAX || !t->columns[c.column].selected)) return true;
    c.name = column.p ? t->columns[c.column].name : t->name;
    return copy(g, element(v, 1), &c.comment, e) &&
           add(g, c, arena_printf(g->a, "COMMENT ON %.*s.%.*s%s%.*s", STR_ARG(t->schema), STR_ARG(t->name), column.p ? "." : "", STR_ARG(str_or_empty(column))), e);
}

typedef bool (*taker)(reading *g, const table_def *t, const json_t *v, err *e);

static bool take_each(reading *g, const table_def *t, const char *key, taker take, err *e)
{
    const json_t *list = json_object_get(g->m, key);
    bool ok = true;
    for (size_t i = 0; ok && i < json_array_size(list); i++) ok = take(g, t, json_array_get(list, i), e);
    return ok;
}

/* Its rows are in no load, and not in the publication. */
static bool new_table(reading *g, err *e)
{
    str schema = str_or_empty(member(g->m, "schema")), name = str_or_empty(member(g->m, "table"));
    return err_set(e, ERR_SOURCE_DDL, "the table %.*s.%.*s, which DbList selects, came to the source while the job runs (%.*s): its rows are not in the job; reset the job to take it in, or select the "
                                      "tables of the schema one by one", STR_ARG(schema), STR_ARG(name), STR_ARG(str_or_empty(member(g->m, "tag"))));
}

static bool take_ddl(reading *g, err *e)
{
    bool partition, made = json_is_true(json_object_get(g->m, "made"));
    str schema = str_or_empty(member(g->m, "schema")), name = str_or_empty(member(g->m, "table")), renamed = member(g->m, "renamed");
    const table_def *t = table_of(g, &partition);
    if (partition) {
        if (!t) return true;
        return note(g, arena_printf(g->a, "%.*s of %.*s.%.*s, a partition of %.*s.%.*s", STR_ARG(str_or_empty(member(g->m, "tag"))), STR_ARG(schema), STR_ARG(name), STR_ARG(t->schema), STR_ARG(t->name)), e);
    }
    if (!t || made || !g->d->published[t->id]) return !g->d->r->objects || !dblist_match_table(g->d->r->objects, schema, name).selected || new_table(g, e);
    if (renamed.p) return note(g, arena_printf(g->a, "a new name: %.*s (%.*s)", STR_ARG(renamed), STR_ARG(command_of(g->m))), e);
    return take_each(g, t, "changed", take_column, e) && take_each(g, t, "indexes", take_index, e) && take_each(g, t, "constraints", take_constraint, e) &&
           take_each(g, t, "comments", take_comment, e);
}

/* --- the other events --- */

static bool dropped_object(reading *g, str type, const json_t *names, err *e)
{
    ddl_change c = {.kind = DDL_DROP_INDEX};
    str schema = str_or_empty(element(names, 0)), name = str_or_empty(element(names, 1));
    if (str_eq(type, STR("index"))) {
        if (!g->d->r->objects || !dblist_has_database(g->d->r->objects, schema)) return true;
        return copy(g, name, &c.name, e) && copy(g, dblist_target_database(g->d->r->objects, schema), &c.target_schema, e) &&
               add(g, c, arena_printf(g->a, "DROP INDEX %.*s.%.*s", STR_ARG(schema), STR_ARG(name)), e);
    }
    c.kind = DDL_DROP_CONSTRAINT;
    c.table = catalog_find_table(g->d->r->catalog, schema, name);
    if (!c.table) return true;
    if (str_eq(type, STR("table")))
        return err_set(e, ERR_SOURCE_DDL, "the table %.*s.%.*s was dropped at the source (%.*s); take it out of DbList or make it again, then reset the job", STR_ARG(schema), STR_ARG(name), STR_ARG(command_of(g->m)));
    return copy(g, str_or_empty(element(names, 2)), &c.name, e) &&
           add(g, c, arena_printf(g->a, "ALTER TABLE %.*s.%.*s DROP CONSTRAINT %.*s", STR_ARG(schema), STR_ARG(name), STR_ARG(c.name)), e);
}

static bool take_drop(reading *g, err *e)
{
    const json_t *list = json_object_get(g->m, "objects");
    bool ok = true;
    for (size_t i = 0; ok && i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        ok = dropped_object(g, element(v, 0), json_array_get(v, 1), e);
    }
    return ok;
}

/* Without USING the new values follow from the old ones: pg_stream_alter knows by the types whether they do so here. */
static bool check_rewrite(const reading *g, err *e)
{
    bool partition;
    BUF_AUTO names = BUF_INIT;
    const table_def *t = table_of(g, &partition);
    const json_t *list = json_object_get(g->m, "columns");
    if (!t || !json_is_true(json_object_get(g->m, "using"))) return true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        buf_add_c(&names, i ? ", " : "");
        buf_add(&names, str_or_empty(element(list, i)));
    }
    if (names.failed) return err_no_memory(e, "names");
    return err_set(e, ERR_SOURCE_DDL, "ALTER COLUMN TYPE at the source may have changed the values of %.*s in all rows of %.*s.%.*s by its USING, which the log does not tell (%.*s); " RESET_FIX,
                   STR_ARG(buf_str(&names)), STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(command_of(g->m)));
}

static bool check_attached(const reading *g, err *e)
{
    bool partition;
    const table_def *t = table_of(g, &partition);
    if (!t || !partition) return true;
    return err_set(e, ERR_SOURCE_DDL, "the table %.*s.%.*s was attached as a partition of %.*s.%.*s at the source together with its rows, which its log does not have; reset the job",
                   STR_ARG(str_or_empty(member(g->m, "schema"))), STR_ARG(str_or_empty(member(g->m, "table"))), STR_ARG(t->schema), STR_ARG(t->name));
}

static bool check_failed(const reading *g, err *e)
{
    return err_set(e, ERR_SOURCE_DDL, "the source's event triggers could not tell what %.*s did (%.*s): %.*s; reset the job", STR_ARG(str_or_empty(member(g->m, "tag"))), STR_ARG(command_of(g->m)),
                   STR_ARG(str_or_empty(member(g->m, "error"))));
}

/* Each message tells all that its transaction has made so far. What comes later counts: the same anew, or that it was dropped. */
static bool is_overtaken(const ddl_list *l, uint32_t i)
{
    const ddl_change *x = &l->changes[i];
    for (uint32_t k = i + 1; k < l->count && !ddl_is_drop(x->kind); k++) {
        const ddl_change *y = &l->changes[k];
        bool named = str_eq(x->name, y->name);
        if (named && y->kind == DDL_DROP_INDEX && x->kind == DDL_KEY && str_eq(y->target_schema, x->table->target_schema)) return true;
        if (named && y->kind == DDL_DROP_CONSTRAINT && x->kind <= DDL_FOREIGN_KEY && y->table == x->table) return true;
        if (named && y->kind == x->kind && y->table == x->table && y->column == x->column) return true;
    }
    return false;
}

/* In the order of kinds, each kind in the order of the messages. */
static bool sort(reading *g, err *e)
{
    ddl_list *l = g->out;
    ddl_change *sorted = arena_array(g->a, l->count, sizeof *sorted);
    uint32_t n = 0;
    if (!sorted) return err_no_memory(e, "changes of definitions");
    for (int kind = DDL_DROP_CONSTRAINT; kind <= DDL_COMMENT; kind++)
        for (uint32_t i = 0; i < l->count; i++)
            if (l->changes[i].kind == (ddl_kind)kind && !is_overtaken(l, i)) sorted[n++] = l->changes[i];
    l->changes = sorted;
    l->count = n;
    return true;
}

bool pg_stream_ddl_list(const pg_stream_ddl *d, arena *a, ddl_list *ret, err *e)
{
    *ret = (ddl_list){0};
    reading g = {.d = d, .a = a, .out = ret};
    for (size_t i = 0; i < json_array_size(d->messages); i++) {
        g.m = json_array_get(d->messages, i);
        if (is_event(g.m, "ddl") ? !take_ddl(&g, e) : is_event(g.m, "drop") && !take_drop(&g, e)) return false;
    }
    return sort(&g, e);
}

bool pg_stream_ddl_check(const pg_stream_ddl *d, err *e)
{
    reading g = {.d = d};
    for (size_t i = 0; i < json_array_size(d->messages); i++) {
        g.m = json_array_get(d->messages, i);
        bool ok = true;
        if (is_event(g.m, "rewrite")) ok = check_rewrite(&g, e);
        else if (is_event(g.m, "attached")) ok = check_attached(&g, e);
        else if (is_event(g.m, "failed")) ok = check_failed(&g, e);
        if (!ok) return false;
    }
    return true;
}

/* A later message of the transaction tells of the same table. */
static bool is_told_again(const pg_stream_ddl *d, size_t i)
{
    const json_t *m = json_array_get(d->messages, i);
    for (size_t k = i + 1; k < json_array_size(d->messages); k++) {
        const json_t *later = json_array_get(d->messages, k);
        if (is_event(later, "ddl") && json_integer_value(json_object_get(later, "oid")) == json_integer_value(json_object_get(m, "oid"))) return true;
    }
    return false;
}

bool pg_stream_ddl_relation(const pg_stream_ddl *d, size_t i, arena *a, const table_def **ret, pgoutput_relation *ret_relation, err *e)
{
    bool partition;
    reading g = {.d = d, .a = a, .m = json_array_get(d->messages, i)};
    const json_t *list = json_object_get(g.m, "columns");
    uint32_t n = (uint32_t)json_array_size(list);
    str identity = member(g.m, "identity");
    *ret = is_event(g.m, "ddl") && !is_told_again(d, i) ? table_of(&g, &partition) : NULL;
    if (!*ret || partition || !identity.n) {
        *ret = NULL;
        return true;
    }
    pgoutput_column *columns = arena_array(a, n, sizeof *columns);
    if (!columns) return err_no_memory(e, "a table of the log");
    for (uint32_t k = 0; k < n; k++) {
        const json_t *v = json_array_get(list, k);
        columns[k] = (pgoutput_column){.type_oid = (uint32_t)json_integer_value(json_array_get(v, 1)), .type_modifier = (int32_t)json_integer_value(json_array_get(v, 2)),
                                       .key = json_is_true(json_array_get(v, 3))};
        if (!copy(&g, str_or_empty(element(v, 0)), &columns[k].name, e)) return false;
    }
    *ret_relation = (pgoutput_relation){.oid = (uint32_t)json_integer_value(json_object_get(g.m, "oid")), .schema = (*ret)->schema, .name = (*ret)->name, .identity = identity.p[0],
                                        .column_count = n, .columns = columns};
    return true;
}
