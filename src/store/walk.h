/* The way of a question over day files; inside of the reader. */
#ifndef STORE_WALK_H
#define STORE_WALK_H

#include "store/volumes.h"
#include "view/kind.h"

struct past;

/* A reader of a folder of day files. */
struct folder {
    struct reader reader;
    struct volumes *volumes;
    struct past *past; /* NULL: sums of days are not kept */
};
static inline struct folder *folder_of(struct reader *r)
{
    return (struct folder *)r;
}

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

int walk_run(struct folder *f, const struct walk *w, struct reader_result *ret, struct error *reterr);
/* See view/kind.h. */
int folder_find(struct reader *r, const struct reader_question *question, reader_take_fn *take, void *ctx,
                struct reader_result *ret, struct error *reterr);
int folder_facets(struct reader *r, const struct reader_question *question,
                  const enum query_field_index *fields, size_t field_count, size_t most,
                  reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr);
int folder_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                   struct error *reterr);
int folder_key_hours(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                     void *ctx, struct error *reterr);
int folder_timeline(struct reader *r, struct timeline *t, const struct query *query, struct error *reterr);

/* One SELECT of ours over the tables of a day file; never a text that a user gave. */
struct folder_sql {
    const char *text;
    const struct reader_value *values; /* bound to ?1 and so on, where the statement has that many */
    size_t value_count;
    int64_t since, until; /* ids: days that have none of since <= id < until are not opened */
};
/* false ends it. The row is the callback's until it returns, to read its columns. */
typedef bool folder_row_fn(void *ctx, sqlite3_stmt *row);
/* Runs it on day after day, the oldest first; what several of them give is the caller's to put together. 0,
 * or -errno. A day that lacks a table or column of it is passed over. */
int folder_each_day(struct folder *f, const struct folder_sql *sql, folder_row_fn *each, void *ctx,
                    struct error *reterr);

#endif
