/* One SELECT to a server of ClickHouse, and its rows. */
#ifndef CLICKHOUSE_SELECT_H
#define CLICKHOUSE_SELECT_H

#include "clickhouse/binary.h"
#include "clickhouse/server.h"

struct select {
    struct chserver *server;
    double until;                  /* by now_monotonic; 0: an hour */
    const enum binary_kind *kinds; /* of its columns */
    size_t count;
    size_t row_most; /* bytes */
    bool whole;      /* rows come once all of them are there, so that what fails has given none */
    binary_row_fn *row;
    void *ctx;
};

/* `sql` is without FORMAT. 0, also where `row` wanted no more. -ETIMEDOUT: its time was over, the rows that
 * had come were given. With a text too: -ENOENT: the database or a table is not there; -EACCES: the server
 * does not take us; -EIO, -EPROTO: it cannot be reached, refuses, or answers what is no such thing. */
int select_run(const struct select *s, struct slice sql, struct error *reterr);

#endif
