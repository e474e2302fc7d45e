/* Making the selected objects in a target, in two phases, each resumable after a kill. */
#include "engine/mysql/schema_keys.h"
#include "engine/mysql/schema_object.h"
#include "engine/mysql/schema_text.h"

/* An ALTER that builds indexes of a large table takes hours; the connection's keep-alive still notices a dead server. */
#define DDL_TIMEOUT_S (7u * 24 * 3600)

typedef struct making {
    target *t;
    const catalog_def *c;
    schema_pair pair;
    object_rows rows;
    map collations;
    arena mem;          /* for the whole phase */
    arena scratch;      /* for one object */
    bool ignore_existing;
    const schema_progress *progress;
    uint32_t done, total;
} making;

static void report(making *m, const char *kind, str name)
{
    m->done++;
    if (m->progress && m->progress->object) m->progress->object(m->progress->ctx, kind, name, m->done, m->total);
}

static bool count_rows(making *m, const char *from, str schema, const char *column, str name, uint64_t *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_printf(&sql, "SELECT COUNT(*) FROM information_schema.%s = ", from);
    conn_quote_literal(&sql, schema, STR("utf8mb4"));
    if (column) {
        buf_printf(&sql, " AND %s = ", column);
        conn_quote_literal(&sql, name, STR("utf8mb4"));
    }
    return sql.failed ? err_no_memory(e, "a statement") : conn_query_u64(m->t->conn, buf_c(&sql), ret, e);
}

static bool make_database(making *m, const database_def *d, err *e)
{
    uint64_t exists;
    str collation;
    if (!count_rows(m, "SCHEMATA WHERE SCHEMA_NAME", d->target_name, NULL, STR_NULL, &exists, e)) return false;
    report(m, "database", d->target_name);
    if (exists) return true;
    BUF_AUTO sql = BUF_INIT;
    if (collation_map(&m->collations, d->collation, &m->scratch, &collation) == COLLATION_UNKNOWN)
        return err_set(e, ERR_NOT_SUPPORTED, "the destination does not know the collation %.*s of database %.*s; create the database there by hand",
                       STR_ARG(d->collation), STR_ARG(d->name));
    buf_add_c(&sql, "CREATE DATABASE IF NOT EXISTS ");
    conn_quote_name(&sql, d->target_name);
    buf_printf(&sql, " CHARACTER SET %.*s COLLATE %.*s", STR_ARG(collation_charset(collation)), STR_ARG(collation));
    return sql.failed ? err_no_memory(e, "a statement") : conn_exec(m->t->conn, buf_str(&sql), NULL, e);
}

static void conflict(void *ctx, bool failed, str what, str repair)
{
    err *e = ctx;
    if (failed && e->code == ERR_NONE) err_set(e, ERR_NOT_SUPPORTED, "%.*s; %.*s", STR_ARG(what), STR_ARG(repair));
}

/* The definition, refused when it cannot be carried: nothing is left out that the precheck did not tell. */
static bool take_definition(making *m, const table_def *t, ddl_table *d, err *e)
{
    err found = ERR_INIT;
    schema_findings findings = {conflict, &found};
    if (!ddl_parse_table(t->create_sql, &m->scratch, d, e) || !schema_inspect(&m->pair, t, d, &findings, e)) return false;
    if (found.code != ERR_NONE) {
        *e = found;
        return false;
    }
    return true;
}

static bool make_table(making *m, const table_def *t, err *e)
{
    BUF_AUTO name = BUF_INIT;
    BUF_AUTO sql = BUF_INIT;
    ddl_table d;
    uint64_t exists;
    conn_quote_table(&name, t->target_schema, t->target_name);
    if (name.failed) return err_no_memory(e, "a name");
    if (!count_rows(m, "TABLES WHERE TABLE_SCHEMA", t->target_schema, "TABLE_NAME", t->target_name, &exists, e)) return false;
    bool ours = object_rows_has(&m->rows, "table", buf_str(&name));
    if (exists && !ours && !m->ignore_existing)
        return err_set(e, ERR_TARGET_CONFLICT, "table %s exists in the destination and this job did not make it; rename or drop it, or map %.*s.%.*s to another name",
                       buf_c(&name), STR_ARG(t->schema), STR_ARG(t->name));
    if (!exists) {
        if (!take_definition(m, t, &d, e) || !schema_create_table(&m->pair, t, &d, &m->scratch, &sql, e) ||
            (!ours && !object_rows_begin(&m->rows, "table", buf_str(&name), e)) || !conn_exec(m->t->conn, buf_str(&sql), NULL, e))
            return false;
        ours = true;
    }
    report(m, "table", buf_str(&name));
    return !ours || object_rows_done(&m->rows, "table", buf_str(&name), e);
}

static bool make_tables(making *m, err *e)
{
    m->total = m->c->database_count + m->c->table_count;
    for (uint32_t i = 0; i < m->c->database_count; i++) {
        arena_reset(&m->scratch);
        if (!make_database(m, &m->c->databases[i], e)) return false;
    }
    for (uint32_t i = 0; i < m->c->table_count; i++) {
        arena_reset(&m->scratch);
        if (!make_table(m, m->c->tables[i], e))
            return err_context(e, "making table %.*s.%.*s", STR_ARG(m->c->tables[i]->target_schema), STR_ARG(m->c->tables[i]->target_name));
    }
    return true;
}

/* ---- after the load ---- */

static bool make_view(making *m, const view_def *v, err *e)
{
    BUF_AUTO name = BUF_INIT;
    BUF_AUTO sql = BUF_INIT;
    uint64_t exists;
    conn_quote_table(&name, v->target_schema, v->target_name);
    if (name.failed) return err_no_memory(e, "a name");
    if (!count_rows(m, "TABLES WHERE TABLE_SCHEMA", v->target_schema, "TABLE_NAME", v->target_name, &exists, e)) return false;
    bool ours = object_rows_has(&m->rows, "view", buf_str(&name));
    if (exists && !ours) {
        if (m->ignore_existing) return true;
        return err_set(e, ERR_TARGET_CONFLICT, "view %s exists in the destination and this job did not make it; rename or drop it", buf_c(&name));
    }
    return schema_create_view(m->c, v, &m->scratch, &sql, e) && (ours || object_rows_begin(&m->rows, "view", buf_str(&name), e)) &&
           conn_exec(m->t->conn, buf_str(&sql), NULL, e) && object_rows_done(&m->rows, "view", buf_str(&name), e);
}

/* A view may use another one: rounds, as long as a round makes one more. */
static bool make_views(making *m, err *e)
{
    uint32_t left = m->c->view_count;
    bool *made = arena_array(&m->mem, left, sizeof *made);
    if (!made) return err_no_memory(e, "views");
    while (left) {
        uint32_t before = left;
        err last = ERR_INIT;
        for (uint32_t i = 0; i < m->c->view_count; i++) {
            if (made[i]) continue;
            arena_reset(&m->scratch);
            if (make_view(m, &m->c->views[i], &last)) {
                made[i] = true, left--;
                report(m, "view", m->c->views[i].target_name);
            } else if (last.native != 1146 && last.native != 1356) { /* only "no such table" may become true later */
                *e = last;
                return err_context(e, "making view %.*s.%.*s", STR_ARG(m->c->views[i].target_schema), STR_ARG(m->c->views[i].target_name));
            }
        }
        if (left == before) {
            *e = last;
            return err_context(e, "making views");
        }
    }
    return true;
}

static bool is_ours(making *m, const table_def *t)
{
    BUF_AUTO name = BUF_INIT;
    conn_quote_table(&name, t->target_schema, t->target_name);
    return object_rows_has(&m->rows, "table", buf_str(&name));
}

static void key_built(void *ctx, const char *kind, const table_def *t) { report(ctx, kind, t->target_name); }

static bool make_rest(making *m, err *e)
{
    /* A table that was there before keeps its own keys. */
    const table_def **ours = arena_array(&m->mem, m->c->table_count, sizeof(const table_def *));
    uint32_t n = 0;
    if (!ours) return err_no_memory(e, "tables");
    for (uint32_t i = 0; i < m->c->table_count; i++)
        if (is_ours(m, m->c->tables[i])) ours[n++] = m->c->tables[i];
    key_work w = {.t = m->t, .c = m->c, .pair = &m->pair, .tables = ours, .count = n, .built = key_built, .ctx = m};
    m->total = 2 * n + m->c->view_count;
    return schema_build_keys(&w, e) && schema_build_foreign_keys(&w, e) && make_views(m, e);
}

/* Texts of definitions are UTF-8; literals in them must be converted to the columns' charsets. */
bool schema_pin_session(conn *c, err *e)
{
    uint64_t explicit_timestamps = 0;
    c->statement_timeout_s = DDL_TIMEOUT_S;
    if (!conn_exec(c, STR("SET NAMES utf8mb4"), NULL, e) || !conn_exec(c, STR("SET SESSION character_set_results=NULL, foreign_key_checks=0, lock_wait_timeout=60"), NULL, e) ||
        !conn_query_u64(c, "SELECT @@explicit_defaults_for_timestamp", &explicit_timestamps, e))
        return false;
    return explicit_timestamps || conn_exec(c, STR("SET SESSION explicit_defaults_for_timestamp=1"), NULL, e);
}

bool schema_apply(target *t, schema_phase phase, const catalog_def *c, const server_info *from, bool ignore_existing, const schema_progress *p, err *e)
{
    making m = {.t = t, .c = c, .collations = MAP_INIT, .ignore_existing = ignore_existing, .progress = p};
    uint32_t timeout = t->conn->statement_timeout_s;
    m.pair = schema_pair_of(from->product, t->conn->is_mariadb, t->conn->version, &m.collations);
    arena_init(&m.mem, 64 * 1024, 0);
    arena_init(&m.scratch, 64 * 1024, 0);
    bool ok = object_rows_open(t, &m.rows, e) && collation_read_known(t->conn, &m.mem, &m.collations, e) && schema_pin_session(t->conn, e) &&
              (phase == SCHEMA_TABLES ? make_tables(&m, e) : make_rest(&m, e));
    object_rows_finish(&m.rows);
    map_finish(&m.collations);
    arena_finish(&m.scratch);
    arena_finish(&m.mem);
    t->conn->statement_timeout_s = timeout;
    err ignored = ERR_INIT;
    if (!t->conn->broken && !conn_exec(t->conn, STR("SET NAMES binary"), NULL, ok ? e : &ignored)) return false;
    return ok && conn_exec(t->conn, STR("SET SESSION foreign_key_checks=1"), NULL, e);
}
