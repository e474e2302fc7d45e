/* MySQL's binary JSON to text, exactly as the server prints it with CAST(column AS CHAR).
 *
 * Value: type 1, then for objects and arrays (small: 2-byte, large: 4-byte integers): element count, bytes, key entries (offset, length 2), value entries
 * (type 1, offset or inlined), keys, values; offsets count from the object's start. Source: mysql/mysql-server:sql-common/json_binary.h,
 * measured on MySQL 9.7. */
#ifndef CODEC_BINLOG_JSON_H
#define CODEC_BINLOG_JSON_H

#include "base/buf.h"
#include "base/err.h"

/* Deepest nesting that is read; the server's own limit. */
#define BINLOG_JSON_MAX_DEPTH 100

/* Appends the text. An empty value is the JSON null (the server writes it for a NULL in a NOT NULL column). Errors: ERR_SOURCE_LOG_CORRUPT for offsets out of
 * bounds or a deeper nesting, ERR_NO_MEMORY when the text outgrows the buffer's limit. */
ERR_MUST_USE bool binlog_json_print(str binary, buf *out, err *e);

#endif
