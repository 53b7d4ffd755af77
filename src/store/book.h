/* The file of a day while it is written: its rows, what they are found by, and their sums, in transactions.
 */
#ifndef STORE_BOOK_H
#define STORE_BOOK_H

#include "base/error.h"
#include "record/record.h"
#include "view/columns.h"

struct book_settings {
    const char *directory;
    uint64_t keys, find_bytes, cache_bytes;
    const struct columns *columns; /* of all streams before STREAM_ENTRY */
};

enum book_put {
    BOOK_PUT,
    BOOK_KNOWN,   /* it is there already */
    BOOK_BEYOND,  /* no id is free on that day: try the one of *id */
    BOOK_REFUSED, /* SQLite does not take it, nor will it later: see *reterr */
};

struct book;

/* Opens or makes it. `set` is borrowed as long as it is open. 0 or -errno as day_open. */
int book_open(const struct book_settings *set, int32_t day, struct book **ret, struct error *reterr);
int32_t book_day(const struct book *b);
/* Its file is still the one of that name; else what is written is lost. */
bool book_is_there(const struct book *b);
/* Between these two, records; after an error of any of the three, book_roll_back. 0 or -errno. */
int book_begin(struct book *b, struct error *reterr);
int book_commit(struct book *b, struct error *reterr);
/* An enum book_put, or -errno. `*id` is the id to try first, and then the one that it has. */
int book_put(struct book *b, const struct record *rec, int64_t *id, struct error *reterr);
/* Nothing since book_begin has been. */
void book_roll_back(struct book *b);
/* `over`: all of it goes into the one file, see day_close. 0, or -errno of that. */
int book_close(struct book **b, bool over, struct error *reterr);

#endif
