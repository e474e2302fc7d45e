/* The task as answers show it (API reference 3.2). */
#ifndef API_JOB_OBJECT_H
#define API_JOB_OBJECT_H

#include "api/api.h"

/* Adds every member of the task to o. now_us: the wall clock, for how long a retry lasts. detail: the forms of DescribeDtsJobDetail (Checkpoint a number,
 * Delay in milliseconds). */
void job_object_fill(json_t *o, const job_record *r, int64_t now_us, bool detail, bool with_objects);
/* UTC time text of the API, "" for 0. */
void job_object_time(json_t *o, const char *name, int64_t at_us);

#endif
