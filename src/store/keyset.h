/* Which keys of sums an hour has in its file already, so that nobody has to ask the file. */
#ifndef STORE_KEYSET_H
#define STORE_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hashes of keys, 0 none of them. All zero: an empty one. */
struct keyset {
    uint64_t *slots;
    size_t count, room;
};

bool keyset_has(const struct keyset *k, uint64_t hash);
/* It is not in there yet. */
void keyset_add(struct keyset *k, uint64_t hash);
void keyset_free(struct keyset *k);

#endif
