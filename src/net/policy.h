/* Which addresses an endpoint may have: link-local ranges (cloud metadata services) are refused unless allowed. */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include "base/err.h"

/* Checks a numeric address; a name is accepted here, without asking the resolver. ERR_ADDRESS_REFUSED with the reason. */
ERR_MUST_USE bool policy_check_host(str host, err *e);
/* The same, and every address that a name has now: for the processes that are about to connect. Asks the resolver and may wait for it; a name it does not know is
 * accepted, connecting to it fails by itself. */
ERR_MUST_USE bool policy_check_resolved(str host, err *e);

#endif
