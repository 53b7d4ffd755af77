/* Questions to a store of any kind: a query's rows, newest first; counts, facets, sums. Never writes.
 *
 * Who opens a reader says which kind it is (store/open.h for folders of day files). It is for one thread at a
 * time. A part of the store that cannot be read is left out, counted, and said. */
#ifndef VIEW_READER_H
#define VIEW_READER_H

#include "base/error.h"
#include "query/query.h"
#include "record/field.h"

struct reader;

void reader_close(struct reader **r);
/* All that follows on this reader may take so many seconds together, from now on; then it ends where it is,
 * which is no error. 0: as long as it takes. */
void reader_deadline(struct reader *r, double seconds);
/* Since the last reader_deadline: nothing ended by it, and no file was left out. */
bool reader_complete(const struct reader *r);
/* Where it ended something: all ids from there on (oldest first: up to there) were looked at; else 0. */
uint64_t reader_searched_to(const struct reader *r);
/* When the record of that id ended, in microseconds since the epoch: ids are in the order of these times. */
int64_t reader_micros(const struct reader *r, uint64_t id);

struct reader_question {
    enum stream_index stream;
    const struct query *query; /* NULL: everything */
    bool oldest_first;
    uint64_t before, after; /* only ids below and above; 0: no bound */
    int64_t since, until;   /* only what ended then or later, and before; microseconds; 0: no bound */
    uint64_t limit;         /* rows; 0: all */
    const size_t *fields;   /* indexes of the stream's fields that are looked at, none twice; NULL: all */
    size_t field_count;
};

struct reader_result {
    uint64_t rows; /* given, or counted */
    uint64_t last; /* id of the last one given; 0: none */
    bool more;     /* the limit ended it; there may be more behind `last` */
    bool complete; /* nothing but the limit, or who takes the rows, ended it, and no file was left out */
    uint64_t
        searched_to; /* where the deadline ended it: the id up to which (and with it) all was searched; else
                      * 0. The next question begins there: before (oldest_first: after) = searched_to */
    size_t files, left_out; /* looked at; not readable */
    char problem[512];      /* of the first left out; "": none */
};

/* One row; its bytes live until the callback returns. */
struct reader_row;
uint64_t reader_row_id(const struct reader_row *row);
/* When it ended, in microseconds. */
int64_t reader_row_micros(const struct reader_row *row);
enum reader_value_kind { READER_ABSENT, READER_INTEGER, READER_REAL, READER_TEXT };
struct reader_value {
    enum reader_value_kind kind;
    int64_t integer; /* TIME: microseconds; BOOL, TRUE, MAYBE: 0 or 1 */
    double real;
    struct slice text; /* lists and objects: their JSON */
};
/* Of a field by its index in the stream's table; absent too where it is not among the question's fields. */
struct reader_value reader_row_value(const struct reader_row *row, size_t field);
/* Adds the whole record as the json sink prints it, with its line end (of a question for some fields: these).
 */
void reader_row_line(const struct reader_row *row, struct buf *out);
/* Adds one field's value as JSON; false where it is absent, then nothing was added. */
bool reader_row_json(const struct reader_row *row, size_t field, struct buf *out);
/* Adds one field's value as a cell of CSV (RFC 4180; texts that a spreadsheet would take for a formula get a
 * ' before them); an absent one is empty. */
void reader_row_csv(const struct reader_row *row, size_t field, struct buf *out);

/* 0: go on; else that ends it, and is what reader_find returns. */
typedef int reader_take_fn(void *ctx, const struct reader_row *row);

/* Rows that the query finds, in order. 0, or what `take` returned, or -errno where the folder cannot be read.
 */
int reader_find(struct reader *r, const struct reader_question *question, reader_take_fn *take, void *ctx,
                struct reader_result *ret, struct error *reterr);
/* How many it finds: in ret->rows. `limit` bounds it too. */
int reader_count(struct reader *r, const struct reader_question *question, struct reader_result *ret,
                 struct error *reterr);

struct reader_facet_value {
    struct slice
        value; /* as it was first seen; field:"value" finds `count` of the records that were looked at */
    uint64_t count;
};
struct reader_facet {
    enum query_field_index field;
    const struct reader_facet_value *values; /* most frequent first */
    size_t count;
};
/* 0: goes on. The values die when it returns. */
typedef int reader_facet_fn(void *ctx, const struct reader_facet *facet);
/* The most frequent values of some fields in the newest question->limit records that the query finds (0:
 * 10000); ret->rows is how many were looked at, and `complete` is false where there are more. A field that
 * the stream has not, or that has no values to name (ANY, HAS, SINCE...), has none. At most `most` values of
 * each. `take` is called once a field, in order. */
int reader_facets(struct reader *r, const struct reader_question *question,
                  const enum query_field_index *fields, size_t field_count, size_t most,
                  reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr);

struct reader_span {
    size_t files;        /* days */
    int64_t first, last; /* microseconds: begin of the oldest day and end of the newest one; 0, 0: no files */
};
int reader_span(struct reader *r, struct reader_span *ret, struct error *reterr);

/* For people: the canonical query, and what the store is asked, as text. */
void reader_explain(struct reader *r, enum stream_index stream, const struct query *query, struct buf *out);

#endif
