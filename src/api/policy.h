/* Access policies of keys: JSON {"Statement":[{"Effect":"Allow"|"Deny","Action":"dts:Describe*"|[...],"Resource":"acs:dts:*:*:instance/<id>"|[...]}]}.
 * Deny wins over Allow, nothing matching denies; '*' stands for any text. Source: RAM policies for DTS. */
#ifndef API_POLICY_H
#define API_POLICY_H

#include "base/err.h"

/* Checks the text's form; a message that names the member. */
ERR_MUST_USE bool policy_check(str policy, err *e);
/* policy empty: everything is allowed. instance_id empty: resource "*" is meant. A policy that cannot be read allows nothing. */
bool policy_allows(str policy, str action, str instance_id);

#endif
