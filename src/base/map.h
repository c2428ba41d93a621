/* A hash map from strings to pointers that remembers insertion order. Keys are not copied: they
 * must live as long as the map. Not for concurrent writers. What is put in as const is taken out
 * as const. */
#ifndef TROUPE_MAP_H
#define TROUPE_MAP_H

#include "base/str.h"

struct map_entry {
    struct str key;
    void *value;
};

struct map {
    struct arena *arena;
    struct map_entry *entries; /* n of them, in insertion order */
    size_t n, cap;
    uint32_t *slots; /* index + 1 into entries; 0 is free */
    size_t slot_count;
};

#define MAP(a) ((struct map){.arena = (a)})

/* Value under `key`, or NULL. */
void *map_get(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* Set `key`; an existing one keeps its place in the order. */
void map_put(struct map *m, struct str key, const void *value);

#endif
