/* Fuzz target: one CopyData message of a replication stream, a log position as text, and a timeline's history. A printed position is read again as the same. */
#include <stdlib.h>

#include "codec/pg_replication.h"
#include "codec/pg_timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str all = {(const char *)data, size};
    err e = ERR_INIT;
    pg_replication_message m;
    if (pg_replication_parse(all, &m, &e)) {
        if (m.kind != PG_REPLICATION_DATA && m.kind != PG_REPLICATION_KEEPALIVE) abort();
        for (size_t i = 0; i < m.payload.n; i++) sink += (unsigned char)m.payload.p[i];
        pg_replication_status s = {m.start, m.wal_end, m.wal_end, m.sent_us, m.reply_requested};
        char out[PG_REPLICATION_STATUS_BYTES];
        pg_replication_status_build(&s, out);
        sink += (unsigned char)out[PG_REPLICATION_STATUS_BYTES - 1];
    } else if (e.code != ERR_PROTOCOL) {
        abort();
    }
    pg_lsn lsn, again;
    char text[PG_LSN_TEXT_BYTES];
    if (pg_lsn_parse(all, &lsn, &e) && (!pg_lsn_parse(str_from_c(pg_lsn_format(lsn, text)), &again, &e) || again != lsn)) abort();
    if (!pg_timeline_end(all, size ? data[0] - (uint32_t)'0' : 1, &lsn, &e) && e.code != ERR_CORRUPT) abort();
    return 0;
}
