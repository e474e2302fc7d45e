/* The log: one logfmt line per event on stderr, level and fields. Secrets never reach it: pass names, ids, codes and texts only.
 * Lower layers (base .. pipeline) do not log: they return errors; job, api, http and cmd log once where an error is handled. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level;

/* Process-wide; set once at start-up. */
void log_set_level(log_level level);
/* Fields put into every line of this process, for example "role=worker job=l3m..."; borrowed for ever. */
void log_set_common_fields(const char *fields);
/* time=… level=… [common fields] event="…" then the formatted fields ("key=value key2=\"…\""; the caller quotes with log_quote). */
void log_event(log_level level, const char *event, const char *fields_format, ...) __attribute__((format(printf, 3, 4)));
/* code, native number and text of e as fields of one line. */
void log_error(const char *event, const err *e);
/* A quoted, escaped form of s in `out` (cut to fit); returns out. */
const char *log_quote(char *out, size_t out_bytes, str s);

#endif
