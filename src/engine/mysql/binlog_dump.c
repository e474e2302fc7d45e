/* The replication connection. The socket is read by the client library (it may be TLS), so a waiting read is ended by a small watcher thread that shuts
 * the socket down when the job is cancelled or the source has gone silent. */
#include "engine/mysql/binlog_dump.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define COM_BINLOG_DUMP_NUMBER 18
#define SILENCE_LIMIT_US (30 * 1000000LL)
#define WATCH_MS 1000
/* Above the largest transaction that is taken: then its own limit speaks, with the table's name. */
#define EVENT_ROOM_BYTES (1024UL * 1024)

struct binlog_dump {
    conn *c;
    const engine_env *env;
    pthread_t watcher;
    bool watching;
    int stop_fd;
    atomic_bool waiting; /* in a read */
    atomic_ulong packets;
    atomic_bool silent;  /* the watcher ended a silent connection */
};

bool binlog_dump_is_mariadb(const binlog_dump *d) { return d->c->is_mariadb; }

static const clk *clock_of(const binlog_dump *d) { return d->env->clock ? d->env->clock : clk_system(); }

static void *watch(void *arg)
{
    binlog_dump *d = arg;
    unsigned long seen = 0;
    int64_t since = clk_mono_us(clock_of(d));
    struct pollfd fds[2] = {{.fd = d->stop_fd, .events = POLLIN}, {.fd = d->env->cancel ? d->env->cancel->fd : -1, .events = POLLIN}};
    for (;;) {
        poll(fds, 2, WATCH_MS);
        if (fds[0].revents) return NULL;
        unsigned long now = atomic_load_explicit(&d->packets, memory_order_relaxed);
        int64_t at = clk_mono_us(clock_of(d));
        if (now != seen || !atomic_load_explicit(&d->waiting, memory_order_relaxed)) {
            seen = now;
            since = at;
        }
        bool silent = at - since > SILENCE_LIMIT_US;
        if (!silent && !fds[1].revents) continue;
        atomic_store(&d->silent, silent);
        shutdown((int)mysql_get_socket(d->c->my), SHUT_RDWR);
        return NULL;
    }
}

static bool start_watcher(binlog_dump *d, err *e)
{
    d->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (d->stop_fd < 0) return err_set_errno(e, errno, "eventfd for the binlog reader");
    int bad = pthread_create(&d->watcher, NULL, watch, d);
    if (bad) return err_set_errno(e, bad, "starting the watcher of the binlog reader");
    d->watching = true;
    return true;
}

static void stop_watcher(binlog_dump *d)
{
    if (d->watching) {
        uint64_t one = 1;
        ssize_t n = write(d->stop_fd, &one, sizeof one);
        (void)n; /* an eventfd of value 0 always takes it */
        pthread_join(d->watcher, NULL);
    }
    if (d->stop_fd >= 0) close(d->stop_fd);
}

/* A UUID of our own for this job and replica id: a server ends the older of two dumps with one UUID. */
static void replica_uuid(const engine_env *env, char out[37])
{
    uint64_t x = 0xcbf29ce484222325u, y = env->replica_id;
    for (size_t i = 0; i < env->job_id.n; i++) x = (x ^ (uint8_t)env->job_id.p[i]) * 0x100000001b3u;
    snprintf(out, 37, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(x >> 32), (unsigned)(x >> 16 & 0xffff), (unsigned)(x >> 4 & 0xfff), (unsigned)(x & 0xfff),
             (unsigned long long)(y & 0xffffffffffffu));
}

/* Without the first two the server refuses to send checksummed events; without the capability MariaDB rewrites GTID events into plain statements. */
static bool announce(binlog_dump *d, uint32_t heartbeat_ms, err *e)
{
    char uuid[37];
    replica_uuid(d->env, uuid);
    unsigned long long period_ns = (unsigned long long)heartbeat_ms * 1000000u;
    return conn_execf(d->c, e,
                      "SET @master_binlog_checksum=@@global.binlog_checksum, @source_binlog_checksum=@@global.binlog_checksum, "
                      "@master_heartbeat_period=%llu, @source_heartbeat_period=%llu, @mariadb_slave_capability=4, "
                      "@slave_uuid='%s', @replica_uuid='%s'",
                      period_ns, period_ns, uuid, uuid);
}

static void add_le(buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) buf_add_byte(b, (char)(v >> 8 * i & 0xff));
}

/* COM_BINLOG_DUMP: offset 4, flags 2, replica id 4, file name. */
static bool send_command(binlog_dump *d, str file, uint64_t offset, err *e)
{
    if (offset > UINT32_MAX)
        return err_set(e, ERR_SOURCE_POSITION, "position %.*s:%llu lies beyond 4 GiB, where a dump by offset cannot start; reset the job", STR_ARG(file),
                       (unsigned long long)offset);
    BUF_AUTO b = BUF_INIT;
    add_le(&b, offset, 4);
    add_le(&b, 0, 2);
    add_le(&b, d->env->replica_id, 4);
    buf_add(&b, file);
    if (b.failed) return err_no_memory(e, "the dump command");
    MYSQL *my = d->c->my;
    if (my->methods->db_command(my, (enum enum_server_command)COM_BINLOG_DUMP_NUMBER, b.p, b.n, 1, NULL))
        return conn_error(d->c, e, "starting the binlog dump");
    return true;
}

bool binlog_dump_open(const endpoint *ep, const engine_env *env, str file, uint64_t offset, uint32_t heartbeat_ms, binlog_dump **ret, err *e)
{
    binlog_dump *d = calloc(1, sizeof *d);
    if (!d) return err_no_memory(e, "the binlog reader");
    d->env = env;
    d->stop_fd = -1;
    if (!conn_open(ep, env, CONN_SOURCE, false, &d->c, e)) return free(d), false;
    if (env->row_limit_bytes) d->c->my->net.max_packet_size = env->budget_bytes / 4 + EVENT_ROOM_BYTES;
    if (!announce(d, heartbeat_ms, e) || !start_watcher(d, e) || !send_command(d, file, offset, e)) {
        binlog_dump_close(d);
        return false;
    }
    *ret = d;
    return true;
}

void binlog_dump_close(binlog_dump *d)
{
    if (!d) return;
    stop_watcher(d);
    if (d->c) {
        d->c->broken = true; /* the dump never ends by itself: close without asking */
        d->c->running = false;
        conn_close(d->c);
    }
    free(d);
}

static bool read_failed(binlog_dump *d, err *e)
{
    d->c->broken = true;
    if (d->env->cancel && cancel_asked(d->env->cancel)) return cancel_error(e);
    unsigned number = mysql_errno(d->c->my);
    if (atomic_load(&d->silent))
        return err_set_native(e, ERR_SOURCE_CONNECT, RETRY_RECONNECT, (int)number,
                              "the source sent neither events nor heartbeats for %lld s; check the network and that the server is not frozen",
                              (long long)(SILENCE_LIMIT_US / 1000000));
    if (conn_packet_too_large(d->c)) return conn_error(d->c, e, "reading the binlog");
    if (number == 0) number = 2013;
    return binlog_dump_server_error(number, mysql_error(d->c->my), e);
}

bool binlog_dump_next(binlog_dump *d, str *ret_event, err *e)
{
    if (d->c->broken) return err_set_native(e, ERR_SOURCE_CONNECT, RETRY_RECONNECT, 2006, "the binlog connection is lost");
    atomic_store_explicit(&d->waiting, true, memory_order_relaxed);
    unsigned long n = mysql_net_read_packet(d->c->my);
    atomic_store_explicit(&d->waiting, false, memory_order_relaxed);
    atomic_store_explicit(&d->packets, atomic_load_explicit(&d->packets, memory_order_relaxed) + 1, memory_order_relaxed);
    if ((unsigned int)n == packet_error) return read_failed(d, e);
    const unsigned char *p = d->c->my->net.read_pos;
    if (n >= 1 && p[0] == 0xfe && n < 8) {
        d->c->broken = true;
        return err_set_native(e, ERR_SOURCE_CONNECT, RETRY_RECONNECT, 0, "the source ended the binlog stream; it is probably shutting down");
    }
    if (n < 2 || p[0] != 0) {
        d->c->broken = true;
        return err_set(e, ERR_PROTOCOL, "the source sent a packet of %lu bytes that is not an event (first byte %u); check that it is not a proxy", n,
                       n ? p[0] : 0u);
    }
    *ret_event = (str){(const char *)p + 1, n - 1};
    return true;
}
