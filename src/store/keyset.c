/* keyset.c: a set of hashes.
 * In: hashes. Out: answers. Owns: its slots, twice as many as hashes. Limits: its user's. */
#include "store/keyset.h"

#include <stdlib.h>
#include "base/memory.h"

enum { LEAST = 64 };

static uint64_t *slot_of(const struct keyset *k, uint64_t hash)
{
    size_t at = hash & (k->room - 1);
    while (k->slots[at] && k->slots[at] != hash)
        at = (at + 1) & (k->room - 1);
    return &k->slots[at];
}

bool keyset_has(const struct keyset *k, uint64_t hash)
{
    return k->room && *slot_of(k, hash | !hash);
}

static void grow(struct keyset *k)
{
    const struct keyset old = *k;
    k->room = old.room ? 2 * old.room : LEAST;
    k->slots = calloc(k->room, sizeof *k->slots);
    memory_check(k->slots);
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i])
            *slot_of(k, old.slots[i]) = old.slots[i];
    free(old.slots);
}

void keyset_add(struct keyset *k, uint64_t hash)
{
    if (2 * (k->count + 1) > k->room)
        grow(k);
    *slot_of(k, hash | !hash) = hash | !hash;
    k->count++;
}

void keyset_free(struct keyset *k)
{
    free(k->slots);
    *k = (struct keyset){0};
}
