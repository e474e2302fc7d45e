/* GTID positions of MariaDB: the last GTID of each replication domain ("0-1-100,1-2-7").
 * Sources: mariadb.com/kb "Global Transaction ID"; measured on MariaDB 10.11. */
#ifndef CODEC_GTID_POSITION_H
#define CODEC_GTID_POSITION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Most domains of a position. */
#define GTID_POSITION_MAX_DOMAINS 1024

typedef struct gtid_mariadb {
    uint32_t domain, server_id;
    uint64_t sequence;
} gtid_mariadb;

/* Ascending by domain, one GTID each. Zeroed is the empty position. Owns its memory: gtid_position_finish. */
typedef struct gtid_position {
    gtid_mariadb *gtids;
    uint32_t count, cap;
} gtid_position;

void gtid_position_finish(gtid_position *p);
/* Text as in gtid_current_pos; white space allowed; a domain named twice is an error. Errors: ERR_BAD_INPUT, ERR_LIMIT, ERR_NO_MEMORY; *ret is then empty. */
ERR_MUST_USE bool gtid_position_parse(str text, gtid_position *ret, err *e);
void gtid_position_print(const gtid_position *p, buf *out);
/* The GTID becomes the last one of its domain, whatever was there (the order of the log decides, not the number). */
ERR_MUST_USE bool gtid_position_set(gtid_position *p, gtid_mariadb g, err *e);
ERR_MUST_USE bool gtid_position_copy(const gtid_position *p, gtid_position *ret, err *e);
/* The domain's GTID or NULL; borrowed until the next change. */
const gtid_mariadb *gtid_position_find(const gtid_position *p, uint32_t domain);
/* The transaction lies at or before the position, by domain and sequence (server ids may differ). */
bool gtid_position_contains(const gtid_position *p, gtid_mariadb g);
/* Every GTID of `part` is contained in `whole`. */
bool gtid_position_contains_position(const gtid_position *whole, const gtid_position *part);
/* The later of both per domain. */
ERR_MUST_USE bool gtid_position_union(gtid_position *into, const gtid_position *from, err *e);
/* Same domains, servers and sequences. */
bool gtid_position_equal(const gtid_position *a, const gtid_position *b);

#endif
