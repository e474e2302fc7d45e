/* Which addresses an endpoint may have. Refused unless allowed by name: link-local and metadata ranges (cloud credentials), multicast, the unspecified address, and the
 * service's own listeners (any address of this host with one of their ports). */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include <netinet/in.h>

#include "base/err.h"

#define POLICY_MAX_ALLOWED 64
#define POLICY_MAX_HOST_BYTES 255
#define POLICY_OWN_PORTS 4

/* One entry of --allow-endpoint: a range of addresses with every port, or a host with one port. */
typedef struct policy_rule {
    struct in6_addr net;    /* IPv4 as ::ffff:a.b.c.d; of a host entry only when the host is numeric */
    uint8_t prefix;         /* bits of net that count */
    bool is_range, numeric;
    uint16_t port;          /* of a host entry */
    char host[POLICY_MAX_HOST_BYTES + 1];
} policy_rule;

typedef struct net_policy {
    policy_rule allowed[POLICY_MAX_ALLOWED];
    uint32_t allowed_count;
    str allowed_text;       /* the list they were read from; borrowed */
    uint16_t own_ports[POLICY_OWN_PORTS];
    _Atomic uint32_t own_count; /* grows while listeners start */
} net_policy;

/* "10.0.0.0/8,fd00::/8,169.254.7.7,db.local:3306,[::1]:8888": once per policy; the list is borrowed. ERR_BAD_INPUT names the entry. */
ERR_MUST_USE bool policy_allow(net_policy *p, str list, err *e);
/* A listener of this service. More than POLICY_OWN_PORTS are ignored. */
void policy_add_own_port(net_policy *p, uint16_t port);
/* Checks a numeric address; a name is accepted here, without asking the resolver. ERR_ADDRESS_REFUSED with the reason. p NULL: nothing is allowed, no own listeners. */
ERR_MUST_USE bool policy_check_host(const net_policy *p, str host, uint16_t port, err *e);
/* The same, and every address that a name has now: for the processes that are about to connect. Asks the resolver and may wait for it; a name it does not know is
 * accepted, connecting to it fails by itself. */
ERR_MUST_USE bool policy_check_resolved(const net_policy *p, str host, uint16_t port, err *e);
/* The address at the other end of a connected socket: the name may have had another address when the client library asked. */
ERR_MUST_USE bool policy_check_peer(const net_policy *p, str host, uint16_t port, int fd, err *e);

#endif
