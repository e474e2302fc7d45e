/* Statements that repair what prechecks find. */
#include "engine/mysql/repair.h"

#include "engine/mysql/conn.h"

/* 'user'@'%' with the quotes that MySQL reads in any sql_mode. */
static void add_account(buf *out, str user)
{
    buf_add_quoted(out, user, '\'');
    buf_add_c(out, "@'%'");
}

static void login(const endpoint *ep, const err *e, buf *out)
{
    bool locked = e->native == 4151 || e->native == 3118;
    if (e->code != ERR_SOURCE_AUTH && e->code != ERR_TARGET_AUTH) return;
    buf_add_c(out, "-- as an administrator of the server; the account's host instead of % where it has another\n");
    if (!locked) {
        buf_add_c(out, "CREATE USER IF NOT EXISTS ");
        add_account(out, ep->user);
        buf_add_c(out, " IDENTIFIED BY '<password>';\n");
    }
    buf_add_c(out, "ALTER USER ");
    add_account(out, ep->user);
    buf_add_c(out, locked ? " ACCOUNT UNLOCK;" : " IDENTIFIED BY '<password>';");
}

static void add_alter(buf *out, const table_def *t)
{
    buf_add_c(out, "ALTER TABLE ");
    conn_quote_table(out, t->schema, t->name);
    buf_add_byte(out, ' ');
}

static void drop_foreign_key(const table_def *t, const foreign_key_def *f, buf *out)
{
    add_alter(out, t);
    buf_add_c(out, "DROP FOREIGN KEY ");
    conn_quote_name(out, f->name);
    buf_add_byte(out, ';');
}

/* A column name that the table does not have. */
static void free_column(const table_def *t, buf *out)
{
    BUF_AUTO name = BUF_INIT;
    table_free_column_name(t, "row_id", &name);
    conn_quote_name(out, buf_str(&name));
}

/* A numbered column, hidden from programs that name no columns where the server can hide one (MariaDB 10.3, MySQL 8.0.23). A table has at most one
 * AUTO_INCREMENT column: where there is one, its numbers are the key. */
static void add_key(const table_def *t, const server_info *server, buf *out)
{
    bool mariadb = server && str_eq(server->product, STR("MariaDB"));
    bool hides = server && server->version_number >= (mariadb ? 100300U : 80023U);
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (!t->columns[i].auto_increment) continue;
        add_alter(out, t);
        buf_add_c(out, "ADD PRIMARY KEY (");
        conn_quote_name(out, t->columns[i].name);
        buf_add_c(out, ");");
        return;
    }
    add_alter(out, t);
    buf_add_c(out, "ADD COLUMN ");
    free_column(t, out);
    buf_printf(out, " BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY%s;", hides ? " INVISIBLE" : "");
}

const repair_ops repair_table = {.login = login, .drop_foreign_key = drop_foreign_key, .add_key = add_key, .count_rows = repair_count_rows};

static void add_columns(buf *out, const table_def *t, const foreign_key_def *f, bool parent)
{
    buf_add_c(out, " (");
    for (uint32_t i = 0; i < f->count; i++) {
        if (i) buf_add_c(out, ", ");
        conn_quote_name(out, parent ? f->parent_columns[i] : t->columns[f->columns[i]].name);
    }
    buf_add_byte(out, ')');
}

void repair_rename_foreign_key(const table_def *t, const foreign_key_def *f, str name, buf *out)
{
    add_alter(out, t);
    buf_add_c(out, "DROP FOREIGN KEY ");
    conn_quote_name(out, f->name);
    buf_add_c(out, ", ADD CONSTRAINT ");
    conn_quote_name(out, name);
    buf_add_c(out, " FOREIGN KEY");
    add_columns(out, t, f, false);
    buf_add_c(out, " REFERENCES ");
    conn_quote_table(out, f->parent_schema, f->parent_table);
    add_columns(out, t, f, true);
    buf_printf(out, " ON DELETE %.*s ON UPDATE %.*s;", STR_ARG(f->on_delete), STR_ARG(f->on_update));
}

void repair_rename_check(const table_def *t, const ddl_check *c, str name, buf *out)
{
    add_alter(out, t);
    buf_add_c(out, "DROP CONSTRAINT ");
    conn_quote_name(out, c->name);
    buf_add_c(out, ", ADD CONSTRAINT ");
    conn_quote_name(out, name);
    buf_add_c(out, " CHECK ");
    buf_add(out, c->expression);
    buf_add_c(out, c->not_enforced ? " NOT ENFORCED;" : ";");
}
