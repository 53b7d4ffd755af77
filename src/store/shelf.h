/* The days that are written to, few of them open at once. */
#ifndef STORE_SHELF_H
#define STORE_SHELF_H

#include "store/book.h"

struct shelf;

/* A record on its way into a row. */
struct shelf_item {
    const struct record *rec;
    int64_t id;
    bool done;
};

struct shelf_counts {
    uint64_t written, known, refused;
};

/* `set` is borrowed. Opens nothing yet. */
struct shelf *shelf_new(const struct book_settings *set);
/* Writes all items that are not done, each day's in a transaction, and marks those. 0; or -errno with a text:
 * the rest is not done, and may be tried again. A damaged file is put aside, and said. */
int shelf_write(struct shelf *s, struct shelf_item *items, size_t count, struct shelf_counts *counts,
                struct error *reterr);
/* Ends the files of days before `today` that nothing was written to since `before`, a time of now_monotonic.
 */
void shelf_end_days(struct shelf *s, int32_t today, double before);
/* Ends all of them. 0, or -errno of the first one that could not be. */
int shelf_free(struct shelf **s, struct error *reterr);

#endif
