/* The HTTP listeners: requests in, the API's answers, health and metrics out. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "api/api.h"

#define HTTP_MAX_CONNECTIONS 256
#define HTTP_REQUEST_DEADLINE_S 60

typedef struct http_server http_server;

typedef struct http_listener {
    const char *address;   /* numeric IPv4 or IPv6, "0.0.0.0" */
    uint16_t port;         /* 0: the kernel picks one */
    const char *cert_file, *key_file; /* both set: TLS */
    uint32_t deadline_s;   /* a connection whose next request is not complete after this time is cut; 0: HTTP_REQUEST_DEADLINE_S */
} http_listener;

/* Starts one listener; api and service are borrowed until http_stop. */
ERR_MUST_USE bool http_start(const http_listener *l, api *a, service *s, http_server **ret, err *e);
/* Lets running requests finish. NULL is fine. */
void http_stop(http_server *h);
/* The port it listens on. */
uint16_t http_port(const http_server *h);

#endif
