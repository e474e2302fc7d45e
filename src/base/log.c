/* The log: logfmt lines on stderr. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static log_level threshold = LOG_INFO;
static const char *common_fields = "";

void log_set_level(log_level level) { threshold = level; }
void log_set_common_fields(const char *fields) { common_fields = fields ? fields : ""; }

static void write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(STDERR_FILENO, p, n);
        if (w <= 0) return;
        p += w;
        n -= (size_t)w;
    }
}

void log_event(log_level level, const char *event, const char *fields_format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < threshold) return;
    char line[4096];
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    int n = snprintf(line, sizeof line - 1, "time=%s.%03ldZ level=%s%s%s event=%s%s", stamp, now.tv_nsec / 1000000, names[level],
                     *common_fields ? " " : "", common_fields, event, *fields_format ? " " : "");
    if (n < 0) return;
    size_t used = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    va_list ap;
    va_start(ap, fields_format);
    n = vsnprintf(line + used, sizeof line - 1 - used, fields_format, ap);
    va_end(ap);
    if (n > 0) used = used + (size_t)n < sizeof line - 1 ? used + (size_t)n : sizeof line - 2;
    line[used++] = '\n';
    write_all(line, used);
}

const char *log_quote(char *out, size_t out_bytes, str s)
{
    size_t n = 0;
    if (out_bytes < 3) return "";
    out[n++] = '"';
    for (size_t i = 0; i < s.n && n + 4 < out_bytes; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\') {
            out[n++] = '\\';
            out[n++] = (char)c;
        } else if (c == '\n') {
            out[n++] = '\\';
            out[n++] = 'n';
        } else {
            out[n++] = c < 0x20 ? ' ' : (char)c;
        }
    }
    out[n++] = '"';
    out[n] = 0;
    return out;
}

void log_error(const char *event, const err *e)
{
    char quoted[ERR_TEXT_BYTES * 2];
    log_event(e->code == ERR_CANCELLED ? LOG_INFO : LOG_ERROR, event, "code=%s native=%d text=%s", err_name(e->code), e->native,
              log_quote(quoted, sizeof quoted, str_from_c(e->text)));
}
