/* The metrics page in the Prometheus text format. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "api/api.h"

/* Text for GET /metrics; names and meanings stand in metrics.def. False when the catalog cannot answer. */
ERR_MUST_USE bool metrics_render(api *a, service *s, arena *mem, str *ret, err *e);

#endif
