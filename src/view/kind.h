/* What a kind of store gives, so that readers of it can be asked as view/reader.h says. For stores alone. */
#ifndef VIEW_KIND_H
#define VIEW_KIND_H

#include "sink/line.h"
#include "view/columns.h"
#include "view/reader.h"
#include "view/timeline.h"
#include "view/top.h"

/* Each does what the function of its name in view/reader.h, view/top.h and view/timeline.h says. */
struct reader_kind {
    void (*close)(struct reader *r);
    int64_t (*micros)(uint64_t id);
    int (*find)(struct reader *r, const struct reader_question *question, reader_take_fn *take, void *ctx,
                struct reader_result *ret, struct error *reterr);
    int (*count)(struct reader *r, const struct reader_question *question, struct reader_result *ret,
                 struct error *reterr);
    int (*facets)(struct reader *r, const struct reader_question *question,
                  const enum query_field_index *fields, size_t field_count, size_t most,
                  reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr);
    int (*span)(struct reader *r, struct reader_span *ret, struct error *reterr);
    int (*collect)(struct reader *r, enum top_by by, struct hours span, struct keyed *keys,
                   struct error *reterr);
    int (*key_hours)(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                     void *ctx, struct error *reterr);
    /* `query` NULL: of all. Of a query's mails alone it may answer -ENOTSUP, and nothing is filled. */
    int (*timeline)(struct reader *r, struct timeline *t, const struct query *query, struct error *reterr);
    void (*explain)(struct reader *r, enum stream_index stream, const struct query *query, struct line *out);
};

/* What stands first in a reader of any kind; made by reader_begin. */
struct reader {
    const struct reader_kind *kind;
    double deadline; /* by now_monotonic; 0: none */
    bool complete;
    uint64_t searched_to;
};
void reader_begin(struct reader *r, const struct reader_kind *kind);
/* Is the time over? */
bool reader_over(const struct reader *r);
/* Notes that a part of the store is left out; `ret` may be NULL. */
void reader_leave_out(struct reader *r, struct reader_result *ret, const struct error *why);
/* Notes that the deadline ended it at that id. */
void reader_stopped(struct reader *r, uint64_t place, bool oldest_first);

/* What stands first in a row of any kind. */
struct reader_row {
    /* Of a field that was asked for. */
    struct reader_value (*value)(const struct reader_row *row, size_t field);
    uint64_t id;
    int64_t micros;
    const struct columns *columns; /* NULL: of a script's stream */
    struct slice whole;            /* of such a one: its line, without LF */
    const size_t *fields;          /* those asked for; NULL: all */
    size_t count;
    struct line line; /* scratch; line_free() in the end */
};
/* Field number `i` of those asked for. */
size_t reader_row_field(const struct reader_row *row, size_t i);

#endif
