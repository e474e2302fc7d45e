/* Building the statements of the applier. All append to a buffer; a buffer that failed is found by the caller at the end. */
#ifndef ENGINE_MYSQL_APPLY_SQL_H
#define ENGINE_MYSQL_APPLY_SQL_H

#include "engine/mysql/apply_table.h"

/* "(1,'a',...)" of the written columns. */
void apply_sql_values(buf *b, const apply_table *t, const val *row);
/* "INSERT INTO ... VALUES (...)" of one row; verb is "INSERT" or "REPLACE". */
void apply_sql_insert(buf *b, const char *verb, const apply_table *t, const val *row);
/* "UPDATE ... SET every column that after carries WHERE the row of before". Tables without a key: the whole row, LIMIT 1. */
void apply_sql_update(buf *b, const apply_table *t, const val *before, const val *after, bool mariadb);
void apply_sql_delete(buf *b, const apply_table *t, const val *before, bool mariadb);
/* Many rows by key: "DELETE FROM t WHERE `id` IN (" item "," item ")", or for several columns "WHERE " item " OR " item. */
void apply_sql_delete_begin(buf *b, const apply_table *t);
void apply_sql_delete_item(buf *b, const apply_table *t, const val *before, bool first);
void apply_sql_delete_end(buf *b, const apply_table *t);
/* Every written column has a value in the row: it can be written as a whole. */
bool apply_sql_is_whole(const apply_table *t, const val *row);
/* The images of one row have the same key; what `after` leaves out did not change. */
bool apply_sql_same_key(const apply_table *t, const val *before, const val *after);
/* How many written values of the row are the error value of an ENUM (index 0), which strict mode refuses. */
uint32_t apply_sql_enum_errors(const apply_table *t, const val *row);
/* For messages: "id=5, name='x'", each value cut at 64 bytes; "a row without key" for tables without one. */
void apply_sql_describe_key(buf *b, const apply_table *t, const val *row);

#endif
