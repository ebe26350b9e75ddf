/* map.c - Str to void*: open addressing beside an array that keeps the order of insertion. */
#include "runtime/base/base.h"

/* The slot of the key, or the free slot where it belongs. */
static size_t map_slot(const Map *m, Str key, uint64_t hash)
{
    size_t mask = m->slots_count - 1, i = (size_t)hash & mask;
    for (; m->slots[i].index; i = (i + 1) & mask)
        if (m->slots[i].hash == (uint32_t)hash &&
            str_eq(m->entries.items[m->slots[i].index - 1].key, key))
            break;
    return i;
}

static MapEntry *map_entry(const Map *m, Str key)
{
    if (m->slots_count == 0)
        return NULL;
    uint32_t index = m->slots[map_slot(m, key, str_hash(key))].index;
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
    size_t count = m->slots_count ? m->slots_count * 2 : 16, mask = count - 1;
    MapSlot *slots = push(a, MapSlot, count);
    if (!slots)
        return false;
    for (size_t i = 0; i < m->slots_count; i++) {
        if (!m->slots[i].index)
            continue;
        size_t to = (size_t)m->slots[i].hash & mask;
        while (slots[to].index)
            to = (to + 1) & mask;
        slots[to] = m->slots[i];
    }
    m->slots = slots;
    m->slots_count = count;
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
    uint64_t hash = str_hash(key);
    size_t slot = map_slot(m, key, hash);
    size_t count = m->entries.count;
    array_add(a, &m->entries, ((MapEntry){key, value}));
    if (m->entries.count > count)
        m->slots[slot] = (MapSlot){(uint32_t)hash, (uint32_t)m->entries.count};
}
