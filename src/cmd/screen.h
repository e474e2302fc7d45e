/* Text for people: columns, bars, numbers. Names come from databases: whatever would steer a terminal is shown as '?'. */
#ifndef CMD_SCREEN_H
#define CMD_SCREEN_H

#include <stdio.h>

#include "base/buf.h"

/* What an output can show. */
typedef struct screen {
    bool terminal; /* lines may be drawn again */
    bool blocks;   /* UTF-8 blocks for bars; else '#' and '.' */
    int columns;   /* 40 to 1000; 100 when it is not a terminal */
    int rows;      /* 10 or more; 24 when it is not a terminal */
} screen;

/* Looks at the output and at TERM, LC_ALL, LC_CTYPE and LANG. */
screen screen_of(FILE *out);

/* Columns that UTF-8 text takes: wide characters two, combining ones none, an invalid byte one. */
size_t screen_width(str text);
/* The text with control characters and invalid bytes as '?'; of several lines, each further one is indented by that many spaces. */
void screen_add(buf *b, str text);
void screen_add_lines(buf *b, str text, size_t indent);
/* The text cut to the columns (with a final '~' when cut) and filled with spaces up to them. */
void screen_add_cell(buf *b, str text, size_t columns);
/* done of total as a bar of that many cells; total 0 is an empty bar. */
void screen_add_bar(buf *b, const screen *s, int64_t done, int64_t total, int cells);
/* 1001000 as "1 001 000". */
void screen_add_count(buf *b, int64_t n);
/* "87 rows/s", "211 k rows/s", "1.3 M rows/s". */
void screen_add_rate(buf *b, double rows_per_s);
/* Seconds as "0:07", "12:30", "1:02:03". */
void screen_add_time(buf *b, int64_t seconds);
/* Milliseconds as "12 ms", "3.4 s", "2 min", "5 h". */
void screen_add_delay(buf *b, int64_t ms);

/* The words of a text that begins in column `at`, broken between words at `columns` (0: never), further lines indented to `at`. */
void screen_add_words(buf *b, str text, size_t at, size_t columns);

#define SCREEN_TABLE_COLUMNS 12

/* A table whose columns are as wide as their widest cell. Cells are borrowed until screen_put_table(). */
typedef struct screen_table {
    size_t columns;
    const str *cells; /* row by row, the heading first */
    size_t rows;
} screen_table;

void screen_put_table(FILE *out, const screen_table *t);

#endif
