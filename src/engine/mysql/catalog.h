/* Definitions as the source has them: from SHOW CREATE text to the model. */
#ifndef ENGINE_MYSQL_CATALOG_H
#define ENGINE_MYSQL_CATALOG_H

#include "base/map.h"
#include "engine/mysql/ddl.h"
#include "engine/mysql/mysql.h"

/* mysql, information_schema, performance_schema, sys and our own schema sluice are never carried. */
bool catalog_is_system_schema(str schema);
/* The type by the first word of a native type. */
col_type catalog_column_type(str word);
/* Fills columns, keys and foreign keys of t from d; t->schema, name and create_sql are set. default_collations: charset name → str * of its
 * default collation. All slices end up in the arena or in t->create_sql. */
ERR_MUST_USE bool catalog_fill_table(const ddl_table *d, const map *default_collations, arena *a, table_def *t, err *e);
/* Decodes the labels of an ENUM or SET, as UTF-8. */
ERR_MUST_USE bool catalog_read_labels(str type_group, arena *a, str **ret, uint32_t *ret_count, err *e);

#endif
