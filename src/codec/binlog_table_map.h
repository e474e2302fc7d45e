/* TABLE_MAP events: which table and columns the row events of one table id mean.
 *
 * Post-header: table id 6, flags 2. Body: schema and table (length 1, bytes, NUL), column count lenenc, types 1 each, metadata (lenenc block),
 * nullable bits, then optional metadata as type 1, length lenenc, value. Sources: MySQL Table_map_event manual page, MariaDB 10.11 and MySQL 9.7 bytes. */
#ifndef CODEC_BINLOG_TABLE_MAP_H
#define CODEC_BINLOG_TABLE_MAP_H

#include "codec/binlog_event.h"
#include "model/table.h"

/* Column types on the wire. */
enum binlog_column_type {
    BINLOG_COL_DECIMAL = 0, BINLOG_COL_TINY = 1, BINLOG_COL_SHORT = 2, BINLOG_COL_LONG = 3, BINLOG_COL_FLOAT = 4, BINLOG_COL_DOUBLE = 5,
    BINLOG_COL_NULL = 6, BINLOG_COL_TIMESTAMP = 7, BINLOG_COL_LONGLONG = 8, BINLOG_COL_INT24 = 9, BINLOG_COL_DATE = 10, BINLOG_COL_TIME = 11,
    BINLOG_COL_DATETIME = 12, BINLOG_COL_YEAR = 13, BINLOG_COL_NEWDATE = 14, BINLOG_COL_VARCHAR = 15, BINLOG_COL_BIT = 16,
    BINLOG_COL_TIMESTAMP2 = 17, BINLOG_COL_DATETIME2 = 18, BINLOG_COL_TIME2 = 19,
    BINLOG_COL_BLOB_COMPRESSED = 140, BINLOG_COL_VARCHAR_COMPRESSED = 141, /* MariaDB */
    BINLOG_COL_VECTOR = 242, BINLOG_COL_TYPED_ARRAY = 244, BINLOG_COL_JSON = 245, BINLOG_COL_NEWDECIMAL = 246, BINLOG_COL_ENUM = 247,
    BINLOG_COL_SET = 248, BINLOG_COL_TINY_BLOB = 249, BINLOG_COL_MEDIUM_BLOB = 250, BINLOG_COL_LONG_BLOB = 251, BINLOG_COL_BLOB = 252,
    BINLOG_COL_VAR_STRING = 253, BINLOG_COL_STRING = 254, BINLOG_COL_GEOMETRY = 255,
};

#define BINLOG_COLLATION_BINARY 63

typedef struct binlog_column {
    uint8_t type;      /* the real type: ENUM and SET are taken out of STRING */
    bool nullable;
    bool is_unsigned;  /* only when the map has_signedness */
    bool visible;      /* false: INVISIBLE; true without the metadata */
    bool primary;      /* part of the primary key, when the map has_primary_key */
    uint32_t size;     /* STRING, VARCHAR: most bytes; ENUM, SET: bytes of the number; BLOB family: bytes of the length; BIT: bits;
                          NEWDECIMAL: digits; *2 temporals: fraction digits; FLOAT, DOUBLE: bytes */
    uint32_t scale;    /* NEWDECIMAL: digits after the point */
    uint32_t collation;/* id of character, ENUM and SET columns; 0 = not told; 63 = binary */
    uint32_t geometry; /* geometry type */
    str name;          /* p == NULL: not told */
    const str *labels; /* ENUM, SET: NULL = not told */
    uint32_t label_count;
} binlog_column;

typedef struct binlog_table_map {
    uint64_t id;
    uint16_t flags;
    str schema, table; /* utf8 */
    uint32_t column_count;
    binlog_column *columns;
    bool has_signedness, has_primary_key, has_visibility;
} binlog_table_map;

/* Reads only the table id of a TABLE_MAP event. */
ERR_MUST_USE bool binlog_table_map_id(const binlog_event *ev, const binlog_format *f, uint64_t *ret_id, err *e);
/* Arrays and all strings are copied into the arena: the map outlives the event. */
ERR_MUST_USE bool binlog_table_map_parse(const binlog_event *ev, const binlog_format *f, arena *a, binlog_table_map *ret, err *e);
/* True when the table description that the row events use is the same in both (all but the table id). */
bool binlog_table_map_equal(const binlog_table_map *a, const binlog_table_map *b);
/* The map fits the known definition: number of columns, type and size of each, and what the metadata tells of sign, character set, name.
 * Error: ERR_SOURCE_SCHEMA naming the column, ERR_NOT_SUPPORTED for a column whose values cannot be read. */
ERR_MUST_USE bool binlog_table_map_check(const binlog_table_map *m, const table_def *t, err *e);

#endif
