/* Asking a server to cancel a statement, without waiting for one that does not answer. */
#ifndef ENGINE_POSTGRESQL_PG_CANCEL_H
#define ENGINE_POSTGRESQL_PG_CANCEL_H

#include <libpq-fe.h>

/* Asks for the statement that runs on the connection to be cancelled; returns when the server has taken it, after 3 s at the latest. */
void pg_cancel_ask(PGconn *pg);

#endif
