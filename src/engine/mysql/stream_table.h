/* From TABLE_MAP and row events to changes of selected tables. Tables that are not selected are passed over by their name alone. */
#ifndef ENGINE_MYSQL_STREAM_TABLE_H
#define ENGINE_MYSQL_STREAM_TABLE_H

#include "base/map.h"
#include "codec/binlog_event.h"
#include "codec/binlog_row.h"
#include "model/batch.h"

typedef struct stream_tables {
    map selected;        /* "schema\0table" → stream_table */
    map maps;            /* table id (8 bytes) → stream_map */
    struct stream_map *last;
    uint64_t statement;  /* grows where a statement ends: maps of earlier ones do not count */
    bool fold_case;
    arena mem;
    binlog_reader reader;
    buf key;
} stream_tables;

/* fold_case: the source compares table names without case (lower_case_table_names > 0). Compiles the filters. The catalog is borrowed. */
ERR_MUST_USE bool stream_tables_init(stream_tables *s, const catalog_def *c, bool fold_case, err *e);
void stream_tables_finish(stream_tables *s);
/* A log file or connection begins: all maps end. */
void stream_tables_forget(stream_tables *s);
/* The statement is over: row events need new maps. */
void stream_tables_end_statement(stream_tables *s);
ERR_MUST_USE bool stream_tables_map(stream_tables *s, const binlog_event *ev, const binlog_format *f, err *e);

typedef struct stream_rows {
    uint64_t table_id;
    bool statement_end;
    const struct stream_map *map; /* NULL: not a selected table */
} stream_rows;

/* Which table the row event (of any format) changes. Fails with ERR_SOURCE_LOG_CORRUPT when no map says so. */
ERR_MUST_USE bool stream_rows_open(stream_tables *s, const binlog_event *ev, const binlog_format *f, stream_rows *ret, err *e);
const table_def *stream_rows_table(const stream_rows *r);
/* Adds the event's changes to t; the values live in t. Filtered tables: a row that moves into the filter is an INSERT, out of it a DELETE.
 * Errors: ERR_SOURCE_LOG_FORMAT (partial images and kinds that cannot be read), ERR_LIMIT when t would hold more than limit_bytes (0 = none). */
ERR_MUST_USE bool stream_rows_read(stream_tables *s, const stream_rows *r, const binlog_event *ev, const binlog_format *f, size_t limit_bytes, txn *t, err *e);
/* Memory that the transaction holds. */
size_t stream_txn_bytes(const txn *t);
/* Is a selected table of this name known? */
const table_def *stream_tables_find(stream_tables *s, str schema, str table);

#endif
