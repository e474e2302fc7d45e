/* The statements that make a table, its keys and foreign keys in a target, built from the source's definition. No I/O. */
#ifndef ENGINE_MYSQL_SCHEMA_TEXT_H
#define ENGINE_MYSQL_SCHEMA_TEXT_H

#include "engine/mysql/ddl.h"
#include "engine/mysql/schema_collation.h"

/* What the two ends are. */
typedef struct schema_pair {
    bool source_mariadb, target_mariadb;
    uint32_t target_version;
    const map *collations; /* the target's, see collation_read_known */
} schema_pair;

/* source_product as server_info has it, p == NULL: the target's own. The texts of a catalog that was mapped from another family are the target's. */
schema_pair schema_pair_of(str source_product, bool target_mariadb, uint32_t target_version, const map *collations);

/* What stands in the way of carrying a table, one call per finding. failed: the table cannot be made as it must be; else something is left out or
 * changed. Texts are borrowed during the call. */
typedef struct schema_findings {
    void (*add)(void *ctx, bool failed, str what, str repair);
    void *ctx;
} schema_findings;

/* Everything of the table that cannot be carried to the target or changes on the way. */
ERR_MUST_USE bool schema_inspect(const schema_pair *p, const table_def *t, const ddl_table *d, const schema_findings *out, err *e);
/* CREATE TABLE with columns, primary and unique keys, checks, the key an AUTO_INCREMENT column needs, and partitions. */
ERR_MUST_USE bool schema_create_table(const schema_pair *p, const table_def *t, const ddl_table *d, arena *a, buf *out, err *e);
/* The key is made with the table, not after the load. */
bool schema_key_is_early(const table_def *t, const ddl_table *d, uint32_t key);
/* Every column of the key is carried. */
bool schema_key_is_whole(const table_def *t, uint32_t key);
/* "ADD KEY ..." */
ERR_MUST_USE bool schema_add_key(const schema_pair *p, const table_def *t, const ddl_key *k, arena *a, buf *out, err *e);
/* The check is made in the target under the name it has at the source. */
bool schema_check_keeps_name(const schema_pair *p, const ddl_check *c);
/* Every column of the foreign key is carried. */
bool schema_foreign_key_is_whole(const table_def *t, uint32_t fk);
/* "ADD CONSTRAINT ... FOREIGN KEY ..."; parent: the referenced table of the catalog. */
ERR_MUST_USE bool schema_add_foreign_key(const table_def *t, const foreign_key_def *f, const table_def *parent, buf *out, err *e);
/* CREATE OR REPLACE VIEW under the target names, SQL SECURITY INVOKER and without the source's definer: the account of the service must not lend its
 * rights to readers of a view. Fails when the view uses a table or column that is not carried or whose columns are renamed. */
ERR_MUST_USE bool schema_create_view(const catalog_def *c, const view_def *v, arena *a, buf *out, err *e);

#endif
