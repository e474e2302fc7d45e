/* What an account may do, from SHOW GRANTS. */
#ifndef ENGINE_MYSQL_GRANTS_H
#define ENGINE_MYSQL_GRANTS_H

#include "engine/mysql/mysql.h"

typedef struct grant_line {
    bool revoke;           /* a partial revoke of MySQL */
    str privileges;        /* "SELECT, INSERT" */
    str schema, table;     /* p == NULL: all; schema is a LIKE pattern */
    struct grant_line *next;
} grant_line;

typedef struct grants {
    grant_line *first;
    str account;           /* 'user'@'host', as the server matched it */
} grants;

/* The privileges of this session's account with its active roles. */
ERR_MUST_USE bool grants_read(conn *c, arena *a, grants *ret, err *e);
/* Takes one line of SHOW GRANTS apart; false when it is no GRANT or REVOKE of privileges (a role, PROXY). */
bool grants_parse_line(str line, arena *a, grant_line *ret);
/* schema.p == NULL: asks for a global privilege; table.p == NULL: for the whole schema. */
bool grants_have(const grants *g, const char *privilege, str schema, str table);
/* str LIKE pattern, with \ as escape. */
bool grants_like(str s, str pattern);

#endif
