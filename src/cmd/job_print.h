/* Jobs, prechecks and receipts as text for people. All trees are answers of the API, borrowed. */
#ifndef CMD_JOB_PRINT_H
#define CMD_JOB_PRINT_H

#include <stdio.h>

#include "cmd/client.h"
#include "cmd/screen.h"

/* One line per job of DescribeDtsJobs, columns as wide as their content. */
void job_print_list(FILE *out, const json_t *list);
/* A job of DescribeDtsJobDetail, with the prechecks of DescribePreCheckStatus. */
void job_print(FILE *out, const json_t *job, const json_t *checks);
/* "17 passed, 1 warning, 0 failed" for a list of precheck items. */
void job_add_check_counts(buf *b, const json_t *items);
/* The failed items and the warnings, each with its fix. */
void job_print_checks(FILE *out, const json_t *items);
/* Items of the schema stage of one kind: "table", "view", ... */
size_t job_count_objects(const json_t *items, const char *kind);
/* "1 database, 3 tables, 1 view" for the items of the schema stage. */
void job_add_object_counts(buf *b, const json_t *items);
/* What the end of a stream is doing: "caught up, delay 0 ms, 120 rows/s". */
void job_add_stream(buf *b, const json_t *job);
void job_print_receipt(FILE *out, const json_t *receipt);

#endif
