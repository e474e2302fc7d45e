/* What the engines' repairs and counts share. */
#include "engine/repair.h"

void repair_add_where(buf *out, const table_def *t, str condition)
{
    if (condition.n || t->filter_sql.n) buf_add_c(out, " WHERE ");
    if (condition.n) buf_printf(out, "(%.*s)", STR_ARG(condition));
    if (condition.n && t->filter_sql.n) buf_add_c(out, " AND ");
    if (t->filter_sql.n) buf_printf(out, "(%.*s\n)", STR_ARG(t->filter_sql)); /* a comment at the end of the filter ends with the line */
}
