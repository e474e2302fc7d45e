/* Places in the binary log: text form, order, the newest place, and the proof that a stored place is still in the same log. */
#include "engine/mysql/binlog_position.h"

#include <string.h>

#include "engine/mysql/binlog_probe.h"

/* ---- text form ---- */

static bool take_literal(str *s, str literal)
{
    if (!str_starts_with(*s, literal)) return false;
    *s = str_sub(*s, literal.n, SIZE_MAX);
    return true;
}

static bool plain(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') return false;
    }
    return str_is_utf8(s);
}

static bool take_string(str *s, str *ret)
{
    if (!take_literal(s, STR("\""))) return false;
    size_t end = str_find_byte(*s, '"', 0);
    if (end == SIZE_MAX) return false;
    *ret = str_sub(*s, 0, end);
    *s = str_sub(*s, end + 1, SIZE_MAX);
    return plain(*ret);
}

static bool take_number(str *s, uint64_t *ret)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') n++;
    if (n == 0 || (n > 1 && s->p[0] == '0') || !str_to_u64(str_sub(*s, 0, n), ret)) return false;
    *s = str_sub(*s, n, SIZE_MAX);
    return true;
}

bool binlog_place_parse(str text, binlog_place *ret, err *e)
{
    binlog_place p = {0};
    uint64_t created = 0;
    str s = text;
    if (text.n == 0) return err_set(e, ERR_SOURCE_POSITION, "there is no position");
    if (text.n > POSITION_MAX_BYTES || !take_literal(&s, STR("{\"server\":")) || !take_string(&s, &p.server) ||
        !take_literal(&s, STR(",\"file\":")) || !take_string(&s, &p.file) || !take_literal(&s, STR(",\"pos\":")) ||
        !take_number(&s, &p.pos) || !take_literal(&s, STR(",\"created\":")) || !take_number(&s, &created) ||
        !take_literal(&s, STR(",\"gtid\":")) || !take_string(&s, &p.gtid) ||
        (take_literal(&s, STR(",\"xa\":")) && !take_string(&s, &p.xa)) || !str_eq(s, STR("}")) || p.file.n == 0 || created > UINT32_MAX)
        return err_set(e, ERR_SOURCE_POSITION, "not a binary log position: %.*s", STR_ARG(str_sub(text, 0, 200)));
    p.created = (uint32_t)created;
    *ret = p;
    return true;
}

/* Decimal digits of v, most significant first, written before `end`. */
static char *digits_before(char *end, uint64_t v)
{
    do *--end = (char)('0' + v % 10);
    while (v /= 10);
    return end;
}

static char *put(char *at, str s)
{
    if (s.n) memcpy(at, s.p, s.n);
    return at + s.n;
}

static char *put_number(char *at, uint64_t v)
{
    char digits[20], *end = digits + sizeof digits, *p = digits_before(end, v);
    return put(at, (str){p, (size_t)(end - p)});
}

bool binlog_place_format(const binlog_place *p, int64_t commit_us, arena *a, position *ret, err *e)
{
    size_t most = p->server.n + p->file.n + p->gtid.n + p->xa.n + 128;
    if (most > POSITION_MAX_BYTES)
        return err_set(e, ERR_LIMIT, "the GTID set of the source has %zu bytes and its prepared XA transactions %zu, more than a position may have (%d)", p->gtid.n,
                       p->xa.n, POSITION_MAX_BYTES);
    if (!plain(p->server) || !plain(p->file) || !plain(p->xa))
        return err_set(e, ERR_SOURCE_CONFIG, "the binary log file name %.*s holds quotes, backslashes or control bytes; change log_bin",
                       STR_ARG(p->file));
    char *text = arena_bytes(a, most), *at = text;
    if (!text) return err_no_memory(e, "a position");
    at = put(put(at, STR("{\"server\":\"")), p->server);
    at = put(put(at, STR("\",\"file\":\"")), p->file);
    at = put_number(put(at, STR("\",\"pos\":")), p->pos);
    at = put_number(put(at, STR(",\"created\":")), p->created);
    at = put(at, STR(",\"gtid\":\""));
    for (size_t i = 0; i < p->gtid.n; i++) {
        char c = p->gtid.p[i];
        if (c == '\n' || c == ' ' || c == '\r' || c == '\t') continue;
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) return err_set(e, ERR_PROTOCOL, "the source's GTID set is not well formed");
        *at++ = c;
    }
    if (p->xa.n) at = put(put(at, STR("\",\"xa\":\"")), p->xa);
    at = put(at, STR("\"}"));
    *ret = (position){{text, (size_t)(at - text)}, commit_us};
    return true;
}

/* ---- order ---- */

/* "name.000123": the number and what stands before it. Numbers grow past their width: binlog.999999 is followed by binlog.1000000. */
static bool split_file(str file, str *ret_base, uint64_t *ret_number)
{
    size_t dot = file.n;
    while (dot > 0 && file.p[dot - 1] != '.') dot--;
    if (dot == 0) return false;
    *ret_base = str_sub(file, 0, dot - 1);
    return str_to_u64(str_sub(file, dot, SIZE_MAX), ret_number);
}

bool binlog_place_compare(const binlog_place *a, const binlog_place *b, int *ret, err *e)
{
    str base_a, base_b;
    uint64_t number_a, number_b;
    if (!str_eq(a->server, b->server))
        return err_set(e, ERR_SOURCE_CHANGED, "positions of two servers cannot be compared: %.*s and %.*s", STR_ARG(a->server),
                       STR_ARG(b->server));
    if (!split_file(a->file, &base_a, &number_a) || !split_file(b->file, &base_b, &number_b) || !str_eq(base_a, base_b))
        return err_set(e, ERR_SOURCE_CHANGED, "positions in the binary logs %.*s and %.*s cannot be compared: the log's name was changed",
                       STR_ARG(a->file), STR_ARG(b->file));
    if (number_a == number_b && a->created && b->created && a->created != b->created)
        return err_set(e, ERR_SOURCE_CHANGED, "the binary log %.*s was created anew (RESET) between two positions", STR_ARG(a->file));
    *ret = number_a != number_b ? (number_a < number_b ? -1 : 1) : a->pos != b->pos ? (a->pos < b->pos ? -1 : 1) : 0;
    return true;
}

bool binlog_position_compare(position a, position b, int *ret, err *e)
{
    binlog_place pa, pb;
    return binlog_place_parse(a.text, &pa, e) && binlog_place_parse(b.text, &pb, e) && binlog_place_compare(&pa, &pb, ret, e);
}

/* ---- the newest place ---- */

bool binlog_server_name(conn *c, arena *a, str *ret, err *e)
{
    return conn_query_value(c, c->is_mariadb ? "SELECT CONCAT('mariadb:', @@global.server_id)" : "SELECT @@global.server_uuid", a, ret, e);
}

/* MySQL renamed the statement in 8.2 and dropped the old name in 8.4. */
static str status_statement(const conn *c)
{
    return !c->is_mariadb && c->version >= 80200 ? STR("SHOW BINARY LOG STATUS") : STR("SHOW MASTER STATUS");
}

static str field(MYSQL_RES *res, MYSQL_ROW row, unsigned i)
{
    if (i >= mysql_num_fields(res) || !row[i]) return STR_NULL;
    return (str){row[i], mysql_fetch_lengths(res)[i]};
}

bool binlog_end(conn *c, arena *a, binlog_place *ret, bool *ret_on, err *e)
{
    binlog_place p = {0};
    str gtid = STR_NULL;
    if (!binlog_server_name(c, a, &p.server, e)) return false;
    MYSQL_RES *res;
    if (!conn_query(c, status_statement(c), &res, e)) return err_context(e, "reading the source's binary log position");
    MYSQL_ROW row = mysql_fetch_row(res);
    *ret_on = row != NULL;
    bool fine = true;
    if (row) {
        p.file = arena_copy(a, field(res, row, 0));
        fine = str_to_u64(field(res, row, 1), &p.pos) && p.file.n > 0;
        if (!c->is_mariadb) gtid = arena_copy(a, field(res, row, 4));
    }
    mysql_free_result(res);
    if (!fine) return err_set(e, ERR_PROTOCOL, "the source reports no usable binary log position");
    if (row && c->is_mariadb && !conn_query_value(c, "SELECT @@global.gtid_binlog_pos", a, &gtid, e)) return false;
    p.gtid = gtid;
    *ret = p;
    return true;
}

static bool same_place(const binlog_place *a, const binlog_place *b)
{
    return a->pos == b->pos && str_eq(a->file, b->file) && str_eq(a->gtid, b->gtid);
}

/* Place and GTID are read one after the other: wait for two equal readings, on a busy server ask for the GTID of the place. */
static bool settled_end(source *s, arena *a, binlog_place *ret, bool *ret_on, err *e)
{
    enum { TRIES = 5 };
    binlog_place last, now;
    if (!binlog_end(s->conn, a, &last, ret_on, e)) return false;
    for (int i = 0; *ret_on && i < TRIES; i++) {
        if (!binlog_end(s->conn, a, &now, ret_on, e)) return false;
        if (same_place(&last, &now)) break;
        last = now;
    }
    *ret = last;
    if (!*ret_on || !s->conn->is_mariadb) return true;
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT BINLOG_GTID_POS(");
    conn_quote_literal(&sql, last.file, STR("utf8mb4"));
    buf_printf(&sql, ", %llu)", (unsigned long long)last.pos);
    if (same_place(&last, &now)) return true;
    return conn_query_value(s->conn, buf_c(&sql), a, &ret->gtid, e);
}

bool binlog_fill_created(source *s, binlog_place *p, err *e)
{
    if (s->newest_log_created && str_eq(p->file, str_from_c(s->newest_log))) {
        p->created = s->newest_log_created;
        return true;
    }
    binlog_probe probe;
    if (!binlog_probe_at(s, p->file, 4, &probe, e)) return false;
    p->created = probe.created;
    if (probe.created && p->file.n < sizeof s->newest_log) {
        memcpy(s->newest_log, p->file.p, p->file.n);
        s->newest_log[p->file.n] = 0;
        s->newest_log_created = probe.created;
    }
    return true;
}

bool binlog_position_now(source *s, arena *a, position *ret, err *e)
{
    binlog_place p;
    bool on;
    if (!settled_end(s, a, &p, &on, e)) return false;
    if (!on) return err_set(e, ERR_SOURCE_CONFIG, "the source's binary log is off: set log_bin and restart it");
    return binlog_fill_created(s, &p, e) && binlog_place_format(&p, 0, a, ret, e);
}

/* ---- is it still the same log? ---- */

typedef struct log_file {
    bool found;
    uint64_t size, first, last; /* size of the file; numbers of the oldest and newest file */
} log_file;

static bool find_file(source *s, const binlog_place *p, log_file *ret, err *e)
{
    MYSQL_RES *res;
    log_file f = {.first = UINT64_MAX};
    if (!conn_query(s->conn, STR("SHOW BINARY LOGS"), &res, e)) return err_context(e, "listing the source's binary logs");
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
        str name = field(res, row, 0), base;
        uint64_t size, number;
        if (!str_to_u64(field(res, row, 1), &size) || !split_file(name, &base, &number)) continue;
        if (number < f.first) f.first = number;
        if (number > f.last) f.last = number;
        if (str_eq(name, p->file)) f.found = true, f.size = size;
    }
    mysql_free_result(res);
    *ret = f;
    return true;
}

static bool not_found(const binlog_place *p, const log_file *f, err *e)
{
    str base;
    uint64_t number = 0;
    if (split_file(p->file, &base, &number) && number < f->first && f->first != UINT64_MAX)
        return err_set(e, ERR_SOURCE_LOG_PURGED, "the source has purged its binary log %.*s, which the job needs from position %llu on",
                       STR_ARG(p->file), (unsigned long long)p->pos);
    return err_set(e, ERR_SOURCE_CHANGED, "the source has no binary log %.*s (newest number: %llu): it was reset or is another server",
                   STR_ARG(p->file), (unsigned long long)f->last);
}

/* MySQL: everything of the stored set must be executed, and nothing outside it purged. */
static bool check_gtid_set(source *s, const binlog_place *p, err *e)
{
    uint64_t executed, purged;
    if (p->gtid.n == 0) return true;
    for (int i = 0; i < 2; i++) {
        BUF_AUTO sql = BUF_INIT;
        buf_add_c(&sql, i ? "SELECT GTID_SUBSET(@@global.gtid_purged, " : "SELECT GTID_SUBSET(");
        conn_quote_literal(&sql, p->gtid, STR("utf8mb4"));
        buf_add_c(&sql, i ? ")" : ", @@global.gtid_executed)");
        if (!conn_query_u64(s->conn, buf_c(&sql), i ? &purged : &executed, e)) return false;
    }
    if (!executed)
        return err_set(e, ERR_SOURCE_CHANGED, "the source has not executed all transactions of the stored position: it was reset or rebuilt");
    if (!purged)
        return err_set(e, ERR_SOURCE_LOG_PURGED, "the source has purged transactions (gtid_purged) that the job has not seen");
    return true;
}

/* Both lists hold the same GTIDs; order and white space do not count. */
static bool same_gtid_list(str a, str b)
{
    size_t count_a = 0, count_b = 0;
    for (str rest = b, piece; b.n && str_split_next(&rest, ',', &piece);) count_b++;
    for (str rest = a, piece; a.n && str_split_next(&rest, ',', &piece); count_a++) {
        bool found = false;
        for (str others = b, other; !found && str_split_next(&others, ',', &other);) found = str_eq(str_trim(piece), str_trim(other));
        if (!found) return false;
    }
    return count_a == count_b;
}

/* MariaDB: the GTID state at file and pos is the stored one. */
static bool check_gtid_list(source *s, const binlog_place *p, err *e)
{
    if (p->gtid.n == 0) return true;
    arena a;
    arena_init(&a, 1024, 0);
    BUF_AUTO sql = BUF_INIT;
    str there;
    buf_add_c(&sql, "SELECT BINLOG_GTID_POS(");
    conn_quote_literal(&sql, p->file, STR("utf8mb4"));
    buf_printf(&sql, ", %llu)", (unsigned long long)p->pos);
    bool ok = conn_query_value(s->conn, buf_c(&sql), &a, &there, e);
    if (ok && !same_gtid_list(p->gtid, there))
        ok = err_set(e, ERR_SOURCE_CHANGED, "at %.*s:%llu the source has GTID %.*s, the stored position has %.*s: it was reset or rebuilt",
                     STR_ARG(p->file), (unsigned long long)p->pos, STR_ARG(str_sub(there, 0, 200)), STR_ARG(str_sub(p->gtid, 0, 200)));
    arena_finish(&a);
    return ok;
}

static bool check_file(source *s, const binlog_place *p, err *e)
{
    log_file f = {0};
    binlog_probe probe;
    if (!find_file(s, p, &f, e)) return false;
    if (!f.found) return not_found(p, &f, e);
    bool inside = p->pos >= 4 && p->pos <= f.size;
    if (!binlog_probe_at(s, p->file, inside ? p->pos : 4, &probe, e)) return false;
    if (p->created && probe.created && p->created != probe.created)
        return err_set(e, ERR_SOURCE_CHANGED, "the source's binary log %.*s is not the one of the stored position (created at %u, not %u): "
                       "it was reset or is another server", STR_ARG(p->file), probe.created, p->created);
    if (!inside)
        return err_set(e, ERR_SOURCE_POSITION, "the stored position %.*s:%llu lies past the end of the log (%llu): the source lost its newest "
                       "transactions, see sync_binlog", STR_ARG(p->file), (unsigned long long)p->pos, (unsigned long long)f.size);
    if (!probe.boundary)
        return err_set(e, ERR_SOURCE_POSITION, "the stored position %.*s:%llu is not the start of a transaction", STR_ARG(p->file),
                       (unsigned long long)p->pos);
    return true;
}

bool binlog_position_check(source *s, position at, err *e)
{
    binlog_place p;
    if (!binlog_place_parse(at.text, &p, e)) return false;
    arena a;
    arena_init(&a, 1024, 0);
    str server;
    bool ok = binlog_server_name(s->conn, &a, &server, e);
    if (ok && !str_eq(server, p.server))
        ok = err_set(e, ERR_SOURCE_CHANGED, "the source is %.*s, the stored position belongs to %.*s", STR_ARG(server), STR_ARG(p.server));
    arena_finish(&a);
    return ok && check_file(s, &p, e) && (s->conn->is_mariadb ? check_gtid_list(s, &p, e) : check_gtid_set(s, &p, e));
}
