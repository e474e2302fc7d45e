/* A hash map from byte keys to pointers. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 r = (unsigned __int128)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

uint64_t map_hash(str key)
{
    uint64_t h = key.n ^ 0x9e3779b97f4a7c15U, w;
    const char *p = key.p;
    size_t n = key.n;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        h = mix(h ^ w, 0xe7037ed1a0b428dbU);
    }
    w = 0;
    if (n) memcpy(&w, p, n);
    return mix(h ^ w, 0x8ebc6af09c88c6e3U) ^ mix(h, 0x589965cc75374cc3U);
}

void map_finish(map *m)
{
    free(m->entries);
    free(m->index);
    *m = MAP_INIT;
}

void map_clear(map *m)
{
    m->count = 0;
    if (m->index) memset(m->index, 0, m->index_cap * sizeof *m->index);
}

static size_t probe(const map *m, str key, uint64_t hash)
{
    size_t at = (size_t)hash & (m->index_cap - 1);
    for (;; at = (at + 1) & (m->index_cap - 1)) {
        uint32_t i = m->index[at];
        if (i == 0) return at;
        const map_entry *entry = &m->entries[i - 1];
        if (entry->hash == hash && str_eq(entry->key, key)) return at;
    }
}

static bool grow(map *m)
{
    size_t cap = m->cap ? m->cap * 2 : 16, index_cap = cap * 2;
    map_entry *entries = realloc(m->entries, cap * sizeof *entries);
    if (!entries) return false;
    m->entries = entries;
    m->cap = cap;
    uint32_t *index = calloc(index_cap, sizeof *index);
    if (!index) return false;
    free(m->index);
    m->index = index;
    m->index_cap = index_cap;
    for (size_t i = 0; i < m->count; i++) {
        size_t at = (size_t)entries[i].hash & (index_cap - 1);
        while (index[at]) at = (at + 1) & (index_cap - 1);
        index[at] = (uint32_t)i + 1;
    }
    return true;
}

void *map_get(const map *m, str key)
{
    if (m->count == 0) return NULL;
    uint32_t i = m->index[probe(m, key, map_hash(key))];
    return i ? m->entries[i - 1].value : NULL;
}

bool map_put(map *m, str key, void *value)
{
    uint64_t hash = map_hash(key);
    if (m->index) {
        uint32_t i = m->index[probe(m, key, hash)];
        if (i) {
            m->entries[i - 1].value = value;
            return true;
        }
    }
    if (m->count >= UINT32_MAX - 1) return false;
    if (m->count == m->cap || !m->index || m->index_cap < m->cap * 2) {
        if (!grow(m)) return false;
    }
    m->entries[m->count] = (map_entry){key, hash, value};
    m->index[probe(m, key, hash)] = (uint32_t)++m->count;
    return true;
}

void *map_remove(map *m, str key)
{
    if (m->count == 0) return NULL;
    uint32_t i = m->index[probe(m, key, map_hash(key))];
    if (!i) return NULL;
    void *old = m->entries[i - 1].value;
    m->entries[i - 1].value = NULL;
    return old;
}
