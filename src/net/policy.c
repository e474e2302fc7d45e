/* The address policy of endpoints. */
#include "net/policy.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool refused_v4(uint32_t ip)
{
    return (ip & 0xffff0000U) == 0xa9fe0000U /* 169.254/16 */ || ip == 0x646464c8U /* 100.100.100.200 */ || ip == 0 || (ip & 0xf0000000U) == 0xe0000000U;
}

static bool refused_v6(const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_V4MAPPED(ip))
        return refused_v4((uint32_t)ip->s6_addr[12] << 24 | (uint32_t)ip->s6_addr[13] << 16 | (uint32_t)ip->s6_addr[14] << 8 | ip->s6_addr[15]);
    return IN6_IS_ADDR_LINKLOCAL(ip) || IN6_IS_ADDR_MULTICAST(ip) || IN6_IS_ADDR_UNSPECIFIED(ip);
}

static bool refuse(const char *host, err *e)
{
    return err_set(e, ERR_ADDRESS_REFUSED, "%s is a link-local, metadata or multicast address, which no endpoint may have", host);
}

bool policy_check_host(str host, err *e)
{
    char text[256];
    struct in_addr v4;
    struct in6_addr v6;
    snprintf(text, sizeof text, "%.*s", STR_ARG(host));
    bool bad = (inet_pton(AF_INET, text, &v4) == 1 && refused_v4(ntohl(v4.s_addr))) || (inet_pton(AF_INET6, text, &v6) == 1 && refused_v6(&v6));
    return !bad || refuse(text, e);
}

bool policy_check_resolved(str host, err *e)
{
    char text[256];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    bool bad = false;
    if (!policy_check_host(host, e)) return false;
    snprintf(text, sizeof text, "%.*s", STR_ARG(host));
    if (!text[0] || getaddrinfo(text, NULL, &hints, &list) != 0) return true;
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        if (a->ai_family == AF_INET) {
            memcpy(&v4, a->ai_addr, sizeof v4);
            bad = bad || refused_v4(ntohl(v4.sin_addr.s_addr));
        } else if (a->ai_family == AF_INET6) {
            memcpy(&v6, a->ai_addr, sizeof v6);
            bad = bad || refused_v6(&v6.sin6_addr);
        }
    }
    freeaddrinfo(list);
    return !bad || refuse(text, e);
}
