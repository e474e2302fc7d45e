/* Connecting, with TLS where the server offers it. What it offers is read in its greeting, on the same connection, before the library answers: MariaDB
 * Connector/C 3.3.20 with MYSQL_OPT_SSL_ENFORCE and without certificate verification takes a server without TLS, and then sends the password of
 * caching_sha2_password and sha256_password as it is (measured with MySQL 9.7.4, tls_version=''); without the option it encrypts it with the server's key. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cursor.h"
#include "engine/mysql/conn.h"

#define CAPABILITY_TLS 0x0800u
#define GREETING_BYTES 512 /* enough for every version text that servers have */

typedef enum tls_offer { OFFER_UNKNOWN, OFFER_NONE, OFFER_TLS } tls_offer;

/* HandshakeV10: version text, thread, first part of the salt, filler, low capabilities. Another packet (an error) offers nothing, and asks for nothing. */
static tls_offer read_greeting(str packet, bool *ret_whole)
{
    cursor c = cursor_of(packet);
    uint32_t length = cursor_u24(&c);
    cursor_skip(&c, 1);
    uint8_t protocol = cursor_u8(&c);
    *ret_whole = !c.failed && protocol != 10;
    if (c.failed || protocol != 10) return OFFER_UNKNOWN;
    size_t end = str_find_byte(packet, 0, 5);
    cursor_skip(&c, end == SIZE_MAX ? packet.n : end - 5 + 1 + 4 + 8 + 1);
    uint16_t capabilities = cursor_u16(&c);
    *ret_whole = !c.failed || packet.n >= (size_t)length + 4 || packet.n == GREETING_BYTES;
    if (c.failed) return OFFER_UNKNOWN;
    return capabilities & CAPABILITY_TLS ? OFFER_TLS : OFFER_NONE;
}

/* Looks at the greeting and leaves it to the library. */
static tls_offer await_greeting(int fd, int timeout_ms)
{
    char bytes[GREETING_BYTES];
    for (int tries = 0; tries < 100; tries++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, timeout_ms) <= 0) return OFFER_UNKNOWN;
        ssize_t n = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
        if (n <= 0) return OFFER_UNKNOWN;
        bool whole;
        tls_offer offer = read_greeting((str){bytes, (size_t)n}, &whole);
        if (whole) return offer;
        (void)!nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); /* the rest is under way */
    }
    return OFFER_UNKNOWN;
}

static int wait_for(MYSQL *my, int what)
{
    struct pollfd p = {.fd = mysql_get_socket(my), .events = (short)((what & MYSQL_WAIT_READ ? POLLIN : 0) | (what & MYSQL_WAIT_WRITE ? POLLOUT : 0))};
    int n;
    do n = poll(&p, 1, what & MYSQL_WAIT_TIMEOUT ? (int)mysql_get_timeout_value_ms(my) : -1);
    while (n < 0 && errno == EINTR);
    if (n <= 0) return MYSQL_WAIT_TIMEOUT;
    int ready = (p.revents & POLLIN ? MYSQL_WAIT_READ : 0) | (p.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0);
    return ready & what ? ready & what : what & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE); /* an error: the library meets it */
}

/* False: the job wants TLS and the server has none. */
static bool choose_tls(MYSQL *my, tls_mode mode, tls_offer offer)
{
    my_bool on = offer == OFFER_TLS;
    if (mode == TLS_OFF || offer == OFFER_UNKNOWN) return true;
    if (mode >= TLS_REQUIRE) return on;
    (void)!mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &on);
    return true;
}

bool conn_connect(MYSQL *my, const char *host, const char *user, const endpoint *ep, uint32_t timeout_s, bool *ret_refused)
{
    MYSQL *connected = NULL;
    my_bool enforce = ep->tls >= TLS_REQUIRE;
    bool looked = false;
    *ret_refused = false;
    if (mysql_options(my, MYSQL_OPT_NONBLOCK, 0) || mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &enforce)) return false;
    int waits = mysql_real_connect_start(&connected, my, host, user, secret_c(&ep->password), NULL, ep->port, NULL, 0);
    while (waits) {
        int ready = wait_for(my, waits);
        struct pollfd p = {.fd = mysql_get_socket(my), .events = POLLOUT};
        if (!looked && !(ready & MYSQL_WAIT_TIMEOUT) && poll(&p, 1, 0) == 1 && p.revents == POLLOUT) {
            looked = true;
            if (!choose_tls(my, ep->tls, await_greeting(p.fd, (int)timeout_s * 1000))) {
                *ret_refused = true;
                return false;
            }
        }
        waits = mysql_real_connect_cont(&connected, my, ready);
    }
    return connected != NULL;
}
