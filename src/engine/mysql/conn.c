/* Setting up connections to MySQL and MariaDB and running statements on them. */
#include "engine/mysql/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/policy.h"

/* Defaults where engine_env leaves 0. */
#define CONNECT_TIMEOUT_S 10
#define IO_TIMEOUT_S 60
/* Largest packet either way: the protocol's own limit. */
#define MAX_PACKET_BYTES (1UL << 30)
/* Login methods we answer. The clear text method is not among them: a server must not be able to ask for the password as it is. */
#define AUTH_METHODS "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec"

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static void library_init(void) { (void)mysql_server_init(0, NULL, NULL); }

static const char *end_name(conn_end end) { return end == CONN_SOURCE ? "source" : "destination"; }

static void where_text(const endpoint *ep, conn_end end, char *out, size_t n)
{
    snprintf(out, n, "%s %.*s:%u as user '%.*s'", end_name(end), STR_ARG(ep->host), ep->port, STR_ARG(ep->user));
}

static bool set_options(MYSQL *my, const endpoint *ep, const engine_env *env, conn_end end, bool local_infile, err *e)
{
    unsigned connect_s = env->connect_timeout_s ? env->connect_timeout_s : CONNECT_TIMEOUT_S;
    unsigned io_s = env->io_timeout_s ? env->io_timeout_s : IO_TIMEOUT_S;
    unsigned local = local_infile ? 1 : 0, protocol = MYSQL_PROTOCOL_TCP;
    size_t packet = env->row_limit_bytes && end == CONN_SOURCE ? env->row_limit_bytes : MAX_PACKET_BYTES;
    my_bool on = 1, off = 0;
    bool bad = mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) || mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &io_s) ||
               mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &io_s) || mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &local) ||
               mysql_options(my, MYSQL_OPT_PROTOCOL, &protocol) || mysql_options(my, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet) ||
               mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4") || mysql_options(my, MYSQL_OPT_RECONNECT, &off) ||
               mysql_options(my, MARIADB_OPT_RESTRICTED_AUTH, AUTH_METHODS) ||
               mysql_optionsv(my, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "sluice");
    if (ep->tls == TLS_VERIFY_CA || ep->tls == TLS_VERIFY_FULL) {
        if (ep->tls_ca_file.n) {
            char path[4096];
            snprintf(path, sizeof path, "%.*s", STR_ARG(ep->tls_ca_file));
            bad = bad || mysql_options(my, MYSQL_OPT_SSL_CA, path);
        }
        if (ep->tls == TLS_VERIFY_FULL) bad = bad || mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
    }
    return bad ? err_set(e, ERR_INTERNAL, "the database client library refused an option") : true;
}

static bool check_endpoint(const endpoint *ep, conn_end end, err *e)
{
    if (!ep->host.n || memchr(ep->host.p, 0, ep->host.n) || ep->host.p[0] == '/')
        return err_set(e, ERR_BAD_INPUT, "%s: the host '%.*s' is not a name or an IP address", end_name(end), STR_ARG(ep->host));
    if (!ep->port) return err_set(e, ERR_BAD_INPUT, "%s: the port is missing", end_name(end));
    if (ep->tls == TLS_VERIFY_CA && !ep->tls_ca_file.n)
        return err_set(e, ERR_BAD_INPUT, "%s: TLS mode verify-ca needs a CA file", end_name(end));
    return true;
}

/* A peer that vanished is noticed by the kernel, also while we wait without a timeout. */
static void keep_alive(MYSQL *my)
{
    int fd = (int)mysql_get_socket(my), on = 1, idle = 30, every = 10, count = 3;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static bool connect_error(MYSQL *my, const endpoint *ep, conn_end end, err *e)
{
    char where[400];
    where_text(ep, end, where, sizeof where);
    unsigned n = mysql_errno(my);
    static const unsigned auth[] = {1044, 1045, 1130, 1251, 1275, 1524, 1698, 1820, 1862, 2054, 2059, 2061, 3118, 3159, 3955, 4151};
    for (size_t i = 0; i < sizeof auth / sizeof auth[0]; i++)
        if (auth[i] == n)
            return err_set_native(e, end == CONN_SOURCE ? ERR_SOURCE_AUTH : ERR_TARGET_AUTH, RETRY_NEVER, (int)n,
                                  "%s: login refused (%u): %s; check user name, password and from which hosts the account may connect",
                                  where, n, mysql_error(my));
    bool tls = n == 2026; /* a certificate that is refused, but also a server that dies during the handshake: the number does not tell them apart */
    return err_set_native(e, end == CONN_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, RETRY_LATER, (int)n,
                          "%s: cannot connect (%u): %s; %s", where, n, mysql_error(my),
                          tls ? "check that the server runs, its certificate, the CA file and the TLS mode" : "check address, port, firewall and that the server runs");
}

static bool no_tls(const conn *c, err *e)
{
    char where[400];
    where_text(c->ep, c->end, where, sizeof where);
    return err_set(e, c->end == CONN_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT,
                   "%s: TLS is required but the server offers none; switch TLS on at the server, or use TLS mode prefer", where);
}

static bool dial(conn *c, const char *host, const char *user, err *e)
{
    bool refused;
    if (!conn_connect(c->my, host, user, c->ep, c->env->connect_timeout_s ? c->env->connect_timeout_s : CONNECT_TIMEOUT_S, &refused))
        return refused ? no_tls(c, e) : connect_error(c->my, c->ep, c->end, e);
    return c->ep->tls < TLS_REQUIRE || mysql_get_ssl_cipher(c->my) || no_tls(c, e);
}

/* One statement with what both products know, then what only one of them knows (SET of an unknown variable fails as a whole). */
static bool pin_session(conn *c, err *e)
{
    const char *mode = c->end == CONN_TARGET ? CONN_SQL_MODE_STRICT : CONN_SQL_MODE;
    return conn_exec(c, STR("SET NAMES binary"), NULL, e) &&
           conn_execf(c, e,
                      "SET SESSION time_zone='+00:00', sql_mode='%s', autocommit=1, wait_timeout=28800, net_read_timeout=600, net_write_timeout=600, "
                      "lock_wait_timeout=60, sql_quote_show_create=1, sql_big_selects=1, sql_safe_updates=0",
                      mode) &&
           (c->is_mariadb ? conn_exec(c, STR("SET SESSION progress_report_time=0, max_statement_time=0"), NULL, e)
                          : (c->version < 50708 || conn_exec(c, STR("SET SESSION max_execution_time=0"), NULL, e)) &&
                                /* Else the row counts that chunks are planned by may be a day old (MySQL >= 8.0.3). */
                                (c->version < 80011 || conn_exec(c, STR("SET SESSION information_schema_stats_expiry=0"), NULL, e)));
}

bool conn_open(const endpoint *ep, const engine_env *env, conn_end end, bool local_infile, conn **ret, err *e)
{
    pthread_once(&library_once, library_init);
    if (!check_endpoint(ep, end, e)) return false;
    if (env->cancel && cancel_asked(env->cancel)) return cancel_error(e);
    conn *c = calloc(1, sizeof *c);
    if (!c) return err_no_memory(e, "a connection");
    *c = (conn){.end = end, .ep = ep, .env = env, .statement_timeout_s = env->io_timeout_s ? env->io_timeout_s : IO_TIMEOUT_S};
    c->my = mysql_init(NULL);
    if (!c->my) {
        free(c);
        return err_no_memory(e, "a connection");
    }
    char host[1025], user[257];
    snprintf(host, sizeof host, "%.*s", STR_ARG(ep->host));
    snprintf(user, sizeof user, "%.*s", STR_ARG(ep->user));
    /* Each time: a name can have another address than at the last connection. */
    bool ok = policy_check_resolved(ep->policy, ep->host, ep->port, e) && set_options(c->my, ep, env, end, local_infile, e) && dial(c, host, user, e);
    if (ok) {
        c->is_mariadb = strstr(mysql_get_server_info(c->my), "MariaDB") != NULL;
        c->version = (uint32_t)mysql_get_server_version(c->my);
        c->thread_id = mysql_thread_id(c->my);
        keep_alive(c->my);
        ok = policy_check_peer(ep->policy, ep->host, ep->port, (int)mysql_get_socket(c->my), e) && pin_session(c, e);
    }
    if (!ok) {
        conn_close(c);
        return false;
    }
    *ret = c;
    return true;
}

/* Ends a statement of ours that nobody waits for any more: an ALTER would go on for hours and hold its locks. Best effort within seconds. */
static void kill_running(conn *c)
{
    engine_env env = *c->env;
    env.cancel = NULL;
    env.connect_timeout_s = env.io_timeout_s = 5;
    conn *k;
    err ignored = ERR_INIT;
    if (!conn_open(c->ep, &env, c->end, false, &k, &ignored)) return;
    if (!conn_execf(k, &ignored, "KILL %lu", c->thread_id)) ignored = ERR_INIT;
    conn_close(k);
}

void conn_close(conn *c)
{
    if (!c) return;
    if (c->running && c->thread_id) kill_running(c);
    /* A lost connection gets no COM_QUIT: writing to it could block. */
    if (c->broken) shutdown((int)mysql_get_socket(c->my), SHUT_RDWR);
    mysql_close(c->my);
    free(c);
}

static bool statement_lost(conn *c, err *e, bool timeout)
{
    c->broken = true;
    if (!timeout) return cancel_error(e);
    char where[400];
    where_text(c->ep, c->end, where, sizeof where);
    return err_set_native(e, c->end == CONN_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, RETRY_RECONNECT, 0,
                          "%s: no answer to a statement within %u s; check that the server is not frozen or blocked by locks", where,
                          c->statement_timeout_s);
}

static bool wait_answer(conn *c, err *e)
{
    struct pollfd fds[2] = {{.fd = (int)mysql_get_socket(c->my), .events = POLLIN},
                            {.fd = c->env->cancel ? c->env->cancel->fd : -1, .events = POLLIN}};
    const clk *clock = c->env->clock ? c->env->clock : clk_system();
    int64_t deadline = c->statement_timeout_s ? clk_mono_us(clock) + (int64_t)c->statement_timeout_s * 1000000 : 0;
    for (;;) {
        int64_t left_ms = deadline ? (deadline - clk_mono_us(clock)) / 1000 : 60000;
        if (left_ms <= 0) return statement_lost(c, e, true);
        int n = poll(fds, 2, (int)(left_ms > 60000 ? 60000 : left_ms));
        if (n < 0 && errno != EINTR) return err_set_errno(e, errno, "waiting for the database's answer");
        if (n > 0 && fds[0].revents) return true;
        if (n > 0 && fds[1].revents) return statement_lost(c, e, false);
    }
}

bool conn_send(conn *c, str sql, err *e)
{
    if (c->broken) return err_set_native(e, c->end == CONN_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, RETRY_RECONNECT, 2006,
                                         "the connection to the %s is lost", end_name(c->end));
    if (c->env->cancel && cancel_asked(c->env->cancel)) return cancel_error(e);
    if (mysql_send_query(c->my, sql.p, (unsigned long)sql.n)) return conn_error(c, e, "sending a statement");
    c->running = true;
    if (!wait_answer(c, e)) return false;
    c->running = false;
    if (mysql_read_query_result(c->my)) {
        char what[160];
        snprintf(what, sizeof what, "%.*s%s", (int)(sql.n > 120 ? 120 : sql.n), sql.p, sql.n > 120 ? "..." : "");
        return conn_error(c, e, what);
    }
    return true;
}

bool conn_exec(conn *c, str sql, uint64_t *ret_affected, err *e)
{
    if (!conn_send(c, sql, e)) return false;
    if (mysql_field_count(c->my)) {
        mysql_free_result(mysql_store_result(c->my));
        if (mysql_errno(c->my)) return conn_error(c, e, "reading an answer");
    }
    if (ret_affected) *ret_affected = mysql_affected_rows(c->my);
    return true;
}

bool conn_execf(conn *c, err *e, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *text = NULL;
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0) return err_no_memory(e, "a statement");
    bool ok = conn_exec(c, (str){text, (size_t)n}, NULL, e);
    free(text);
    return ok;
}

bool conn_query(conn *c, str sql, MYSQL_RES **ret, err *e)
{
    if (!conn_send(c, sql, e)) return false;
    MYSQL_RES *r = mysql_store_result(c->my);
    if (!r) {
        if (mysql_errno(c->my)) return conn_error(c, e, "reading rows");
        return err_set(e, ERR_INTERNAL, "a statement without rows was run as a query");
    }
    *ret = r;
    return true;
}

bool conn_query_value(conn *c, const char *sql, arena *a, str *ret, err *e)
{
    MYSQL_RES *r;
    if (!conn_query(c, str_from_c(sql), &r, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(r);
    bool ok = true;
    str value = STR_NULL;
    if (row && row[0]) {
        value = arena_copy(a, (str){row[0], mysql_fetch_lengths(r)[0]});
        if (!value.p) ok = err_no_memory(e, "a value");
    }
    mysql_free_result(r);
    if (ok) *ret = value;
    return ok;
}

bool conn_query_u64(conn *c, const char *sql, uint64_t *ret, err *e)
{
    MYSQL_RES *r;
    if (!conn_query(c, str_from_c(sql), &r, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(r);
    uint64_t value = 0;
    bool ok = !row || !row[0] || str_to_u64((str){row[0], mysql_fetch_lengths(r)[0]}, &value);
    if (!ok) err_set(e, ERR_PROTOCOL, "%s: '%s' is not a number", sql, row[0]);
    mysql_free_result(r);
    if (ok) *ret = value;
    return ok;
}

/* The library calls it a lost connection (2013), but only a buffer that may not or cannot grow leaves 1 behind; a dead socket leaves 2 (Connector/C 3.3.20, measured). */
bool conn_packet_too_large(const conn *c) { return mysql_errno(c->my) == 2013 && c->my->net.error == 1; }

bool conn_error(conn *c, err *e, const char *what)
{
    char where[400];
    where_text(c->ep, c->end, where, sizeof where);
    unsigned n = mysql_errno(c->my);
    if (conn_error_is_lost(n)) c->broken = true;
    if (conn_packet_too_large(c))
        return err_set_native(e, ERR_LIMIT, RETRY_NEVER, (int)n,
                              "%s: a row or log event is larger than the %lu bytes that this job's memory allows (%s); raise --worker-memory of sluice serve, or give the job fewer lanes", where,
                              c->my->net.max_packet_size, what);
    return conn_error_set(c->end, where, n, mysql_error(c->my), what, e);
}
