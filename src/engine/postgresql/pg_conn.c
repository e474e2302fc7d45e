/* Connecting to PostgreSQL and running statements on a connection. */
#include "engine/postgresql/pg_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/postgresql/pg_cancel.h"
#include "net/policy.h"

/* Defaults where engine_env leaves 0. */
#define CONNECT_TIMEOUT_S 10
#define IO_TIMEOUT_S 60

/* The walsender's texts follow its own session's settings too (measured on 15: DateStyle, extra_float_digits, IntervalStyle). */
#define PINNED                                                                                                                             \
    "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC -c bytea_output=hex -c lc_monetary=C "              \
    "-c standard_conforming_strings=on -c row_security=off -c statement_timeout=0 -c lock_timeout=60000 -c idle_in_transaction_session_timeout=0 " \
    "-c search_path= -c xmloption=content"

/* libpq 15 looks for authorities in a file of the user's alone; this one holds the system's (package ca-certificates). */
#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"

static void silence(void *ctx, const PGresult *r) { (void)ctx, (void)r; }

static const char *tls_text(tls_mode m)
{
    switch (m) {
    case TLS_OFF: return "disable";
    case TLS_PREFER: return "prefer";
    case TLS_REQUIRE: return "require";
    case TLS_VERIFY_CA: return "verify-ca";
    case TLS_VERIFY_FULL: return "verify-full";
    }
    return "verify-full";
}

static const char *end_name(pg_end end) { return end == PG_SOURCE ? "source" : "destination"; }

static bool check_endpoint(const endpoint *ep, pg_end end, err *e)
{
    if (!ep->host.n || memchr(ep->host.p, 0, ep->host.n) || ep->host.p[0] == '/' || ep->host.p[0] == '@' || memchr(ep->host.p, ',', ep->host.n))
        return err_set(e, ERR_BAD_INPUT, "%s: the host '%.*s' is not a name or an IP address", end_name(end), STR_ARG(ep->host));
    if (!ep->port) return err_set(e, ERR_BAD_INPUT, "%s: the port is missing", end_name(end));
    if (!ep->database.n)
        return err_set(e, ERR_BAD_INPUT, "%s: the database is missing; PostgreSQL needs its name in %sEndpointDataBaseName", end_name(end),
                       end == PG_SOURCE ? "Source" : "Destination");
    if (ep->tls == TLS_VERIFY_CA && !ep->tls_ca_file.n) return err_set(e, ERR_BAD_INPUT, "%s: TLS mode verify-ca needs a CA file", end_name(end));
    return true;
}

/* Tells whose the session is, at the server and to pg_end_sessions. Cut at what the server keeps. */
static void application_name(const engine_env *env, pg_end end, char out[64])
{
    snprintf(out, 64, "sluice%s%.*s",
             !env->job_id.n     ? ""
             : end == PG_SOURCE ? " source of "
                                : " destination of ",
             STR_ARG(env->job_id));
}

static PGconn *start_connect(const endpoint *ep, const engine_env *env, pg_end end, bool replication)
{
    char host[1025], port[8], user[257], database[257], ca[4096], name[64];
    snprintf(host, sizeof host, "%.*s", STR_ARG(ep->host));
    snprintf(port, sizeof port, "%u", ep->port);
    snprintf(user, sizeof user, "%.*s", STR_ARG(ep->user));
    snprintf(database, sizeof database, "%.*s", STR_ARG(ep->database));
    snprintf(ca, sizeof ca, "%.*s",
             STR_ARG(ep->tls_ca_file.n || ep->tls != TLS_VERIFY_FULL ? ep->tls_ca_file : STR(SYSTEM_CAS)));
    application_name(env, end, name);
    const char *const names[] = {"host", "port", "user", "password", "dbname", "sslmode", "application_name", "client_encoding", "options", "passfile",
                                 "keepalives_idle", "keepalives_interval", "keepalives_count", "gssencmode", "replication", ca[0] ? "sslrootcert" : NULL, NULL};
    const char *const values[] = {host, port, user, secret_c(&ep->password), database, tls_text(ep->tls), name, "UTF8", PINNED, "/dev/null",
                                  "30", "10", "3", "disable", replication ? "database" : NULL, ca, NULL};
    return PQconnectStartParams(names, values, 0); /* dbname is a name, never a connection string */
}

static const clk *clock_of(const pg_conn *c) { return c->env->clock ? c->env->clock : clk_system(); }

static bool timed_out(pg_conn *c, uint32_t seconds, err *e)
{
    char where[400];
    c->broken = true;
    pg_conn_where(c, where, sizeof where);
    return err_set_native(e, c->end == PG_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, RETRY_RECONNECT, 0,
                          "%s: no answer to a statement within %u s; check that the server is not frozen or blocked by locks", where, seconds);
}

/* Waits until the socket has one of the events. deadline_us 0: none. *ret_ready false: the deadline is over. */
static bool wait_socket(pg_conn *c, short events, int64_t deadline_us, bool *ret_ready, err *e)
{
    struct pollfd fds[2] = {{.fd = PQsocket(c->pg), .events = events}, {.fd = c->env->cancel ? c->env->cancel->fd : -1, .events = POLLIN}};
    for (;;) {
        int64_t left_ms = deadline_us ? (deadline_us - clk_mono_us(clock_of(c)) + 999) / 1000 : 60000;
        int n = poll(fds, 2, left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms);
        if (n < 0 && errno != EINTR) return err_set_errno(e, errno, "waiting for the database's answer");
        if (n > 0 && fds[1].revents) {
            c->broken = true;
            return cancel_error(e);
        }
        *ret_ready = n > 0 && fds[0].revents;
        if (*ret_ready || (deadline_us && clk_mono_us(clock_of(c)) >= deadline_us)) return true;
    }
}

/* With a zero byte at the end, as libpq takes texts; NULL without memory. */
static char *c_text(str s)
{
    char *p = malloc(s.n + 1);
    if (!p) return NULL;
    memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

static int64_t deadline_of(const pg_conn *c, uint32_t seconds) { return seconds ? clk_mono_us(clock_of(c)) + (int64_t)seconds * 1000000 : 0; }

static bool connect_failed(pg_conn *c, err *e)
{
    char where[400];
    const char *text = PQerrorMessage(c->pg);
    int n = (int)strcspn(text, "\n");
    pg_conn_where(c, where, sizeof where);
    /* libpq gives no SQLSTATE for a failed login: the server's words are all there is. */
    bool login = strstr(text, "password authentication failed") || strstr(text, "no pg_hba.conf entry") || strstr(text, "does not exist") ||
                 strstr(text, "is not permitted to log in") || strstr(text, "no password supplied") || strstr(text, "permission denied for database") ||
                 strstr(text, "must be superuser or replication role");
    int state = strstr(text, "permission denied for database") ? PG_STATE('4', '2', '5', '0', '1') : PG_STATE('2', '8', '0', '0', '0');
    if (strstr(text, "database \"") && strstr(text, "does not exist")) state = PG_STATE('3', 'D', '0', '0', '0');
    if (login)
        return err_set_native(e, c->end == PG_SOURCE ? ERR_SOURCE_AUTH : ERR_TARGET_AUTH, RETRY_NEVER, state,
                              "%s: login refused: %.*s; check user name, password, database and pg_hba.conf", where, n, text);
    return err_set_native(e, c->end == PG_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, RETRY_LATER, 0,
                          "%s: cannot connect: %.*s; check address, port, firewall, TLS mode and that the server runs", where, n, text);
}

static bool finish_connect(pg_conn *c, err *e)
{
    uint32_t seconds = c->env->connect_timeout_s ? c->env->connect_timeout_s : CONNECT_TIMEOUT_S;
    int64_t deadline = deadline_of(c, seconds);
    PostgresPollingStatusType s = PGRES_POLLING_WRITING;
    while (s != PGRES_POLLING_OK) {
        bool ready;
        if (s == PGRES_POLLING_FAILED || PQstatus(c->pg) == CONNECTION_BAD) return connect_failed(c, e);
        if (!wait_socket(c, s == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, &ready, e)) return false;
        if (!ready) {
            char where[400];
            pg_conn_where(c, where, sizeof where);
            return err_set_native(e, c->end == PG_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, RETRY_LATER, 0,
                                  "%s: cannot connect: no answer within %u s; check address, port and firewall", where, seconds);
        }
        s = PQconnectPoll(c->pg);
    }
    c->version = (uint32_t)PQserverVersion(c->pg);
    return PQsetnonblocking(c->pg, 1) == 0 || pg_conn_error(c, NULL, e, "connecting");
}

bool pg_conn_open(const endpoint *ep, const engine_env *env, pg_end end, bool replication, pg_conn **ret, err *e)
{
    /* The address each time: a name can have another one than at the last connection. */
    if (!check_endpoint(ep, end, e) || !policy_check_resolved(ep->policy, ep->host, ep->port, e)) return false;
    if (env->cancel && cancel_asked(env->cancel)) return cancel_error(e);
    pg_conn *c = calloc(1, sizeof *c);
    if (!c) return err_no_memory(e, "a connection");
    *c = (pg_conn){
        .end = end, .ep = ep, .env = env, .statement_timeout_s = env->io_timeout_s ? env->io_timeout_s : IO_TIMEOUT_S};
    c->pg = start_connect(ep, env, end, replication);
    bool ok = c->pg || err_no_memory(e, "a connection");
    if (ok) PQsetNoticeReceiver(c->pg, silence, NULL);
    if (ok && finish_connect(c, e) && policy_check_peer(ep->policy, ep->host, ep->port, PQsocket(c->pg), e)) {
        *ret = c;
        return true;
    }
    c->running = false;
    pg_conn_close(c);
    return false;
}

void pg_conn_close(pg_conn *c)
{
    if (!c) return;
    if (c->running && c->pg) pg_cancel_ask(c->pg); /* an index build would go on for hours and hold its locks */
    if (c->broken && c->pg) shutdown(PQsocket(c->pg), SHUT_RDWR); /* writing a farewell could block */
    PQfinish(c->pg);
    free(c);
}

static bool usable(pg_conn *c, err *e)
{
    if (c->broken)
        return err_set_native(e, c->end == PG_SOURCE ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, RETRY_RECONNECT, 0, "the connection to the %s is lost",
                              end_name(c->end));
    if (c->env->cancel && cancel_asked(c->env->cancel)) return cancel_error(e);
    c->running = true;
    return true;
}

/* Sends what libpq holds; reads meanwhile, or both sides could wait for each other. */
static bool flush(pg_conn *c, int64_t deadline, err *e)
{
    for (int left; (left = PQflush(c->pg)) != 0;) {
        bool ready;
        if (left < 0) return pg_conn_error(c, NULL, e, "sending");
        if (!wait_socket(c, POLLIN | POLLOUT, deadline, &ready, e)) return false;
        if (!ready) return timed_out(c, c->statement_timeout_s, e);
        if (!PQconsumeInput(c->pg)) return pg_conn_error(c, NULL, e, "sending");
    }
    return true;
}

static bool next_result(pg_conn *c, int64_t deadline, PGresult **ret, err *e)
{
    while (PQisBusy(c->pg)) {
        bool ready;
        if (!wait_socket(c, POLLIN, deadline, &ready, e)) return false;
        if (!ready) return timed_out(c, c->statement_timeout_s, e);
        if (!PQconsumeInput(c->pg)) return pg_conn_error(c, NULL, e, "waiting for an answer");
    }
    *ret = PQgetResult(c->pg);
    return true;
}

static void statement_head(str sql, char out[160])
{
    snprintf(out, 160, "%.*s%s", (int)(sql.n > 120 ? 120 : sql.n), sql.p, sql.n > 120 ? "..." : "");
}

/* Reads results to their end; keeps the last good one. The first bad one fails the statement. */
static bool collect(pg_conn *c, str sql, PGresult **ret, err *e)
{
    int64_t deadline = deadline_of(c, c->statement_timeout_s);
    PGresult *kept = NULL, *r;
    bool ok = flush(c, deadline, e), failed = false;
    while (ok && (ok = next_result(c, deadline, &r, e)) && r) {
        ExecStatusType s = PQresultStatus(r);
        bool good = s == PGRES_TUPLES_OK || s == PGRES_COMMAND_OK || s == PGRES_EMPTY_QUERY;
        if (!good && !failed) {
            char head[160];
            statement_head(sql, head);
            pg_conn_error(c, r, e, head);
        }
        failed = failed || !good;
        PQclear(kept);
        kept = r;
    }
    if (ok) c->running = false;
    if (ok && !failed && kept) {
        *ret = kept;
        return true;
    }
    PQclear(kept);
    return ok && !failed ? err_set(e, ERR_PROTOCOL, "the %s gave no answer to a statement", end_name(c->end)) : false;
}

bool pg_conn_query(pg_conn *c, str sql, PGresult **ret, err *e)
{
    char *text = c_text(sql);
    if (!text) return err_no_memory(e, "a statement");
    bool ok = usable(c, e) && (PQsendQuery(c->pg, text) || pg_conn_error(c, NULL, e, "sending a statement")) && collect(c, sql, ret, e);
    free(text);
    return ok;
}

bool pg_conn_send(pg_conn *c, str sql, err *e)
{
    char *text = c_text(sql);
    if (!text) return err_no_memory(e, "a statement");
    bool ok = usable(c, e) && (PQsendQuery(c->pg, text) || pg_conn_error(c, NULL, e, "sending statements"));
    free(text);
    return ok && flush(c, deadline_of(c, c->statement_timeout_s), e);
}

bool pg_conn_next(pg_conn *c, PGresult **ret, err *e)
{
    if (!next_result(c, deadline_of(c, c->statement_timeout_s), ret, e)) return false;
    if (!*ret) c->running = false;
    return true;
}

bool pg_conn_query_params(pg_conn *c, str sql, const str *values, uint32_t n, PGresult **ret, err *e)
{
    char *text = c_text(sql);
    char **copies = calloc((size_t)n + 1, sizeof *copies);
    bool ok = text && copies;
    for (uint32_t i = 0; ok && i < n; i++) /* text parameters end with a zero byte */
        ok = !values[i].p || (copies[i] = c_text(values[i]));
    if (!ok) err_no_memory(e, "a statement");
    ok = ok && usable(c, e) &&
         (PQsendQueryParams(c->pg, text, (int)n, NULL, (const char *const *)copies, NULL, NULL, 0) || pg_conn_error(c, NULL, e, "sending a statement")) &&
         collect(c, sql, ret, e);
    for (uint32_t i = 0; copies && i < n; i++) free(copies[i]);
    free(copies);
    free(text);
    return ok;
}

bool pg_conn_exec(pg_conn *c, str sql, uint64_t *ret_affected, err *e)
{
    PGresult *r;
    if (!pg_conn_query(c, sql, &r, e)) return false;
    uint64_t n = 0;
    if (!str_to_u64(str_from_c(PQcmdTuples(r)), &n)) n = 0;
    PQclear(r);
    if (ret_affected) *ret_affected = n;
    return true;
}

bool pg_conn_execf(pg_conn *c, err *e, const char *format, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0) return err_no_memory(e, "a statement");
    bool ok = pg_conn_exec(c, (str){text, (size_t)n}, NULL, e);
    free(text);
    return ok;
}

str pg_field(const PGresult *r, int row, int column)
{
    if (row >= PQntuples(r) || column >= PQnfields(r) || PQgetisnull(r, row, column)) return STR_NULL;
    return (str){PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column)};
}

bool pg_conn_query_value(pg_conn *c, const char *sql, arena *a, str *ret, err *e)
{
    PGresult *r;
    if (!pg_conn_query(c, str_from_c(sql), &r, e)) return false;
    str value = pg_field(r, 0, 0);
    bool ok = true;
    if (value.p) {
        value = arena_copy(a, value);
        ok = value.p || err_no_memory(e, "a value");
    }
    PQclear(r);
    if (ok) *ret = value;
    return ok;
}

bool pg_conn_query_u64(pg_conn *c, const char *sql, uint64_t *ret, err *e)
{
    PGresult *r;
    if (!pg_conn_query(c, str_from_c(sql), &r, e)) return false;
    str text = pg_field(r, 0, 0);
    uint64_t value = 0;
    bool ok = !text.p || str_to_u64(text, &value) || err_set(e, ERR_PROTOCOL, "%s: '%.*s' is not a number", sql, STR_ARG(text));
    PQclear(r);
    if (ok) *ret = value;
    return ok;
}

/* --- COPY --- */

static bool copy_begin(pg_conn *c, str sql, ExecStatusType wanted, err *e)
{
    PGresult *r = NULL;
    char head[160];
    char *text = c_text(sql);
    if (!text) return err_no_memory(e, "a statement");
    int64_t deadline = deadline_of(c, c->statement_timeout_s);
    bool ok = usable(c, e) && (PQsendQuery(c->pg, text) || pg_conn_error(c, NULL, e, "sending a statement")) && flush(c, deadline, e) &&
              next_result(c, deadline, &r, e);
    free(text);
    if (!ok) return false;
    ok = r && PQresultStatus(r) == wanted;
    statement_head(sql, head);
    if (!ok) { /* the results behind a failed one are read, so that the connection stays usable */
        pg_conn_error(c, r, e, head);
        err ignored = ERR_INIT;
        do PQclear(r), r = NULL;
        while (next_result(c, deadline, &r, &ignored) && r);
        c->running = false;
        return false;
    }
    PQclear(r);
    return true;
}

bool pg_copy_in_begin(pg_conn *c, str sql, err *e) { return copy_begin(c, sql, PGRES_COPY_IN, e); }

bool pg_copy_in_put(pg_conn *c, str bytes, err *e)
{
    for (size_t at = 0; at < bytes.n;) {
        size_t n = bytes.n - at < 1 << 20 ? bytes.n - at : 1 << 20;
        int r = PQputCopyData(c->pg, bytes.p + at, (int)n);
        if (r < 0) return pg_conn_error(c, NULL, e, "sending rows");
        if (r > 0) at += n;
        if (!flush(c, deadline_of(c, c->statement_timeout_s), e)) return false;
    }
    return true;
}

bool pg_copy_in_end(pg_conn *c, uint64_t *ret_rows, err *e)
{
    PGresult *r;
    for (int sent; (sent = PQputCopyEnd(c->pg, NULL)) != 1;) {
        if (sent < 0) return pg_conn_error(c, NULL, e, "ending the rows");
        if (!flush(c, deadline_of(c, c->statement_timeout_s), e)) return false;
    }
    if (!collect(c, STR("COPY"), &r, e)) return false;
    bool ok = str_to_u64(str_from_c(PQcmdTuples(r)), ret_rows) || err_set(e, ERR_PROTOCOL, "the %s does not tell how many rows COPY took", end_name(c->end));
    PQclear(r);
    return ok;
}

void pg_copy_in_abort(pg_conn *c, const char *why)
{
    err ignored = ERR_INIT;
    PGresult *r = NULL;
    if (c->broken) return;
    if (PQputCopyEnd(c->pg, why) != 1 || collect(c, STR("COPY"), &r, &ignored)) c->broken = true; /* it must fail */
    PQclear(r);
}

bool pg_copy_out_begin(pg_conn *c, str sql, bool both, err *e) { return copy_begin(c, sql, both ? PGRES_COPY_BOTH : PGRES_COPY_OUT, e); }

/* The statement's own result, after the last message. */
static bool copy_out_end(pg_conn *c, str *ret, err *e)
{
    PGresult *r;
    if (!collect(c, STR("COPY"), &r, e)) return false;
    PQclear(r);
    *ret = STR_NULL;
    return true;
}

bool pg_copy_out_next(pg_conn *c, char **held, int timeout_ms, str *ret, err *e)
{
    int64_t deadline = 0;
    if (*held) PQfreemem(*held);
    *held = NULL;
    for (bool first = true;; first = false) {
        bool ready;
        int n = PQgetCopyData(c->pg, held, 1);
        if (n > 0) {
            *ret = (str){*held, (size_t)n};
            return true;
        }
        if (n == -1) return copy_out_end(c, ret, e);
        if (n == -2) return pg_conn_error(c, NULL, e, "reading rows");
        /* Most rows are there already: no clock is read for them. */
        if (first) deadline = timeout_ms >= 0 ? clk_mono_us(clock_of(c)) + (int64_t)timeout_ms * 1000 : deadline_of(c, c->statement_timeout_s);
        if (!wait_socket(c, POLLIN, deadline, &ready, e)) return false;
        if (!ready) {
            *ret = STR("");
            return timeout_ms >= 0 || timed_out(c, c->statement_timeout_s, e);
        }
        if (!PQconsumeInput(c->pg)) return pg_conn_error(c, NULL, e, "reading rows");
    }
}
