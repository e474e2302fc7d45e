/* Collation ids of the log to character set names. Source: information_schema of MySQL 9.7 and MariaDB 10.11. */
#ifndef CODEC_BINLOG_COLLATION_H
#define CODEC_BINLOG_COLLATION_H

#include "base/str.h"

/* "utf8mb4", "latin1", ... (utf8 is "utf8mb3", 63 is "binary"); the empty string for an id that is not known. Static. */
str binlog_collation_charset(uint32_t id);
/* The same character set; "utf8" and "utf8mb3" are one. Case ignored. */
bool binlog_charset_equal(str a, str b);

#endif
