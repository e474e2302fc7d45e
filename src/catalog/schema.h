/* The store's schema: SQL texts by version and subject, applied in order; never edited after a release. */
#ifndef CATALOG_SCHEMA_H
#define CATALOG_SCHEMA_H

typedef struct catalog_schema_part {
    int version; /* from 1, ascending; several parts may share one */
    const char *sql;
} catalog_schema_part;

/* Ends with {0, NULL}. A file that owns tables adds its part here. */
extern const catalog_schema_part catalog_schema[];

#endif
