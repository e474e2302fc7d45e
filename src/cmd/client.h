/* A client of the API: signs (V3) and sends actions, over HTTP or HTTPS. */
#ifndef CMD_CLIENT_H
#define CMD_CLIENT_H

#include <jansson.h>

#include "base/secret.h"
#include "cmd/command.h"
#include "codec/signature.h"

#define CLIENT_MAX_PARAMETERS 100

typedef struct client {
    char endpoint[512];  /* "http://127.0.0.1:8888" */
    char region[64];
    secret key_id, key_secret, token;
    const char *ca_file;
    bool debug;          /* print method, headers without secrets and RequestId on stderr */
    arena mem;           /* of the whole command */
} client;

/* Parameters of one action. Values are borrowed. */
typedef struct client_params {
    name_value items[CLIENT_MAX_PARAMETERS];
    size_t count;
} client_params;

/* What the options --endpoint, --profile, --ca and the environment say (SLUICE_ENDPOINT, ALIBABA_CLOUD_ACCESS_KEY_ID, ..., the aliyun CLI's
 * profile file). ERR_AUTH when there is no key. */
ERR_MUST_USE bool client_open(const args *a, client *ret, err *e);
void client_close(client *c);
void client_param(client_params *p, const char *name, str value);
void client_param_c(client_params *p, const char *name, const char *value);
/* The answer's tree (free with json_decref). A refusal of the API becomes an err whose exit status is right: JOB_NOT_FOUND, JOB_STATE, BAD_INPUT,
 * AUTH, ...; no connection: ERR_UNREACHABLE. The text has the Message and a second line with Code and RequestId. ret_status and the answer of a refusal only when asked. */
ERR_MUST_USE bool client_call(client *c, const char *action, const client_params *p, json_t **ret, err *e);
/* The same without turning refusals into errors: HTTP status and body text in the client's arena. */
ERR_MUST_USE bool client_call_raw(client *c, const char *action, const client_params *p, int *ret_status, str *ret_body, err *e);
/* What a call would sign: canonical request and string to sign, in the client's arena. */
void client_explain(client *c, const char *action, const client_params *p, str *ret_canonical, str *ret_string_to_sign, str *ret_authorization);
/* The err of a refusal body. Returns false. */
bool client_refusal(int status, str body, err *e);

/* Member texts of answers: "" when missing. */
const char *answer_text(const json_t *o, const char *name);
int64_t answer_number(const json_t *o, const char *name);

/* The options every client command has; put them into the command's table. */
#define CLIENT_OPTIONS                                                                                                            \
    {"endpoint", 'e', "URL", "Address of the service (default http://127.0.0.1:8888)."},                                           \
        {"profile", 0, "NAME", "Profile of the aliyun CLI's configuration file to take the key from."},                            \
        {"ca", 0, "FILE", "Certificate authority to trust for https."}, {"debug", 0, NULL, "Show requests on stderr, without secrets."}, \
        {"output", 'o', "FORMAT", "text (default) or json."}

#endif
