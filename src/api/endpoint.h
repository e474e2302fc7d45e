/* Endpoint parameters of a call: SourceEndpoint... and DestinationEndpoint... */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include "api/api.h"

/* All endpoint parameters of one end, in both spellings of the database's name. Borrowed from the call. */
void call_endpoint(const api_call *c, bool destination, endpoint_request *ret);

#endif
