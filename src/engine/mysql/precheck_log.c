/* Prechecks of a source's binary log: that it is written, in the form that can be read, and that its files are there. */
#include <stdio.h>
#include <string.h>

#include "engine/mysql/precheck_priv.h"

/* A load alone needs the log to bring its parts to one point: without it there is no such point. The form of what is logged matters when it was interrupted. */
static precheck_state grave(const source_check *k) { return k->r->incremental ? PRECHECK_FAILED : PRECHECK_WARNING; }

#define AND_SESSIONS " -- for new sessions: reconnect every writer; put the setting under [mysqld] in the configuration file as well"

static bool check_setting(source_check *k, const char *item, const char *name, const char *const *good, const char *repair, err *e)
{
    precheck_report p;
    str value;
    bool fine = false;
    if (!precheck_variable(k, name, &value, e)) return false;
    precheck_report_init(&p, item);
    for (const char *const *g = good; *g; g++) fine = fine || str_eq_nocase(value, str_from_c(*g));
    if (!fine) precheck_report_addf(&p, grave(k), repair, "%s is %.*s at the source, it must be %s", name, STR_ARG(value), good[0]);
    return precheck_report_emit(&p, k->sink, e);
}

/* A statement that a privilege may be missing for: *ret NULL then. False only when the connection is lost. */
static bool try_query(source_check *k, str sql, MYSQL_RES **ret, err *ret_refused, err *e)
{
    *ret = NULL;
    if (conn_query(k->c, sql, ret, ret_refused)) return true;
    *ret = NULL;
    if (k->c->broken) *e = *ret_refused;
    return !k->c->broken;
}

/* binlog_do_db and binlog_ignore_db leave changes out of the log without a trace. */
static bool check_log_filters(source_check *k, precheck_report *p, err *e)
{
    bool renamed = !k->c->is_mariadb && k->c->version >= 80200;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    if (!try_query(k, renamed ? STR("SHOW BINARY LOG STATUS") : STR("SHOW MASTER STATUS"), &res, &refused, e)) return false;
    if (!res) return true; /* the missing privilege is a finding of its own */
    MYSQL_ROW row = mysql_fetch_row(res);
    if (row && ((row[2] && row[2][0]) || (row[3] && row[3][0])))
        precheck_report_addf(p, PRECHECK_FAILED, "-- remove binlog_do_db and binlog_ignore_db from the source's configuration file and restart it",
                             "the source logs only some databases (binlog_do_db='%s', binlog_ignore_db='%s')", row[2] ? row[2] : "", row[3] ? row[3] : "");
    mysql_free_result(res);
    return true;
}

static bool check_log_bin(source_check *k, bool *ret_on, err *e)
{
    precheck_report p;
    str value;
    if (!precheck_variable(k, "log_bin", &value, e)) return false;
    precheck_report_init(&p, "CHECK_LOG_BIN");
    *ret_on = str_eq_nocase(value, STR("ON"));
    if (!*ret_on)
        precheck_report_addf(&p, PRECHECK_FAILED, "-- put log_bin=binlog and binlog_format=ROW under [mysqld] in the source's configuration file and restart it",
                             "the source writes no binary log (log_bin is %.*s)", STR_ARG(value));
    bool ok = !*ret_on || check_log_filters(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

/* A listed file of size 0 is not on the disk. The newest is always there. */
static void find_missing(precheck_report *p, MYSQL_RES *res)
{
    BUF_AUTO repair = BUF_INIT;
    bool purge = false;
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
        if (row[1] && strcmp(row[1], "0") == 0) {
            precheck_report_addf(p, PRECHECK_FAILED, "", "the binary log file %s is missing on the source's disk: its index is broken", row[0]);
            purge = true;
        } else if (purge) {
            buf_reset(&repair);
            buf_printf(&repair, "PURGE BINARY LOGS TO '%s'; -- forgets every file before this one; the job needs none of them", row[0]);
            purge = false;
        }
    }
    precheck_report_add_repair(p, buf_str(&repair));
}

static bool check_log_files(source_check *k, err *e)
{
    precheck_report p;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    if (!try_query(k, STR("SHOW BINARY LOGS"), &res, &refused, e)) return false;
    precheck_report_init(&p, "CHECK_BINLOG_FILES");
    if (res) find_missing(&p, res);
    else precheck_report_addf(&p, PRECHECK_FAILED, "-- grant what CHECK_PRIVILEGE_SRC shows", "the binary log files cannot be listed: %s", refused.text);
    mysql_free_result(res);
    return precheck_report_emit(&p, k->sink, e);
}

/* Another replica of the source that calls itself by our number: the source would cut one of the two off. */
static bool check_replicas(source_check *k, precheck_report *p, err *e)
{
    bool renamed = !k->c->is_mariadb && k->c->version >= 80022;
    MYSQL_RES *res;
    err refused = ERR_INIT;
    if (!try_query(k, renamed ? STR("SHOW REPLICAS") : STR("SHOW SLAVE HOSTS"), &res, &refused, e)) return false;
    for (MYSQL_ROW row; res && (row = mysql_fetch_row(res));) {
        uint64_t id;
        if (row[0] && str_to_u64(str_from_c(row[0]), &id) && id == k->replica_id)
            precheck_report_addf(p, PRECHECK_FAILED, "-- SET GLOBAL server_id of that replica to another number, or create the task anew: it gets another number",
                                 "a replica of the source at %s has the server_id %llu, by which the service reads the log", row[1] && row[1][0] ? row[1] : "an unknown host",
                                 (unsigned long long)id);
    }
    mysql_free_result(res);
    return true;
}

static bool check_server_id(source_check *k, err *e)
{
    precheck_report p;
    uint64_t id = 0;
    char repair[200];
    /* A number that differs between servers, below those that the service takes for itself. */
    unsigned better = (unsigned)(1000 + (k->r->source ? map_hash(k->r->source->identity) % 0x3fff0000U : 0));
    if (!conn_query_u64(k->c, "SELECT @@GLOBAL.server_id", &id, e)) return false;
    snprintf(repair, sizeof repair, "SET GLOBAL server_id = %u; -- and server_id=%u under [mysqld] in the configuration file", better, better);
    precheck_report_init(&p, "CHECK_SERVER_ID");
    if (id == 0 || id == k->replica_id)
        precheck_report_addf(&p, grave(k), repair, "server_id of the source is %llu, %s", (unsigned long long)id,
                             id ? "by which the service reads the log" : "so that nobody can read its log");
    else if (id == 1)
        precheck_report_addf(&p, PRECHECK_WARNING, repair, "server_id of the source is 1, as of every server that was never given one: changes of two such servers cannot be told apart");
    bool ok = check_replicas(k, &p, e);
    err ignored = ERR_INIT;
    return precheck_report_emit(&p, k->sink, ok ? e : &ignored) && ok;
}

bool precheck_log(source_check *k, err *e)
{
    static const char *const row_format[] = {"ROW", "", NULL}; /* a server without the variable knows only rows */
    static const char *const full_image[] = {"FULL", "FULL_NODUP", "", NULL};
    bool on;
    if (!k->r->incremental && !k->r->full) return true;
    return check_log_bin(k, &on, e) && check_setting(k, "CHECK_BINLOG_FORMAT", "binlog_format", row_format, "SET GLOBAL binlog_format = 'ROW';" AND_SESSIONS, e) &&
           check_setting(k, "CHECK_BINLOG_ROW_IMAGE", "binlog_row_image", full_image, "SET GLOBAL binlog_row_image = 'FULL';" AND_SESSIONS, e) &&
           (!on || check_log_files(k, e)) && check_server_id(k, e);
}
