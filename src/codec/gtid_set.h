/* GTID sets of MySQL: which transactions of which servers (and tags) are in.
 *
 * Text: "uuid:1-5:7,uuid:tag:1-3" with any white space; upper and lower case; a tag belongs to the intervals after it. Printed as the server prints
 * gtid_executed, without its line breaks. Binary (COM_BINLOG_DUMP_GTID, PREVIOUS_GTIDS): number of sources 8, then uuid 16, number of intervals 8,
 * first 8 and last+1 8 each; with tags the number is count << 8 | 1 << 56 | 1 and the uuid is followed by the tag (length of the serialization format, bytes).
 * Sources: MySQL manual "GTID Sets", mysql/mysql-server:sql/rpl_gtid_set.cc; measured on MySQL 9.7. */
#ifndef CODEC_GTID_SET_H
#define CODEC_GTID_SET_H

#include "base/buf.h"
#include "base/err.h"

/* Most sources and intervals that a set may have. */
#define GTID_SET_MAX_SOURCES 65536
#define GTID_SET_MAX_INTERVALS 1048576
#define GTID_TAG_MAX_BYTES 32
#define GTID_MAX_NUMBER (INT64_MAX - 1)

typedef struct gtid_interval {
    uint64_t first, last; /* both in */
} gtid_interval;

typedef struct gtid_source {
    uint8_t uuid[16];
    char tag[GTID_TAG_MAX_BYTES + 1]; /* NUL-terminated, lower case, empty = none */
    gtid_interval *intervals;         /* ascending, never touching */
    uint32_t count, cap;
} gtid_source;

/* Sources ascend by uuid, then tag. Zeroed is the empty set. Owns its memory: gtid_set_finish. */
typedef struct gtid_set {
    gtid_source *sources;
    uint32_t count, cap;
    uint32_t interval_count;
} gtid_set;

void gtid_set_finish(gtid_set *s);
/* Errors: ERR_BAD_INPUT with the place, ERR_LIMIT, ERR_NO_MEMORY; *ret is then empty. Takes no memory on failure. */
ERR_MUST_USE bool gtid_set_parse(str text, gtid_set *ret, err *e);
void gtid_set_print(const gtid_set *s, buf *out);
ERR_MUST_USE bool gtid_set_decode(str bytes, gtid_set *ret, err *e);
/* The tagged form is used only when the set has a tag: older servers do not know it. */
void gtid_set_encode(const gtid_set *s, buf *out);
/* Adds first..last (1 .. GTID_MAX_NUMBER). tag: NUL-terminated, "" = none. */
ERR_MUST_USE bool gtid_set_add(gtid_set *s, const uint8_t uuid[16], const char *tag, uint64_t first, uint64_t last, err *e);
ERR_MUST_USE bool gtid_set_union(gtid_set *into, const gtid_set *from, err *e);
ERR_MUST_USE bool gtid_set_copy(const gtid_set *s, gtid_set *ret, err *e);
bool gtid_set_contains(const gtid_set *s, const uint8_t uuid[16], const char *tag, uint64_t number);
/* Every transaction of `part` is in `whole`. */
bool gtid_set_contains_set(const gtid_set *whole, const gtid_set *part);
bool gtid_set_equal(const gtid_set *a, const gtid_set *b);
/* 36 characters, lower case. */
void gtid_print_uuid(const uint8_t uuid[16], buf *out);
/* With or without dashes (the server takes both, and braces). */
bool gtid_parse_uuid(str text, uint8_t ret[16]);

#endif
