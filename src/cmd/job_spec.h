/* What the user wrote about a job (URLs, object lists, passwords) as parameters of ConfigureDtsJob. */
#ifndef CMD_JOB_SPEC_H
#define CMD_JOB_SPEC_H

#include "cmd/client.h"

typedef struct job_url {
    str engine, user, host, port, database;
} job_url;

/* "mysql://user@host:port/database"; port and database may be missing. A password in the URL is refused: it would show in the process list. */
ERR_MUST_USE bool job_url_parse(const char *text, const char *option, job_url *ret, err *e);
/* The password of one end: SLUICE_SOURCE_PASSWORD / SLUICE_TARGET_PASSWORD, the file of --source-password-file / --target-password-file, else asked at
 * the terminal. end: "source" or "target". */
ERR_MUST_USE bool job_password(const args *a, const char *end, const job_url *u, secret *ret, err *e);
/* "shop,crm.customers,old=new,shop.t=t_new" → DbList JSON text in the arena. */
ERR_MUST_USE bool job_objects(const char *list, arena *a, str *ret, err *e);
/* Adds SourceEndpoint... or DestinationEndpoint... parameters. */
void job_endpoint_params(client_params *p, bool target, const job_url *u, const secret *password);

#endif
