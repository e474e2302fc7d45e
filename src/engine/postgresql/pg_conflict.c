/* An index's elements and predicate are texts over plain column names. They are read twice: of the new rows in a subquery, where those names are the subquery's,
 * and of the table's rows outside of it. The subquery gives its results names that no column has, and has every column of the table, so that none of its names
 * can mean the table outside. */
#include "engine/postgresql/pg_conflict.h"

void pg_conflict_delete_sql(buf *sql, const pg_table *t, const pg_unique *u, str rows, str spared)
{
    buf_add_c(sql, "DELETE FROM ");
    buf_add(sql, t->from);
    buf_add_c(sql, " WHERE ");
    if (u->predicate.p) buf_printf(sql, "(%.*s) AND ", STR_ARG(u->predicate));
    if (spared.n) buf_printf(sql, "NOT (%.*s) AND ", STR_ARG(spared));
    buf_add_c(sql, "EXISTS (SELECT 1 FROM (SELECT ");
    for (uint32_t i = 0; i < u->count; i++) buf_printf(sql, "%s(%.*s) AS _sluice_new_%u", i ? ", " : "", STR_ARG(u->elements[i]), i);
    buf_add_c(sql, " FROM ");
    buf_add(sql, rows);
    if (u->predicate.p) buf_printf(sql, " WHERE %.*s", STR_ARG(u->predicate));
    buf_add_c(sql, ") AS _sluice_rows WHERE ");
    for (uint32_t i = 0; i < u->count; i++)
        buf_printf(sql, "%s(%.*s) %.*s _sluice_new_%u", i ? " AND " : "", STR_ARG(u->elements[i]), STR_ARG(u->equals[i]), i);
    buf_add_byte(sql, ')');
}
