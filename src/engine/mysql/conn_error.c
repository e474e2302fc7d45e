/* What an error number of MySQL or MariaDB means: error code and retry class.
 * Numbers: include/mysqld_error.h of MariaDB 10.11 and MySQL 9.7, errmsg.h of the client library. */
#include "engine/mysql/conn.h"

typedef enum meaning { LOST, AGAIN, BUSY, UNAVAILABLE, PRIVILEGE, INTERRUPTED } meaning;

static const struct {
    unsigned number;
    meaning is;
} meanings[] = {
    {2002, LOST}, {2003, LOST}, {2006, LOST}, {2013, LOST}, {2014, LOST}, {2026, LOST}, {2027, LOST}, {2055, LOST},
    {1053, LOST} /* shutdown */, {1079, LOST}, {1152, LOST}, {1158, LOST}, {1159, LOST}, {1160, LOST}, {1161, LOST}, {1184, LOST},
    {1927, LOST} /* killed, MariaDB */, {3169, LOST} /* killed, MySQL */, {4031, LOST} /* idle, MySQL */,
    {1213, AGAIN} /* deadlock */, {1205, AGAIN} /* lock wait */, {1020, AGAIN} /* record changed since the snapshot */, {1614, AGAIN}, {3572, AGAIN},
    {1040, BUSY} /* too many connections */, {1129, BUSY}, {1135, BUSY}, {1203, BUSY}, {1226, BUSY}, {1037, BUSY}, {1038, BUSY}, {1041, BUSY},
    {1290, UNAVAILABLE} /* read_only */, {1836, UNAVAILABLE}, {1792, UNAVAILABLE}, {1021, UNAVAILABLE} /* disk full */, {1114, UNAVAILABLE} /* table full */,
    {3, UNAVAILABLE}, {28, UNAVAILABLE}, {1026, UNAVAILABLE}, {1030, UNAVAILABLE}, {3100, UNAVAILABLE}, {3032, UNAVAILABLE} /* offline */,
    {1044, PRIVILEGE}, {1142, PRIVILEGE}, {1143, PRIVILEGE}, {1227, PRIVILEGE}, {1370, PRIVILEGE}, {1419, PRIVILEGE}, {1445, PRIVILEGE},
    {1317, INTERRUPTED}, {1969, INTERRUPTED}, {3024, INTERRUPTED},
};

static int find(unsigned number)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].number == number) return (int)meanings[i].is;
    return -1;
}

bool conn_error_is_lost(unsigned number) { return find(number) == LOST; }

bool conn_error_set(conn_end end, const char *where, unsigned number, const char *text, const char *what, err *e)
{
    bool src = end == CONN_SOURCE;
    err_code code = src ? ERR_SOURCE_QUERY : ERR_TARGET_QUERY;
    err_retry retry = RETRY_NEVER;
    switch (find(number)) {
    case LOST: code = src ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, retry = RETRY_RECONNECT; break;
    case AGAIN: code = src ? ERR_SOURCE_QUERY : ERR_TARGET_BUSY, retry = RETRY_TXN; break;
    case BUSY: code = src ? ERR_SOURCE_CONNECT : ERR_TARGET_BUSY, retry = RETRY_LATER; break;
    case UNAVAILABLE: code = src ? ERR_SOURCE_QUERY : ERR_TARGET_UNAVAILABLE, retry = RETRY_LATER; break;
    case PRIVILEGE: code = src ? ERR_SOURCE_PRIVILEGE : ERR_TARGET_PRIVILEGE; break;
    case INTERRUPTED: retry = RETRY_TXN; break;
    default: break;
    }
    return err_set_native(e, code, retry, (int)number, "%s: error %u: %s (%s)", where, number, text, what);
}
