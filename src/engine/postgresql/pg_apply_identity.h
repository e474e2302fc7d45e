/* Updates of rows with an identity column GENERATED ALWAYS, which no UPDATE may set but to its default. A source tells its old value only in the key or in a
 * whole image; else the row itself tells whether it changes. */
#ifndef ENGINE_POSTGRESQL_PG_APPLY_IDENTITY_H
#define ENGINE_POSTGRESQL_PG_APPLY_IDENTITY_H

#include "engine/postgresql/pg_table.h"

/* The images say that it stays, or the update does not carry it: an UPDATE without it is right. */
bool pg_apply_identity_is_kept(const pg_table *t, const val *before, const val *after);
/* The column's old value is not told: it may have changed. */
bool pg_apply_identity_is_unknown(const pg_table *t, uint32_t column, const val *before, const val *after);
/* One statement that updates the row where the column stays, and puts a new row in the place of one where it changes. Its count: the rows updated or replaced.
 * ERR_NOT_SUPPORTED where replacing the row would do more than that: a foreign key acts on its child rows. */
ERR_MUST_USE bool pg_apply_identity_update(buf *b, const pg_table *t, const val *before, const val *after, err *e);

#endif
