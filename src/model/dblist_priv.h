/* The parsed object list, shared by its parser (dblist_parse.c) and its look-ups (dblist.c). */
#ifndef MODEL_DBLIST_PRIV_H
#define MODEL_DBLIST_PRIV_H

#include "model/dblist.h"

typedef struct listed_column {
    str name, target;
} listed_column;

/* A table or view. */
typedef struct listed_object {
    str name, target;
    str filter;           /* p == NULL without one */
    bool every_column;    /* the columns below only rename */
    listed_column *columns;
    uint32_t column_count;
} listed_object;

/* Objects of one kind: in list order, and an index sorted by name. */
typedef struct listed_objects {
    listed_object *items;
    str *names;      /* in list order */
    uint32_t *index; /* positions in items, sorted by name */
    uint32_t count;
} listed_objects;

typedef struct listed_database {
    str name, target;
    bool whole;
    listed_objects tables, views;
} listed_database;

struct dblist {
    listed_database *items;
    str *names;
    uint32_t *index;
    uint32_t count;
};

/* The sorted index over names, in the arena; false without memory. */
bool dblist_sort_names(arena *a, const str *names, uint32_t count, uint32_t **ret_index);
/* Position of the name or UINT32_MAX. */
uint32_t dblist_find_name(const str *names, const uint32_t *index, uint32_t count, str name);

#endif
