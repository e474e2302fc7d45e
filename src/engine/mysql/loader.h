/* What the two ways of writing a chunk share. */
#ifndef ENGINE_MYSQL_LOADER_H
#define ENGINE_MYSQL_LOADER_H

#include "engine/mysql/loader_encode.h"
#include "engine/mysql/mysql.h"

struct loader {
    target *t;            /* borrowed: endpoint, environment */
    conn *conn;           /* owned; autocommit off */
    uint64_t epoch;
    bool ignore_existing;
    bool no_local_infile; /* the target forbids LOAD DATA LOCAL: multi-row INSERT */
    buf text;             /* statement or LOAD DATA text, kept over chunks */
};

/* One chunk on its way. */
typedef struct load {
    loader *l;
    const table_def *t;
    load_columns columns;
    const row_feed *feed;
    bool overlap;         /* a duplicate replaces the row that is there, see chunk.overlap */
    row_batch *batch;     /* owned; NULL before the first and after the last */
    uint32_t row;         /* next row of the batch */
    bool end;             /* the feed gave its last batch */
    size_t sent;          /* bytes of l->text already given to the library */
    uint64_t rows;        /* given to the server */
    uint64_t expected;    /* warnings of values that are stored exactly */
    uint64_t skipped;     /* rows that existed before, with ignore_existing */
    err failure;          /* of the feed, inside the library's callback */
} load;

/* The next row or NULL at the end or on failure (l->failure). */
const val *load_next_row(load *l);
/* Writes all rows of the load: by LOAD DATA LOCAL, *ret_refused when the server forbids it (nothing was taken from the feed then). */
ERR_MUST_USE bool load_by_infile(load *l, bool *ret_refused, err *e);
/* Writes all rows of the load by multi-row INSERT. */
ERR_MUST_USE bool load_by_insert(load *l, err *e);
/* Fails with the server's warnings in the text. */
bool load_warnings(load *l, uint64_t records, uint64_t skipped, uint64_t warnings, err *e);

#endif
