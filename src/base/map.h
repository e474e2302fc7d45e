/* A hash map from byte keys to pointers; keys are borrowed and must outlive the map (usually they live in the same arena). */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

typedef struct map_entry {
    str key;
    uint64_t hash;
    void *value;
} map_entry;

typedef struct map {
    map_entry *entries; /* owned, in order of insertion; removed ones have value NULL */
    uint32_t *index;    /* owned, open addressing, 0 = empty, else entry number + 1 */
    size_t count, cap, index_cap;
} map;

#define MAP_INIT ((map){0})

void map_finish(map *m);
/* Empties it and keeps the memory. */
void map_clear(map *m);
/* The value or NULL. */
void *map_get(const map *m, str key);
/* Sets (value != NULL); false without memory. */
bool map_put(map *m, str key, void *value);
/* Forgets the key; returns the old value or NULL. */
void *map_remove(map *m, str key);
/* 64-bit hash of bytes (wyhash-like mixing, not for hostile keys across processes). */
uint64_t map_hash(str key);

#endif
