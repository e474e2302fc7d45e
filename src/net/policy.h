/* Which addresses an endpoint may have: link-local ranges (cloud metadata services) are refused unless allowed. */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include "base/err.h"

/* Checks a numeric address, or every address a name resolves to by itself when connecting (a name is accepted here). ERR_ADDRESS_REFUSED with the reason. */
ERR_MUST_USE bool policy_check_host(str host, err *e);

#endif
