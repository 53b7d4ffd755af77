/* What is summed up of mails, and sums by key. */
#ifndef VIEW_SUMS_H
#define VIEW_SUMS_H

#include "base/slice.h"

struct sums {
    uint64_t mails, accepted, rejected, deferred, tls, recipients, bytes;
    double delay;    /* seconds, of all that had one */
    uint64_t delays; /* how many had one */
};

void sums_add(struct sums *s, const struct sums *more);
struct keyed_row {
    struct slice key; /* of the table's memory */
    struct sums sums;
};
struct keyed;

/* Holds up to `most` keys, which is not 0; what comes for others once it is full counts in keyed_others. */
struct keyed *keyed_new(size_t most);
void keyed_free(struct keyed **k);
void keyed_add(struct keyed *k, struct slice key, const struct sums *sums);
size_t keyed_count(const struct keyed *k);
/* Row i of keyed_count, in the order in which they came, until keyed_sort. */
struct keyed_row keyed_row(const struct keyed *k, size_t i);
/* NULL: it has no such key. */
const struct sums *keyed_find(const struct keyed *k, struct slice key);
const struct sums *keyed_others(const struct keyed *k);
/* Counts sums of keys that are not told. */
void keyed_add_others(struct keyed *k, const struct sums *sums);
/* How many keys it holds at most. */
size_t keyed_most(const struct keyed *k);

enum keyed_order { KEYED_MAILS, KEYED_REJECTED, KEYED_BYTES };
/* The rows with the most of it first, those of one number by key; after it only rows are read. */
void keyed_sort(struct keyed *k, enum keyed_order order);

#endif
