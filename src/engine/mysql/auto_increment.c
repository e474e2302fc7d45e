/* AUTO_INCREMENT counters: reading them at both ends, setting the target's. */
#include "engine/mysql/auto_increment.h"

#include "engine/mysql/name_fold.h"

#define LOCK_WAIT_S 5         /* until the table's other users let ALTER TABLE in; the next call tries again */
#define SESSION_LOCK_WAIT_S 60 /* conn.c */

struct auto_increment_schema {
    auto_increment_schema *next;
    str name;
    map tables; /* by name → str * */
};

/* --- reading --- */

/* MySQL keeps the numbers of information_schema for a day unless told otherwise (manual, information_schema_stats_expiry). */
static bool read_schema(auto_increments *list, auto_increment_schema *s, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    buf_add_c(&sql, "SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES WHERE AUTO_INCREMENT IS NOT NULL AND TABLE_SCHEMA = ");
    conn_quote_literal(&sql, s->name, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!list->c->is_mariadb && list->c->version >= 80000 && !conn_exec(list->c, STR("SET SESSION information_schema_stats_expiry = 0"), NULL, e)) return false;
    if (!conn_query(list->c, buf_str(&sql), &res, e)) return err_context(e, "reading AUTO_INCREMENT");
    bool ok = true;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        const unsigned long *n = mysql_fetch_lengths(res);
        str name = arena_copy(list->a, (str){row[0], n[0]}), *next = arena_alloc(list->a, sizeof *next);
        if (next) *next = arena_copy(list->a, (str){row[1], n[1]});
        ok = name.p && next && next->p && map_put(&s->tables, name, next);
    }
    mysql_free_result(res);
    return ok || err_no_memory(e, "AUTO_INCREMENT of tables");
}

static bool find_schema(auto_increments *list, str schema, auto_increment_schema **ret, err *e)
{
    auto_increment_schema *s = list->read;
    while (s && !str_eq(s->name, schema)) s = s->next;
    if (!s) {
        s = arena_alloc(list->a, sizeof *s);
        if (!s) return err_no_memory(e, "AUTO_INCREMENT of tables");
        *s = (auto_increment_schema){.next = list->read, .name = schema, .tables = MAP_INIT};
        list->read = s;
        if (!read_schema(list, s, e)) return false;
    }
    *ret = s;
    return true;
}

bool auto_increment_find(auto_increments *list, str schema, str table, str *ret, err *e)
{
    auto_increment_schema *s;
    str folded;
    if (!find_schema(list, schema, &s, e)) return false;
    const str *next = map_get(&s->tables, table);
    if (!next) { /* the server may have made small letters of it */
        if (!name_fold(list->c, table, list->a, &folded, e)) return false;
        next = map_get(&s->tables, folded);
    }
    *ret = next ? *next : STR_NULL;
    return true;
}

void auto_increment_forget(auto_increments *list)
{
    for (auto_increment_schema *s = list->read; s; s = s->next) map_finish(&s->tables);
    list->read = NULL;
}

static uint32_t counting_column(const table_def *t)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (t->columns[i].auto_increment && t->columns[i].selected) return i;
    return UINT32_MAX;
}

bool auto_increment_read(source *s, const catalog_def *c, arena *a, sequence_state **ret, uint32_t *ret_count, err *e)
{
    auto_increments list = {.c = s->conn, .a = a};
    sequence_state *states = arena_array(a, c->table_count + 1, sizeof *states);
    uint32_t n = 0;
    bool ok = states || err_no_memory(e, "AUTO_INCREMENT of tables");
    for (uint32_t i = 0; ok && i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        uint32_t column = counting_column(t);
        if (column == UINT32_MAX) continue;
        sequence_state *k = &states[n++];
        *k = (sequence_state){.table = t, .column = column, .owned = true};
        ok = auto_increment_find(&list, t->schema, t->name, &k->next, e);
        k->value = k->next;
        if (ok && !k->next.p) k->obstacle = STR("the source does not tell its AUTO_INCREMENT; CHECK TABLE there");
    }
    auto_increment_forget(&list);
    if (!ok) return false;
    *ret = states;
    *ret_count = n;
    return true;
}

/* --- setting --- */

typedef struct setting {
    target *t;
    const catalog_def *c;
    auto_increments list;
    uint64_t margin;
    arena *a;
    bool altered;
} setting;

static bool not_carried(sequence_result *r, const char *why)
{
    r->outcome = SEQUENCE_ABSENT;
    r->why = str_from_c(why);
    return true;
}

/* A failure about one table; a lost connection ends all. */
static bool failed(setting *w, sequence_result *r, err *e)
{
    if (w->t->conn->broken || e->code == ERR_CANCELLED) return false;
    r->outcome = SEQUENCE_FAILED;
    r->why = arena_copy(w->a, str_from_c(e->text));
    *e = ERR_INIT;
    return r->why.p || err_no_memory(e, "the outcome of a table");
}

static bool alter(setting *w, const table_def *t, uint64_t next, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "ALTER TABLE ");
    conn_quote_table(&sql, t->target_schema, t->target_name);
    buf_printf(&sql, " AUTO_INCREMENT = %llu", (unsigned long long)next);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!w->altered && !conn_execf(w->t->conn, e, "SET SESSION lock_wait_timeout = %d", LOCK_WAIT_S)) return false;
    w->altered = true;
    return conn_exec(w->t->conn, buf_str(&sql), NULL, e);
}

/* Why the counter of the source cannot be one of the target. NULL: it can. */
static const char *refused(const sequence_state *s, const table_def *t, uint64_t *ret_next)
{
    if (!t) return "the destination keeps numbers in columns alone";
    if (!t->columns[s->column].auto_increment) return "the destination's column is not AUTO_INCREMENT";
    if (s->descends) return "AUTO_INCREMENT does not count downwards";
    if (!s->next.p) return "it has come to its end at the source";
    return str_to_u64(s->next, ret_next) && *ret_next ? NULL : "AUTO_INCREMENT begins at 1";
}

static bool set_one(setting *w, const sequence_state *s, sequence_result *r, uint64_t *ret_wanted, err *e)
{
    const table_def *t = s->table ? w->c->tables[s->table->id] : NULL;
    uint64_t next = 0, now = 0;
    const char *why = refused(s, t, &next);
    r->name = t ? arena_printf(w->a, "%.*s.%.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name), STR_ARG(t->columns[s->column].target_name))
                : arena_printf(w->a, "%.*s.%.*s", STR_ARG(s->target_schema), STR_ARG(s->target_name));
    if (!r->name.p) return err_no_memory(e, "the name of a counter");
    if (s->obstacle.p) {
        *r = (sequence_result){.name = r->name, .outcome = SEQUENCE_FAILED, .why = s->obstacle};
        return true;
    }
    if (why) return not_carried(r, why);
    if (__builtin_add_overflow(next, w->margin, &next)) next = UINT64_MAX;
    if (!auto_increment_find(&w->list, t->target_schema, t->target_name, &r->next, e)) return false;
    if (!r->next.p || !str_to_u64(r->next, &now)) return not_carried(r, "the destination's table has no AUTO_INCREMENT column");
    r->outcome = now == next ? SEQUENCE_RIGHT : now > next ? SEQUENCE_AHEAD : SEQUENCE_SET;
    *ret_wanted = next;
    return r->outcome != SEQUENCE_SET || alter(w, t, next, e) || failed(w, r, e);
}

/* As it is read back. */
static bool verify(setting *w, const sequence_state *s, sequence_result *r, uint64_t wanted, err *e)
{
    const table_def *t = s->table ? w->c->tables[s->table->id] : NULL;
    uint64_t now = 0;
    if (r->outcome != SEQUENCE_SET) return true;
    if (!auto_increment_find(&w->list, t->target_schema, t->target_name, &r->next, e)) return false;
    if (r->next.p && str_to_u64(r->next, &now) && now >= wanted) return true;
    r->outcome = SEQUENCE_FAILED;
    r->why = arena_printf(w->a, "the destination did not take AUTO_INCREMENT = %llu", (unsigned long long)wanted);
    return r->why.p || err_no_memory(e, "the outcome of a table");
}

bool auto_increment_set(target *t, const catalog_def *c, const sequence_state *list, uint32_t count, uint64_t margin, arena *a, sequence_result *ret, err *e)
{
    setting w = {.t = t, .c = c, .list = {.c = t->conn, .a = a}, .margin = margin, .a = a};
    uint64_t *wanted = arena_array(a, count + 1, sizeof *wanted);
    bool ok = wanted || err_no_memory(e, "AUTO_INCREMENT of tables");
    for (uint32_t i = 0; ok && i < count; i++) {
        ret[i] = (sequence_result){.outcome = SEQUENCE_RIGHT};
        ok = set_one(&w, &list[i], &ret[i], &wanted[i], e);
    }
    auto_increment_forget(&w.list);
    if (ok && w.altered) ok = conn_execf(t->conn, e, "SET SESSION lock_wait_timeout = %d", SESSION_LOCK_WAIT_S);
    for (uint32_t i = 0; ok && i < count; i++) ok = verify(&w, &list[i], &ret[i], wanted[i], e);
    auto_increment_forget(&w.list);
    return ok;
}
