/* What a server says about itself: product, version, identity, limits. */
#include <string.h>

#include "engine/mysql/mysql.h"

/* A variable's value, empty when the server does not know it. */
static bool variable(conn *c, const char *name, arena *a, str *ret, err *e)
{
    char sql[160];
    BUF_AUTO b = BUF_INIT;
    buf_printf(&b, "SHOW GLOBAL VARIABLES LIKE '%s'", name);
    if (b.failed || b.n >= sizeof sql) return err_no_memory(e, "a statement");
    MYSQL_RES *r;
    if (!conn_query(c, buf_str(&b), &r, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(r);
    str value = STR("");
    if (row && row[1]) value = arena_copy(a, (str){row[1], mysql_fetch_lengths(r)[1]});
    mysql_free_result(r);
    if (!value.p) return err_no_memory(e, "a server variable");
    *ret = value;
    return true;
}

/* MySQL has server_uuid. MariaDB has server_uid (a hash of hardware address and port) since 10.5.26/10.6.19/10.11.9; before that
 * host name, port and server_id stand for it. */
static bool read_identity(conn *c, arena *a, str *ret, err *e)
{
    str uid = STR("");
    if (!variable(c, c->is_mariadb ? "server_uid" : "server_uuid", a, &uid, e)) return false;
    if (!uid.n && !conn_query_value(c, "SELECT CONCAT(@@hostname, ':', @@port, ':', @@server_id)", a, &uid, e)) return false;
    *ret = uid;
    return true;
}

/* MySQL 9.6 moved foreign key actions above the storage engine, where they are logged, unless innodb_native_foreign_keys is on. */
static bool read_cascades_logged(conn *c, arena *a, bool *ret, err *e)
{
    *ret = false;
    if (c->is_mariadb || c->version < 90600) return true;
    str native = STR("");
    if (!variable(c, "innodb_native_foreign_keys", a, &native, e)) return false;
    *ret = !str_eq_nocase(native, STR("ON")) && !str_eq(native, STR("1"));
    return true;
}

bool server_read(conn *c, arena *a, server_info *ret, err *e)
{
    server_info info = {.product = c->is_mariadb ? STR("MariaDB") : STR("MySQL"), .version_number = c->version};
    uint64_t name_case = 0;
    if (!conn_query_value(c, "SELECT VERSION()", a, &info.version, e) || !read_identity(c, a, &info.identity, e) ||
        !read_cascades_logged(c, a, &info.cascades_logged, e) || !conn_query_u64(c, "SELECT @@lower_case_table_names", &name_case, e) ||
        !conn_query_u64(c, "SELECT @@max_allowed_packet", &info.max_packet_bytes, e))
        return false;
    info.name_case = (uint8_t)name_case;
    *ret = info;
    return true;
}
