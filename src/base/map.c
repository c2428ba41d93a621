/* Ordered hash map. */
#include "base/map.h"

static size_t slot_of(const struct map *m, struct str key)
{
    size_t i = (size_t)str_hash(key) & (m->slot_count - 1);
    while (m->slots[i] && !str_eq(m->entries[m->slots[i] - 1].key, key))
        i = (i + 1) & (m->slot_count - 1);
    return i;
}

static struct map_entry *find(const struct map *m, struct str key)
{
    if (!m->n)
        return NULL;
    uint32_t at = m->slots[slot_of(m, key)];
    return at ? &m->entries[at - 1] : NULL;
}

void *map_get(const struct map *m, struct str key)
{
    struct map_entry *e = find(m, key);
    return e ? e->value : NULL;
}

bool map_has(const struct map *m, struct str key)
{
    return find(m, key) != NULL;
}

static void grow(struct map *m)
{
    size_t cap = m->cap ? m->cap * 2 : 8;
    m->entries =
        arena_grow(m->arena, m->entries, m->cap * sizeof *m->entries, cap * sizeof *m->entries);
    m->cap = cap;
    m->slot_count = cap * 2;
    m->slots = ARENA_ARRAY(m->arena, m->slot_count, uint32_t);
    for (size_t i = 0; i < m->n; i++)
        m->slots[slot_of(m, m->entries[i].key)] = (uint32_t)i + 1;
}

void map_put(struct map *m, struct str key, const void *value)
{
    void *kept = (void *)(uintptr_t)value; /* whoever takes it out knows whether it is const */
    struct map_entry *e = find(m, key);
    if (e) {
        e->value = kept;
        return;
    }
    if (m->n == m->cap)
        grow(m);
    m->entries[m->n++] = (struct map_entry){key, kept};
    m->slots[slot_of(m, key)] = (uint32_t)m->n;
}
