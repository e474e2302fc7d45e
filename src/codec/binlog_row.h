/* Row events: WRITE, UPDATE, DELETE of formats 1 (23-25) and 2 (30-32) into values of the model.
 *
 * Post-header: table id 6, flags 2, in format 2 a length 2 (itself included) and extra data. Body: column count lenenc, bits of the columns in the (before)
 * image, for UPDATE bits of the after image, then rows: null bits of the columns in the image, values. Sources: MySQL Rows_event manual page, field
 * encodings measured on MariaDB 10.11 and MySQL 9.7 (tests/golden/binlog).
 *
 * Forms: those of model/value.h. A column that is not in the image is VAL_ABSENT. Lifetime: values of text, bytes, bits, blobs and geometry point into the
 * event's bytes, all others into the arena. The caller keeps the event (copied once into the transaction's arena) as long as the values. */
#ifndef CODEC_BINLOG_ROW_H
#define CODEC_BINLOG_ROW_H

#include "base/buf.h"
#include "codec/binlog_table_map.h"
#include "model/batch.h"

/* Flags of a row event. */
#define BINLOG_ROWS_STMT_END 0x1 /* the statement ends: all table maps are forgotten */
#define BINLOG_ROWS_NO_FOREIGN_KEY_CHECKS 0x2
/* Table id of the empty row event that only carries STMT_END. */
#define BINLOG_ROWS_DUMMY_TABLE_ID 0xffffffull

typedef struct binlog_rows {
    change_kind kind;
    uint64_t table_id;
    uint16_t flags;
    uint32_t column_count;
    const uint8_t *in_before, *in_after; /* bits of the columns in the images, borrowed from the event; the one that the kind lacks is NULL */
    str images;                          /* the rows that are still to be read */
    uint32_t log_pos;
} binlog_rows;

/* Header and bitmaps of a row event. */
ERR_MUST_USE bool binlog_rows_parse(const binlog_event *ev, const binlog_format *f, binlog_rows *ret, err *e);

/* How each column of a table is read; made once per table map and definition. */
typedef struct binlog_plan_column {
    uint8_t how;   /* private to binlog_row.c */
    uint8_t kind;  /* val_kind of the result */
    bool carried;  /* false: read over, VAL_ABSENT */
    bool is_unsigned;
    uint32_t size, scale;
    uint32_t text_bytes; /* most bytes the value takes in the arena, 0 = none or not bounded by the type */
} binlog_plan_column;

typedef struct binlog_plan {
    uint32_t column_count;
    uint32_t text_bytes; /* sum over the columns */
    binlog_plan_column *columns;
    const binlog_table_map *map;
} binlog_plan;

/* Checks the map against the definition (binlog_table_map_check) and resolves the readers. t may be NULL: then by the map alone, where the sign of integers
 * is known only with metadata (signed without), BINARY and CHAR are told apart by the collation (CHAR without). Columns that are generated or not selected
 * become VAL_ABSENT unless `all_columns`. Memory: the arena; the plan borrows the map. */
ERR_MUST_USE bool binlog_plan_build(const binlog_table_map *m, const table_def *t, bool all_columns, arena *a, binlog_plan *ret, err *e);

/* Scratch memory of a reader, kept over rows; free with binlog_reader_finish. */
typedef struct binlog_reader {
    buf json;
} binlog_reader;
void binlog_reader_finish(binlog_reader *r);

/* The next row of the event. *ret_more is false (and nothing else written) after the last one. *ret_before and *ret_after: column_count values in the arena,
 * NULL for the image that the kind lacks. Errors: ERR_SOURCE_LOG_CORRUPT naming table and column, ERR_NOT_SUPPORTED, ERR_NO_MEMORY. */
ERR_MUST_USE bool binlog_rows_next(binlog_rows *rows, const binlog_plan *p, binlog_reader *r, arena *a, const val **ret_before, const val **ret_after,
                                   bool *ret_more, err *e);

/* Size check: every column of the image must be present, else partial images (binlog_row_image MINIMAL, NOBLOB) are in use. */
bool binlog_rows_full_images(const binlog_rows *rows);

#endif
