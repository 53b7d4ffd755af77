/* A reader of the tables of ClickHouse: a kind of store, see view/reader.h. */
#ifndef CLICKHOUSE_READER_H
#define CLICKHOUSE_READER_H

#include "clickhouse/ask.h"
#include "clickhouse/server.h"
#include "view/kind.h"

struct past;

struct chreader_settings {
    struct chserver_settings server;
    const char *password; /* or NULL */
    double timeout;       /* seconds that the server may take for a part of a question */
    struct past *past;    /* borrowed; NULL: sums of days are not kept */
    uint64_t window;      /* about so many rows are looked at by one request; 0: by how fast the server is */
};

/* Asks nothing yet. 0 or -errno: the settings are wrong. */
int chreader_open(const struct chreader_settings *set, struct reader **ret, struct error *reterr);

/* For the files of the reader alone. */
struct chreader {
    struct reader reader;
    struct chserver *server;
    double timeout;
    uint64_t window;
    struct past *past;
    struct tables *tables;
    struct folds *folds; /* NULL: no words were asked for yet */
    struct columns *columns[STREAMS];
    char name[128]; /* what it is called for people */
};
static inline struct chreader *chreader_of(struct reader *r)
{
    return (struct chreader *)r;
}
/* The least id of that microsecond. */
static inline uint64_t chreader_first_id(int64_t micros)
{
    return chask_id_at(micros);
}
/* Until when a request may take that begins now: by the timeout and the deadline. */
double chreader_until(const struct chreader *r);

#endif
