/* map.c - Str to void*: open addressing beside an array that keeps the order of insertion. */
#include "runtime/base/base.h"

/* The slot of the key, or the free slot where it belongs. */
static size_t map_slot(const Map *m, Str key)
{
    size_t mask = m->slots_count - 1;
    size_t i = (size_t)str_hash(key) & mask;
    while (m->slots[i] && !str_eq(m->entries.items[m->slots[i] - 1].key, key))
        i = (i + 1) & mask;
    return i;
}

static MapEntry *map_entry(const Map *m, Str key)
{
    if (m->slots_count == 0)
        return NULL;
    uint32_t index = m->slots[map_slot(m, key)];
    return index ? &m->entries.items[index - 1] : NULL;
}

void *map_get(const Map *m, Str key)
{
    MapEntry *e = map_entry(m, key);
    return e ? e->value : NULL;
}

bool map_has(const Map *m, Str key)
{
    return map_entry(m, key) != NULL;
}

static bool map_grow(Arena *a, Map *m)
{
    size_t count = m->slots_count ? m->slots_count * 2 : 16;
    uint32_t *slots = push(a, uint32_t, count);
    if (!slots)
        return false;
    m->slots = slots;
    m->slots_count = count;
    for (size_t i = 0; i < m->entries.count; i++)
        m->slots[map_slot(m, m->entries.items[i].key)] = (uint32_t)i + 1;
    return true;
}

void map_put(Arena *a, Map *m, Str key, void *value)
{
    MapEntry *e = map_entry(m, key);
    if (e) {
        e->value = value;
        return;
    }
    if ((m->entries.count + 1) * 4 > m->slots_count * 3 && !map_grow(a, m))
        return;
    size_t slot = map_slot(m, key);
    size_t count = m->entries.count;
    array_add(a, &m->entries, ((MapEntry){key, value}));
    if (m->entries.count > count)
        m->slots[slot] = (uint32_t)m->entries.count;
}
