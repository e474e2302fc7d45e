/* Making and removing the event triggers of a source. All of them, with the function and the table that counts their jobs, are one transaction: they are there
 * together or not at all. */
#include "engine/postgresql/pg_ddl_capture.h"

#include <stdio.h>

#include "base/random.h"
#include "engine/postgresql/pg_ddl_function.h"

#define KIND "event triggers" /* in the ledger */
#define NAME "sluice_ddl"     /* the schema, and what the triggers' names begin with */
#define COMMENT "Sluice: tells the log of changed definitions"
#define LOCK_KEY "126909663503206" /* an advisory lock beside that of the schema sluice */

#define BEGIN                                                                                                                                   \
    "BEGIN; SET LOCAL client_min_messages = error; SET LOCAL lock_timeout = 10000; SELECT pg_catalog.pg_advisory_xact_lock(" LOCK_KEY "); "

/* A schema of the name that is not Sluice's is nobody's to build in. ENABLE ALWAYS: what another replication changes here goes on, too. */
static void make_sql(buf *sql)
{
    char token[16];
    buf_add_c(sql, BEGIN
              "DO $$BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '" NAME "' AND pg_catalog.obj_description(oid, 'pg_namespace') "
              "IS DISTINCT FROM '" COMMENT "') THEN RAISE EXCEPTION 'the source has a schema " NAME " that is not Sluice''s; rename it'; END IF; END$$; "
              "CREATE SCHEMA IF NOT EXISTS " NAME "; COMMENT ON SCHEMA " NAME " IS '" COMMENT "'; CREATE TABLE IF NOT EXISTS " NAME ".job (job_id text PRIMARY KEY); "
              "CREATE TABLE IF NOT EXISTS " NAME ".seal (token text NOT NULL); INSERT INTO " NAME ".seal SELECT '");
    random_bytes(token, sizeof token);
    buf_add_hex(sql, (str){token, sizeof token});
    buf_add_c(sql, "' WHERE NOT EXISTS (SELECT FROM " NAME ".seal); ");
    for (size_t i = 0; i < sizeof pg_ddl_function / sizeof *pg_ddl_function; i++) buf_add_c(sql, pg_ddl_function[i]);
    buf_add_c(sql, "; DO $$DECLARE e text; BEGIN FOREACH e IN ARRAY ARRAY['ddl_command_end', 'sql_drop', 'table_rewrite'] LOOP "
                   "IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = '" NAME "_' || e) THEN "
                   "EXECUTE pg_catalog.format('CREATE EVENT TRIGGER %I ON %s EXECUTE FUNCTION " NAME ".tell()', '" NAME "_' || e, e); "
                   "EXECUTE pg_catalog.format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', '" NAME "_' || e); END IF; END LOOP; END$$; ");
}

/* The triggers go with their function. */
#define DROP_IF_LAST                                                                                                                            \
    "DO $$BEGIN IF NOT EXISTS (SELECT FROM " NAME ".job) THEN DROP SCHEMA " NAME " CASCADE; END IF; END$$"

static void roll_back(pg_conn *c)
{
    err ignored = ERR_INIT;
    if (!c->broken && !pg_conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
}

/* What a server says when it does not let us, or has something of ours that is another's. */
static bool is_refusal(const pg_conn *c, const err *e) { return !c->broken && e->native && e->retry == RETRY_NEVER; }

static bool is_there(pg_conn *c, bool *ret, err *e)
{
    uint64_t n = 0;
    if (!pg_conn_query_u64(c, "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '" NAME "' AND c.relname = 'job'", &n, e))
        return false;
    *ret = n != 0;
    return true;
}

static bool counts_job(source *s, bool *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t n = 0;
    if (!is_there(s->conn, ret, e)) return false;
    if (!*ret) return true;
    buf_add_c(&sql, "SELECT count(*) FROM pg_catalog.pg_event_trigger, " NAME ".job WHERE evtname LIKE '" NAME "\\_%' AND job_id = ");
    pg_quote_literal(&sql, s->env->job_id);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (pg_conn_query_u64(s->conn, buf_c(&sql), &n, e)) {
        *ret = n == 3;
        return true;
    }
    if (!is_refusal(s->conn, e)) return false;
    *e = ERR_INIT; /* another account's: making them says so */
    *ret = false;
    return true;
}

static bool make(source *s, uint64_t id, err *e)
{
    const ledger *l = s->env->ledger;
    BUF_AUTO sql = BUF_INIT;
    make_sql(&sql);
    buf_add_c(&sql, "INSERT INTO " NAME ".job VALUES (");
    pg_quote_literal(&sql, s->env->job_id);
    buf_add_c(&sql, ") ON CONFLICT DO NOTHING; COMMIT");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (pg_conn_exec(s->conn, buf_str(&sql), NULL, e)) return l->created(l->ctx, id, e);
    roll_back(s->conn);
    if (!is_refusal(s->conn, e)) return err_context(e, "making the event triggers");
    str why = str_from_c(e->text);
    err settled = ERR_INIT;
    if (!l->settle(l->ctx, "src", KIND, STR(NAME), LEDGER_REMOVED, why, &settled)) {
        *e = settled;
        return false;
    }
    *e = ERR_INIT;
    return true;
}

bool pg_ddl_capture_token(source *s, arena *a, str *ret, err *e)
{
    uint64_t n = 0;
    *ret = STR_NULL;
    if (!pg_conn_query_u64(s->conn, "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '" NAME "' AND c.relname = 'seal' "
                                    "AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')", &n, e))
        return false;
    return !n || pg_conn_query_value(s->conn, "SELECT token FROM " NAME ".seal", a, ret, e);
}

bool pg_ddl_capture_make(source *s, err *e)
{
    const ledger *l = s->env->ledger;
    BUF_AUTO undo = BUF_INIT;
    bool there;
    uint64_t id;
    if (!s->env->ddl || !l) return true;
    if (!counts_job(s, &there, e)) return false;
    if (there) return true;
    buf_add_c(&undo, "DELETE FROM " NAME ".job WHERE job_id = ");
    pg_quote_literal(&undo, s->env->job_id);
    buf_add_c(&undo, "; " DROP_IF_LAST);
    if (undo.failed) return err_no_memory(e, "a statement");
    return l->intend(l->ctx, "src", KIND, STR(NAME), buf_str(&undo), true, &id, e) && make(s, id, e);
}

static bool remove_job(source *s, str job_id, bool *ret_shared, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, BEGIN "DELETE FROM " NAME ".job WHERE job_id = ");
    pg_quote_literal(&sql, job_id);
    buf_add_c(&sql, "; " DROP_IF_LAST "; COMMIT");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (pg_conn_exec(s->conn, buf_str(&sql), NULL, e)) return is_there(s->conn, ret_shared, e);
    roll_back(s->conn);
    return err_context(e, "removing the event triggers " NAME);
}

bool pg_ddl_capture_remove(source *s, str job_id, buf *lines, err *e)
{
    const ledger *l = s->env->ledger;
    ledger_state state = LEDGER_NONE;
    bool there, shared = false;
    if (!l || !l->find(l->ctx, "src", KIND, STR(NAME), &state, e)) return !l;
    if (state != LEDGER_MADE) return true;
    if (!is_there(s->conn, &there, e) || (there && !remove_job(s, job_id, &shared, e))) return false;
    if (shared) return l->settle(l->ctx, "src", KIND, STR(NAME), LEDGER_KEPT, STR("other tasks use it"), e);
    if (there) buf_add_c(lines, KIND " " NAME "\n");
    return l->settle(l->ctx, "src", KIND, STR(NAME), LEDGER_REMOVED, STR(""), e);
}

bool pg_ddl_capture_try(pg_conn *c, arena *a, str *ret_why, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    *ret_why = STR_NULL;
    make_sql(&sql);
    buf_add_c(&sql, "ROLLBACK");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (pg_conn_exec(c, buf_str(&sql), NULL, e)) return true;
    roll_back(c);
    if (c->broken || !e->native || e->retry == RETRY_TXN) return err_context(e, "trying whether event triggers can be made");
    *ret_why = arena_copy(a, str_from_c(e->text));
    *e = ERR_INIT;
    return ret_why->p || err_no_memory(e, "a reason");
}
