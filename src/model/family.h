/* Families: tables joined by foreign keys of which at least one has an action (CASCADE, SET NULL). Where the source's log does not hold the child rows that
 * an action changed, only the same action at the target makes them come out right, and it does so only when every row of the family has the state of one
 * position of the log. */
#ifndef MODEL_FAMILY_H
#define MODEL_FAMILY_H

#include "base/buf.h"
#include "base/err.h"
#include "model/table.h"

/* A foreign key action that changes child rows. */
bool family_is_action(str rule);
/* The foreign key has one. */
bool family_has_action(const foreign_key_def *f);
/* Numbers the tables, sets `referenced` and `family` of each. */
ERR_MUST_USE bool family_link(catalog_def *c, err *e);
/* Appends one sentence per reason why the target's own actions cannot make the table's rows come out right: a parent, column or row that is not carried. */
void family_problems(const catalog_def *c, const table_def *t, buf *out);

#endif
