/* The SQL that repairs what a precheck found, in the words of one engine. Each call appends statements, one a line, or nothing where SQL is no help. Lines
 * that begin with "--" are comments. */
#ifndef ENGINE_REPAIR_H
#define ENGINE_REPAIR_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"

struct repair_ops {
    /* An end refused us with e. */
    void (*login)(const endpoint *ep, const err *e, buf *out);
    /* At the source: the child no longer refers to its parent. */
    void (*drop_foreign_key)(const table_def *t, const foreign_key_def *f, buf *out);
    /* At the source: a table without a key gets one. */
    void (*add_key)(const table_def *t, const server_info *server, buf *out);
};

#endif
