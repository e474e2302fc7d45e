/* The address policy of endpoints. All addresses are compared as IPv6, IPv4 ones as ::ffff:a.b.c.d. */
#include "net/policy.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static struct in6_addr mapped(struct in_addr v4)
{
    struct in6_addr a = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&a.s6_addr[12], &v4, 4);
    return a;
}

/* "10.0.0.1", "fe80::1"; not the other spellings that the resolver takes. */
static bool numeric(const char *text, struct in6_addr *ret)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1) return *ret = mapped(v4), true;
    return inet_pton(AF_INET6, text, ret) == 1;
}

static bool of_sockaddr(const struct sockaddr *sa, struct in6_addr *ret)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (!sa) return false;
    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof v4);
        *ret = mapped(v4.sin_addr);
    } else if (sa->sa_family == AF_INET6) {
        memcpy(&v6, sa, sizeof v6);
        *ret = v6.sin6_addr;
    } else {
        return false;
    }
    return true;
}

static bool in_range(const struct in6_addr *a, const struct in6_addr *net, uint32_t prefix)
{
    if (memcmp(a, net, prefix / 8) != 0) return false;
    uint8_t mask = (uint8_t)(0xff00U >> (prefix % 8));
    return prefix % 8 == 0 || (a->s6_addr[prefix / 8] & mask) == (net->s6_addr[prefix / 8] & mask);
}

static uint32_t v4_of(const struct in6_addr *a)
{
    return (uint32_t)a->s6_addr[12] << 24 | (uint32_t)a->s6_addr[13] << 16 | (uint32_t)a->s6_addr[14] << 8 | a->s6_addr[15];
}

static bool reserved(const struct in6_addr *a)
{
    static const struct in6_addr metadata = {.s6_addr = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}}; /* fd00:ec2::254 of EC2 */
    if (!IN6_IS_ADDR_V4MAPPED(a)) return IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MULTICAST(a) || IN6_IS_ADDR_UNSPECIFIED(a) || IN6_ARE_ADDR_EQUAL(a, &metadata);
    uint32_t ip = v4_of(a);
    return (ip & 0xffff0000U) == 0xa9fe0000U /* 169.254/16 */ || ip == 0x646464c8U /* 100.100.100.200 */ || ip == 0 || ip >= 0xe0000000U /* multicast and above */;
}

/* Does the address belong to this host? Not known counts as yes. */
static bool of_this_host(const struct in6_addr *a)
{
    struct ifaddrs *list = NULL;
    bool found = IN6_IS_ADDR_V4MAPPED(a) ? (v4_of(a) & 0xff000000U) == 0x7f000000U : IN6_IS_ADDR_LOOPBACK(a);
    if (found || getifaddrs(&list) != 0) return true;
    for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
        struct in6_addr own;
        found = of_sockaddr(i->ifa_addr, &own) && IN6_ARE_ADDR_EQUAL(&own, a);
    }
    freeifaddrs(list);
    return found;
}

static bool is_own_port(const net_policy *p, uint16_t port)
{
    for (uint32_t i = 0; p && i < p->own_count; i++)
        if (p->own_ports[i] == port) return true;
    return false;
}

static bool allowed(const net_policy *p, const char *host, const struct in6_addr *a, uint16_t port)
{
    for (uint32_t i = 0; p && i < p->allowed_count; i++) {
        const policy_rule *r = &p->allowed[i];
        if (r->is_range ? in_range(a, &r->net, r->prefix) : r->port == port && (r->numeric ? IN6_ARE_ADDR_EQUAL(a, &r->net) : strcasecmp(host, r->host) == 0)) return true;
    }
    return false;
}

static bool check(const net_policy *p, const char *host, const struct in6_addr *a, uint16_t port, err *e)
{
    if (allowed(p, host, a, port)) return true;
    if (reserved(a))
        return err_set(e, ERR_ADDRESS_REFUSED, "%s is a link-local, metadata, multicast or unspecified address, which no endpoint may have unless --allow-endpoint of the service names it", host);
    if (is_own_port(p, port) && of_this_host(a))
        return err_set(e, ERR_ADDRESS_REFUSED, "%s port %u is this service's own listener, which no endpoint may be unless --allow-endpoint of the service names it", host, port);
    return true;
}

static const char *to_text(str host, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%.*s", STR_ARG(host));
    return out;
}

bool policy_check_host(const net_policy *p, str host, uint16_t port, err *e)
{
    char text[POLICY_MAX_HOST_BYTES + 1];
    struct in6_addr a;
    return !numeric(to_text(host, text, sizeof text), &a) || check(p, text, &a, port, e);
}

bool policy_check_resolved(const net_policy *p, str host, uint16_t port, err *e)
{
    char text[POLICY_MAX_HOST_BYTES + 1];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    if (!policy_check_host(p, host, port, e)) return false;
    if (!*to_text(host, text, sizeof text) || getaddrinfo(text, NULL, &hints, &list) != 0) return true;
    bool ok = true;
    for (const struct addrinfo *i = list; i && ok; i = i->ai_next) {
        struct in6_addr a;
        ok = !of_sockaddr(i->ai_addr, &a) || check(p, text, &a, port, e);
    }
    freeaddrinfo(list);
    return ok;
}

bool policy_check_peer(const net_policy *p, str host, uint16_t port, int fd, err *e)
{
    char text[POLICY_MAX_HOST_BYTES + 1];
    struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
    socklen_t n = sizeof sa;
    struct in6_addr a;
    if (getpeername(fd, (struct sockaddr *)&sa, &n) != 0 || !of_sockaddr((struct sockaddr *)&sa, &a)) return true; /* it has ended already */
    return check(p, to_text(host, text, sizeof text), &a, port, e);
}

void policy_add_own_port(net_policy *p, uint16_t port)
{
    if (p->own_count == POLICY_OWN_PORTS) return;
    p->own_ports[p->own_count] = port;
    p->own_count++;
}

/* --- the list of --allow-endpoint --- */

static bool parse_range(str item, policy_rule *r)
{
    char text[POLICY_MAX_HOST_BYTES + 1];
    size_t slash = str_find_byte(item, '/', 0);
    uint64_t bits = 128;
    if (!numeric(to_text(str_sub(item, 0, slash), text, sizeof text), &r->net)) return false;
    bool v4 = strchr(text, ':') == NULL;
    if (slash != SIZE_MAX && (!str_to_u64(str_sub(item, slash + 1, SIZE_MAX), &bits) || bits > (v4 ? 32 : 128))) return false;
    if (slash != SIZE_MAX && v4) bits += 96;
    r->prefix = (uint8_t)bits;
    r->is_range = true;
    return true;
}

static bool parse_host(str item, policy_rule *r)
{
    bool bracket = item.n && item.p[0] == '[';
    size_t end = bracket ? str_find_byte(item, ']', 0) : str_find_byte(item, ':', 0), colon = bracket && end != SIZE_MAX ? end + 1 : end;
    str host = bracket ? str_sub(item, 1, end == SIZE_MAX ? 0 : end - 1) : str_sub(item, 0, end);
    uint64_t port;
    if (end == SIZE_MAX || colon >= item.n || item.p[colon] != ':' || !host.n || host.n > POLICY_MAX_HOST_BYTES || str_find_byte(host, '/', 0) != SIZE_MAX) return false;
    if (!str_to_u64(str_sub(item, colon + 1, SIZE_MAX), &port) || port < 1 || port > 65535) return false;
    to_text(host, r->host, sizeof r->host);
    r->port = (uint16_t)port;
    r->numeric = numeric(r->host, &r->net);
    return r->numeric || !bracket;
}

bool policy_allow(net_policy *p, str list, err *e)
{
    str item;
    p->allowed_text = list;
    while (list.n && str_split_next(&list, ',', &item)) {
        policy_rule r = {.prefix = 0};
        item = str_trim(item);
        if (p->allowed_count == POLICY_MAX_ALLOWED) return err_set(e, ERR_LIMIT, "--allow-endpoint has more than %d entries; name larger ranges", POLICY_MAX_ALLOWED);
        if (!parse_range(item, &r) && !parse_host(item, &r))
            return err_set(e, ERR_BAD_INPUT, "--allow-endpoint is not valid: \"%.*s\" is neither ADDRESS/BITS nor HOST:PORT, for example 169.254.0.0/16 or [::1]:8888", STR_ARG(str_sub(item, 0, 100)));
        p->allowed[p->allowed_count++] = r;
    }
    return true;
}
