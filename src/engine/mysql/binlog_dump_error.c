/* What a server means when it refuses or ends a binlog dump. Texts: sql/rpl_binlog_sender.cc, messages_to_clients.txt of MySQL 5.7 to 9.7 and
 * sql/sql_repl.cc of MariaDB 10.11. */
#include <string.h>

#include "engine/mysql/binlog_dump.h"

static const struct {
    const char *part;
    err_code code;
    err_retry retry;
    const char *hint;
} answers[] = {
    {"Could not find first log file name", ERR_SOURCE_LOG_PURGED, RETRY_NEVER, "the log file was purged, or the logs were reset"},
    {"purged", ERR_SOURCE_LOG_PURGED, RETRY_NEVER, "the log was purged; keep it longer (binlog_expire_logs_seconds)"},
    {"Could not find GTID state", ERR_SOURCE_LOG_PURGED, RETRY_NEVER, "the log was purged; keep it longer (binlog_expire_logs_seconds)"},
    {"not in the master's binlog", ERR_SOURCE_CHANGED, RETRY_NEVER, "the server never had this transaction"},
    {"has more GTIDs than", ERR_SOURCE_CHANGED, RETRY_NEVER, "the server lacks transactions that were already read"},
    {"more GTIDs", ERR_SOURCE_CHANGED, RETRY_NEVER, "the server lacks transactions that were already read"},
    {"impossible position", ERR_SOURCE_POSITION, RETRY_NEVER, "the log file is shorter than the position: the logs were reset or the server crashed without sync_binlog=1"},
    {"truncated in the middle of event", ERR_SOURCE_POSITION, RETRY_NEVER, "the position lies inside an event"},
    {"bogus data in log event", ERR_SOURCE_POSITION, RETRY_NEVER, "no event starts at the position"},
    {"log event entry exceeded max_allowed_packet", ERR_SOURCE_CONFIG, RETRY_NEVER,
     "raise max_allowed_packet (MySQL: replica_max_allowed_packet) on the source; the position may also lie inside an event"},
    {"can not handle replication events with the checksum", ERR_SOURCE_CONFIG, RETRY_NEVER, "binlog_checksum was changed; connect again"},
    {"crc check", ERR_SOURCE_LOG_CORRUPT, RETRY_NEVER, "an event in the source's log file is damaged"},
    {"checksum verification", ERR_SOURCE_LOG_CORRUPT, RETRY_NEVER, "an event in the source's log file is damaged"},
    {"I/O error", ERR_SOURCE_LOG_CORRUPT, RETRY_LATER, "the source cannot read its log file"},
    {"Binary log is not open", ERR_SOURCE_CONFIG, RETRY_NEVER, "switch log_bin on"},
    {"server_id is 0", ERR_SOURCE_CONFIG, RETRY_NEVER, "give the source a server_id other than 0"},
    {"GTID_MODE", ERR_SOURCE_CONFIG, RETRY_NEVER, "gtid_mode of the source does not fit the stored position"},
    {"same server_uuid", ERR_SOURCE_CONNECT, RETRY_LATER, "another reader with our replica id took over"},
    {"same server_id", ERR_SOURCE_CONNECT, RETRY_LATER, "another reader with our replica id took over"},
    {"memory", ERR_SOURCE_QUERY, RETRY_LATER, "the source is out of memory"},
};

bool binlog_dump_server_error(unsigned number, const char *text, err *e)
{
    if (number == 1227 || number == 1045 || number == 1142)
        return err_set_native(e, ERR_SOURCE_PRIVILEGE, RETRY_NEVER, (int)number,
                              "the source does not let this account read its binlog (%u): %s; run GRANT REPLICATION SLAVE ON *.* TO the account", number, text);
    if (number == 1236 || number == 1789 || number == 1790 || number == 1794 || number == 13121 || number == 13118)
        for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
            if (strstr(text, answers[i].part))
                return err_set_native(e, answers[i].code, answers[i].retry, (int)number, "reading the source's binlog: error %u: %s (%s)", number, text,
                                      answers[i].hint);
    return conn_error_set(CONN_SOURCE, "source", number, text, "reading the binlog", e);
}
