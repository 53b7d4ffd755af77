/* The way of a question over day files; inside of the reader. */
#ifndef STORE_WALK_H
#define STORE_WALK_H

#include "store/reader.h"
#include "store/volumes.h"

struct reader {
    struct volumes *volumes;
    double deadline; /* by now_monotonic; 0: none */
    bool complete;
    uint64_t searched_to;
};

struct walk {
    const struct reader_question *question;
    bool ids_only; /* nothing but ids is wanted, so that the index alone may answer */
    /* Adds what is selected behind the id, each with a comma before it; NULL: nothing. Columns are those of a
     * table r. */
    void (*select)(void *ctx, const struct ask_table *table, struct line *out);
    /* A row; its first column is the id. Nonzero ends the walk, and is what it returns. */
    int (*row)(void *ctx, sqlite3_stmt *stmt, uint64_t id);
    void *ctx;
};

int walk_run(struct reader *r, const struct walk *w, struct reader_result *ret, struct error *reterr);
/* Is the time over? */
bool reader_over(const struct reader *r);
/* Notes that a day's file is left out. */
void reader_leave_out(struct reader *r, struct reader_result *ret, const struct error *why);

#endif
