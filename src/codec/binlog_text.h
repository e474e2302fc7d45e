/* MySQL's packed numbers and times to text. Used by row images and by binary JSON. All functions write without a NUL and return the number of bytes.
 * Source: MySQL my_time.cc, decimal.cc ("binary format"); measured on MariaDB 10.11 and MySQL 9.7. */
#ifndef CODEC_BINLOG_TEXT_H
#define CODEC_BINLOG_TEXT_H

#include "base/str.h"

/* Room that every function below may need. */
#define BINLOG_TEXT_DECIMAL_BYTES 80 /* sign, 65 digits, point, a zero before it */
#define BINLOG_TEXT_TIME_BYTES 32
#define BINLOG_TEXT_UUID_BYTES 36
#define BINLOG_TEXT_INET6_BYTES 46

/* Bytes that DECIMAL(precision, scale) takes. precision 1..65, scale 0..precision. */
unsigned binlog_decimal_bytes(unsigned precision, unsigned scale);
/* bytes: binlog_decimal_bytes() of them. 0 when a group holds more than its digits. */
size_t binlog_text_decimal(char *out, const uint8_t *bytes, unsigned precision, unsigned scale);

typedef struct binlog_time {
    bool negative;
    unsigned year, month, day, hour, minute, second, micros;
} binlog_time;

/* YYYY-MM-DD */
size_t binlog_text_date(char *out, const binlog_time *t);
/* [-]HH:MM:SS[.f], hours 2 digits or more; fsp 0..6 digits. */
size_t binlog_text_time(char *out, const binlog_time *t, unsigned fsp);
/* YYYY-MM-DD HH:MM:SS[.f] */
size_t binlog_text_datetime(char *out, const binlog_time *t, unsigned fsp);
/* Unix seconds as UTC date and time. */
binlog_time binlog_time_from_unix(uint32_t seconds);
/* The integer part of a DATETIME: ((year*13+month) << 22 | day << 17 | hour << 12 | minute << 6 | second). */
binlog_time binlog_time_from_packed_datetime(uint64_t packed);
/* The 64-bit form of JSON and of the server's memory: integer part << 24 | micros, negative times as its negation. */
binlog_time binlog_time_from_packed(int64_t packed, bool is_time);

/* 16 bytes of a MariaDB UUID column: the log has them in the order of the text, whatever the order on disk (measured on 10.11.19). */
size_t binlog_text_uuid(char *out, const uint8_t *bytes);
size_t binlog_text_inet4(char *out, const uint8_t *bytes);
/* As MariaDB prints it: the first longest run of zero groups, even of one, as "::", IPv4-compatible and -mapped tails dotted. */
size_t binlog_text_inet6(char *out, const uint8_t *bytes);

#endif
