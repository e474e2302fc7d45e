/* The run functions of the commands, by file. */
#ifndef CMD_RUN_H
#define CMD_RUN_H

#include "cmd/command.h"

/* serve.c */
int run_serve(const args *a);
/* key.c */
int run_key_create(const args *a);
int run_key_list(const args *a);
int run_key_delete(const args *a);
int run_key_sts(const args *a);
/* job.c */
int run_job_list(const args *a);
int run_job_show(const args *a);
int run_job_watch(const args *a);
int run_job_create(const args *a);
int run_job_start(const args *a);
int run_job_pause(const args *a);
int run_job_stop(const args *a);
int run_job_reset(const args *a);
int run_job_delete(const args *a);
int run_copy(const args *a);
/* leftover.c */
int run_leftover_list(const args *a);
int run_leftover_retry(const args *a);
int run_leftover_forget(const args *a);
/* cutover.c */
int run_job_cutover(const args *a);
/* report.c */
int run_job_report(const args *a);
/* api.c */
int run_api(const args *a);
int run_sign(const args *a);
/* reference.c */
int run_man(const args *a);
int run_completion(const args *a);
/* role.c */
int run_worker(const args *a);
int run_probe(const args *a);

#endif
