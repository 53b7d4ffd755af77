/* Answers of ClickHouse in the format RowBinary, piece by piece as they come. */
#ifndef CLICKHOUSE_BINARY_H
#define CLICKHOUSE_BINARY_H

#include "base/error.h"
#include "base/slice.h"

enum binary_kind {
    BINARY_U8,
    BINARY_U16, /* Date too */
    BINARY_U32, /* DateTime too */
    BINARY_U64,
    BINARY_F64,
    BINARY_TEXT,
    BINARY_TEXTS, /* Array(String) */
    BINARY_REALS, /* Array(Float64) */
    BINARY_MAYBE  /* Nullable(UInt8) */
};

/* Of one column. Slices live until the row's callback returns. */
struct binary_value {
    uint64_t number;   /* U8 to U64, MAYBE */
    double real;       /* F64 */
    struct slice text; /* TEXT; of lists what binary_next_text and binary_next_real take from */
    size_t count;      /* of lists */
    bool null;         /* of MAYBE */
};

/* False: no more rows are wanted. */
typedef bool binary_row_fn(void *ctx, const struct binary_value *values);

struct binary;

/* Rows of `count` columns of these kinds (copied), each up to `row_most` bytes. */
struct binary *binary_new(const enum binary_kind *kinds, size_t count, size_t row_most, binary_row_fn *row,
                          void *ctx);
void binary_free(struct binary **b);
/* Takes a piece, and gives the rows that are whole; one that is not may wait for more pieces than it needs.
 * False: no more is wanted, or it is no such answer. */
bool binary_take(struct binary *b, struct slice piece);
/* The answer is over: gives the rows that wait. 0, also where no more rows were wanted; -EPROTO with a text:
 * it is no such answer, or ends amid a row. */
int binary_end(struct binary *b, struct error *reterr);

/* The next of a list; false: there is none. */
bool binary_next_text(struct binary_value *list, struct slice *ret);
bool binary_next_real(struct binary_value *list, double *ret);

#endif
