/* XA branches that were prepared and have changed no selected table: their COMMIT may be passed. They are part of the position, so that a worker that
 * starts in between knows them too. */
#ifndef ENGINE_MYSQL_STREAM_XA_H
#define ENGINE_MYSQL_STREAM_XA_H

#include "base/buf.h"
#include "base/err.h"
#include "codec/binlog_event.h"

/* Open branches at one time. */
#define STREAM_XA_MAX_BRANCHES 1000

typedef struct stream_xa {
    char *open[STREAM_XA_MAX_BRANCHES]; /* "x'61',x'62',1", owned; a map would keep what was removed */
    uint32_t count;
    buf text;     /* of all, separated by semicolons */
    bool changed; /* text is older than the list */
} stream_xa;

/* From a position's text. ERR_SOURCE_POSITION when it is not well formed. */
ERR_MUST_USE bool stream_xa_restore(stream_xa *x, str text, err *e);
void stream_xa_finish(stream_xa *x);
/* For a position; borrowed until the next change. Empty when no branch is open. */
ERR_MUST_USE bool stream_xa_text(stream_xa *x, str *ret, err *e);
ERR_MUST_USE bool stream_xa_prepared(stream_xa *x, const binlog_xa_id *id, err *e);
/* The branch was committed or rolled back. id: as it stands in the log's statement, "X'61',X'62',1". False when it was not known. */
bool stream_xa_ended(stream_xa *x, str id);

#endif
