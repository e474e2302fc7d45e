/* What a SQLSTATE means: error code and retry class. Source: PostgreSQL 15 manual, Appendix A. */
#include <stdio.h>
#include <string.h>

#include "engine/postgresql/pg_conn.h"

typedef enum meaning { PLAIN, LOST, AGAIN, BUSY, UNAVAILABLE, PRIVILEGE, AUTH } meaning;

/* A prefix of two or five characters. */
static const struct {
    const char *state;
    meaning is;
} meanings[] = {
    {"08", LOST}, {"57P01", LOST} /* shutdown */, {"57P02", LOST} /* crash of another session */, {"57P05", LOST} /* idle */, {"25P03", LOST},
    {"57P03", UNAVAILABLE} /* starting up */, {"58", UNAVAILABLE} /* I/O error */, {"53300", BUSY} /* too many connections */,
    {"53", UNAVAILABLE} /* disk full, out of memory */, {"25006", UNAVAILABLE} /* read-only */,
    {"40", AGAIN} /* serialization, deadlock */, {"55P03", AGAIN} /* lock not available */, {"57014", AGAIN} /* cancelled */,
    {"42501", PRIVILEGE}, {"28", AUTH}, {"3D000", AUTH} /* no such database */,
};

static meaning find(const char *state)
{
    for (size_t i = 0; state && i < sizeof meanings / sizeof meanings[0]; i++)
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0) return meanings[i].is;
    return PLAIN;
}

void pg_conn_where(const pg_conn *c, char *out, size_t n)
{
    const endpoint *ep = c->ep;
    snprintf(out, n, "%s %.*s:%u/%.*s as user '%.*s'", c->end == PG_SOURCE ? "source" : "destination", STR_ARG(ep->host), ep->port, STR_ARG(ep->database),
             STR_ARG(ep->user));
}

static int native_of(const char *s) { return s && strlen(s) == 5 ? PG_STATE(s[0], s[1], s[2], s[3], s[4]) : 0; }

/* Without the line feed that libpq puts at the end. */
static int text_length(const char *s)
{
    size_t n = strlen(s);
    while (n && s[n - 1] == '\n') n--;
    return (int)n;
}

/* Their DETAIL is "Failing row contains (...)". */
static bool detail_is_row(const char *state) { return state && (!strcmp(state, "23502") || !strcmp(state, "23514") || !strcmp(state, "44000")); }

/* The server's words without the statement (LINE 1: ...) and without CONTEXT, which both show values. */
static void describe(const PGresult *r, const char *state, char *out, size_t n)
{
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);
    const char *detail = detail_is_row(state) ? NULL : PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
    if (!message) message = PQresultErrorMessage(r);
    snprintf(out, n, "%.*s%s%s%s%s", text_length(message), message, detail ? "; " : "", detail ? detail : "", hint ? "; " : "", hint ? hint : "");
}

bool pg_conn_error(pg_conn *c, const PGresult *r, err *e, const char *what)
{
    char where[400], text[700];
    bool src = c->end == PG_SOURCE;
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL, *context = r ? PQresultErrorField(r, PG_DIAG_CONTEXT) : NULL;
    const char *own = PQerrorMessage(c->pg);
    if (r) describe(r, state, text, sizeof text);
    else snprintf(text, sizeof text, "%.*s", text_length(own), own);
    snprintf(c->context, sizeof c->context, "%s", context ? context : "");
    meaning is = find(state);
    if (!state && PQstatus(c->pg) == CONNECTION_BAD) is = LOST;
    err_code code = src ? ERR_SOURCE_QUERY : ERR_TARGET_QUERY;
    err_retry retry = RETRY_NEVER;
    switch (is) {
    case LOST: code = src ? ERR_SOURCE_CONNECT : ERR_TARGET_CONNECT, retry = RETRY_RECONNECT, c->broken = true; break;
    case AGAIN: code = src ? ERR_SOURCE_QUERY : ERR_TARGET_BUSY, retry = RETRY_TXN; break;
    case BUSY: code = src ? ERR_SOURCE_CONNECT : ERR_TARGET_BUSY, retry = RETRY_LATER; break;
    case UNAVAILABLE: code = src ? ERR_SOURCE_QUERY : ERR_TARGET_UNAVAILABLE, retry = RETRY_LATER; break;
    case PRIVILEGE: code = src ? ERR_SOURCE_PRIVILEGE : ERR_TARGET_PRIVILEGE; break;
    case AUTH: code = src ? ERR_SOURCE_AUTH : ERR_TARGET_AUTH; break;
    case PLAIN: break;
    }
    pg_conn_where(c, where, sizeof where);
    return err_set_native(e, code, retry, native_of(state), "%s: %s%s%s (%s)", where, state ? state : "", state ? ": " : "", text, what);
}
