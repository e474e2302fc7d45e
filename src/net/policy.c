/* The address policy of endpoints. */
#include "net/policy.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool refused_v4(uint32_t ip)
{
    return (ip & 0xffff0000U) == 0xa9fe0000U /* 169.254/16 */ || ip == 0x646464c8U /* 100.100.100.200 */ || ip == 0 || (ip & 0xf0000000U) == 0xe0000000U;
}

bool policy_check_host(str host, err *e)
{
    char text[256];
    struct in_addr v4;
    struct in6_addr v6;
    snprintf(text, sizeof text, "%.*s", STR_ARG(host));
    bool bad = inet_pton(AF_INET, text, &v4) == 1 && refused_v4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, text, &v6) == 1) {
        bad = IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_MULTICAST(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6))
            bad = refused_v4((uint32_t)v6.s6_addr[12] << 24 | (uint32_t)v6.s6_addr[13] << 16 | (uint32_t)v6.s6_addr[14] << 8 | v6.s6_addr[15]);
    }
    return !bad || err_set(e, ERR_ADDRESS_REFUSED, "%s is a link-local, metadata or multicast address, which no endpoint may have", text);
}
